"""What users' tests are given shows what would have been sent, the same each time, and leaves no trace."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

import watchglass
from watchglass import names
from watchglass.capture import calls, ids, tracing
from watchglass.capture import recorder as recording
from watchglass.capture.context import context
from watchglass.testing import DeterministicIds, ManualClock, Recorder, recorder

__all__ = ["recorder"]


def one_call() -> None:
    with context(tenant="acme", engagement="m1", feature="chat", flow="f1"):
        call = calls.begin("watchglass.test", "chat", "gpt-4o", provider="openai")
        with calls.running(call):
            pass
        calls.finish(
            call,
            {
                "gen_ai.usage.input_tokens": 12,
                "gen_ai.usage.output_tokens": 3,
                names.REPORTED_COST: "0.00006",
                "gen_ai.output.messages": '[{"role":"assistant"}]',
            },
        )


def test_a_call_is_seen_with_what_it_was(recorder: Recorder) -> None:
    """A call has tenant, engagement, feature, flow, provider, model, tokens, exact cost and messages."""
    one_call()
    (call,) = recorder.calls
    assert (call.tenant, call.engagement, call.feature, call.flow) == ("acme", "m1", "chat", "f1")
    assert (call.provider, call.model, call.input_tokens, call.output_tokens) == ("openai", "gpt-4o", 12, 3)
    assert call.cost_usd == Decimal("0.00006") and call.output_messages == [{"role": "assistant"}]
    assert call.input_messages is None and not call.failed and call.error_type is None


def test_steps_events_and_spans_are_seen(recorder: Recorder) -> None:
    """A task is a step and an event, without `init`; a span of OpenTelemetry is a span and neither."""
    with pytest.raises(ValueError), watchglass.task("readiness", agent="assessor"):
        one_call()
        raise ValueError("no")
    assert recorder.provider is not None
    recorder.provider.get_tracer("app").start_span("GET").end()
    (step,) = recorder.steps
    assert (step.kind, step.step, step.agent, step.failed) == ("task", "readiness", "assessor", True)
    assert step.error_type == "ValueError"
    assert [each.name for each in recorder.events][:1] == [names.STEP_EVENT]
    assert [type(each).__name__ for each in recorder.spans] == ["Call", "Step", "Span"]
    assert recorder.calls[0].parent_id == step.span_id and recorder.calls[0].trace_id == step.trace_id


def test_ids_and_times_repeat() -> None:
    """With a manual clock and deterministic ids two runs record the same bytes."""
    runs: list[list[bytes]] = []
    for _ in range(2):
        clock = ManualClock(10**18)
        with Recorder(clock, DeterministicIds()) as made:
            one_call()
            clock.advance_ns(5)
            one_call()
            runs.append([each.body for each in made.otlp()])
            assert [each.span_id for each in made.calls] == ["0" * 15 + "1", "0" * 15 + "2"]
            assert made.calls[1].record.start_ns == 10**18 + 5
    assert runs[0] == runs[1]


def test_what_would_be_sent_is_otlp(recorder: Recorder) -> None:
    """`otlp` gives the bodies that would be posted."""
    one_call()
    (request,) = recorder.otlp()
    sent = ExportTraceServiceRequest.FromString(request.body)
    assert request.path == "/v1/traces"
    assert [span.name for span in sent.resource_spans[0].scope_spans[0].spans] == ["chat gpt-4o"]
    recorder.clear()
    assert recorder.records == [] and recorder.otlp() == []


def test_what_was_there_is_put_back() -> None:
    """After a recorder the sink, the provider, the ids and the clock are those from before, also nested."""
    before = recording.installed()
    with Recorder(ManualClock(5), DeterministicIds()) as outer:
        inside = tracing.use(None)
        tracing.use(inside)
        with pytest.raises(KeyError), Recorder() as inner:
            one_call()
            raise KeyError
        assert recording.installed() == (outer, ())
        assert ids.now_ns() == 5 and outer.calls == [] and len(inner.calls) == 1
        one_call()
        assert len(outer.calls) == 1
    assert recording.installed() == before
    assert ids.now_ns() > 5 and len(inner.calls) == 1


def test_pytest_is_needed_for_the_fixture_only() -> None:
    """Importing `watchglass.testing` loads neither pytest nor OpenTelemetry's SDK."""
    code = (
        "import sys, watchglass.testing as t; t.Recorder\n"
        "print([m for m in ('pytest', 'opentelemetry.sdk.trace') if m in sys.modules])"
    )
    source = str(Path(watchglass.__file__).parent.parent)
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONPATH": source}
    )
    assert ran.stdout.strip() == "[]"


def test_a_name_that_is_not_there_is_said() -> None:
    """An unknown name of the module is an `AttributeError`."""
    with pytest.raises(ImportError):
        exec("from watchglass.testing import nothing")
