"""Costs as the app's page asks for them: one answer for the page, unit costs beside it, and a CSV file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from watchglass.clock import Clock
from watchglass.doctor.findings.unpriced import CURES
from watchglass.errors import QueryError
from watchglass.ledger.budgets.desk import BudgetDesk
from watchglass.ledger.budgets.month import asked_since_ns, month_at, month_forecast
from watchglass.queries.answers import csv_line
from watchglass.queries.at_once import begin
from watchglass.queries.buckets import WIDTHS
from watchglass.queries.costs import CostFigures, CostGroup, CostsQuestion, UnpricedCalls, cost_groups, costs
from watchglass.queries.documents import plain
from watchglass.queries.figures import TOKEN_FIELDS
from watchglass.queries.plain import moment
from watchglass.queries.reader import StoreReader
from watchglass.queries.times import parse_moment
from watchglass.queries.unit_costs import UnitCosts, unit_costs
from watchglass.queries.usage import FILTERS, UsageQuestion
from watchglass.queries.windows_compared import Compared
from watchglass.surfaces.api.endpoint import JSON, Endpoint, Parameter
from watchglass.surfaces.api.overview import FILTER_PARAMETERS, WINDOW, compared
from watchglass.surfaces.api.standings import BudgetStanding, standings
from watchglass.surfaces.api.turns import Turns

_CSV = "text/csv; charset=utf-8; header=present"
_SHOWN_MODELS = 5
BY = ("model",)


class UnpricedReason(msgspec.Struct, frozen=True, kw_only=True):
    """Calls without a price for one reason, the models that have most of them, and what mends it."""

    reason: str
    calls: int
    most: list[UnpricedCalls]
    remedy: str
    command: str


class Month(msgspec.Struct, frozen=True, kw_only=True):
    """What this calendar month (UTC) has cost and will have; null, with `unknown`, where nothing can be said.
    `method` says how, and what the range from `low_usd` to `high_usd` means."""

    since: str
    until: str
    spent_usd: Decimal
    forecast_usd: Decimal | None
    low_usd: Decimal | None
    high_usd: Decimal | None
    unpriced_calls: int
    method: str
    unknown: str | None


class Costs(CostFigures, frozen=True, kw_only=True):
    """The page: what calls say, what mends the unpriced ones, the budgets, the month."""

    unpriced_reasons: list[UnpricedReason]
    budgets: list[BudgetStanding]
    month: Month


def cost_endpoints(reader: StoreReader, budgets: BudgetDesk, turns: Turns, *, clock: Clock) -> list[Endpoint]:
    """Both endpoints."""
    api = _Costs(reader, budgets, turns, clock)
    return [
        Endpoint(
            method="GET",
            path="/api/v1/costs",
            summary="What was spent on what",
            details="Over time and by one or two dimensions, against the equal window before; the most"
            " expensive calls, what has no price and why, budgets, and a forecast of the month. `format=csv`"
            " is the groups, all of them, and their total in the last line; a name that a spreadsheet would"
            " run as a formula begins with an apostrophe there.",
            needs="read",
            handler=api.costs,
            parameters=(
                *WINDOW,
                Parameter(name="by", meaning=f"One or two of {', '.join(sorted(FILTERS))}, with a comma."),
                Parameter(
                    name="bucket",
                    meaning="How time is cut; as fits the window unless given.",
                    type=Literal[tuple(WIDTHS)],
                ),
                Parameter(name="format", meaning="Form of the answer.", type=Literal["json", "csv"]),
                *FILTER_PARAMETERS,
            ),
            answer=Costs,
        ),
        Endpoint(
            method="GET",
            path="/api/v1/costs/units",
            summary="What one of something costs",
            details="A successful task, a session, a tenant, a thousand calls; null with a reason where there"
            " is nothing to divide by.",
            needs="read",
            handler=api.units,
            parameters=(*WINDOW, *FILTER_PARAMETERS),
            answer=UnitCosts,
        ),
    ]


class _Costs:
    def __init__(self, reader: StoreReader, budgets: BudgetDesk, turns: Turns, clock: Clock) -> None:
        self._reader = reader
        self._budgets = budgets
        self._clock = clock
        self._turns = turns

    async def costs(self, request: Request) -> Response:
        now_ns = self._clock.now_ns()
        asked, others = compared(request.query_params.multi_items(), now_ns, ("by", "bucket", "format"))
        by = tuple(part.strip() for part in others.get("by", ",".join(BY)).split(",") if part.strip())
        question = CostsQuestion(asked=asked, by=by, bucket=others.get("bucket")).checked()
        match others.get("format", "json"):
            case "csv":
                return await self._file(question)
            case "json":
                pass
            case other:
                raise QueryError(f"format can be json or csv, not {other!r}")
        figures, month = await self._turns.ask(self._answer, question, now_ns)
        found = Costs(
            **{name: getattr(figures, name) for name in CostFigures.__struct_fields__},
            unpriced_reasons=_reasons(figures.unpriced, asked),
            budgets=await standings(self._budgets, asked.filters),
            month=month,
        )
        return Response(msgspec.json.encode(plain(found)), media_type=JSON)

    async def units(self, request: Request) -> Response:
        asked, _ = compared(request.query_params.multi_items(), self._clock.now_ns(), ())
        found = await self._turns.ask(
            self._reader.answer, lambda engine, limits: unit_costs(engine, asked, limits=limits)
        )
        return Response(msgspec.json.encode(plain(found)), media_type=JSON)

    def _answer(self, question: CostsQuestion, now_ns: int) -> tuple[CostFigures, Month]:
        month = begin(lambda: _month(self._reader, question.asked.filters, now_ns))
        figures = self._reader.answer(lambda engine, limits: costs(engine, question, now_ns, limits=limits))
        return figures, month.answer()

    async def _file(self, question: CostsQuestion) -> Response:
        groups = await self._turns.ask(
            self._reader.answer, lambda engine, limits: cost_groups(engine, question, limits=limits)
        )
        name = f"costs-by-{'-'.join(question.by)}-{moment(question.asked.since_ns)[:10]}.csv"
        return Response(
            "".join(_lines(question.by, groups)),
            media_type=_CSV,
            headers={"content-disposition": f'attachment; filename="{name}"'},
        )


_COLUMNS = (
    *("calls", "failed_calls", "priced_calls"),
    *TOKEN_FIELDS,
    *("cost_usd", "calls_before", "cost_before_usd", "difference_usd"),
)


def _lines(by: Sequence[str], groups: Sequence[CostGroup]) -> Iterator[str]:
    """Groups, then the line of their total, which `group` tells from them."""
    yield csv_line(["row", *by, *_COLUMNS])
    for each in groups:
        values: dict[str, Any] = plain(each)
        names = [None if name is None else _as_text(name) for name in each.names or [None] * len(by)]
        yield csv_line(["group" if each.names else "total", *names, *(values[name] for name in _COLUMNS)])


_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def _as_text(name: str) -> str:
    """A name that a spreadsheet would run as a formula, marked as text: senders choose names."""
    return "'" + name if name.startswith(_FORMULA) else name


def _month(reader: StoreReader, filters: Mapping[str, tuple[str, ...]], now_ns: int) -> Month:
    said = reader.usage(
        UsageQuestion(
            by=("day",),
            since_ns=asked_since_ns(now_ns),
            until_ns=now_ns,
            filters=dict(filters),
            durations=False,
        )
    )
    days: dict[int, Decimal] = {}
    unpriced = 0
    for row in said.counted.rows:
        start_ns = parse_moment(str(row.group["day"]), now_ns)
        days[start_ns] = row.cost_usd or Decimal(0)
        if start_ns >= month_at(now_ns).since_ns:
            unpriced += row.calls - row.priced_calls
    found = month_forecast(days, unpriced, now_ns)
    return Month(
        since=moment(found.since_ns),
        until=moment(found.until_ns),
        spent_usd=found.spent_usd,
        forecast_usd=found.forecast_usd,
        low_usd=found.low_usd,
        high_usd=found.high_usd,
        unpriced_calls=unpriced,
        method=found.method,
        unknown=found.unknown,
    )


def _reasons(found: Sequence[UnpricedCalls], asked: Compared) -> list[UnpricedReason]:
    by_reason: dict[str, list[UnpricedCalls]] = {}
    for each in found:
        by_reason.setdefault(each.reason, []).append(each)
    made = [_reason(reason, calls, asked) for reason, calls in by_reason.items()]
    return sorted(made, key=lambda each: (-each.calls, each.reason))


def _reason(reason: str, found: list[UnpricedCalls], asked: Compared) -> UnpricedReason:
    cure, first = CURES.get(reason), found[0]
    since = moment(asked.since_ns)[:10]
    return UnpricedReason(
        reason=reason,
        calls=sum(each.calls for each in found),
        most=found[:_SHOWN_MODELS],
        remedy=_NAMELESS if cure is None else cure.remedy,
        command=f"watchglass doctor --since {since}"
        if cure is None
        else cure.command([first.provider, first.model, None, first.calls], since),
    )


_NAMELESS = (
    "Neither host, label nor model name a provider that is known. Set the attribute gen_ai.provider.name"
    " where the span is made, or put the provider before the model's name, as in openai/gpt-4o."
)
