"""What is wrong, over HTTP: an examination, or one of some seconds ago for who says that it will do."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import TypeAlias

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from watchglass.clock import Clock
from watchglass.doctor.contract import Finding, Window
from watchglass.doctor.examination import Examination, examine
from watchglass.doctor.findings import FINDINGS
from watchglass.doctor.screening import ruled_out
from watchglass.errors import QueryError
from watchglass.queries.documents import plain
from watchglass.queries.reader import StoreReader
from watchglass.queries.scope import EVERYTHING, Scope
from watchglass.queries.times import parse_moment
from watchglass.surfaces.access import current_scope
from watchglass.surfaces.api.endpoint import Endpoint, Parameter
from watchglass.surfaces.api.turns import Turns

DOCTOR_SINCE = "7d"
MOST_AGE_S = 300
_KEPT = 64

Asked: TypeAlias = "tuple[Scope, str, str]"


def doctor_endpoints(
    reader: StoreReader, turns: Turns, clock: Clock, findings: Callable[[], Sequence[Finding]] = tuple
) -> list[Endpoint]:
    """The examination; `findings` as for `routes`."""
    examinations = _Examinations(reader, turns, clock, findings)

    async def doctor(request: Request) -> Response:
        return Response(
            await examinations.of(
                request.query_params.get("since") or DOCTOR_SINCE,
                request.query_params.get("until") or "now",
                _age_s(request.query_params.get("age") or "0"),
            ),
            media_type="application/json",
        )

    return [
        Endpoint(
            method="GET",
            path="/api/v1/doctor",
            summary="What is wrong, the evidence, and the command that mends it",
            needs="read",
            handler=doctor,
            parameters=(
                Parameter(
                    name="since",
                    meaning="Start of the time asked about: an ISO time, a date, or 7d, 12h, 30m ago.",
                ),
                Parameter(
                    name="until",
                    meaning="End of the time asked about, not included; written like `since`.",
                ),
                Parameter(
                    name="age",
                    meaning="An examination of the same time made up to so many seconds ago will do (at "
                    f"most {MOST_AGE_S}; its `until` says when); without it all is looked at anew.",
                    type=int,
                ),
            ),
            answer=Examination,
        )
    ]


def _age_s(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 9 or int(text) > MOST_AGE_S:
        raise QueryError(f"age is {text[:100]!r}; give whole seconds from 0 to {MOST_AGE_S}")
    return int(text)


class _Examinations:
    """Those made lately, each with when: the same question at the same time is looked into once.

    In the event loop; what is kept is kept for the scope of who asked.
    """

    def __init__(
        self, reader: StoreReader, turns: Turns, clock: Clock, findings: Callable[[], Sequence[Finding]]
    ) -> None:
        self._reader, self._turns, self._clock, self._findings = reader, turns, clock, findings
        self._made: OrderedDict[Asked, tuple[int, asyncio.Task[bytes]]] = OrderedDict()

    async def of(self, since: str, until: str, age_s: int) -> bytes:
        """The examination as JSON. Raises `QueryError`."""
        now_ns = self._clock.now_ns()
        window = Window(parse_moment(since, now_ns), parse_moment(until, now_ns))
        if window.since_ns >= window.until_ns:
            raise QueryError("there is no time between since and until; give an earlier since")
        asked: Asked = (current_scope(), since, until)
        made_ns, task = self._made.get(asked, (0, None))
        if task is None or not age_s or now_ns - made_ns > age_s * 10**9 or _failed(task):
            task = asyncio.create_task(self._examined(window))
            self._keep(asked, now_ns, task)
        # Shielded: that one who asks goes away does not take the answer from the others.
        return await asyncio.shield(task)

    def _keep(self, asked: Asked, now_ns: int, task: asyncio.Task[bytes]) -> None:
        self._made[asked] = (now_ns, task)
        self._made.move_to_end(asked)
        while len(self._made) > _KEPT:
            self._made.popitem(last=False)

    async def _examined(self, window: Window) -> bytes:
        further = self._findings if current_scope() == EVERYTHING else tuple

        def examined() -> bytes:
            findings = [*FINDINGS, *further()]
            empty = ruled_out(self._reader, window, findings)
            found = examine(self._reader.query, window, findings, ruled_out=empty)
            return msgspec.json.encode(plain(found))

        return await self._turns.ask(examined)


def _failed(task: asyncio.Task[bytes]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)
