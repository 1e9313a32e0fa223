"""Metrics from records: what a finished span or an event counts as.

A request may be on record twice, by our own code and by an instrumentation below it (LiteLLM calls OpenAI's
client). Such a foreign call is held for a moment and let go when the call of ours that it is part of ends.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import TypeVar

from watchglass import names
from watchglass.capture import boundary, ids
from watchglass.capture.prometheus import details
from watchglass.capture.prometheus.runtime import metric
from watchglass.capture.records import Attribute, EventRecord, Record, SpanRecord

HELD_NS = 5_000_000_000
"""How long a foreign call waits for the one around it: that ends within moments of the call it wraps."""

SESSION_NS = 15 * 60 * 1_000_000_000
REMEMBERED = 10_000

Said = Mapping[str, Attribute]
K = TypeVar("K")
V = TypeVar("V")

_STEPS = {"invoke_workflow", "execute_task", "invoke_agent", "create_agent", "execute_tool"}
_DETAILS = {
    "cache_read": "gen_ai.usage.cache_read.input_tokens",
    "cache_creation": "gen_ai.usage.cache_creation.input_tokens",
    "reasoning": "gen_ai.usage.reasoning.output_tokens",
}


class Observer:
    """Counts records as they come. `now_ns` is the time by which calls are held and sessions end."""

    def __init__(self, now_ns: Callable[[], int] = ids.now_ns) -> None:
        self._now_ns = now_ns
        self._lock = threading.Lock()
        self._held: OrderedDict[bytes, tuple[int, SpanRecord, Said]] = OrderedDict()
        self._ours: OrderedDict[bytes, int] = OrderedDict()
        self._agents: OrderedDict[bytes, None] = OrderedDict()
        self._running: OrderedDict[bytes, tuple[str, str, str]] = OrderedDict()
        self._sessions: OrderedDict[str, int] = OrderedDict()
        self._had_sessions = False

    @boundary.guarded("metrics.observe")
    def observe(self, record: Record) -> None:
        """Count one record; from any thread."""
        with self._lock:
            metric("sdk_records_total", kind="span" if isinstance(record, SpanRecord) else "event").inc()
            said = {**record.context, **record.attributes}
            self._session(said)
            if isinstance(record, EventRecord):
                self._event(record, said)
            else:
                self._span(record, said)
            self._let_go()

    @boundary.guarded("metrics.settle")
    def settle(self) -> None:
        """Count the calls that were held long enough, and the sessions that are active."""
        with self._lock:
            self._let_go()
            oldest_ns = self._now_ns() - SESSION_NS
            while self._sessions and next(iter(self._sessions.values())) < oldest_ns:
                self._sessions.popitem(last=False)
            if self._had_sessions:
                metric("user_sessions_active").set(len(self._sessions))

    def _span(self, record: SpanRecord, said: Said) -> None:
        operation = said.get("gen_ai.operation.name")
        self._stopped(record.span_id)
        if operation in _STEPS:
            self._step(str(operation), record, said)
        elif "gen_ai.request.model" in said or "gen_ai.response.model" in said:
            self._call(record, said)
        else:
            details.count(record, said)

    def _call(self, record: SpanRecord, said: Said) -> None:
        if record.scope.startswith(names.SCOPE):
            remember(self._ours, record.span_id, record.end_ns)
            for held, (_, inner, _) in list(self._held.items()):
                # One that starts after ours ended only took it for the current span.
                if inner.parent_span_id == record.span_id and inner.start_ns <= record.end_ns:
                    del self._held[held]
            count_call(record, said)
        elif not record.parent_span_id:
            count_call(record, said)
        elif record.start_ns > self._ours.get(record.parent_span_id, -1):
            remember(self._held, record.span_id, (self._now_ns() + HELD_NS, record, said))

    def _let_go(self) -> None:
        now_ns = self._now_ns()
        while self._held and next(iter(self._held.values()))[0] <= now_ns:
            _, (_, record, said) = self._held.popitem(last=False)
            count_call(record, said)

    def _step(self, operation: str, record: SpanRecord, said: Said) -> None:
        status, seconds = outcome(record, said), duration_s(record)
        match operation:
            case "invoke_workflow":
                name = said.get("gen_ai.workflow.name") or record.name
                metric("pipeline_executions_total", pipeline=name, status=status).inc()
                metric("pipeline_duration_seconds", pipeline=name).observe(seconds)
                flow_type = said.get("watchglass.flow.type")
                metric("flow_executions_total", flow_type=flow_type, status=status).inc()
                metric("flow_duration_seconds", flow_type=flow_type).observe(seconds)
                failed("pipeline", status, said)
            case "execute_tool":
                name = said.get("gen_ai.tool.name") or record.name
                metric("tool_executions_total", tool=name, status=status).inc()
                metric("tool_duration_seconds", tool=name).observe(seconds)
                failed("tool", status, said)
            case "execute_task":
                # With an agent's span directly below, that one is the execution.
                if record.span_id not in self._agents:
                    agent_ran(said.get("gen_ai.agent.name"), status, seconds)
                failed("task", status, said)
            case "invoke_agent":
                remember(self._agents, record.parent_span_id, None)
                agent_ran(said.get("gen_ai.agent.name"), status, seconds)
                failed("agent", status, said)
            case _:
                pass

    def _event(self, record: EventRecord, said: Said) -> None:
        if record.name == names.INTERRUPT_EVENT:
            kind, status = said.get(names.INTERRUPT_KIND), said.get(names.INTERRUPT_STATUS)
            metric("interrupts_total", kind=kind, status=status).inc()
        elif record.name == names.INVOCATION_EVENT:
            self._invoked(record, said)
        elif record.name == names.STEP_EVENT and record.span_id not in self._running:
            kind = said.get(names.STEP_KIND)
            if kind == "flow":
                self._runs(record.span_id, "pipelines_running", "pipeline", said.get(names.STEP_NAME))
            elif kind in {"task", "agent"}:
                self._runs(record.span_id, "agents_running", "agent", said.get("gen_ai.agent.name"))

    def _invoked(self, record: EventRecord, said: Said) -> None:
        agent = record.attributes.get("gen_ai.agent.name")
        if self._running.get(record.span_id) == ("agents_running", "agent", str(agent)):
            return  # it is traced all the same, and counts when that execution ends
        status = "success" if said.get(names.INVOCATION_SUCCESS) else "error"
        took_ns = said.get(names.INVOCATION_DURATION)
        agent_ran(agent, status, took_ns / 1e9 if isinstance(took_ns, int) else None)
        failed("agent", status, said)

    def _runs(self, span_id: bytes, name: str, label: str, value: Attribute) -> None:
        if len(self._running) >= REMEMBERED:
            self._stopped(next(iter(self._running)))
        self._running[span_id] = (name, label, str(value or ""))
        metric(name, **{label: str(value or "")}).inc()

    def _stopped(self, span_id: bytes) -> None:
        if (found := self._running.pop(span_id, None)) is not None:
            name, label, value = found
            metric(name, **{label: value}).dec()

    def _session(self, said: Said) -> None:
        session = said.get("session.id") or said.get("gen_ai.conversation.id")
        if session:
            remember(self._sessions, str(session), self._now_ns())
            self._had_sessions = True


def count_call(record: SpanRecord, said: Said) -> None:
    """One request to a model."""
    if said.get(names.CACHE_HIT) is True:
        metric("cache_hits_total", cache=said.get("watchglass.cache") or "litellm").inc()
        return
    if said.get(names.CACHE_HIT) is False:
        metric("cache_misses_total", cache=said.get("watchglass.cache") or "litellm").inc()
    provider = said.get("gen_ai.provider.name") or said.get("gen_ai.system")
    model = said.get("gen_ai.request.model") or said.get("gen_ai.response.model")
    status, seconds = outcome(record, said), duration_s(record)
    who = {"provider": provider, "model": model}
    metric("llm_calls_total", **who, status=status).inc()
    metric("llm_duration_seconds", **who).observe(seconds)
    if said.get("watchglass.request_sent") is not False:
        metric("llm_provider_calls_total", **who, status=status).inc()
        metric("llm_provider_duration_seconds", **who).observe(seconds)
    if status != "success":
        metric("llm_errors_total", **who, error_type=said.get("error.type")).inc()
    failed("llm", status, said)
    if isinstance(first := said.get(names.TTFT), int | float):
        metric("llm_time_to_first_token_seconds", **who).observe(first / 1e9)
    count_money(who, status, said)
    count_tokens(who, said)
    count_for(said, status, seconds)


def count_money(who: dict[str, Attribute], status: str, said: Said) -> None:
    """What the library said the call cost. Prometheus has no decimals: here, and only here, it is a float."""
    try:
        cost = float(Decimal(str(said[names.REPORTED_COST])))
        metric("llm_cost_usd_total", **who).inc(cost)
    except (KeyError, InvalidOperation):
        if status == "success":
            metric("llm_uncosted_calls_total", **who).inc()


def count_tokens(who: dict[str, Attribute], said: Said) -> None:
    """Tokens, where they were reported, by everything they are counted by."""
    for kind, older in (("input", "prompt"), ("output", "completion")):
        tokens = said.get(f"gen_ai.usage.{kind}_tokens", said.get(f"gen_ai.usage.{older}_tokens"))
        if not isinstance(tokens, int):
            continue
        metric("llm_tokens_total", **who, type=kind).inc(tokens)
        for name, label, key in _BY:
            if value := said.get(key):
                metric(name, **{label: value}, type=kind).inc(tokens)
    for token_class, key in _DETAILS.items():
        if isinstance(tokens := said.get(key), int):
            metric("llm_token_details_total", **who, token_class=token_class).inc(tokens)


_BY = (
    ("agent_tokens_total", "agent", "gen_ai.agent.name"),
    ("flow_tokens_total", "flow_type", "watchglass.flow.type"),
    ("feature_tokens_total", "feature", "watchglass.feature"),
)


def count_for(said: Said, status: str, seconds: float) -> None:
    """A call by who asked."""
    if agent := said.get("gen_ai.agent.name"):
        metric("agent_llm_calls_total", agent=agent, status=status).inc()
        metric("agent_llm_duration_seconds", agent=agent).observe(seconds)
    if feature := said.get("watchglass.feature"):
        metric("feature_calls_total", feature=feature, status=status).inc()


def agent_ran(agent: Attribute, status: str, seconds: float | None) -> None:
    """One execution of an agent; how long it took may be unknown."""
    metric("agent_executions_total", agent=agent, status=status).inc()
    if seconds is not None:
        metric("agent_duration_seconds", agent=agent).observe(seconds)


def failed(source: str, status: str, said: Said) -> None:
    """Count what failed among everything that did."""
    if status != "success":
        metric("errors_total", source=source, error_type=said.get("error.type")).inc()


def outcome(record: SpanRecord, said: Said) -> str:
    """`success`, `error` or `timeout`."""
    error = said.get("error.type")
    if record.status != 2 and not error:
        return "success"
    told = str(error or "").lower()
    return "timeout" if "timeout" in told or "deadline" in told else "error"


def duration_s(record: SpanRecord) -> float:
    """How long it took, in seconds; a clock that was set back makes no time negative."""
    return max(record.end_ns - record.start_ns, 0) / 1e9


def remember(kept: OrderedDict[K, V], key: K, value: V) -> None:
    """Keep the newest `REMEMBERED`, in the order they came."""
    kept.pop(key, None)
    kept[key] = value
    if len(kept) > REMEMBERED:
        kept.popitem(last=False)
