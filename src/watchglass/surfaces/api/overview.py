"""The first page of the app, as one answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from watchglass.clock import Clock
from watchglass.errors import QueryError
from watchglass.ledger.budgets.desk import BudgetDesk
from watchglass.queries.documents import plain
from watchglass.queries.overview import Overview, overview
from watchglass.queries.reader import StoreReader
from watchglass.queries.times import parse_moment
from watchglass.queries.usage import FILTERS
from watchglass.queries.windows_compared import Compared
from watchglass.store import Engine, Limits
from watchglass.store.kept_targets import TargetStore
from watchglass.surfaces.api.endpoint import JSON, Endpoint, Parameter
from watchglass.surfaces.api.standings import BudgetStanding, standings
from watchglass.surfaces.api.targets import in_force
from watchglass.surfaces.api.turns import Turns

SINCE = "24h"

WINDOW = (
    Parameter(
        name="since",
        meaning=f"Start of the window: an ISO time, a date, or 7d, 12h ago; {SINCE} unless given.",
    ),
    Parameter(name="until", meaning="End of the window, not included; now unless given."),
)
FILTER_PARAMETERS = tuple(
    Parameter(
        name=name,
        meaning="Only calls with this value; given twice, either; empty for calls where it is unknown.",
        many=True,
    )
    for name in sorted(FILTERS)
)


class OverviewPage(Overview, frozen=True, kw_only=True):
    """The page: what calls and tasks say, and the budgets that have crossed a threshold or will cross their
    limit."""

    budgets: list[BudgetStanding]


def overview_endpoints(
    reader: StoreReader, budgets: BudgetDesk, kept: TargetStore, turns: Turns, *, clock: Clock
) -> list[Endpoint]:
    """The endpoint."""

    async def answer(request: Request) -> Response:
        asked, _ = compared(request.query_params.multi_items(), clock.now_ns(), ())

        def ask(engine: Engine, limits: Limits) -> Overview:
            return overview(engine, asked, limits=limits, against=in_force(kept))

        found = await turns.ask(reader.answer, ask)
        warned = [
            each
            for each in await standings(budgets, asked.filters)
            if each.crossed or each.outlook in ("crosses", "crossed")
        ]
        page = OverviewPage(
            **{name: getattr(found, name) for name in Overview.__struct_fields__}, budgets=warned
        )
        return Response(msgspec.json.encode(plain(page)), media_type=JSON)

    return [
        Endpoint(
            method="GET",
            path="/api/v1/overview",
            summary="How things are, and what changed",
            details="The figures of a window and of the equal one before it, their targets, their course, how"
            " providers do, and what made spend and errors change: contributions that add up.",
            needs="read",
            handler=answer,
            parameters=(*WINDOW, *FILTER_PARAMETERS),
            answer=OverviewPage,
        )
    ]


def compared(
    items: Iterable[tuple[str, str]], now_ns: int, others: Sequence[str]
) -> tuple[Compared, dict[str, str]]:
    """The window and filters of query parameters, and those named in `others`.

    Raises `QueryError` for what means nothing, since ignoring it would answer another question.
    """
    single: dict[str, str] = {}
    filters: dict[str, tuple[str, ...]] = {}
    for name, value in items:
        if name in FILTERS:
            filters[name] = (*filters.get(name, ()), value)
        elif name in ("since", "until", *others):
            single[name] = value
        else:
            taken = ", ".join(["since", "until", *others])
            raise QueryError(
                f"this takes no {name!r}; it takes {taken} and the filters {', '.join(sorted(FILTERS))}"
            )
    asked = Compared(
        since_ns=parse_moment(single.pop("since", "") or SINCE, now_ns),
        until_ns=parse_moment(single.pop("until", "") or "now", now_ns),
        filters=filters,
    )
    return asked.checked(), single
