"""One provider's part of a reconciliation: its lines against our calls of the same days."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal, localcontext

import msgspec

from watchglass.ledger.reconcile import ours
from watchglass.ledger.reconcile.asked import Asked
from watchglass.ledger.reconcile.build import Side, cells
from watchglass.ledger.reconcile.days import Day, apart
from watchglass.ledger.reconcile.doubts import doubt_names, one_sided
from watchglass.ledger.reconcile.entries import Believed, Entry, PutAside, believe
from watchglass.ledger.reconcile.explain import examine
from watchglass.ledger.reconcile.figures import EXACT, ZERO, Cell, CellKey
from watchglass.ledger.reconcile.implied import explain_implied
from watchglass.ledger.reconcile.ledger import Line, line
from watchglass.ledger.reconcile.names import match_names
from watchglass.ledger.reconcile.quotes import Quotes
from watchglass.ledger.reconcile.rows import RowByRow, row_by_row
from watchglass.ledger.reconcile.told import told
from watchglass.ledger.reconcile.zone import ZoneFound, agree, dated, find_zone, restated
from watchglass.pricing.book import PriceBook
from watchglass.store import Engine

ALL_MODELS = "all models"
"""The model of a bill that does not tell models apart."""


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it."""

    provider: str
    lines: list[Line]
    zone: ZoneFound | None
    put_aside: list[PutAside]
    remarks: list[str]
    rows: RowByRow | None
    since_ns: int
    until_ns: int


class Provider:
    """Compares one provider's entries; `live` is where single lines are."""

    def __init__(
        self, engine: Engine, book: PriceBook, asked: Asked, provider: str, entries: list[Entry], live: str
    ) -> None:
        self._engine = engine
        self._asked = asked
        self._provider = provider
        self._quotes = Quotes(book, provider)
        self._entries = entries
        self._live = live
        self._remarks: list[str] = []

    def run(self) -> Part:
        """Its part of the ledger."""
        entries, asked = self._entries, self._asked
        days = apart(_spans(entries), _window(entries, asked))
        reach = Day(days[0].since_ns - _SLACK, days[-1].until_ns + _SLACK, "")
        used = ours.models(self._engine, self._question([reach]))
        model_of = self._models([names.answered or names.asked for names, _, _ in used])
        believed = believe(entries, lambda each: model_of(each.model))
        by_request = all(each.by_request for each in believed.money if not each.charge) and bool(
            believed.money
        )
        live = self._live if by_request else ""
        project_by, steps = self._project_by(believed), ours.thresholds(used, self._quotes)

        def gather(days: Sequence[Day]) -> list[ours.Gathered]:
            return list(ours.gather(self._engine, self._question(days, project_by, live), steps))

        gathered = gather(days)
        zone = self._zone(believed, gathered, model_of)
        named = zone.zone if zone else asked.zone
        stated: dict[_Place, Decimal] | None = None
        if named not in (None, "UTC") and dated(entries):
            if zone:
                stated = _costs(gathered, model_of)
            entries = [restated(each, named) for each in entries]
            believed = believe(entries, lambda each: model_of(each.model))
            days = apart(_spans(entries), _window(entries, asked))
            gathered = gather(days)
        self._say_expired(days)
        side = Side(
            provider=self._provider,
            days=days,
            believed=believed,
            model_of=model_of,
            project_of=self._projects(project_by),
            by_request=by_request,
        )
        found = cells(side, gathered, self._quotes)
        if stated is not None:
            found = _by_date(found, stated, self._provider, days)
        return Part(
            provider=self._provider,
            lines=self._explained(found),
            zone=zone,
            put_aside=believed.put_aside,
            remarks=self._remarks,
            rows=row_by_row(self._engine, self._question(days, None, live)) if by_request else None,
            since_ns=days[0].since_ns,
            until_ns=days[-1].until_ns,
        )

    def _explained(self, found: Sequence[Cell]) -> list[Line]:
        with localcontext(EXACT):
            examined = [(each, examine(each, self._quotes)) for each in found]
            slots = [slot for _, those in examined for slot in those]
            explain_implied(slots)
            for said in (doubt_names(slots), one_sided(slots)):
                if said:
                    self._remarks.append(f"{self._provider}: {said}")
            return [line(cell, [slot.outcome() for slot in those]) for cell, those in examined]

    def _question(self, days: Sequence[Day], project_by: str | None = None, live: str = "") -> ours.Question:
        return ours.Question(provider=self._provider, days=days, project_by=project_by, live=live)

    def _say_expired(self, days: Sequence[Day]) -> None:
        """Calls that retention has deleted are billed, and no longer here."""
        [row] = self._engine.execute(
            """
            SELECT sum(calls) AS calls
            FROM store.usage_expired
            WHERE grain = 'coarse' AND counted AND provider = {provider:String}
                AND generation <= (SELECT max(generation) FROM store.expired_passes)
                AND toUnixTimestamp(hour) >= {since:Int64} AND toUnixTimestamp(hour) < {until:Int64}
            """,
            {
                "provider": self._provider,
                "since": days[0].since_ns // 10**9,
                "until": days[-1].until_ns // 10**9,
            },
        ).to_pylist()
        if row["calls"]:
            self._remarks.append(
                f"{self._provider}: {row['calls']:,} calls of this time have expired (`retention_calls`) and "
                "count as not seen"
            )

    def _zone(
        self, believed: Believed, gathered: list[ours.Gathered], model_of: Callable[[str | None], str | None]
    ) -> ZoneFound | None:
        """The zone of the dates, where nobody says it and those of UTC do not agree."""
        basis = believed.tokens or believed.requests or believed.money
        if self._asked.zone is not None or not dated(self._entries) or agree(basis, gathered, model_of):
            return None
        return find_zone(self._engine, self._provider, basis, model_of)

    def _projects(self, project_by: str | None) -> Callable[[str | None], str | None]:
        names = self._asked.project_map
        if project_by is None:
            return lambda _: None
        return lambda project: None if project is None else names.get(project, project)

    def _models(self, used: Iterable[str | None]) -> Callable[[str | None], str | None]:
        """The ledger's name of a model; one for all where the bill does not tell models apart."""
        told = [each for each in self._entries if not each.charge and each.amount is not None]
        if any(each.model is None for each in told):
            self._remarks.append(f"{self._provider}: the bill does not tell models apart")
            return lambda name: ALL_MODELS
        theirs = [each.model for each in self._entries if each.model is not None]
        names = match_names(
            self._provider, [each for each in used if each is not None], theirs, self._quotes.same_entry
        )
        return lambda name: None if name is None else names.get(name, name)

    def _project_by(self, believed: Believed) -> str | None:
        asked = self._asked.project_by
        lines = [each for each in (*believed.money, *believed.tokens) if not each.charge]
        if asked is None:
            if any(each.project for each in lines):
                self._remarks.append(
                    f"{self._provider}: projects are compared together; --project-by says what one is here"
                )
            return None
        if any(each.project is None for each in lines):
            self._remarks.append(
                f"{self._provider}: projects are compared together; the bill does not tell them apart"
            )
            return None
        return asked


_SLACK = 2 * 86_400 * 10**9
"""How far days of any zone reach beyond those of UTC, and more."""

_Place = tuple[str, str | None, str | None]


def _costs(
    gathered: Iterable[ours.Gathered], model_of: Callable[[str | None], str | None]
) -> dict[_Place, Decimal]:
    found: dict[_Place, Decimal] = {}
    for each in gathered:
        at = each.day.label, each.project, model_of(each.group.names.answered or each.group.names.asked)
        found[at] = EXACT.add(found.get(at, ZERO), each.group.cost)
    return found


def _by_date(
    found: list[Cell],
    stated: dict[_Place, Decimal],
    provider: str,
    days: Sequence[Day],
) -> list[Cell]:
    """The cells with our cost of the date as UTC has it; a model that only UTC has on a date gets one too."""
    left = dict(stated)
    cells = [
        msgspec.structs.replace(
            each, computed_by_date=left.pop((each.day, each.key.project, each.key.model), ZERO)
        )
        for each in found
    ]
    starts = {each.label: each for each in days}
    for (label, project, model), cost in left.items():
        day = starts.get(label)
        if day is not None:
            key = CellKey(day.since_ns, day.until_ns, provider, project, model)
            nothing = told(tiers=False, long=False, classes=())
            cells.append(Cell(key=key, day=label, told=nothing, money={}, computed_by_date=cost))
    return cells


def _spans(entries: Iterable[Entry]) -> list[tuple[int, int, str]]:
    """The times of lines about tokens; a tax of a month is no reason to compare by the month."""
    entries = list(entries)
    served = [each for each in entries if not each.charge] or entries
    return list({(each.since_ns, each.until_ns, each.zone) for each in served})


def _window(entries: Iterable[Entry], asked: Asked) -> tuple[int, int]:
    spans = _spans(entries)
    since = min(each[0] for each in spans) if asked.since_ns is None else asked.since_ns
    until = max(each[1] for each in spans) if asked.until_ns is None else asked.until_ns
    return since, until
