"""Sampling thins out detail and never money, counts, or what went wrong."""

from __future__ import annotations

import random
from collections import Counter
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import TraceIdRatioBased

from watchglass import names
from watchglass.capture import recorder
from watchglass.capture.records import Attributes, Record, SpanRecord
from watchglass.capture.sampling import Sampler, rules
from watchglass.capture.spans import RecordSpans
from watchglass.clock import ManualClock
from watchglass.errors import ConfigError

SECOND = 10**9


def span(
    trace: bytes, name: str = "GET", status: int = 0, ns: int = 1, attributes: Attributes | None = None
) -> SpanRecord:
    return SpanRecord(trace, bytes(7) + b"\1", b"", name, 1, 0, ns, status, "", dict(attributes or {}))


def traces(count: int, seed: int = 7) -> list[bytes]:
    bits = random.Random(seed).getrandbits
    return [bits(128).to_bytes(16, "big") for _ in range(count)]


def outside(rate: str) -> bytes:
    """A trace that is not kept for its id."""
    return bytes(8) + round(Fraction(rate) * 2**64).to_bytes(8, "big")


@pytest.mark.parametrize("at", ["head", "tail"])
@given(
    rate=st.sampled_from(["0", "0.01", "0.1", "0.3", "0.5", "0.999"]),
    shapes=st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=1, max_size=30),
)
def test_calls_and_steps_are_all_there(at: str, rate: str, shapes: list[tuple[int, bool]]) -> None:
    """At any rate, at head or tail, each call comes back at once, as it was, and exactly once."""
    sampler = Sampler(rules(rate, at=at))
    for trace, (details, fails) in zip(traces(len(shapes)), shapes, strict=True):
        for _ in range(details):
            assert all(each.name == "GET" for each in sampler.offer(span(trace), False, False))
        call = span(trace, "chat", 2 if fails else 0)
        before = dict(call.attributes)
        written = sampler.offer(call, False, True)
        assert written == [call] and call.attributes == before
        assert call not in sampler.offer(span(trace, "root"), True, False)
    assert sampler.flush() == []


@pytest.mark.parametrize("at", ["head", "tail"])
@pytest.mark.parametrize("rate", ["0.05", "0.1", "0.3", "0.9"])
def test_the_sum_of_weights_estimates_how_many_there_were(at: str, rate: str) -> None:
    """Of 20,000 traces of three spans, 2% failing, weights add up to the true number, of each outcome."""
    sampler, chance = Sampler(rules(rate, at=at)), random.Random(3)
    truth, estimate = Counter[int](), {0: Fraction(), 2: Fraction()}
    for trace in traces(20_000):
        failing = chance.random() < 0.02
        made = [span(trace), span(trace, status=2 if failing else 0), span(trace, "root")]
        truth.update(each.status for each in made)
        for each, is_root in zip(made, (False, False, True), strict=True):
            for kept in sampler.offer(each, is_root, False):
                estimate[kept.status] += Fraction(str(kept.attributes[names.SAMPLE_WEIGHT]))
    assert estimate[2] == truth[2]
    assert abs(estimate[0] / truth[0] - 1) < 0.1
    assert sampler.counts["kept"] + sampler.counts["dropped"] == 60_000


@pytest.mark.parametrize("at", ["head", "tail"])
def test_services_agree_with_opentelemetrys_own_sampler(at: str) -> None:
    """What is kept by rate is exactly what `TraceIdRatioBased` would keep."""
    sampler, theirs = Sampler(rules(0.25, at=at)), TraceIdRatioBased(0.25)
    for trace in traces(2_000):
        kept = bool(sampler.offer(span(trace), True, False))
        assert kept == theirs.should_sample(None, int.from_bytes(trace, "big"), "s").decision.is_sampled()


TROUBLES: dict[str, tuple[SpanRecord, bool]] = {
    "error": (span(outside("0.1"), status=2), False),
    "slow": (span(outside("0.1"), ns=11 * SECOND), False),
    "expensive": (
        span(
            outside("0.1"),
            "chat",
            attributes={"gen_ai.usage.input_tokens": 900, "gen_ai.usage.output_tokens": 100},
        ),
        True,
    ),
}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_traces_in_trouble_are_kept_whole(trouble: str) -> None:
    """At the tail a trace with an error, a slow root or expensive calls keeps all its spans, at weight 1."""
    sampler = Sampler(rules(0.1, tokens=1000))
    bad, always = TROUBLES[trouble]
    details = [span(bad.trace_id, f"d{n}") for n in range(5)]
    assert [each for detail in details for each in sampler.offer(detail, False, False)] == []
    if trouble == "slow":
        written = sampler.offer(bad, True, always)
    else:
        first = sampler.offer(bad, False, always)
        written = [each for each in first if each is not bad] + sampler.offer(
            span(bad.trace_id, "root"), True, False
        )
    assert [each.name for each in written][:5] == ["d0", "d1", "d2", "d3", "d4"] and len(written) >= 6
    said = {(each.attributes[names.SAMPLE_WEIGHT], each.attributes[names.SAMPLE_REASON]) for each in written}
    assert said == {("1", trouble)}


def test_a_reported_cost_makes_a_trace_expensive() -> None:
    """Calls whose reported costs add up to the threshold keep the trace; text that is no number does not."""
    sampler, trace = Sampler(rules(0.1, tokens=None, cost_usd=Decimal("0.03"))), outside("0.1")
    sampler.offer(span(trace, "detail"), False, False)
    for cost in ("0.01", "unknown", "NaN", "0.02"):
        sampler.observe(span(trace, "chat", attributes={names.REPORTED_COST: cost}))
    assert len(sampler.offer(span(trace, "root"), True, False)) == 2


def test_a_trace_of_several_roots_waits_for_the_last() -> None:
    """Two local roots at once in one trace: the failure in the second keeps the first one's spans too."""
    sampler, trace = Sampler(rules(0.1)), outside("0.1")
    sampler.started(trace)
    sampler.started(trace)
    sampler.offer(span(trace, "of the first"), False, False)
    assert sampler.offer(span(trace, "first"), True, False) == []
    sampler.offer(span(trace, "of the second", status=2), False, False)
    assert len(sampler.offer(span(trace, "second"), True, False)) == 4


def test_a_root_that_never_ends_is_decided_in_time() -> None:
    """After `wait_ns` the background thread gets what waited, by rate or for what happened; it is counted."""
    clock = ManualClock(1)
    sampler = Sampler(rules(0.1, wait_ns=SECOND), clock)
    sampler.offer(span(bytes(15) + b"\1"), False, False)
    sampler.offer(span(outside("0.1")), False, False)
    assert sampler.expire() == []
    clock.advance_ns(SECOND)
    written = sampler.expire()
    assert [each.attributes[names.SAMPLE_WEIGHT] for each in written] == ["10"]
    assert sampler.counts == {"early": 2, "kept": 1, "dropped": 1}


@pytest.mark.parametrize(
    "bounds", [{"trace_spans": 10}, {"spans": 10}, {"size_bytes": 7_000}], ids=lambda bound: next(iter(bound))
)
def test_what_waits_is_bounded(bounds: dict[str, int]) -> None:
    """A trace that outgrows its bound is decided at once; no span is lost between kept and dropped."""
    sampler, written = Sampler(rules(0.5, **bounds)), 0
    for trace in (outside("0.5"), bytes(15) + b"\1"):
        for _ in range(100):
            written += len(sampler.offer(span(trace), False, False))
    assert sampler.counts["early"] >= 180
    written += len(sampler.flush())
    assert written == sampler.counts["kept"] == 100
    assert sampler.counts["dropped"] == 100


def test_content_is_kept_as_detail_is() -> None:
    """Texts are kept by the trace's id, or where their call failed, was slow or dear, or its trace failed."""
    sampler, other = Sampler(rules(0.5, tokens=100)), outside("0.5")
    assert sampler.keeps_content(bytes(15) + b"\1")
    assert not sampler.keeps_content(other, False, SECOND, 99)
    assert sampler.keeps_content(other, failed=True)
    assert sampler.keeps_content(other, duration_ns=10 * SECOND)
    assert sampler.keeps_content(other, tokens=100)
    sampler.observe(span(other, "chat", status=2))
    assert sampler.keeps_content(other)


def test_at_rate_one_nothing_waits_and_nothing_is_marked() -> None:
    """Without sampling a span is written as it came."""
    record = span(outside("0.1"))
    assert Sampler(rules(1)).offer(record, False, False) == [record] and record.attributes == {}


@pytest.mark.parametrize("rate", ["-0.1", "1.01", "ten percent", "nan", "1/0"])
def test_a_rate_that_is_none_is_refused(rate: str) -> None:
    """A rate that is no share is a `ConfigError` at set-up, which shows it."""
    with pytest.raises(ConfigError, match=rate):
        rules(rate)


def test_a_rate_that_does_not_divide_has_a_decimal_weight() -> None:
    """The weight at rate 0.3 is written as a decimal of 15 digits, not as a fraction."""
    sampler = Sampler(rules("0.3"))
    (kept,) = sampler.offer(span(bytes(15) + b"\1"), True, False)
    assert kept.attributes[names.SAMPLE_WEIGHT] == "3.33333333333333"


class Drawn(IdGenerator):
    """The same ids each time: how many of them are kept is chance, and no test's business."""

    def __init__(self) -> None:
        self._chance = random.Random(5)

    def generate_trace_id(self) -> int:
        return self._chance.getrandbits(128)

    def generate_span_id(self) -> int:
        return self._chance.getrandbits(64)


def test_spans_of_opentelemetry_are_sampled_as_a_trace() -> None:
    """Through the processor: of 300 traces all whole or absent, with their weights; the failing one whole."""
    seen: list[Record] = []

    class Nowhere:
        def append(self, payload: bytes) -> bool:
            return True

    provider = TracerProvider(id_generator=Drawn())
    provider.add_span_processor(RecordSpans(Sampler(rules(0.2))))
    tracer = provider.get_tracer("app")
    recorder.install(Nowhere(), seen.append)
    try:
        for number in range(300):
            with tracer.start_as_current_span(f"root {number}"), tracer.start_as_current_span("inner"):
                pass
        with pytest.raises(ValueError), tracer.start_as_current_span("bad"):
            with tracer.start_as_current_span("before it"):
                pass
            raise ValueError
    finally:
        recorder.install(None)
    spans = [each for each in seen if isinstance(each, SpanRecord)]
    assert set(Counter(each.trace_id for each in spans).values()) == {2}
    assert 60 < len(spans) < 180
    assert [each.attributes[names.SAMPLE_REASON] for each in spans if each.name in ("bad", "before it")] == [
        "error",
        "error",
    ]
