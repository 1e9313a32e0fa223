"""Which detail is kept: spans of the application's other instrumentations, and texts; never money or counts.

Calls and steps are always recorded. Detail is kept by rate, by trace id, in the way of OpenTelemetry's
`TraceIdRatioBased`, so that services agree; at the tail it waits until the local root has ended, and is kept
whole if something in the trace failed, was slow or dear. What is kept says how many it stands for
(`watchglass.sample.weight`): 1 where it would have been kept whatever its id, else the inverse of the rate.
So the sum of weights estimates how many there were, without bias (Horvitz and Thompson, 1952).
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Literal

import msgspec

from watchglass import names
from watchglass.capture.records import SpanRecord
from watchglass.clock import Clock, SystemClock
from watchglass.errors import ConfigError

ERROR, SLOW, EXPENSIVE, RATE = "error", "slow", "expensive", "rate"
_REMEMBERED = 4096
_FAILED = 2  # OTLP's status


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """How detail is sampled. `rate` is the share of traces that are kept for nothing but their id.

    `slow_ns` is the duration of a root from which it is slow, `tokens` and `cost_usd` what the calls of a
    trace need together to be expensive; None: never. At the tail a trace waits for its root for at most
    `wait_ns`, and with at most `trace_spans` spans; all together at most `spans` and about `size_bytes`.
    """

    rate: Fraction = Fraction(1)
    at: Literal["head", "tail"] = "tail"
    slow_ns: int | None = 10 * 10**9
    tokens: int | None = 50_000
    cost_usd: Decimal | None = None
    wait_ns: int = 300 * 10**9
    trace_spans: int = 2_000
    spans: int = 20_000
    size_bytes: int = 32 << 20


def rules(rate: float | str | Fraction, **others: object) -> Rules:
    """Checked rules; `rate` as people write it, 0 to 1. Raises `ConfigError`."""
    try:
        made = msgspec.structs.replace(Rules(), rate=Fraction(str(rate)), **others)
    except (ValueError, ZeroDivisionError) as fault:
        raise ConfigError(f"sampling rate is {rate!r}; give a share from 0 to 1, such as 0.1") from fault
    if not 0 <= made.rate <= 1:
        raise ConfigError(f"sampling rate is {rate!r}; give a share from 0 to 1, such as 0.1")
    if made.at not in ("head", "tail"):
        raise ConfigError(f"sampling is at {made.at!r}; it is at the head or the tail")
    return made


class _Trace:
    """What waits of one trace, and what is known of it."""

    __slots__ = ("cost", "failed", "roots", "since_ns", "size_bytes", "spans", "tokens")

    def __init__(self, since_ns: int) -> None:
        self.since_ns = since_ns
        self.roots = 0
        self.spans: list[SpanRecord] = []
        self.size_bytes = 0
        self.failed = False
        self.tokens = 0
        self.cost = Decimal(0)


class Sampler:
    """Decides span by span, or trace by trace; safe to use from any thread."""

    def __init__(self, chosen: Rules, clock: Clock | None = None) -> None:
        self.rules = chosen
        self._clock = clock or SystemClock()
        # As OpenTelemetry has it: the lower 64 bits of the trace id, below the rate's share of them.
        self._bound = round(chosen.rate * 2**64)
        self._weight = _decimal_text(1 / chosen.rate) if chosen.rate else ""
        self.after_fork()

    def after_fork(self) -> None:
        """Start empty: what waits belongs to the process that recorded it."""
        self._lock = threading.RLock()
        self._open: dict[bytes, _Trace] = {}
        self._forced: dict[bytes, str] = {}
        self._waiting = 0
        self._waiting_bytes = 0
        self.counts: Counter[str] = Counter()
        """Detail spans `kept`, `dropped`, and `early`: decided before their root ended, for room or time."""

    def started(self, trace_id: bytes) -> None:
        """A local root began: where a trace has several at once, it is decided when the last has ended."""
        if self.rules.rate != 1 and self.rules.at == "tail":
            with self._lock:
                self._trace(trace_id).roots += 1

    def offer(self, record: SpanRecord, is_root: bool, always: bool) -> list[SpanRecord]:
        """The spans to write now: this one, others of its trace that waited, or none yet.

        `always` marks calls and steps, which come back at once and unweighted; `is_root`, that nothing of
        this process is above it. A span that waits is lost if the process is killed; calls and steps never
        wait.
        """
        if self.rules.rate == 1:
            return [record]
        if self.rules.at == "head":
            return [record] if always else self._decide_alone(record)
        with self._lock:
            return self._offer_to_trace(record, is_root, always)

    def observe(self, record: SpanRecord) -> None:
        """Take note of a call that was recorded elsewhere: it may have failed, or been expensive."""
        if self.rules.rate != 1 and self.rules.at == "tail":
            with self._lock:
                self._note(self._trace(record.trace_id), record)

    def keeps_content(
        self,
        trace_id: bytes,
        failed: bool = False,
        duration_ns: int = 0,
        tokens: int | None = None,
        cost_usd: Decimal | None = None,
    ) -> bool:
        """Whether the texts of something that just ended are kept: by its trace's id, or for what it was."""
        if failed or self._by_rate(trace_id) or trace_id in self._forced:
            return True
        chosen, waiting = self.rules, self._open.get(trace_id)
        return (
            (chosen.slow_ns is not None and duration_ns >= chosen.slow_ns)
            or (waiting is not None and waiting.failed)
            or self._expensive(tokens or 0, cost_usd or Decimal(0))
        )

    def expire(self) -> list[SpanRecord]:
        """The spans to write of traces whose root did not end in time; the background thread calls it."""
        with self._lock:
            latest = self._clock.now_ns() - self.rules.wait_ns
            late = [trace_id for trace_id, trace in self._open.items() if trace.since_ns <= latest]
            return [record for trace_id in late for record in self._decide_early(trace_id)]

    def flush(self) -> list[SpanRecord]:
        """The spans to write of all that waits; at the end of the process."""
        with self._lock:
            return [record for trace_id in list(self._open) for record in self._decide_early(trace_id)]

    def _offer_to_trace(self, record: SpanRecord, is_root: bool, always: bool) -> list[SpanRecord]:
        trace = self._trace(record.trace_id)
        self._note(trace, record)
        written = [record] if always else []
        if not always:
            size_bytes = _size_bytes(record)
            trace.spans.append(record)
            trace.size_bytes += size_bytes
            self._waiting += 1
            self._waiting_bytes += size_bytes
        if is_root:
            trace.roots -= 1
            if self._slow(record):
                self._force(record.trace_id, SLOW)
        if is_root and trace.roots <= 0:
            written += self._decide(record.trace_id)
        elif len(trace.spans) > self.rules.trace_spans:
            written += self._decide_early(record.trace_id)
        while self._waiting > self.rules.spans or self._waiting_bytes > self.rules.size_bytes:
            oldest = next(trace_id for trace_id, each in self._open.items() if each.spans)
            written += self._decide_early(oldest)
        return written

    def _trace(self, trace_id: bytes) -> _Trace:
        trace = self._open.get(trace_id)
        if trace is None:
            if len(self._open) >= self.rules.spans:
                # Traces of calls alone: nothing waits in the oldest, only what is known of it is forgotten.
                oldest = next((each for each, known in self._open.items() if not known.spans), None)
                if oldest is not None:
                    del self._open[oldest]
            trace = self._open[trace_id] = _Trace(self._clock.now_ns())
        return trace

    def _note(self, trace: _Trace, record: SpanRecord) -> None:
        attributes = record.attributes
        if record.status == _FAILED:
            self._force(record.trace_id, ERROR)
            trace.failed = True
        if "gen_ai.usage.input_tokens" in attributes or names.REPORTED_COST in attributes:
            trace.tokens += _count(attributes, "gen_ai.usage.input_tokens")
            trace.tokens += _count(attributes, "gen_ai.usage.output_tokens")
            trace.cost += _money(attributes)
            if self._expensive(trace.tokens, trace.cost):
                self._force(record.trace_id, EXPENSIVE)

    def _force(self, trace_id: bytes, reason: str) -> None:
        if trace_id not in self._forced:
            if len(self._forced) >= _REMEMBERED:
                del self._forced[next(iter(self._forced))]
            self._forced[trace_id] = reason

    def _decide_early(self, trace_id: bytes) -> list[SpanRecord]:
        self.counts["early"] += len(self._open[trace_id].spans)
        return self._decide(trace_id)

    def _decide(self, trace_id: bytes) -> list[SpanRecord]:
        trace = self._open.pop(trace_id)
        self._waiting -= len(trace.spans)
        self._waiting_bytes -= trace.size_bytes
        reason = self._forced.get(trace_id)
        if reason is not None:
            return self._keep(trace.spans, reason, "1")
        if self._by_rate(trace_id):
            return self._keep(trace.spans, RATE, self._weight)
        self.counts["dropped"] += len(trace.spans)
        return []

    def _decide_alone(self, record: SpanRecord) -> list[SpanRecord]:
        if record.status == _FAILED:
            return self._keep([record], ERROR, "1")
        if self._slow(record):
            return self._keep([record], SLOW, "1")
        if self._by_rate(record.trace_id):
            return self._keep([record], RATE, self._weight)
        self.counts["dropped"] += 1
        return []

    def _keep(self, spans: list[SpanRecord], reason: str, weight: str) -> list[SpanRecord]:
        self.counts["kept"] += len(spans)
        for record in spans:
            record.attributes[names.SAMPLE_WEIGHT] = weight
            record.attributes[names.SAMPLE_REASON] = reason
        return spans

    def _by_rate(self, trace_id: bytes) -> bool:
        return int.from_bytes(trace_id[8:], "big") < self._bound

    def _slow(self, record: SpanRecord) -> bool:
        limit = self.rules.slow_ns
        return limit is not None and record.end_ns - record.start_ns >= limit

    def _expensive(self, tokens: int, cost_usd: Decimal) -> bool:
        chosen = self.rules
        return (chosen.tokens is not None and tokens >= chosen.tokens) or (
            chosen.cost_usd is not None and cost_usd >= chosen.cost_usd
        )


def _decimal_text(number: Fraction) -> str:
    """The number as decimal text; to 15 digits where it has no end.

    >>> _decimal_text(Fraction(10)), _decimal_text(Fraction(10, 3))
    ('10', '3.33333333333333')
    """
    if number.denominator == 1:
        return str(number.numerator)
    return f"{Decimal(number.numerator) / Decimal(number.denominator):.15g}"


def _count(attributes: Mapping[str, object], key: str) -> int:
    value = attributes.get(key)
    return value if isinstance(value, int) else 0


def _money(attributes: Mapping[str, object]) -> Decimal:
    value = attributes.get(names.REPORTED_COST)
    try:
        money = Decimal(value) if isinstance(value, str) else Decimal(0)
    except InvalidOperation:
        return Decimal(0)
    return money if money.is_finite() else Decimal(0)


def _size_bytes(record: SpanRecord) -> int:
    """About what a span takes in memory: exact enough for a bound, and cheap."""
    texts = sum(len(value) for value in record.attributes.values() if isinstance(value, str))
    return 600 + 80 * len(record.attributes) + 300 * (len(record.events) + len(record.links)) + texts
