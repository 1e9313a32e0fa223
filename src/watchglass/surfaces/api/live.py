"""Following what comes in: a question that is answered when there is something new, or after a while.

Long polling rather than a stream: every answer is a whole one, a proxy or a browser's cookie needs nothing
special, and a server that stops has nothing to cut off. What is new is asked within the scope of who asks:
one tenant learns nothing of when traces of another come.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from watchglass.clock import Clock
from watchglass.errors import BadRequest, Overloaded
from watchglass.queries.documents import plain
from watchglass.queries.lists.question import ListQuestion, Page
from watchglass.queries.lists.traces import TraceRow
from watchglass.queries.reader import StoreReader
from watchglass.surfaces.api.endpoint import Endpoint, Parameter
from watchglass.surfaces.api.turns import Turns

WATCHERS = 32
WAIT_S = 20
LOOK_S = 0.5
"""How often it is looked whether anything was stored at all, which costs next to nothing."""

RECENT_NS = 900 * 10**9
MOST_ROWS = 20


class Arrivals(msgspec.Struct, frozen=True, kw_only=True):
    """The traces that were active in the last quarter of an hour, the latest first; `cursor` says which."""

    cursor: str
    traces: list[TraceRow]


class Live:
    """Who follows. For one event loop."""

    def __init__(self) -> None:
        self.watchers = 0
        self._stopping = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def stop(self) -> None:
        """Answer everybody who waits now, and nobody waits again. From any thread."""
        self._loop.call_soon_threadsafe(self._stopping.set)

    async def pause(self) -> bool:
        """Wait a moment; returns whether to go on."""
        try:
            await asyncio.wait_for(self._stopping.wait(), LOOK_S)
        except TimeoutError:
            return True
        return False


def live_endpoints(
    reader: StoreReader, turns: Turns, live: Live, accepted: Callable[[], int], *, clock: Clock
) -> list[Endpoint]:
    """The one question; `accepted` counts what was ever stored."""

    async def look() -> Arrivals:
        now_ns = clock.now_ns()
        question = ListQuestion(subject="traces", since_ns=now_ns - RECENT_NS, limit=MOST_ROWS)
        page: Page = await turns.ask(reader.page, question, now_ns)
        seen = [(row.trace_id, row.last, row.spans, row.calls) for row in page.rows]
        digest = hashlib.blake2b(msgspec.json.encode(seen), digest_size=8).hexdigest()
        return Arrivals(cursor=digest, traces=list(page.rows))

    async def follow(request: Request) -> Response:
        stored = accepted()
        after, seen = request.query_params.get("after"), await look()
        if after is not None and after == seen.cursor:
            seen = await waited(request, after, stored, seen)
        return Response(msgspec.json.encode(plain(seen)), media_type="application/json")

    async def waited(request: Request, after: str, stored: int, seen: Arrivals) -> Arrivals:
        if live.watchers >= WATCHERS:
            raise Overloaded(f"{WATCHERS} pages follow already; close one, or look again by hand")
        wait_s = _seconds(request.query_params.get("wait"))
        end_ns = clock.now_ns() + int(wait_s * 10**9)
        live.watchers += 1
        try:
            while clock.now_ns() < end_ns and await live.pause() and not await request.is_disconnected():
                if (now := accepted()) == stored:
                    continue
                stored, seen = now, await look()
                if seen.cursor != after:
                    break
        finally:
            live.watchers -= 1
        return seen

    return [
        Endpoint(
            method="GET",
            path="/api/v1/live",
            summary="What comes in, as soon as it does",
            details="Answers at once, or with `after` when there is something else than that, at the latest "
            "after `wait` seconds.",
            needs="read",
            handler=follow,
            parameters=(
                Parameter(name="after", meaning="`cursor` of the answer before."),
                Parameter(name="wait", meaning=f"Seconds, up to {WAIT_S}, as without.", type=float),
            ),
            answer=Arrivals,
        )
    ]


def _seconds(text: str | None) -> float:
    if text is None:
        return WAIT_S
    try:
        wait_s = float(text)
    except ValueError:
        wait_s = -1
    if not 0 <= wait_s <= WAIT_S:
        raise BadRequest(f"wait is seconds from 0 to {WAIT_S}, not {text[:50]!r}", where="wait")
    return wait_s
