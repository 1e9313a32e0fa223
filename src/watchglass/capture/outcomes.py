"""What an application says of its agents' work: scores, interrupts, invocations. Each is an event at once."""

from __future__ import annotations

from opentelemetry import trace

from watchglass import __version__, names
from watchglass.capture import boundary, content, ids, recorder
from watchglass.capture.context import current
from watchglass.capture.credentials import scrub_value
from watchglass.capture.records import Attributes, EventRecord

_SCOPE = "watchglass.outcomes"


def score(
    name: str,
    value: float | bool | None = None,
    *,
    label: str | None = None,
    explanation: str | None = None,
    response_id: str | None = None,
) -> None:
    """Judge what the current span did: OpenTelemetry's `gen_ai.evaluation.result`. Never raises.

    `response_id` is the provider's id of the answer that is judged, where the span has several.
    """
    _score(name, value, label, explanation, response_id)


def interrupt(kind: str, *, status: str = "requested") -> None:
    """The agent waits for a person (clarification, confirmation …), or was answered. Never raises."""
    _event(names.INTERRUPT_EVENT, {names.INTERRUPT_KIND: kind, names.INTERRUPT_STATUS: status})


class MetricsCollector:
    """Says how single runs of agents went, for applications that do not trace them."""

    def record_agent_invocation(
        self,
        agent: str,
        success: bool,
        response_ms: float | None = None,
        confidence: float | None = None,
        hallucination: bool | None = None,
    ) -> None:
        """One run of `agent` is over. What is None is not known. Never raises."""
        _invoked(agent, success, response_ms, confidence, hallucination)


@boundary.guarded("score")
def _score(
    name: str, value: float | bool | None, label: str | None, explanation: str | None, response_id: str | None
) -> None:
    attributes: Attributes = {"gen_ai.evaluation.name": name}
    if value is not None:
        attributes["gen_ai.evaluation.score.value"] = float(value)
    if isinstance(value, bool) and label is None:
        label = "true" if value else "false"
    if label is not None:
        attributes["gen_ai.evaluation.score.label"] = label
    if explanation is not None:
        content.put(attributes, "gen_ai.evaluation.explanation", explanation)
    if response_id is not None:
        attributes["gen_ai.response.id"] = response_id
    _event(names.SCORE_EVENT, attributes)


@boundary.guarded("invocation")
def _invoked(
    agent: str,
    success: bool,
    response_ms: float | None,
    confidence: float | None,
    hallucination: bool | None,
) -> None:
    attributes: Attributes = {"gen_ai.agent.name": agent, names.INVOCATION_SUCCESS: bool(success)}
    if response_ms is not None:
        attributes[names.INVOCATION_DURATION] = round(response_ms * 1_000_000)
    if confidence is not None:
        attributes[names.INVOCATION_CONFIDENCE] = float(confidence)
    if hallucination is not None:
        attributes[names.INVOCATION_HALLUCINATION] = bool(hallucination)
    _event(names.INVOCATION_EVENT, attributes)


@boundary.guarded("outcome")
def _event(name: str, attributes: Attributes) -> None:
    if not recorder.recording():
        return
    for key, value in attributes.items():
        if isinstance(value, str):
            attributes[key] = scrub_value(value)
    span = trace.get_current_span().get_span_context()
    recorder.record(
        EventRecord(
            name,
            ids.now_ns(),
            attributes,
            current().attributes,
            span.trace_id.to_bytes(16, "big") if span.is_valid else b"",
            span.span_id.to_bytes(8, "big") if span.is_valid else b"",
            scope=_SCOPE,
            scope_version=__version__,
        )
    )
