"""One session over HTTP, to be stepped through."""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from watchglass.clock import Clock
from watchglass.errors import QueryError
from watchglass.queries.documents import plain
from watchglass.queries.reader import StoreReader
from watchglass.queries.replay import Replay, ReplayQuestion, replay
from watchglass.queries.replay_rows import MOST_STEPS
from watchglass.queries.times import parse_moment
from watchglass.surfaces.api.endpoint import JSON, Endpoint, Parameter
from watchglass.surfaces.api.turns import Turns


def replay_endpoints(reader: StoreReader, turns: Turns, *, clock: Clock) -> list[Endpoint]:
    """The one endpoint."""
    api = _Replays(reader, turns, clock)
    return [
        Endpoint(
            method="GET",
            path="/api/v1/sessions/{session:path}",
            summary="One session in order: messages, calls, tasks, agents, tools, and the cost so far",
            details=f"Each message's text is there once. An answer has {MOST_STEPS:,} steps at most; "
            "`next_since` says from when to ask for the others.",
            needs="read",
            handler=api.session,
            parameters=(
                Parameter(name="session", meaning="The session's id.", place="path", required=True),
                Parameter(
                    name="tenant", meaning="Whose session, where several tenants have one of this name."
                ),
                Parameter(
                    name="since", meaning="Only steps that began then or later: an ISO time, or 2h ago."
                ),
                Parameter(name="until", meaning="Only steps that began before then; written like `since`."),
            ),
            answer=Replay,
        )
    ]


class _Replays:
    def __init__(self, reader: StoreReader, turns: Turns, clock: Clock) -> None:
        self._reader = reader
        self._clock = clock
        self._turns = turns

    async def session(self, request: Request) -> Response:
        question = _question(request, self._clock.now_ns())
        found = await self._turns.ask(
            self._reader.answer, lambda engine, limits: replay(engine, question, limits)
        )
        return Response(msgspec.json.encode(plain(found)), media_type=JSON)


def _question(request: Request, now_ns: int) -> ReplayQuestion:
    said = dict(request.query_params)
    unknown = said.keys() - {"tenant", "since", "until"}
    if unknown:
        raise QueryError(f"a session knows no {min(unknown)!r}; it takes tenant, since and until")
    since, until = said.get("since"), said.get("until")
    return ReplayQuestion(
        session=str(request.path_params["session"]),
        tenant=said.get("tenant"),
        since_ns=parse_moment(since, now_ns) if since else None,
        until_ns=parse_moment(until, now_ns) if until else None,
    )
