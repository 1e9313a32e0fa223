"""What a record counts as."""

from __future__ import annotations

import multiprocessing
import os
import threading
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlalchemy.pool import QueuePool

from tests.capture.prometheus.scrape import Samples, at, scraped
from watchglass import names
from watchglass.capture import boundary
from watchglass.capture.prometheus import own, runtime, service
from watchglass.capture.prometheus.observe import HELD_NS, SESSION_NS, Observer
from watchglass.capture.prometheus.pools import observe_pool
from watchglass.capture.records import Attribute, EventRecord, SpanRecord
from watchglass.clock import ManualClock
from watchglass.errors import ConfigError

SECOND = 1_000_000_000
WHO = {"provider": "openai", "model": "gpt-4o"}


def span(
    attributes: dict[str, Attribute],
    *,
    scope: str = "watchglass.litellm",
    seconds: float = 2,
    span_id: bytes = b"11111111",
    parent: bytes = b"",
    kind: int = 3,
    status: int = 0,
    context: dict[str, str] | None = None,
) -> SpanRecord:
    """A finished span."""
    end_ns = int(seconds * SECOND)
    return SpanRecord(
        b"t" * 16, span_id, parent, "n", kind, 0, end_ns, status, "", attributes, context or {}, scope=scope
    )


def call(**more: Attribute) -> dict[str, Attribute]:
    """The attributes of an answered call."""
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.response.model": "gpt-4o-2024-08-06",
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 20,
        "gen_ai.usage.cache_read.input_tokens": 60,
        **more,
    }


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(1_000 * SECOND)


@pytest.fixture
def observer(clock: ManualClock) -> Observer:
    return Observer(clock.now_ns)


def samples(metrics: runtime.Metrics) -> Samples:
    return {
        (name.removeprefix("watchglass_"), labels): v for (name, labels), v in scraped(metrics.port).items()
    }


def test_a_call_counts_once_in_everything_it_is_counted_by(
    metrics: runtime.Metrics, observer: Observer
) -> None:
    """A call with tokens, cost and context is in the metrics of calls, provider, agent, flow and feature."""
    context = {"watchglass.feature": "search", "gen_ai.agent.name": "a", "watchglass.flow.type": "etl"}
    more: dict[str, Attribute] = {names.REPORTED_COST: "0.00125", names.TTFT: SECOND // 2, "session.id": "s"}
    observer.observe(span(call(**more), context=context))
    observer.settle()
    found = samples(metrics)
    assert at(found, "llm_calls_total", **WHO, status="success") == 1
    assert at(found, "llm_provider_calls_total", **WHO, status="success") == 1
    assert at(found, "llm_duration_seconds_sum", **WHO) == 2
    assert at(found, "llm_tokens_total", **WHO, type="input") == 100
    assert at(found, "llm_tokens_total", **WHO, type="output") == 20
    assert at(found, "llm_token_details_total", **WHO, token_class="cache_read") == 60
    assert at(found, "llm_cost_usd_total", **WHO) == 0.00125
    assert at(found, "llm_time_to_first_token_seconds_sum", **WHO) == 0.5
    assert at(found, "agent_tokens_total", agent="a", type="input") == 100
    assert at(found, "agent_llm_calls_total", agent="a", status="success") == 1
    assert at(found, "flow_tokens_total", flow_type="etl", type="output") == 20
    assert at(found, "feature_calls_total", feature="search", status="success") == 1
    assert at(found, "user_sessions_active") == 1
    assert not any(name == "llm_uncosted_calls_total" for name, _ in found)


def test_what_is_not_known_is_not_there(metrics: runtime.Metrics, observer: Observer) -> None:
    """Without tokens and cost there is no series of them, and the call is counted as one of unknown cost."""
    observer.observe(span({"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"}))
    found = samples(metrics)
    assert at(found, "llm_uncosted_calls_total", provider="", model="m") == 1
    assert not any(name in {"llm_tokens_total", "llm_cost_usd_total"} for name, _ in found)


def test_failures_are_told_apart(metrics: runtime.Metrics, observer: Observer) -> None:
    """Errors and timeouts have statuses of their own, and what was never sent is no provider's fault."""
    observer.observe(span(call(**{"error.type": "429"}), status=2))
    observer.observe(span(call(**{"error.type": "litellm.Timeout"}), status=2))
    observer.observe(span(call(**{"error.type": "BadRequest", "watchglass.request_sent": False}), status=2))
    found = samples(metrics)
    assert at(found, "llm_calls_total", **WHO, status="error") == 2
    assert at(found, "llm_calls_total", **WHO, status="timeout") == 1
    assert at(found, "llm_provider_calls_total", **WHO, status="error") == 1
    assert at(found, "llm_errors_total", **WHO, error_type="429") == 1
    assert at(found, "errors_total", source="llm", error_type="litellm.Timeout") == 1


def test_an_answer_from_a_cache_is_no_call(metrics: runtime.Metrics, observer: Observer) -> None:
    """A cache's answer counts as a hit and uses no tokens; a miss counts beside its call."""
    observer.observe(span(call(**{names.CACHE_HIT: True})))
    observer.observe(span(call(**{names.CACHE_HIT: False})))
    found = samples(metrics)
    assert at(found, "cache_hits_total", cache="litellm") == 1
    assert at(found, "cache_misses_total", cache="litellm") == 1
    assert at(found, "llm_calls_total", **WHO, status="success") == 1
    assert at(found, "llm_tokens_total", **WHO, type="input") == 100


@pytest.mark.parametrize("ours_first", [True, False])
def test_a_request_that_two_report_counts_once(
    metrics: runtime.Metrics, observer: Observer, clock: ManualClock, ours_first: bool
) -> None:
    """A foreign span within a call of ours is the same request, whichever comes first."""
    both = [
        span(call(), span_id=b"outer---"),
        span(
            call(), span_id=b"inner---", parent=b"outer---", scope="opentelemetry.instrumentation.openai_v2"
        ),
    ]
    for each in both if ours_first else reversed(both):
        observer.observe(each)
    clock.advance_ns(2 * HELD_NS)
    observer.settle()
    assert at(samples(metrics), "llm_calls_total", **WHO, status="success") == 1


def test_a_foreign_call_counts(metrics: runtime.Metrics, observer: Observer, clock: ManualClock) -> None:
    """A call that only an instrumentation reports counts: at once without a parent, else a moment later."""
    observer.observe(span(call(), scope="other"))
    assert at(samples(metrics), "llm_calls_total", **WHO, status="success") == 1
    observer.observe(span(call(), scope="other", span_id=b"22222222", parent=b"request-"))
    assert at(samples(metrics), "llm_calls_total", **WHO, status="success") == 1
    clock.advance_ns(HELD_NS)
    observer.settle()
    assert at(samples(metrics), "llm_calls_total", **WHO, status="success") == 2


def test_steps_are_pipelines_agents_and_tools(metrics: runtime.Metrics, observer: Observer) -> None:
    """Flows, tasks, agents and tools count by name; a task around an agent is one execution of that agent."""
    agent: dict[str, Attribute] = {"gen_ai.agent.name": "a"}
    observer.observe(
        span({"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "t", "error.type": "E"}, status=2)
    )
    observer.observe(span({"gen_ai.operation.name": "invoke_agent", **agent}, parent=b"task----"))
    observer.observe(span({"gen_ai.operation.name": "execute_task", **agent}, span_id=b"task----"))
    observer.observe(span({"gen_ai.operation.name": "execute_task", **agent}, span_id=b"alone---"))
    observer.observe(
        span(
            {
                "gen_ai.operation.name": "invoke_workflow",
                "gen_ai.workflow.name": "p",
                "error.type": "TimeoutError",
            },
            context={"watchglass.flow.type": "etl"},
        )
    )
    found = samples(metrics)
    assert at(found, "tool_executions_total", tool="t", status="error") == 1
    assert at(found, "agent_executions_total", agent="a", status="success") == 2
    assert at(found, "agent_duration_seconds_count", agent="a") == 2
    assert at(found, "pipeline_executions_total", pipeline="p", status="timeout") == 1
    assert at(found, "pipeline_duration_seconds_sum", pipeline="p") == 2
    assert at(found, "flow_executions_total", flow_type="etl", status="timeout") == 1
    assert at(found, "errors_total", source="pipeline", error_type="TimeoutError") == 1


def test_what_runs_is_seen_while_it_runs(metrics: runtime.Metrics, observer: Observer) -> None:
    """A flow counts as running from its first event to its span, however many events it has."""
    told: dict[str, Attribute] = {names.STEP_KIND: "flow", names.STEP_NAME: "p"}
    for state in ("starting", "running"):
        observer.observe(
            EventRecord(names.STEP_EVENT, 0, {**told, names.STEP_STATE: state}, span_id=b"11111111")
        )
    assert at(samples(metrics), "pipelines_running", pipeline="p") == 1
    observer.observe(span({"gen_ai.operation.name": "invoke_workflow", "gen_ai.workflow.name": "p"}))
    assert at(samples(metrics), "pipelines_running", pipeline="p") == 0


def test_interrupts_count_by_kind_and_status(metrics: runtime.Metrics, observer: Observer) -> None:
    """Each interrupt's event counts."""
    said: dict[str, Attribute] = {names.INTERRUPT_KIND: "clarification", names.INTERRUPT_STATUS: "requested"}
    observer.observe(EventRecord(names.INTERRUPT_EVENT, 0, said))
    assert at(samples(metrics), "interrupts_total", kind="clarification", status="requested") == 1


def test_invocations_that_are_told_are_executions_of_agents(
    metrics: runtime.Metrics, observer: Observer
) -> None:
    """`MetricsCollector`'s runs count by agent and outcome, with their time if it was said, and not a second
    time where the run is traced."""
    said: dict[str, Attribute] = {"gen_ai.agent.name": "pricer", names.INVOCATION_SUCCESS: True}
    failed: dict[str, Attribute] = {**said, names.INVOCATION_SUCCESS: False}
    observer.observe(EventRecord(names.INVOCATION_EVENT, 0, {**said, names.INVOCATION_DURATION: 12_500_000}))
    observer.observe(EventRecord(names.INVOCATION_EVENT, 0, failed))
    began: dict[str, Attribute] = {names.STEP_KIND: "agent", "gen_ai.agent.name": "pricer"}
    observer.observe(EventRecord(names.STEP_EVENT, 0, began, span_id=b"11111111"))
    observer.observe(EventRecord(names.INVOCATION_EVENT, 0, said, span_id=b"11111111"))
    found = samples(metrics)
    assert at(found, "agent_executions_total", agent="pricer", status="success") == 1
    assert at(found, "agent_executions_total", agent="pricer", status="error") == 1
    assert at(found, "agent_duration_seconds_count", agent="pricer") == 1
    assert at(found, "agent_duration_seconds_sum", agent="pricer") == 0.0125
    assert at(found, "errors_total", source="agent", error_type="") == 1


def test_sessions_end_when_nothing_comes(
    metrics: runtime.Metrics, observer: Observer, clock: ManualClock
) -> None:
    """A session without a record for a quarter of an hour is no longer active."""
    for session in ("a", "b", "a"):
        observer.observe(span(call(**{"session.id": session})))
    observer.settle()
    assert at(samples(metrics), "user_sessions_active") == 2
    clock.advance_ns(SESSION_NS + 1)
    observer.settle()
    assert at(samples(metrics), "user_sessions_active") == 0


@pytest.mark.parametrize(
    ("kind", "said", "name", "labels"),
    [
        (
            2,
            {"http.request.method": "GET", "http.route": "/a/{id}", "http.response.status_code": 200},
            "http_requests_total",
            {"method": "GET", "endpoint": "/a/{id}", "status": "200"},
        ),
        (
            2,
            {"http.method": "BREW", "http.target": "/a/17", "http.status_code": 405},
            "http_requests_total",
            {"method": "_OTHER", "endpoint": "", "status": "405"},
        ),
        (
            3,
            {"http.method": "POST", "http.url": "https://u:p@api.openai.com/v1?k=1", "http.status_code": 200},
            "http_client_requests_total",
            {"method": "POST", "endpoint": "api.openai.com", "status": "200"},
        ),
        (
            3,
            {"db.system": "postgresql", "db.statement": "  SELECT 1"},
            "db_query_duration_seconds_count",
            {"operation": "select"},
        ),
        (
            3,
            {"db.system.name": "sqlite", "db.operation.name": "VACUUM"},
            "db_query_duration_seconds_count",
            {"operation": "other"},
        ),
        (
            3,
            {"rpc.system": "grpc", "rpc.service": "s.S", "rpc.method": "M", "rpc.grpc.status_code": 14},
            "grpc_requests_total",
            {"service": "s.S", "method": "M", "side": "client", "status": "14"},
        ),
    ],
)
def test_spans_of_instrumentations_count(
    metrics: runtime.Metrics,
    observer: Observer,
    kind: int,
    said: dict[str, Attribute],
    name: str,
    labels: dict[str, str],
) -> None:
    """HTTP, gRPC and database spans count by route, host, operation and code, never by path or query."""
    observer.observe(span(said, kind=kind, scope="opentelemetry.instrumentation.x"))
    assert at(samples(metrics), name, **labels) == 1


def test_a_pool_shows_its_connections(metrics: runtime.Metrics, tmp_path: Path) -> None:
    """The gauges of a pool follow it, at each scrape; what is no engine is refused."""
    engine = create_engine(f"sqlite:///{tmp_path}/a.db", poolclass=QueuePool, pool_size=4, max_overflow=1)
    observe_pool(engine, "main")
    with engine.connect(), engine.connect():
        found = samples(metrics)
    assert at(found, "db_pool_size", pool="main") == 4
    assert at(found, "db_pool_active_connections", pool="main") == 2
    found = samples(metrics)
    assert at(found, "db_pool_active_connections", pool="main") == 0
    assert at(found, "db_pool_idle_connections", pool="main") == 2
    assert at(found, "db_connections", pool="main") == 2
    engine.dispose()
    with pytest.raises(ConfigError, match="engine"):
        observe_pool("postgresql://")


class Figures:
    """What a spool would say."""

    delivered, waiting, waiting_bytes = 7, 3, 900
    dropped: dict[str, int]

    def __init__(self, dropped: int) -> None:
        self.dropped = {"limit": dropped}


def test_the_sdk_shows_itself(metrics: runtime.Metrics) -> None:
    """Queue, drops, bytes, faults, state and time in the caller are metrics; counters only grow."""
    told = [Figures(2), Figures(5), Figures(1)]
    stop = own.measure(lambda: told[0], lambda: "waiting", lambda: 4096)
    boundary.failed("litellm.begin", ValueError("x"))
    work = boundary.guarded("work")(lambda: None)
    for _ in range(boundary.MEASURED):
        work()
    samples(metrics)
    told.pop(0)
    samples(metrics)
    told.pop(0)  # as after a fork: it counts from the beginning again
    found = samples(metrics)
    stop()
    assert at(found, "sdk_records_dropped_total", reason="limit") == 6
    assert at(found, "sdk_records_delivered_total") == 7
    assert (at(found, "sdk_queue_records"), at(found, "sdk_queue_bytes")) == (3, 900)
    assert at(found, "sdk_sent_bytes_total") == 4096
    assert at(found, "sdk_failures_total", place="litellm.begin") == 1
    assert at(found, "sdk_delivery_state", state="waiting") == 1
    assert at(found, "sdk_delivery_state", state="idle") == 0
    assert any(name == "sdk_caller_seconds_count" and v >= 1 for (name, _), v in found.items())
    assert (at(found, "process_memory_bytes") or 0) > 1_000_000
    assert boundary.timed is None


def test_records_are_counted_off_the_callers_thread(tmp_path: Path) -> None:
    """What the recorder hands over is in the next scrape, counted on another thread than the caller's."""
    threads: set[str] = set()
    running = service.start("shop", port=0, folder=tmp_path)
    remove = runtime.on_refresh(lambda: threads.add(threading.current_thread().name))
    for _ in range(50):
        running.observe(span(call()))
    found = samples(running.metrics)
    remove()
    running.stop()
    assert at(found, "llm_calls_total", **WHO, status="success") == 50
    assert at(found, "sdk_records_total", kind="span") == 50
    assert threading.current_thread().name not in threads


def _count_and_end(running: service.Service, calls: int) -> None:
    for _ in range(calls):
        running.observe(span(call()))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_child_that_ends_at_once_is_counted(tmp_path: Path) -> None:
    """What a child of multiprocessing recorded just before its end is in its parent's scrape, once."""
    running = service.start("shop", port=0, folder=tmp_path)
    running.observe(span(call()))
    children = [
        multiprocessing.get_context("fork").Process(target=_count_and_end, args=(running, n))
        for n in (20, 300)
    ]
    for each in children:
        each.start()
    for each in children:
        each.join(60)
    assert [each.exitcode for each in children] == [0, 0]
    found = samples(running.metrics)
    running.stop()
    assert at(found, "llm_calls_total", **WHO, status="success") == 321
    assert at(found, "worker_processes") == 1


def test_a_foreign_call_after_ours_is_another_request(
    metrics: runtime.Metrics, observer: Observer, clock: ManualClock
) -> None:
    """One that starts when ours has ended is not within it, though it names it as its parent."""
    ours = span(call(), span_id=b"outer---")
    later = span(call(), span_id=b"inner---", parent=b"outer---", scope="opentelemetry.instrumentation.x")
    later.start_ns = ours.end_ns + 1
    observer.observe(ours)
    observer.observe(later)
    clock.advance_ns(2 * HELD_NS)
    observer.settle()
    assert at(samples(metrics), "llm_calls_total", **WHO, status="success") == 2
