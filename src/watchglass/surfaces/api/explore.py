"""The search for traces over HTTP: what the page Traces asks."""

from __future__ import annotations

from typing import Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from watchglass.clock import Clock
from watchglass.queries.documents import plain
from watchglass.queries.explore.answer import Explored, explore
from watchglass.queries.explore.question import OF_CALLS, explore_question
from watchglass.queries.reader import StoreReader
from watchglass.surfaces.api.endpoint import Endpoint, Parameter
from watchglass.surfaces.api.turns import Turns

_FILTER = "Only traces with a call of this value; given twice, either; empty where it is unknown."
_AMOUNT = "Only traces of which all of it is in this bound."


def explore_endpoints(reader: StoreReader, turns: Turns, *, clock: Clock) -> list[Endpoint]:
    """The search."""

    async def answer(request: Request) -> Response:
        now_ns = clock.now_ns()
        question = explore_question(request.query_params.multi_items(), now_ns)
        found = await turns.ask(
            reader.answer, lambda engine, limits: explore(engine, question, now_ns, limits=limits)
        )
        return Response(msgspec.json.encode(plain(found)), media_type="application/json")

    return [
        Endpoint(
            method="GET",
            path="/api/v1/explore",
            summary="Search for traces: rows, values to choose from with counts, and a histogram",
            details="One call of a trace must meet all filters on calls; cost and duration are of whole "
            "traces. `text` is looked for in messages, names of spans, errors and ids. Bounded in time: "
            "`notes` say what was left out. Counts are of counted calls, a facet's by all others.",
            needs="read",
            handler=answer,
            parameters=_PARAMETERS,
            answer=Explored,
        )
    ]


_PARAMETERS = (
    Parameter(name="since", meaning="Start of the time asked about: an ISO time, a date, or 7d, as without."),
    Parameter(name="until", meaning="End of the time asked about, not included; written like `since`."),
    Parameter(name="text", meaning="What must be in a message, a span's name, an error or be an id."),
    Parameter(
        name="status", meaning="How they ended: `failed` with any span or call.", type=Literal["ok", "failed"]
    ),
    *(Parameter(name=name, meaning=_FILTER, many=True) for name in sorted(OF_CALLS)),
    *(
        Parameter(name=f"{end}_{what}", meaning=_AMOUNT, type=float)
        for what in ("cost_usd", "duration_ms")
        for end in ("min", "max")
    ),
    Parameter(name="limit", meaning="Most rows on the page, 1 to 1000; 50 unless given.", type=int),
    Parameter(name="cursor", meaning="`next` of the page before; only for the same question."),
    Parameter(name="parts", meaning="`rows` leaves out the counts.", type=Literal["all", "rows"]),
)
