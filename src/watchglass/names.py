"""The catalogue: names of attributes, events and metrics, with what they mean, once."""

from __future__ import annotations

from typing import Literal

import msgspec

# ── Metrics ─────────────────────────────────────────────────────────────────────────────────────────────────
#
# One row a metric, for whoever shows, scrapes, draws or documents it: the SDK's Prometheus side, the server's
# own exposition, Grafana, the reference. Names stand without their namespace (`watchglass_`, theirs
# `jeeves_`), which is a setting. Names, labels and buckets of rows B1, C2, C3 and D1 are those of the teams.


class Label(msgspec.Struct, frozen=True):
    """What a label says, and how many values of it one process keeps apart; the rest become `OTHER`."""

    name: str
    meaning: str
    limit: int


class Metric(msgspec.Struct, frozen=True):
    """One metric. `unit` is that of its value, `buckets` a histogram's upper bounds in that unit, without
    +Inf. `workers` is how a gauge of several worker processes becomes one figure. `instrument` is the
    OpenTelemetry name of the same thing, `row` the group that the reference shows it in."""

    name: str
    kind: Literal["counter", "histogram", "gauge"]
    help: str
    labels: tuple[str, ...] = ()
    unit: str = ""
    buckets: tuple[float, ...] = ()
    workers: Literal["sum", "max"] = "sum"
    instrument: str = ""
    row: str = ""


OTHER = "other"
"""The overflow value of every label: values beyond its limit are counted together under it."""

SERIES_LIMIT = 2000
"""How many combinations of label values of one metric one process keeps apart; the rest are `OTHER`."""

LABELS: dict[str, Label] = {
    each.name: each
    for each in (
        Label("agent", "Name of the agent.", 200),
        Label("cache", "Which cache answered: `litellm`, or the name the application gave.", 30),
        Label("dependency", "What the application needs: a name of its own.", 50),
        Label("endpoint", "Route template of an HTTP server, else host of an HTTP client.", 200),
        Label("error_type", "Class or code of the error.", 100),
        Label("feature", "Part of the application that asked.", 200),
        Label("flow_type", "Type of the flow.", 100),
        Label("kind", "Of an interrupt: `clarification`, `confirmation`, ….", 50),
        Label("label", "Name of a label.", 100),
        Label("method", "HTTP method, or method of a gRPC service.", 100),
        Label("metric", "Name of a metric, without its namespace.", 200),
        Label("model", "Model that was asked for, so that failures stand beside successes.", 200),
        Label("operation", "Database: `select`, `insert`, `update`, `delete`, `other`.", 20),
        Label("pipeline", "Name of the flow.", 200),
        Label("place", "Part of the SDK: a function of its own that the application runs.", 100),
        Label("pool", "Name of the pool of connections.", 30),
        Label("provider", "Who served the call.", 50),
        Label("queue", "Name of the queue.", 50),
        Label("reason", "Why.", 50),
        Label("route", "Where the router sent the query.", 30),
        Label("service", "gRPC service that was called.", 100),
        Label("side", "`server` or `client`.", 2),
        Label("source", "What failed: `llm`, `pipeline`, `agent`, `task`, `tool`, `http`, `db`, `grpc`.", 20),
        Label("state", "State that holds where the value is 1.", 20),
        Label("status", "How it ended: `success`, `error`, `timeout`; HTTP and gRPC: the code.", 60),
        Label("tool", "Name of the tool.", 200),
        Label("type", "Tokens: `input` or `output`; these two are all there are.", 5),
        Label("token_class", "Part of the input or output: `cache_read`, `cache_creation`, `reasoning`.", 10),
        Label("version", "Version of watchglass.", 5),
    )
}

PIPELINE_BUCKETS = (0.1, 0.5, 1, 2, 5, 10, 30, 60)
AGENT_BUCKETS = (0.01, 0.05, 0.1, 0.5, 1, 2, 5)
LLM_BUCKETS = (0.1, 0.5, 1, 2, 5, 10, 30)
DB_BUCKETS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1)
# OpenTelemetry semantic conventions, http.server.request.duration (the teams named none).
HTTP_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
# The promise is 20 µs at the median and 100 µs at p99: bounds on both sides of each.
CALLER_BUCKETS = (1e-6, 2e-6, 5e-6, 1e-5, 2e-5, 5e-5, 1e-4, 2.5e-4, 1e-3, 1e-2)

_PM = ("provider", "model")


def _count(name: str, help: str, *labels: str, unit: str = "", instrument: str = "") -> Metric:
    return Metric(name, "counter", help, labels, unit, instrument=instrument)


def _spread(name: str, help: str, buckets: tuple[float, ...], *labels: str, instrument: str = "") -> Metric:
    return Metric(name, "histogram", help, labels, "seconds", buckets, instrument=instrument)


def _level(
    name: str, help: str, *labels: str, unit: str = "", workers: Literal["sum", "max"] = "sum"
) -> Metric:
    return Metric(name, "gauge", help, labels, unit, workers=workers)


_GROUPS: dict[str, tuple[Metric, ...]] = {
    "Calls to LLMs": (
        _count(
            "llm_calls_total",
            "Calls that ended, each retry counted; answers from a cache are cache_hits_total.",
            *_PM,
            "status",
            instrument="llm.requests.total",
        ),
        _spread(
            "llm_duration_seconds",
            "How long calls took.",
            LLM_BUCKETS,
            *_PM,
            instrument="llm.request.duration",
        ),
        _count(
            "llm_tokens_total",
            "Tokens as reported; cached input is input, reasoning is output.",
            *_PM,
            "type",
            instrument="llm.tokens.total",
        ),
        _count(
            "llm_token_details_total",
            "Tokens of a class, which llm_tokens_total holds too.",
            *_PM,
            "token_class",
        ),
        _count(
            "llm_cost_usd_total",
            "What the library said calls cost: for trends; the server's ledger is the bill.",
            *_PM,
            unit="usd",
            instrument="llm.cost.total",
        ),
        _count("llm_uncosted_calls_total", "Successful calls whose cost the library did not say.", *_PM),
        _count(
            "llm_provider_calls_total", "Calls of which a request was sent to the provider.", *_PM, "status"
        ),
        _spread("llm_provider_duration_seconds", "How long providers took.", LLM_BUCKETS, *_PM),
        _spread("llm_time_to_first_token_seconds", "How long streams took to begin.", LLM_BUCKETS, *_PM),
        _count("llm_errors_total", "Calls that failed.", *_PM, "error_type"),
    ),
    "Pipelines, agents, tools": (
        _count("pipeline_executions_total", "Flows that ended.", "pipeline", "status"),
        _spread("pipeline_duration_seconds", "How long flows took.", PIPELINE_BUCKETS, "pipeline"),
        _level("pipelines_running", "Flows that run now.", "pipeline"),
        _count("agent_executions_total", "Executions of agents and their tasks.", "agent", "status"),
        _spread("agent_duration_seconds", "How long these took.", AGENT_BUCKETS, "agent"),
        _level("agents_running", "Executions of agents and their tasks that run now.", "agent"),
        _count("agent_llm_calls_total", "Calls that agents made.", "agent", "status"),
        _spread("agent_llm_duration_seconds", "How long calls of agents took.", LLM_BUCKETS, "agent"),
        _count("agent_tokens_total", "Tokens that agents used.", "agent", "type"),
        _count("flow_executions_total", "Flows that ended, by type.", "flow_type", "status"),
        _spread("flow_duration_seconds", "How long flows took, by type.", PIPELINE_BUCKETS, "flow_type"),
        _count("flow_tokens_total", "Tokens that flows of a type used.", "flow_type", "type"),
        _count("tool_executions_total", "Tools that were run.", "tool", "status"),
        _spread("tool_duration_seconds", "How long tools took.", AGENT_BUCKETS, "tool"),
        _count("router_decisions_total", "Queries that a router sent somewhere.", "route", "reason"),
        _count("errors_total", "Everything that failed.", "source", "error_type"),
    ),
    "Use": (
        _count("interrupts_total", "Interrupts: a person was asked.", "kind", "status"),
        _count("feature_calls_total", "Calls, by the feature that asked.", "feature", "status"),
        _count("feature_tokens_total", "Tokens, by the feature that asked.", "feature", "type"),
        _level("user_sessions_active", "Sessions with a record in the last 15 minutes."),
    ),
    "HTTP, gRPC": (
        _count("http_requests_total", "Requests served.", "method", "endpoint", "status"),
        _spread("http_request_duration_seconds", "How long they took.", HTTP_BUCKETS, "method", "endpoint"),
        _count("http_client_requests_total", "Requests sent.", "method", "endpoint", "status"),
        _spread(
            "http_client_request_duration_seconds",
            "How long they took.",
            HTTP_BUCKETS,
            "method",
            "endpoint",
        ),
        _count("grpc_requests_total", "gRPC requests.", "service", "method", "side", "status"),
        _spread(
            "grpc_request_duration_seconds", "How long they took.", HTTP_BUCKETS, "service", "method", "side"
        ),
        _level("grpc_connections", "gRPC channels by state, where the application says so.", "state"),
    ),
    "Database, caches": (
        _spread("db_query_duration_seconds", "How long statements took.", DB_BUCKETS, "operation"),
        _level("db_connections", "Open connections of observed pools, used and idle.", "pool"),
        _level("db_pool_size", "Connections that observed pools may hold, without overflow.", "pool"),
        _level("db_pool_active_connections", "Connections in use.", "pool"),
        _level("db_pool_idle_connections", "Connections that wait in the pool.", "pool"),
        _count("cache_hits_total", "Answers from a cache.", "cache", instrument="cache.hits.total"),
        _count(
            "cache_misses_total", "Answers a cache did not have.", "cache", instrument="cache.misses.total"
        ),
    ),
    "The process": (
        _level("worker_processes", "Worker processes whose figures are summed here."),
        _level("process_memory_bytes", "Resident memory of all workers.", unit="bytes"),
        _count("process_cpu_seconds_total", "Processor time of all workers.", unit="seconds"),
        _level("queue_depth", "Entries that wait, where the application says so.", "queue"),
        _level("dependency_up", "1 while a dependency answers.", "dependency", workers="max"),
    ),
    "The SDK itself": (
        _level("sdk_info", "1 for each worker, by version.", "version"),
        _spread(
            "sdk_caller_seconds",
            "Time of the SDK in the caller, one call in 61 measured.",
            CALLER_BUCKETS,
            "place",
        ),
        _count("sdk_records_total", "Records that were made.", "kind"),
        _count("sdk_records_dropped_total", "Records that were lost, and why.", "reason"),
        _count("sdk_records_delivered_total", "Records that the server has acknowledged."),
        _count("sdk_sent_bytes_total", "Bytes that the server took, before compression.", unit="bytes"),
        _count("sdk_failures_total", "Faults inside the SDK, kept from the application.", "place"),
        _level("sdk_queue_records", "Records that wait for delivery."),
        _level("sdk_queue_bytes", "Bytes that wait for delivery.", unit="bytes"),
        _level("sdk_delivery_state", "1 for the state that delivery is in.", "state"),
        _count("sdk_label_overflows_total", "Values that became `other`.", "metric", "label"),
    ),
}

METRICS: dict[str, Metric] = {
    each.name: msgspec.structs.replace(each, row=row) for row, group in _GROUPS.items() for each in group
}
"""Every metric by its name without namespace."""

# ── Attributes and events ───────────────────────────────────────────────────────────────────────────────────
#
# Attributes and events that the SDK writes and the server reads, beside OpenTelemetry's own conventions.
# What has a conventional name (`gen_ai.*`, `error.type`, `code.*`, `server.address`) is written by that name.

SCOPE = "watchglass"
"""First part of the instrumentation scopes of the SDK: `watchglass.litellm`, `watchglass.steps` …"""

STEPS_SCOPE = "watchglass.steps"

CONTENT: tuple[str, ...] = (
    *("gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.system_instructions"),
    *("gen_ai.task.input", "gen_ai.task.output", "gen_ai.tool.call.arguments", "gen_ai.tool.call.result"),
    *("gen_ai.tool.definitions", "gen_ai.event.content", "gen_ai.evaluation.explanation"),
    *("gen_ai.retrieval.query.text", "gen_ai.retrieval.documents"),
    # OpenInference, and what its instrumentation of CrewAI notes of a crew.
    *("input.value", "output.value", "tool.parameters", "tool.output", "llm.function_call"),
    *("embedding.text", "crew_inputs", "flow_inputs", "crew_tasks"),
    *("traceloop.entity.input", "traceloop.entity.output", "crewai.crew.result"),  # OpenLLMetry
    *("langfuse.observation.input", "langfuse.observation.output"),
    *("langfuse.trace.input", "langfuse.trace.output"),
    *("mlflow.spanInputs", "mlflow.spanOutputs"),
    # Pydantic AI and Logfire.
    *("pydantic_ai.all_messages", "all_messages_events", "final_result", "tool_arguments", "tool_response"),
    *("events", "request_data", "response_data"),
    *("ai.values", "ai.value", "ai.response.text", "ai.response.toolCalls", "ai.response.object"),  # Vercel
    *("ai.response.reasoning", "ai.toolCall.args", "ai.toolCall.result"),
)
"""Attributes that hold texts of prompts, answers, inputs and outputs, by OpenTelemetry's conventions and by
those of other instrumentations; with them go `CONTENT_PREFIXES`."""

CONTENT_PREFIXES: tuple[str, ...] = (
    *("gen_ai.prompt", "gen_ai.completion", "llm.input_messages.", "llm.output_messages.", "llm.prompts"),
    *("llm.completions", "llm.prompt_template.", "llm.tools.", "embedding.embeddings."),
    *("retrieval.documents.", "reranker.", "gen_ai.content.", "llm.content.", "llm.choices.", "ai.prompt"),
    *("gcp.vertex.agent.llm_re", "gcp.vertex.agent.tool_", "gcp.vertex.agent.data"),  # Google's ADK
)
"""First parts of attributes that hold one part of such a text each."""

CONTENT_OF_EVENTS: tuple[str, ...] = (*("content", "message", "tool_calls", "arguments", "parts", "body"),)
"""The same on events whose name begins `gen_ai.`: `gen_ai.user.message`, `gen_ai.choice` and their like."""

CALL_ID = "watchglass.call_id"
REPORTED_COST = "watchglass.cost.reported_usd"
TTFT = "watchglass.ttft_ns"
STREAMING = "watchglass.streaming"
SERVICE_TIER = "watchglass.service_tier"
FAST = "fast"
"""What `SERVICE_TIER` says of Anthropic's fast mode, which is not named a tier: `speed` of a request asks for
it, and `usage.speed` says that it was given, beside a service tier of `standard`.
"""
CACHE_HIT = "watchglass.cache_hit"
REQUEST_SENT = "watchglass.request_sent"
MOCK = "watchglass.mock"
STREAM_END = "watchglass.stream.end"
ESTIMATED_INPUT = "watchglass.estimated.input_tokens"
ESTIMATED_OUTPUT = "watchglass.estimated.output_tokens"
ATTEMPT = "watchglass.attempt"
RETRY_OF = "watchglass.retry_of"
FALLBACK_OF = "watchglass.fallback_of"
CACHE_WRITE_1H = "watchglass.usage.cache_write_1h_tokens"
INPUT_AUDIO = "watchglass.usage.input_audio_tokens"
OUTPUT_AUDIO = "watchglass.usage.output_audio_tokens"
TOTAL_TOKENS = "watchglass.usage.total_tokens"
CONTENT_CUT = "watchglass.content.cut"
CONTENT_HASH = "watchglass.content.hash."
CONTENT_LENGTH = "watchglass.content.length."
SAMPLE_WEIGHT = "watchglass.sample.weight"
SAMPLE_REASON = "watchglass.sample.reason"
METADATA = "watchglass.metadata."

TASK_ID = "watchglass.task.id"
STEP_KIND = "watchglass.step.kind"
STEP_NAME = "watchglass.step.name"
STEP_STATE = "watchglass.step.state"
STEP_STARTED = "watchglass.step.started_ns"
STEP_RUNNING = "watchglass.step.running_ns"

INTERRUPT_KIND = "watchglass.interrupt.kind"
INTERRUPT_STATUS = "watchglass.interrupt.status"

INVOCATION_SUCCESS = "watchglass.invocation.success"
INVOCATION_DURATION = "watchglass.invocation.duration_ns"
INVOCATION_CONFIDENCE = "watchglass.invocation.confidence"
INVOCATION_HALLUCINATION = "watchglass.invocation.hallucination"

ATTRIBUTES: dict[str, tuple[str, str]] = {
    CALL_ID: ("text", "The client library's own id of the call (LiteLLM's `litellm_call_id`)."),
    REPORTED_COST: ("text", "What the client library says the call cost, US dollars as an exact decimal."),
    TTFT: ("int", "Nanoseconds from the start of the call to the first token of its answer."),
    STREAMING: ("bool", "Whether the answer came in pieces."),
    SERVICE_TIER: ("text", "Service tier of the provider: batch, flex, priority …"),
    CACHE_HIT: (
        "bool",
        "True where the application's cache answered: no request, so nothing is counted.",
    ),
    REQUEST_SENT: ("bool", "False where the call ended before anything was sent to a provider."),
    MOCK: ("bool", "True where the client library answered by itself because the application asked it to."),
    STREAM_END: ("text", "How a streamed answer ended: exhausted, closed, abandoned or failed."),
    ESTIMATED_INPUT: ("int", "Input tokens as the client library guesses them, where nobody reported any."),
    ESTIMATED_OUTPUT: ("int", "Output tokens likewise; neither is ever counted."),
    ATTEMPT: ("int", "Number of the attempt at one and the same call, from 1."),
    RETRY_OF: ("text", "`<trace_id>:<span_id>` of the failed call that this one repeats."),
    FALLBACK_OF: (
        "text",
        "`<trace_id>:<span_id>` of the failed call of another model that this one replaces.",
    ),
    CACHE_WRITE_1H: ("int", "The part of the tokens written to the cache that is kept for an hour."),
    INPUT_AUDIO: ("int", "The part of the input tokens that was audio."),
    OUTPUT_AUDIO: ("int", "The part of the output tokens that was audio."),
    TOTAL_TOKENS: ("int", "All tokens as the provider adds them up; only to be checked against the sum."),
    CONTENT_CUT: ("map", "By attribute, how many bytes its text had before it was cut to the bound."),
    CONTENT_HASH: ("text", "A prefix: BLAKE2b-128 of the text of an attribute that is kept as a hash only."),
    CONTENT_LENGTH: ("int", "A prefix: how many bytes that text has."),
    SAMPLE_WEIGHT: ("text", "How many spans this one stands for, a decimal; only on detail that is sampled."),
    SAMPLE_REASON: ("text", "Why this detail was kept: error, slow, expensive or rate."),
    METADATA: ("text", "A prefix: what the caller attached, a key each, as text or JSON."),
    TASK_ID: ("text", "The execution of a task that this is, or is part of; new for each execution."),
    STEP_KIND: ("text", "What is executed: flow, task, agent or tool."),
    STEP_NAME: ("text", "Name of what is executed."),
    STEP_STATE: ("text", "State that is reached with the event: starting or running."),
    STEP_STARTED: ("int", "Start of the execution, nanoseconds since 1970 UTC: that of its span to come."),
    STEP_RUNNING: ("int", "When it was under way, nanoseconds since 1970 UTC."),
    INTERRUPT_KIND: ("text", "What the agent waits for: clarification, confirmation …"),
    INTERRUPT_STATUS: ("text", "How far that is: requested, answered, timeout …"),
    INVOCATION_SUCCESS: ("bool", "Whether the agent did what it was invoked for."),
    INVOCATION_DURATION: ("int", "How long the agent took, nanoseconds."),
    INVOCATION_CONFIDENCE: ("float", "How sure the agent was, 0 to 1."),
    INVOCATION_HALLUCINATION: ("bool", "Whether the agent made something up."),
}
"""Type and meaning of each attribute above."""

STEP_EVENT = "watchglass.step"
INTERRUPT_EVENT = "watchglass.interrupt"
INVOCATION_EVENT = "watchglass.agent.invocation"
SCORE_EVENT = "gen_ai.evaluation.result"

EVENTS: dict[str, str] = {
    STEP_EVENT: (
        "An execution begins or is under way. It has the ids of the span that comes when it has ended, so "
        "that one that never ends is seen."
    ),
    INTERRUPT_EVENT: "An agent asked a person, or was answered.",
    INVOCATION_EVENT: "What the application says of one run of an agent (`MetricsCollector`).",
    SCORE_EVENT: "A judgement of what the span did (OpenTelemetry GenAI conventions, evaluations).",
}
"""Log events of the SDK."""
