"""Prices over HTTP: the book at a moment, one model of it, and price lists of the user's own."""

from __future__ import annotations

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response

from watchglass.clock import Clock, SystemClock
from watchglass.queries.times import parse_moment
from watchglass.surfaces.access import current
from watchglass.surfaces.api.body import read_body
from watchglass.surfaces.api.endpoint import Endpoint, Parameter
from watchglass.surfaces.api.price_overrides import override_endpoints
from watchglass.surfaces.api.price_questions import question_endpoints
from watchglass.surfaces.api.price_schemas import (
    AT,
    LIST,
    NO_KEY,
    PROVIDER,
    SHOWN,
    TAKEN,
    TENANT,
    json_response,
    whose,
)
from watchglass.surfaces.price_desk import PriceDesk, taken_document
from watchglass.surfaces.price_document import list_document, show_document
from watchglass.surfaces.price_questions import PriceQuestions

MOST_BYTES = 16 << 20
_TOO_LONG = f"a price list has at most {MOST_BYTES >> 20} MiB; send it in parts"


def price_endpoints(
    desk: PriceDesk, questions: PriceQuestions | None = None, *, clock: Clock | None = None
) -> list[Endpoint]:
    """Everything that can be done with prices; `questions` are those that need the calls too."""
    api, path = _Api(desk, clock or SystemClock()), "/api/v1/prices"
    return [
        Endpoint(
            method="GET",
            path=path,
            summary="The price of each model: the one that wins",
            needs="read",
            handler=api.list,
            parameters=(
                PROVIDER,
                Parameter(name="model", meaning="A part of the model's name, or a pattern with `*`."),
                AT,
                TENANT,
            ),
            answer=LIST,
        ),
        Endpoint(
            method="POST",
            path=path,
            summary="Import a price list of your own",
            details="CSV, or SQL INSERT or COPY rows, with the columns of `llm_model_pricing`. Its prices "
            "win over all others for calls that come from then on. Importing them again changes nothing.",
            needs="admin",
            handler=api.take,
            parameters=(Parameter(name="source", meaning="What it is called in the book."),),
            body={"type": "string", "description": "The rows."},
            body_type="text/plain",
            answer=TAKEN,
        ),
        *override_endpoints(desk),
        *(() if questions is None else question_endpoints(desk, questions)),
        Endpoint(
            method="GET",
            path=f"{path}/{{model:path}}",
            summary="All that the book knows of a model, and which price wins",
            needs="read",
            handler=api.show,
            parameters=(
                Parameter(name="model", meaning="Its name, as a call has it.", place="path", required=True),
                PROVIDER,
                Parameter(name="tier", meaning="batch, flex, priority …"),
                AT,
                TENANT,
            ),
            answer=SHOWN,
        ),
    ]


class _Api:
    def __init__(self, desk: PriceDesk, clock: Clock) -> None:
        self._desk = desk
        self._clock = clock

    async def list(self, request: Request) -> Response:
        at_ns = self._at(request)
        asked, tenant = request.query_params, whose(request)
        provider, model = asked.get("provider"), asked.get("model")
        found = await anyio.to_thread.run_sync(
            lambda: list_document(
                self._desk.list(at_ns, provider=provider, model=model, tenant=tenant), at_ns
            )
        )
        return json_response(found)

    async def show(self, request: Request) -> Response:
        at_ns, asked, tenant = self._at(request), request.query_params, whose(request)
        found = await anyio.to_thread.run_sync(
            lambda: show_document(
                self._desk.show(
                    str(request.path_params["model"]),
                    at_ns,
                    provider=asked.get("provider"),
                    tier=asked.get("tier"),
                    tenant=tenant,
                )
            )
        )
        return json_response(found)

    async def take(self, request: Request) -> Response:
        body = await read_body(request, MOST_BYTES, _TOO_LONG)
        source = request.query_params.get("source", "a request")[:200]
        taken, refused = await anyio.to_thread.run_sync(
            self._desk.take, body, source, current().key_id or NO_KEY
        )
        return json_response(taken_document(taken, refused))

    def _at(self, request: Request) -> int:
        now_ns = self._clock.now_ns()
        return parse_moment(request.query_params.get("at", "now"), now_ns)
