"""One trace over HTTP: what its page asks, all spans compactly, and one span with all it holds."""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from watchglass.queries.documents import plain
from watchglass.queries.reader import StoreReader
from watchglass.queries.traced.columns import TraceView
from watchglass.queries.traced.span import SpanDetail, TraceConversation, span_detail, trace_conversation
from watchglass.queries.traced.view import trace_view
from watchglass.surfaces.api.endpoint import Endpoint, Parameter
from watchglass.surfaces.api.turns import Turns

_ID = Parameter(name="trace_id", meaning="The trace's id.", place="path", required=True)


def traced_endpoints(reader: StoreReader, turns: Turns) -> list[Endpoint]:
    """The trace, a span of it, what was said in it."""
    path = "/api/v1/traces/{trace_id}"

    async def view(request: Request) -> Response:
        trace_id = str(request.path_params["trace_id"])

        def answer() -> bytes:
            found = reader.answer(lambda engine, limits: trace_view(engine, trace_id, limits=limits))
            # Only the totals hold decimals: to walk through all columns takes longer than to ask for them.
            return msgspec.json.encode(msgspec.structs.asdict(found) | {"totals": plain(found.totals)})

        return Response(await turns.ask(answer), media_type="application/json")

    async def span(request: Request) -> Response:
        ids = [str(request.path_params[name]) for name in ("trace_id", "span_id")]

        def answer() -> bytes:
            found = reader.answer(lambda engine, limits: span_detail(engine, ids[0], ids[1], limits=limits))
            return msgspec.json.encode(plain(found))

        return Response(await turns.ask(answer), media_type="application/json")

    async def conversation(request: Request) -> Response:
        trace_id = str(request.path_params["trace_id"])

        def answer() -> bytes:
            found = reader.answer(lambda engine, limits: trace_conversation(engine, trace_id, limits=limits))
            return msgspec.json.encode(plain(found))

        return Response(await turns.ask(answer), media_type="application/json")

    return [
        Endpoint(
            method="GET",
            path=f"{path}/view",
            summary="One trace in columns, for thousands of spans at once",
            details="Sums of each subtree, executions, the critical path, the traces of the session before "
            "and after; without attributes and messages, which are asked for by the span.",
            needs="read",
            handler=view,
            parameters=(_ID,),
            answer=TraceView,
        ),
        Endpoint(
            method="GET",
            path=f"{path}/spans/{{span_id}}",
            summary="One span with all it holds: attributes, events, calls with their messages",
            needs="read",
            handler=span,
            parameters=(
                _ID,
                Parameter(name="span_id", meaning="The span's id.", place="path", required=True),
            ),
            answer=SpanDetail,
        ),
        Endpoint(
            method="GET",
            path=f"{path}/conversation",
            summary="What was said in a trace: its counted calls, every message once",
            needs="read",
            handler=conversation,
            parameters=(_ID,),
            answer=TraceConversation,
        ),
    ]
