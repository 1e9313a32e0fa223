"""Everything that can be asked of bills and done with them, for the API and the command line alike."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import msgspec

from watchglass.config import Settings
from watchglass.errors import BadRequest
from watchglass.ledger.reconcile.asked import Asked, check
from watchglass.ledger.reconcile.importing import import_bills
from watchglass.ledger.reconcile.report import document
from watchglass.ledger.reconcile.run import reconcile
from watchglass.pricing.book import PriceBook
from watchglass.pricing.labels import canonical
from watchglass.queries.times import parse_moment
from watchglass.store import Bills, Engine, VersionClock

Document = dict[str, Any]


class BillFileSent(msgspec.Struct, frozen=True):
    """A file of a provider's, as base64 in JSON."""

    name: str
    content: bytes


class Wanted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to compare, as people write it; what is None is as the settings say."""

    files: list[BillFileSent] = []
    format: str | None = None
    map: dict[str, str] = {}
    project_by: str | None = None
    project_map: dict[str, str] | None = None
    zone: str | None = None
    since: str | None = None
    until: str | None = None
    provider: list[str] = []


class ReconcileDesk:
    """Bills of one store. One reconciliation runs at a time: each may read all calls of months."""

    def __init__(self, settings: Settings, engine: Engine, versions: VersionClock, book: PriceBook) -> None:
        self._settings = settings
        self._engine = engine
        self._book = book
        self._bills = Bills(engine, versions)
        self._turn = threading.Lock()

    def run(self, wanted: Wanted, now_ns: int) -> Document:
        """Keep the files, if any, and compare with all bills that are kept. Raises `BadRequest`."""
        asked = self._asked(wanted, now_ns)
        check(asked)  # before a file is kept for a question that cannot be answered
        with self._turn:
            files = [(each.name, each.content) for each in wanted.files]
            if files:
                kept = import_bills(self._bills, files, format=wanted.format, mapping=dict(wanted.map))
            else:
                kept = self._bills.files()
            return document(reconcile(self._engine, self._book, asked, live=self._bills.live()), kept)

    def _asked(self, wanted: Wanted, now_ns: int) -> Asked:
        settings = self._settings
        project_map = wanted.project_map
        if project_map is None:
            project_map = parse_project_map(settings.project_map)
        return Asked(
            project_by=wanted.project_by or settings.project_by,
            project_map=project_map,
            zone=wanted.zone,
            since_ns=None if wanted.since is None else parse_moment(wanted.since, now_ns),
            until_ns=None if wanted.until is None else parse_moment(wanted.until, now_ns),
            providers=tuple(canonical(each) or each.strip().lower() for each in wanted.provider),
        )


def parse_project_map(pairs: Sequence[str]) -> dict[str, str]:
    """`theirs=ours`, several times. Raises `BadRequest`."""
    found: dict[str, str] = {}
    for each in pairs:
        theirs, equals, ours = each.partition("=")
        if not equals or not theirs.strip() or not ours.strip():
            raise BadRequest(f"{each[:60]!r} maps no project; write the provider's name, =, and ours")
        found[theirs.strip()] = ours.strip()
    return found
