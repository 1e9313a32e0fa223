"""Where ids and time come from: one source for calls, steps and spans, so that a test can put its own there.

Ids are random and come from a generator of our own: OpenTelemetry's takes them from the `random` module's
shared one, so an application that seeds it (`random.seed(42)` in each worker) gives its workers the same ids,
and their traces become one.
"""

from __future__ import annotations

import os
import time
from random import Random
from typing import TYPE_CHECKING, NamedTuple, Protocol

from watchglass.clock import Clock

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.id_generator import IdGenerator


class IdSource(Protocol):
    """Makes ids. MUST be usable from any thread, MUST NOT return an id of zeros, MUST differ after a fork."""

    random: bool
    """Whether the lower 56 bits of trace ids are uniformly random: W3C's flag says so to others, and samplers
    that decide by trace id rely on it."""

    def trace_id(self) -> bytes:
        """A new trace id, 16 bytes."""
        ...

    def span_id(self) -> bytes:
        """A new span id, 8 bytes."""
        ...


class RandomIds:
    """Ids from a generator of this process alone, seeded by the operating system, anew after each fork."""

    random = True

    def __init__(self) -> None:
        self._bits = Random().getrandbits
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._reseed)

    def _reseed(self) -> None:
        self._bits = Random().getrandbits

    def trace_id(self) -> bytes:
        """See `IdSource.trace_id`."""
        # An id must not be zeros; `or 1` is as rare as meeting zeros is.
        return (self._bits(128) or 1).to_bytes(16, "big")

    def span_id(self) -> bytes:
        """See `IdSource.span_id`."""
        return (self._bits(64) or 1).to_bytes(8, "big")


class InForce(NamedTuple):
    """The source of ids and the clock that `use` puts in force; None for a clock is the machine's."""

    source: IdSource
    clock: Clock | None


_random = RandomIds()
_in_force = InForce(_random, None)

_trace_id = _random.trace_id
_span_id = _random.span_id
_time_ns = time.time_ns


def trace_id() -> bytes:
    """A new trace id, 16 bytes."""
    return _trace_id()


def span_id() -> bytes:
    """A new span id, 8 bytes."""
    return _span_id()


def uuid_text() -> str:
    """A random UUID (RFC 9562, version 4); `uuid.UUID` takes ten times as long to make its text."""
    digits = _trace_id().hex()
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"


def now_ns() -> int:
    """The time that records carry: nanoseconds since the epoch, UTC."""
    return _time_ns()


def use(source: IdSource | None = None, clock: Clock | None = None) -> InForce:
    """Take ids and time from these from now on; None is the random source, or the machine's clock.

    Returns what was in force, to put back with `use(*before)`.
    """
    global _in_force, _trace_id, _span_id, _time_ns
    before = _in_force
    _in_force = InForce(source or _random, clock)
    _trace_id, _span_id = _in_force.source.trace_id, _in_force.source.span_id
    _time_ns = clock.now_ns if clock else time.time_ns
    return before


def otel_generator() -> IdGenerator:
    """Our ids for a tracer provider of OpenTelemetry's: `TracerProvider(id_generator=otel_generator())`."""
    # Imported here: the package of OpenTelemetry's SDK takes longer to load than `import watchglass` may.
    from opentelemetry.sdk.trace.id_generator import IdGenerator

    class OurIds(IdGenerator):
        """Asks whatever source is in force, each time."""

        def generate_span_id(self) -> int:
            return int.from_bytes(_span_id(), "big")

        def generate_trace_id(self) -> int:
            return int.from_bytes(_trace_id(), "big")

        def is_trace_id_random(self) -> bool:
            return _in_force.source.random

    return OurIds()
