"""Brings what is in the spool to the server, on a thread of its own, and waits as long as that takes.

Records leave the spool when the server has taken them, or refuses them alone. Everything else that can
happen (nobody there, slow, 429, 503, 500, a wrong key, a proxy's page, a connection cut in the middle) keeps
them, and they are sent again later: the same bytes with the same ids, which the server counts once.
"""

from __future__ import annotations

import os
import re
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from ipaddress import ip_address
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import urlsplit

from watchglass.capture import boundary
from watchglass.capture.backoff import Backoff
from watchglass.capture.credentials import scrub
from watchglass.capture.spool import Batch, Spool, place
from watchglass.clock import Clock, SystemClock
from watchglass.errors import ConfigError

if TYPE_CHECKING:
    from watchglass.capture.encoder import Request
    from watchglass.capture.posting import Answer, Post, Poster

Encode: TypeAlias = "Callable[[bytes, Sequence[bytes]], Sequence[Request]]"
"""`about` and records of one process, as requests to the server. Called on the delivery's thread."""

BATCH_BYTES = 256 << 10
BATCH_RECORDS = 256
_IDLE_S = 30.0
_LONGEST_S = 86400.0
"""Waiting for longer, or for ever, is an error in some systems."""


@dataclass(slots=True)
class DeliveryStats:
    """What delivery has done, and how it stands."""

    requests: int = 0
    failures: int = 0
    """Requests after which records had to be kept."""
    bytes_sent: int = 0
    """Of the bodies of requests that were taken, compressed."""
    last_error: str | None = None
    """None once a request was taken again."""
    last_status: int | None = None
    """The HTTP status that came with it; None if there was no answer."""
    last_taken_ns: int | None = None
    cpu_ns: int = 0
    """CPU time of the delivery's thread."""


@dataclass(slots=True)
class _Portion:
    """Records to send together; `requests` are what is left of them to send, None when not encoded yet."""

    payloads: list[bytes]
    requests: deque[Request] | None = None
    taken: int = 0


@dataclass(slots=True)
class _Work:
    """A batch on its way: portions not sent yet, in order."""

    batch: Batch
    full: bool
    portions: deque[_Portion]
    delivered: int = 0


@dataclass(frozen=True, slots=True)
class Pace:
    """When delivery sends. `interval_s`: how long records are collected, unless `BATCH_BYTES` come sooner."""

    interval_s: float = 1.0
    timeout_s: float = 10.0
    backoff: Callable[[], Backoff] = field(default=Backoff)


class Delivery:
    """The thread that empties a spool.

    `endpoint` is the server's address (`http://localhost:4318`); `key` is shown to it as a bearer token.
    `post` replaces the sending itself. Fork-safe: in a child it starts again with the child's first record.
    Raises `ConfigError` if `endpoint` is no address.
    """

    def __init__(
        self,
        spool: Spool,
        encode: Encode,
        endpoint: str,
        key: str | None = None,
        *,
        pace: Pace | None = None,
        clock: Clock | None = None,
        post: Post | None = None,
    ) -> None:
        self._spool = spool
        self._encode = boundary.guarded("encode")(encode)
        self._endpoint = checked_endpoint(endpoint)
        self._key = checked_key(key)
        self._pace = pace or Pace()
        self._clock = clock or SystemClock()
        self._given_post = post
        self._begin()
        _deliveries.add(self)

    def _begin(self) -> None:
        self.stats = DeliveryStats()
        self._starting = threading.Lock()
        self._backoff = self._pace.backoff()
        self._thread: threading.Thread | None = None
        self._bell: SimpleQueue[None] = SimpleQueue()
        self._turned = threading.Condition()
        """Notified after each turn; guards nothing but waiting."""
        self._turns = self._failed_turns = 0
        self._urgent = 0
        """How many wait in `flush`."""
        self._closing = self._quiet = False
        self._work: _Work | None = None
        self._poster: Poster | None = None

    def start(self) -> None:
        """Deliver from now on, in this process and in its forked children."""
        self._closing = False
        self._spool.on_start = self._start_thread
        self._spool.start()
        self._start_thread()

    def flush(self, timeout: float) -> bool:
        """Deliver at once all that is in the spool. False if the server does not take it, or not in time."""
        deadline = time.monotonic() + timeout
        self._spool.adopt()  # a process that lives shortly delivers what others left, too
        mark = self._spool.mark()
        with self._turned:
            self._urgent += 1
            self._bell.put(None)
            try:
                # A turn that is under way may have begun to fail before we asked.
                failed_before = self._failed_turns + (1 if self._turns % 2 else 0)
                while not self._spool.passed(mark):
                    left = deadline - time.monotonic()
                    if left <= 0 or self._failed_turns > failed_before or not self._running():
                        return False
                    self._turned.wait(left)
            finally:
                self._urgent -= 1
        return True

    def close(self, timeout: float) -> bool:
        """Flush, then stop; what is not delivered stays in the spool for the next process."""
        self._spool.on_start = None
        deadline = time.monotonic() + timeout
        done = self.flush(timeout)
        self._closing = True
        self._bell.put(None)
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(max(0.0, min(1.0, deadline - time.monotonic())))
        return done

    def drain(self, timeout: float) -> bool:
        """Deliver what is in the spool from this thread, without starting any; whether nothing is left."""
        deadline = time.monotonic() + timeout
        with _unseen():
            while time.monotonic() < deadline:
                failed_before = self._failed_turns
                if self._turn() == "nothing":
                    return True
                if self._failed_turns > failed_before:
                    return False
        return False

    def state(self) -> str:
        """How delivery stands, as the metric `sdk_delivery_state` names it."""
        if not self._running():
            return "off"
        if self.stats.last_error is not None:
            return "refused" if self.stats.last_status in (401, 403) else "waiting"
        return "idle" if self._work is None else "delivering"

    def _start_thread(self) -> None:
        if not self._starting.acquire(blocking=False):
            return
        try:
            self._start_once()
        finally:
            self._starting.release()

    def _start_once(self) -> None:
        if not self._running() and not self._closing:
            self._thread = threading.Thread(target=self._run, name="watchglass-delivery", daemon=True)
            try:
                self._thread.start()
            except RuntimeError:  # the interpreter is ending: the next process delivers
                self._thread = None

    def _running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def _run(self) -> None:
        self._describe()
        with _unseen():
            self._deliver()

    def _describe(self) -> None:
        # For people only; that there is no disk to write to, the spool says.
        with suppress(OSError):
            place.describe(self._spool.directory, self._endpoint)

    def _deliver(self) -> None:
        while not self._closing:
            if self._cycle() is None:  # nobody would start this thread again
                self._rest(self._backoff.failed())
        if self._poster is not None:
            self._poster.close()

    @boundary.guarded("delivery.cycle")
    def _cycle(self) -> bool:
        outcome = self._turn()
        match outcome:
            case "nothing" if self._quiet:
                self._rest(_IDLE_S, ring_after=1)
                self._quiet = False
                if not self._closing:
                    self._rest(self._pace.interval_s, ring_after=BATCH_BYTES)
            case "nothing" | "less":
                self._quiet = outcome == "nothing"
                self._rest(self._pace.interval_s, ring_after=BATCH_BYTES)
            case float():
                self._rest(outcome)
            case _:
                self._rest(self._backoff.failed())
        return True

    @boundary.guarded("delivery")
    def _turn(self) -> str | float:
        """Send one batch. "nothing" was there, "less" than a full batch, or how many seconds to wait now."""
        began = time.thread_time_ns()
        self._turns += 1
        failed = True
        try:
            work = self._work = self._next_work()
            if work is None:
                failed = False
                return "nothing"
            answer = self._send(work)
            if answer is None:
                self._work = None
                self._spool.acknowledge(work.batch, work.delivered)
                failed = False
                # A backlog is delivered at half speed: the application has the processor, too.
                return (time.thread_time_ns() - began) / 1e9 if work.full else "less"
            return self._backoff.failed(answer.retry_after_s)
        except Exception as fault:
            self.stats.last_error = f"delivery failed ({type(fault).__name__}: {scrub(str(fault))})"
            self.stats.last_status = None
            raise
        finally:
            self.stats.cpu_ns += time.thread_time_ns() - began
            with self._turned:
                self._turns += 1
                self._failed_turns += failed
                self._turned.notify_all()

    def _next_work(self) -> _Work | None:
        if self._work is not None and not self._work.batch.stale:
            return self._work
        batch = self._spool.read(BATCH_BYTES, BATCH_RECORDS)
        if batch is None:
            return None
        full = len(batch.payloads) >= BATCH_RECORDS or sum(map(len, batch.payloads)) >= BATCH_BYTES
        return _Work(batch, full, deque([_Portion(batch.payloads)]))

    def _send(self, work: _Work) -> Answer | None:
        """Send what is left of a batch; None when all of it is dealt with, else why it has to wait."""
        from watchglass.capture.posting import Verdict

        while work.portions:
            portion = work.portions[0]
            answer = self._send_portion(work.batch.about, portion)
            if answer is not None and answer.verdict is Verdict.LATER:
                return answer
            work.portions.popleft()
            if answer is None and portion.requests is not None:
                work.delivered += portion.taken
                continue
            # Somewhere in it is a record that cannot be sent: halve until it stands alone.
            if len(portion.payloads) > 1:
                middle = len(portion.payloads) // 2
                work.portions.appendleft(_Portion(portion.payloads[middle:]))
                work.portions.appendleft(_Portion(portion.payloads[:middle]))
            else:
                self._spool.drop("refused" if answer is not None else "unencodable")
        return None

    def _send_portion(self, about: bytes, portion: _Portion) -> Answer | None:
        """Send its requests; None when they are taken, or (`requests` is None) cannot be made."""
        from watchglass.capture.posting import Verdict

        if portion.requests is None:
            made = self._encode(about, portion.payloads)
            if made is None:
                return None
            portion.requests = deque(made)
            self._spool.drop("unencodable", len(portion.payloads) - sum(each.records for each in made))
        while portion.requests:
            request = portion.requests[0]
            answer = self._post(request.path, request.body)
            self.stats.requests += 1
            if answer.verdict is not Verdict.TAKEN:
                self._complain(answer)
                return answer
            portion.requests.popleft()
            portion.taken += max(0, request.records - answer.rejected)
            self._note_taken(request, answer)
        return None

    def _note_taken(self, request: Request, answer: Answer) -> None:
        self._backoff.succeeded()
        self.stats.last_error = None
        self.stats.last_taken_ns = self._clock.now_ns()
        self.stats.bytes_sent += answer.sent
        if answer.rejected > 0:
            self._spool.drop("rejected", min(answer.rejected, request.records))
            boundary.once(
                "delivery.rejected",
                "watchglass: the server took a batch but for %s of its records: %s",
                answer.rejected,
                answer.message,
            )

    def _complain(self, answer: Answer) -> None:
        self.stats.failures += 1
        self.stats.last_error, self.stats.last_status = answer.message, answer.status
        boundary.once(
            f"delivery.{answer.status}",
            "watchglass: %s; %s",
            answer.message,
            _CONSEQUENCES[answer.verdict.value],
        )

    def _post(self, path: str, body: bytes) -> Answer:
        if self._given_post is not None:
            return self._given_post(path, body)
        if self._poster is None:
            from watchglass import __version__
            from watchglass.capture.posting import Poster

            self._poster = Poster(
                self._endpoint,
                self._key,
                version=__version__,
                clock=self._clock,
                timeout_s=self._pace.timeout_s,
            )
        return self._poster(path, body)

    def _rest(self, seconds: float, *, ring_after: int | None = None) -> None:
        """Wait, but not when somebody flushes or closes, nor (`ring_after`) when so many bytes have come."""
        if ring_after is not None:
            self._spool.ring(self._ring, ring_after)
            if ring_after == 1 and self._spool.stats().waiting:
                return
        deadline = time.monotonic() + min(seconds, _LONGEST_S)
        while not (self._urgent or self._closing):
            try:
                self._bell.get(timeout=max(0.0, deadline - time.monotonic()))
            except Empty:
                return
            if ring_after is not None:
                return

    def _ring(self) -> None:
        self._bell.put(None)


_CONSEQUENCES = {
    "later": "records are kept in the spool and sent later",
    "refused": "the record that it refuses is looked for and dropped, the others are sent",
}


def checked_endpoint(endpoint: str) -> str:
    """The address without a slash at its end. Raises `ConfigError`, which shows no credential."""
    try:
        parts = urlsplit(endpoint)
        valid = parts.scheme in ("http", "https") and parts.port != 0 and _is_host(parts.hostname or "")
    except ValueError:  # brackets that do not close, a port that is no number
        valid = False
    if "@" in endpoint or "?" in endpoint or "#" in endpoint:
        raise ConfigError(
            "the server's address (not shown: it may hold a password) holds more than host, port and path; "
            "write http://localhost:4318 and give the key as key=…"
        )
    if valid and endpoint.isascii() and endpoint.isprintable() and " " not in endpoint:
        return endpoint.rstrip("/")
    raise ConfigError(f"{endpoint!r} is no address of a server; write http://localhost:4318")


def _is_host(host: str) -> bool:
    if ":" in host:
        return bool(ip_address(host))
    return bool(re.fullmatch(r"[A-Za-z0-9_]([A-Za-z0-9._-]{0,252})", host))


def checked_key(key: str | None) -> str | None:
    """The key if a header can hold it. Raises `ConfigError`, which does not show it."""
    if key and not (key.isascii() and key.isprintable()):
        raise ConfigError("the key holds signs that no key has; copy it again as it was shown")
    return key or None


@contextmanager
def _unseen() -> Generator[None]:
    """Our own requests are no part of what the application does: no instrumentation makes spans of them."""
    from opentelemetry import context

    # The API has no public name for these keys; every instrumentation asks for them.
    unseen = context.set_value(context._SUPPRESS_INSTRUMENTATION_KEY, True)  # pyright: ignore[reportPrivateUsage]
    unseen = context.set_value(context._SUPPRESS_HTTP_INSTRUMENTATION_KEY, True, unseen)  # pyright: ignore[reportPrivateUsage]
    token = context.attach(unseen)
    try:
        yield
    finally:
        context.detach(token)


_deliveries: weakref.WeakSet[Delivery] = weakref.WeakSet()


def _after_fork() -> None:
    for each in list(_deliveries):
        each._begin()  # pyright: ignore[reportPrivateUsage] - this function is the class's own


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
