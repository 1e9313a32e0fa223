"""Any table: `--map ours=theirs` says what its columns are, `--map ours==text` what is so in every row.

Ours are the names in `OURS`; a column that has one of them already needs no `--map`. A row says a cost, or
tokens of one class, or the tokens of several classes side by side (`--map input=… --map output=…`).
"""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TypeAlias, cast, get_args

from msgspec.structs import replace

from watchglass.errors import BadRequest
from watchglass.ledger.bills.documents import is_json
from watchglass.ledger.bills.line import BillLine, LineClass, Refused
from watchglass.ledger.bills.tables import Row, Table, table
from watchglass.ledger.bills.values import (
    Record,
    Unreadable,
    count,
    currency,
    day,
    instant_or_epoch,
    money,
    shown,
    text,
    tier,
)
from watchglass.pricing.labels import canonical

CLASSES: tuple[str, ...] = get_args(LineClass)
TIMES = ("time", "day", "since", "until")
FIGURES = ("amount_usd", "tokens", "requests")
TEXTS = ("provider", "project", "key", "model", "token_class", "tier", "region", "request_id", "item")
OURS: tuple[str, ...] = (*TIMES, "zone", *TEXTS, *FIGURES, "currency", *CLASSES)

Columns: TypeAlias = Mapping[str, str]
"""Ours to theirs; a theirs that begins with `=` is the text of every row."""

_SYNONYMS = {"prompt": "input_total", "completion": "output", "cached_input": "cache_read"}

_DOLLARS = re.compile(r"(-?)\s?\$?\s?(-?)((?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d*)?|\.\d+)(?:\s?(?:USD|usd|\$))?")
_FOREIGN = re.compile(r"[€£¥₹]|\b(?!USD)[A-Z]{3}\b")
_COMMA = re.compile(r"-?\d+,\d{1,2}|-?\d{1,3}(\.\d{3})+,\d+")


class PlainCsv:
    """See `BillFormat`."""

    name = "csv"
    documented = "docs/how-to.md"

    def recognises(self, head: bytes) -> bool:
        """A table whose columns have our own names: who bills, when and what."""
        names = frozenset() if is_json(head) else table(head).names
        has = names.intersection
        return "provider" in names and bool(has(TIMES)) and bool(has(FIGURES) or has(CLASSES))

    def read(self, content: bytes, mapping: dict[str, str]) -> Iterator[BillLine | Refused]:
        """See `BillFormat.read`. Raises `BadRequest` for a mapping that does not fit the file."""
        found = table(content)
        columns = columns_of(found, mapping)
        for row in found.rows():
            if isinstance(row, Refused):
                yield row
                continue
            try:
                yield from _lines(row, columns)
            except Unreadable as fault:
                yield Refused(row.where, str(fault))


def columns_of(found: Table, mapping: Mapping[str, str]) -> Columns:
    """What each of our names is in a table. Raises `BadRequest` with what is missing and what there is."""
    header = ", ".join(shown(name) for name in found.header[:50]) or "none"
    unknown = [ours for ours in mapping if ours not in OURS]
    if unknown:
        raise BadRequest(f"--map {unknown[0]}=…: not one of ours, which are {', '.join(OURS)}")
    absent = [
        theirs for theirs in mapping.values() if not theirs.startswith("=") and theirs not in found.names
    ]
    if absent:
        raise BadRequest(
            f"--map …={absent[0]}: the file has no such column; it has {header} (what is so in every row is "
            "written with two signs: --map provider==openai)"
        )
    columns = {**{name: name for name in OURS if name in found.names}, **mapping}
    missing: list[str] = []
    if "provider" not in columns:
        missing.append("who bills (--map provider==openai)")
    if not ("time" in columns or "day" in columns or {"since", "until"} <= columns.keys()):
        missing.append("when (--map day=THEIRS, or time, or since and until)")
    if not columns.keys() & {*FIGURES, *CLASSES}:
        missing.append("what (--map amount_usd=THEIRS, or tokens, or requests)")
    if missing:
        raise BadRequest(f"the file does not say {'; nor '.join(missing)}; its columns are {header}")
    return columns


def _lines(row: Row, columns: Columns) -> list[BillLine]:
    record = {
        ours: theirs[1:] if theirs.startswith("=") else row.values[theirs] for ours, theirs in columns.items()
    }
    currency(record, "currency")
    said = text(record, "provider")
    if said is None:
        raise Unreadable("provider is missing: say who bills")
    zone = _zone(record)
    since_ns, until_ns = _bounds(record, zone)
    like = BillLine(
        provider=canonical(said) or said,
        since_ns=since_ns,
        until_ns=until_ns,
        zone=zone.key,
        item=text(record, "item"),
        project=text(record, "project"),
        key=text(record, "key"),
        model=text(record, "model"),
        tier=tier(record, "tier"),
        region=text(record, "region"),
        request_id=text(record, "request_id"),
        where=row.where,
    )
    whole = replace(
        like,
        token_class=_class(record),
        tokens=count(record, "tokens"),
        requests=count(record, "requests"),
        amount_usd=money({"amount_usd": _plain(record.get("amount_usd"))}, "amount_usd"),
    )
    parts = [(name, count(record, name)) for name in CLASSES if name in record]
    lines = [
        replace(like, token_class=cast("LineClass", name), tokens=tokens)
        for name, tokens in parts
        if tokens is not None
    ]
    if lines and whole.tokens is not None:
        raise Unreadable("tokens and the tokens of classes are both there: map one of them")
    if not any(figure is not None for figure in (whole.amount_usd, whole.tokens, whole.requests)):
        if not lines:
            raise Unreadable("it says no cost, no tokens and no requests")
        return lines
    return [whole, *lines]


def _bounds(record: Record, zone: zoneinfo.ZoneInfo) -> tuple[int, int]:
    if text(record, "day"):
        return day(record, "day", zone)
    if text(record, "since") and text(record, "until"):
        since_ns, until_ns = instant_or_epoch(record, "since", zone), instant_or_epoch(record, "until", zone)
        if until_ns <= since_ns:
            raise Unreadable("until is not after since")
        return since_ns, until_ns
    at_ns = instant_or_epoch(record, "time" if "time" in record else "day", zone)
    return at_ns, at_ns + 1


def _zone(record: Record) -> zoneinfo.ZoneInfo:
    said = text(record, "zone") or "UTC"
    if said not in _zones():
        raise Unreadable(f"zone is {shown(said)}: write an IANA name (Europe/Berlin)")
    return zoneinfo.ZoneInfo(said)


@cache
def _zones() -> frozenset[str]:
    """The names that mean the same everywhere, the engine included: none of this machine's own."""
    return frozenset({*zoneinfo.available_timezones(), "UTC"} - {"localtime", "Factory", "posixrules"})


def _class(record: Record) -> LineClass | None:
    said = text(record, "token_class")
    if said is None:
        return None
    named = re.sub(r"[\s-]+", "_", said.lower())
    named = _SYNONYMS.get(named, named)
    if named not in CLASSES:
        raise Unreadable(f"token_class is {shown(said)}: write one of {', '.join(CLASSES)}, or nothing")
    return cast("LineClass", named)


def _plain(value: str | None) -> str | None:
    """An amount without its dollar sign and without commas between thousands."""
    said = (value or "").strip()
    if not said:
        return None
    match = _DOLLARS.fullmatch(said)
    if match and not (match[1] and match[2]):
        return match[1] + match[2] + match[3].replace(",", "")
    if _FOREIGN.search(said):
        raise Unreadable(
            f"amount_usd is {shown(said)}: only US dollars can be compared; convert the bill first"
        )
    if _COMMA.fullmatch(said):
        raise Unreadable(f"amount_usd is {shown(said)}: write the point as a point (12.50), not as a comma")
    return said
