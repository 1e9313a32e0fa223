"""Imports through a server: bodies over HTTP, a few under way at once, told in order."""

from __future__ import annotations

import http.client
import time
import urllib.error
import urllib.request
from collections import deque
from collections.abc import Callable, Generator, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import PurePath
from urllib.parse import urlencode

import msgspec

from watchglass import errors
from watchglass.ingest.importers.local import Progress
from watchglass.ingest.importers.parts import Part
from watchglass.ingest.importers.records import Rejected
from watchglass.ingest.importers.sending import Sent, bodies
from watchglass.ingest.importers.tally import Tally
from watchglass.surfaces.cli.remote import address_of, authorization, error_of, opener_for

TIMEOUT_S = 120
TRIES = 60
"""How often a body is sent again that a busy server does not take; it says when."""

UNDER_WAY = 2
_AGAIN = frozenset({429, 502, 503, 504})


class _Reject(msgspec.Struct, frozen=True):
    line: int
    reason: str


class _Answer(msgspec.Struct, frozen=True):
    rows: int
    new: int
    known: int
    rejected: int
    priced: int
    unpriced: dict[str, int]
    reported: int
    agree: int
    differ: int
    differences: dict[str, int]
    examples: dict[str, str]
    rejects: list[_Reject]

    def progress(self, sent: Sent) -> Progress:
        """What became of one body; the server names also what was rejected before it was sent."""
        sums = {name: getattr(self, name) for name in Tally.__struct_fields__}
        repeated = Tally(rows=sent.repeated, known=sent.repeated)
        here = {each.line for each in sent.rejects}
        there = [Rejected(each.line, each.reason) for each in self.rejects if each.line not in here]
        return Progress(Tally(**sums) + repeated, sent.rejects + there, sent.notices)


class Sender:
    """Sends files to the server at `url`."""

    def __init__(
        self, url: str, *, key: str | None = None, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._headers = {"content-type": "application/x-ndjson", **authorization(key)}
        self._base = address_of(url)
        self._opener = opener_for(self._base)
        self._sleep = sleep

    def send(self, parts: Iterable[Part], name: str, maps: Mapping[str, str]) -> Generator[Progress]:
        """Send one file; what is told is durable there. Raises `Unreachable` and what the server refuses."""
        with ThreadPoolExecutor(UNDER_WAY, thread_name_prefix="watchglass-send") as threads:
            waiting: deque[tuple[Sent, Future[_Answer]]] = deque()
            for sent in bodies(parts, maps):
                waiting.append((sent, threads.submit(self._post, sent.body, PurePath(name).name)))
                if len(waiting) > UNDER_WAY:
                    yield _told(*waiting.popleft())
            while waiting:
                yield _told(*waiting.popleft())

    def _post(self, body: bytes, name: str) -> _Answer:
        where = f"{self._base}/api/v1/import?{urlencode({'name': name, 'format': 'jsonl'})}"
        request = urllib.request.Request(where, data=body, headers=self._headers)
        for attempt in range(TRIES):
            try:
                with self._opener.open(request, timeout=TIMEOUT_S) as response:
                    return msgspec.json.decode(response.read(), type=_Answer)
            except urllib.error.HTTPError as refusal:
                if refusal.code not in _AGAIN or attempt == TRIES - 1:
                    raise error_of(refusal, self._base) from None
                self._sleep(_seconds(refusal.headers.get("retry-after", "1")))
            except (OSError, http.client.HTTPException, msgspec.MsgspecError) as fault:
                raise errors.Unreachable(
                    f"no server takes imports at {self._base} ({getattr(fault, 'reason', fault)}); start one "
                    "with `watchglass serve`, name another with --url, or import into a store with --data DIR"
                ) from None
        raise AssertionError("the last attempt returns or raises")


def _told(sent: Sent, answer: Future[_Answer]) -> Progress:
    return answer.result().progress(sent)


def _seconds(text: str) -> float:
    return min(float(text), 60.0) if text.isdigit() else 1.0
