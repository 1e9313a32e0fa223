"""A reconciliation from end to end: the store's calls against the bills that were imported into it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal, localcontext
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from watchglass.errors import BadRequest
from watchglass.ledger.reconcile import ours, theirs
from watchglass.ledger.reconcile.build import Side, cells
from watchglass.ledger.reconcile.days import Day, apart
from watchglass.ledger.reconcile.entries import Believed, Entry, PutAside, believe
from watchglass.ledger.reconcile.explain import examine
from watchglass.ledger.reconcile.figures import EXACT, ZERO, Cell, CellKey, Explanation
from watchglass.ledger.reconcile.implied import explain_implied
from watchglass.ledger.reconcile.ledger import Aside, Ledger, Line, line, totals
from watchglass.ledger.reconcile.names import match_names
from watchglass.ledger.reconcile.quotes import Quotes
from watchglass.ledger.reconcile.rows import RowByRow, row_by_row
from watchglass.ledger.reconcile.told import told
from watchglass.ledger.reconcile.zone import ZoneFound, dated, find_zone, restated
from watchglass.pricing.book import PriceBook
from watchglass.store import Engine

ALL_MODELS = "all models"
"""The model of a bill that does not tell models apart."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """How to compare. Without `project_by` projects are not told apart."""

    project_by: str | None = None
    """What a provider's project is here: a dimension, or `metadata.KEY`."""
    project_map: dict[str, str] = {}
    """The provider's name of a project to ours; one that is not here is called the same by both."""
    zone: str | None = None
    """In which zone to read the dates of files that say none; None: the one in which days agree."""
    since_ns: int | None = None
    until_ns: int | None = None
    providers: tuple[str, ...] = ()
    """Only these, if any."""


def check(asked: Asked) -> None:
    """Raise `BadRequest` for what makes no sense."""
    ours.project_expression(asked.project_by)
    if asked.project_map and asked.project_by is None:
        raise BadRequest("a map of projects needs to know what a project is here: give --project-by too")
    if asked.zone is not None:
        try:
            ZoneInfo(asked.zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise BadRequest(
                f"{asked.zone[:60]!r} is no time zone; write it like America/Los_Angeles"
            ) from None
    if asked.since_ns is not None and asked.until_ns is not None and asked.since_ns >= asked.until_ns:
        raise BadRequest("since must be before until")


def reconcile(engine: Engine, book: PriceBook, asked: Asked) -> Ledger:
    """Compare every provider that a live line of a bill is of. Raises `BadRequest` where there is none."""
    check(asked)
    by_provider: dict[str, list[Entry]] = {}
    for provider, zone in theirs.providers(engine):
        if not asked.providers or provider in asked.providers:
            found = [each for each in theirs.entries(engine, provider, zone) if _within(each, asked)]
            by_provider.setdefault(provider, []).extend(found)
    by_provider = {provider: found for provider, found in by_provider.items() if found}
    if not by_provider:
        raise BadRequest("no bill of this time was imported yet; give one: `watchglass reconcile FILE`")
    parts = [_Provider(engine, book, asked, provider, found).run() for provider, found in by_provider.items()]
    with localcontext(EXACT):
        lines = sorted((each for part in parts for each in part.lines), key=_order)
        return Ledger(
            lines=lines,
            totals=totals(lines),
            zones=[part.zone for part in parts if part.zone],
            put_aside=[each for part in parts for each in part.put_aside],
            elsewhere=_elsewhere(engine, parts),
            remarks=[each for part in parts for each in part.remarks],
            row_by_row=[part.rows for part in parts if part.rows],
        )


class _Part(msgspec.Struct, frozen=True, kw_only=True):
    provider: str
    lines: list[Line]
    zone: ZoneFound | None
    put_aside: list[PutAside]
    remarks: list[str]
    rows: RowByRow | None
    since_ns: int
    until_ns: int


class _Provider:
    """One provider's part."""

    def __init__(
        self, engine: Engine, book: PriceBook, asked: Asked, provider: str, entries: list[Entry]
    ) -> None:
        self._engine = engine
        self._asked = asked
        self._provider = provider
        self._quotes = Quotes(book, provider)
        self._entries = entries
        self._remarks: list[str] = []

    def run(self) -> _Part:
        asked, entries = self._asked, self._entries
        window = _window(entries, asked)
        used = ours.models(
            self._engine, self._question([Day(window[0] - _SLACK, window[1] + _SLACK, "")], None)
        )
        model_of = self._models([names.answered or names.asked for names, _, _ in used])
        believed = believe(entries, lambda each: model_of(each.model))
        zone: ZoneFound | None = None
        by_date: list[Day] | None = None
        if dated(entries):
            if asked.zone is None:
                basis = believed.tokens or believed.requests or believed.money
                zone = find_zone(self._engine, self._provider, basis, model_of)
            named = zone.zone if zone else asked.zone
            if named not in (None, "UTC"):
                if zone:
                    by_date = apart(_spans(entries), window)
                entries = [restated(each, named) for each in entries]
                window = _window(entries, asked)
                believed = believe(entries, lambda each: model_of(each.model))
        days = apart(_spans(entries), window)
        project_by = self._project_by(believed)
        by_request = bool(believed.money) and all(
            each.by_request for each in believed.money if not each.charge
        )
        found = self._cells(days, by_date, used, believed, model_of, project_by, by_request)
        return _Part(
            provider=self._provider,
            lines=_explained(found, self._quotes),
            zone=zone,
            put_aside=believed.put_aside,
            remarks=self._remarks,
            rows=row_by_row(self._engine, self._question(days, None)) if by_request else None,
            since_ns=days[0].since_ns,
            until_ns=days[-1].until_ns,
        )

    def _question(
        self, days: Sequence[Day], project_by: str | None, by_request: bool = False
    ) -> ours.Question:
        return ours.Question(provider=self._provider, days=days, project_by=project_by, by_request=by_request)

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

    def _cells(
        self,
        days: Sequence[Day],
        by_date: Sequence[Day] | None,
        used: Sequence[tuple[ours.Names, str | None, str | None]],
        believed: Believed,
        model_of: Callable[[str | None], str | None],
        project_by: str | None,
        by_request: bool,
    ) -> list[Cell]:
        steps = ours.thresholds(used, self._quotes)
        gathered = list(ours.gather(self._engine, self._question(days, project_by, by_request), steps))
        names = self._asked.project_map

        def project_of(project: str | None) -> str | None:
            return None if project_by is None or project is None else names.get(project, project)

        side = Side(
            provider=self._provider,
            days=days,
            believed=believed,
            model_of=model_of,
            project_of=project_of,
            by_request=by_request,
        )
        found = cells(side, gathered, self._quotes)
        if by_date is None:
            return found
        stated: dict[tuple[str, str | None, str | None], Decimal] = {}
        for each in ours.gather(self._engine, self._question(by_date, project_by), steps):
            at = each.day.label, each.project, model_of(each.group.names.answered or each.group.names.asked)
            stated[at] = EXACT.add(stated.get(at, ZERO), each.group.cost)
        return _by_date(found, stated, self._provider, days)


_SLACK = 2 * 86_400 * 10**9


def _by_date(
    found: list[Cell],
    stated: dict[tuple[str, str | None, str | None], Decimal],
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


def _explained(found: Sequence[Cell], quotes: Quotes) -> list[Line]:
    with localcontext(EXACT):
        examined = [(each, examine(each, quotes)) for each in found]
        explain_implied(slot for _, slots in examined for slot in slots)
        return [line(cell, [slot.outcome() for slot in slots]) for cell, slots in examined]


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


def _within(entry: Entry, asked: Asked) -> bool:
    if asked.since_ns is not None and entry.since_ns < asked.since_ns:
        return False
    return asked.until_ns is None or entry.until_ns <= asked.until_ns


def _order(line: Line) -> tuple[object, ...]:
    key = line.key
    return key.since_ns, key.provider, key.project or "", key.model or "", str(key.on)


def _elsewhere(engine: Engine, parts: Sequence[_Part]) -> list[Aside]:
    """Calls in the bills' time of providers that none of them is of."""
    found = engine.execute(
        """
        SELECT provider, count() AS calls, toString(ifNull(sum(cost_usd), 0)) AS cost
        FROM store.calls FINAL
        WHERE counted AND NOT has({billed:Array(String)}, ifNull(provider, ''))
            AND time >= fromUnixTimestamp64Nano({since:Int64}, 'UTC')
            AND time < fromUnixTimestamp64Nano({until:Int64}, 'UTC')
        GROUP BY provider
        ORDER BY provider
        """,
        {
            "billed": [each.provider for each in parts],
            "since": min(each.since_ns for each in parts),
            "until": max(each.until_ns for each in parts),
        },
    )
    return [
        Aside(provider=row["provider"], calls=row["calls"], cost=Decimal(row["cost"]))
        for row in found.to_pylist()
    ]


def explanations(ledger: Ledger) -> Mapping[str, list[tuple[Line, Explanation]]]:
    """Every explanation by its kind, those of the most money first."""
    found: dict[str, list[tuple[Line, Explanation]]] = {}
    for each in ledger.lines:
        for explanation in each.explanations:
            found.setdefault(explanation.kind, []).append((each, explanation))
    for pairs in found.values():
        pairs.sort(key=lambda pair: -abs(pair[1].amount_usd))
    return found
