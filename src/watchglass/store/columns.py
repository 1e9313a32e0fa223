"""What readers may ask for, column by column: the reference that documentation is made from.

Names and order are those of the views in `views.sql`; a test compares them with the engine, which
also knows the types. `None` (NULL) always means that nobody said, never zero.
"""

from __future__ import annotations

from typing import NamedTuple


class Column(NamedTuple):
    """One column of a documented table. `unit` is '' where there is none."""

    name: str
    meaning: str
    unit: str = ""


def _columns(*rows: tuple[str, str] | tuple[str, str, str]) -> tuple[Column, ...]:
    return tuple(Column(*row) for row in rows)


_IDS = (
    ("trace_id", "Trace, 32 lower-case hex digits."),
    ("span_id", "Span, 16 lower-case hex digits."),
)
_TENANT = ("tenant", "Tenant that the row belongs to.")
_SERVICE = ("service", "Sender's `service.name`.")
_SCOPE = ("scope", "Name of the instrumentation scope (library) that made it.")
_RESOURCE = ("resource", "Attributes of the sending process, as a JSON object.")
_ATTRIBUTES = ("attributes", "Attributes by name; what is not text is written as JSON.")
_ATTRIBUTE_TYPES = (
    "attribute_types",
    "Types of those attributes that are not text: i integer, d float, b boolean, y bytes, j JSON.",
)

CALLS = _columns(
    (
        "call_id",
        "Identity of the call: `<trace_id>:<span_id>` for a span, its own for an imported call.",
    ),
    *_IDS,
    ("time", "When the call started, UTC. Prices are those in force at this moment."),
    (
        "tenant",
        "Customer that the call was made for; own attribute, else inherited within the trace.",
    ),
    ("engagement", "Engagement (contract, project) it was made for."),
    ("feature", "Product feature it was made for."),
    ("flow", "Id of the flow (run of a workflow or crew) it belongs to."),
    ("agent", "Name of the agent that made it."),
    ("session", "Conversation or session it belongs to."),
    ("provider", "Who really served the call, as the price book names providers."),
    ("request_model", "Model that was asked for."),
    ("response_model", "Model that the provider says it used."),
    (
        "operation",
        "Kind of request: chat, text_completion, embeddings, generate_content, …",
    ),
    ("input_tokens", "All input, cached reads and writes included.", "tokens"),
    ("output_tokens", "All output, reasoning included.", "tokens"),
    (
        "cache_read_tokens",
        "Part of the input that was read from the provider's cache.",
        "tokens",
    ),
    (
        "cache_write_tokens",
        "Part of the input that was written to the provider's cache.",
        "tokens",
    ),
    ("reasoning_tokens", "Part of the output that was reasoning.", "tokens"),
    (
        "cost_usd",
        "Exact cost from tokens and the price in force; NULL when unknown.",
        "US dollars",
    ),
    (
        "reported_cost_usd",
        "Cost as the client library reported it, for comparison only.",
        "US dollars",
    ),
    (
        "price_source",
        "Layer of the price book: override, discount, watchglass, genai-prices, litellm.",
    ),
    (
        "unpriced_reason",
        (
            "Why there is no cost: failed_without_usage, tokens_missing, model_missing, unknown_provider, "
            "unknown_model, no_price_at_date, tier_unknown."
        ),
    ),
    ("duration_ns", "How long the call took.", "nanoseconds"),
    ("ttft_ns", "Time to the first token of a streamed answer.", "nanoseconds"),
    ("success", "Whether the call ended without an error."),
    ("error_type", "Class of the error."),
    (
        "counted",
        "Whether this row is the one that counts for its request; sums are over counted rows.",
    ),
    (
        "duplicate_of",
        "`call_id` of the row that counts for the same request instead of this one.",
    ),
    ("dialect", "Convention that the span was read by."),
    ("code_file", "Source file that made the call."),
    ("code_line", "Line in `code_file`."),
    ("time_ns", "`time` as an exact integer since 1970-01-01 UTC.", "nanoseconds"),
    (
        "kind",
        (
            "call (one request), aggregate (repeats the sum of others, never counted) or supplement "
            "(facts that belong to another row's request)."
        ),
    ),
    ("parent_span_id", "Parent span, '' for a root."),
    ("flow_type", "Kind of the flow."),
    ("phase", "Phase of the flow."),
    ("task", "Name of the task it belongs to."),
    (
        "task_id",
        "Execution it was made in: the nearest task around it, else the nearest agent's run; see `tasks`.",
    ),
    ("user", "End user."),
    ("environment", "Deployment environment."),
    _SERVICE,
    _SCOPE,
    ("provider_source", "What `provider` was concluded from."),
    ("provider_label", "The library's own word for the provider, unjudged."),
    ("server_address", "Host of the API that was called, or its base URL."),
    ("response_id", "The provider's id of the answer."),
    (
        "cache_write_1h_tokens",
        "Part of `cache_write_tokens` that is kept for an hour.",
        "tokens",
    ),
    ("input_audio_tokens", "Part of the input that was audio.", "tokens"),
    ("output_audio_tokens", "Part of the output that was audio.", "tokens"),
    (
        "total_tokens_reported",
        "Total as reported, kept to be checked against the sum.",
        "tokens",
    ),
    ("price_id", "Entry of the price book that was used."),
    ("service_tier", "Service tier of the provider: batch, flex, priority, …"),
    ("streaming", "Whether the answer was streamed."),
    ("finish_reasons", "Why the model stopped, one for each choice."),
    ("error_message", "Message of the error."),
    (
        "not_counted_reason",
        "Why the row does not count: cumulative, unattributed, duplicate, wrapper or supplement.",
    ),
    ("code_function", "Function that made the call."),
    (
        "input_messages",
        "Hashes of the messages that went in, in order; texts are in `messages`.",
    ),
    ("output_messages", "Hashes of the messages that came out."),
    ("metadata", "Further facts that the sender attached, by name."),
    (
        "price_run",
        "Run of `watchglass reprice` that the price comes from, as in `repricings`; '' as it came.",
    ),
)

SPANS = _columns(
    *_IDS,
    ("parent_span_id", "Parent span, '' for a root."),
    ("name", "Name of the span."),
    (
        "kind",
        "OTLP span kind: 0 unspecified, 1 internal, 2 server, 3 client, 4 producer, 5 consumer.",
    ),
    ("start_time", "Start, UTC."),
    (
        "start_time_ns",
        "`start_time` as an exact integer since 1970-01-01 UTC.",
        "nanoseconds",
    ),
    ("duration_ns", "How long it took; NULL when the end is not known.", "nanoseconds"),
    ("status", "0 unset, 1 ok, 2 error."),
    ("status_message", "Message of the status."),
    _SERVICE,
    _SCOPE,
    ("scope_version", "Version of that library."),
    ("tenant", "Tenant of the span; own attribute, else inherited within the trace."),
    (
        "attributes",
        "Attributes by name; others as JSON; `\\u0001ref:<hash>` points into `messages`.",
    ),
    _ATTRIBUTE_TYPES,
    ("events", "Events, as a JSON array."),
    ("links", "Links to other spans, as a JSON array."),
    _RESOURCE,
    ("trace_state", "W3C trace state."),
    ("flags", "W3C trace flags, as in OTLP."),
)

TASKS = _columns(
    (
        "task_id",
        "Identity of the execution: `<trace_id>:<span_id>`, or a task's own `watchglass.task.id`.",
    ),
    *_IDS,
    ("parent_task_id", "`task_id` of the nearest execution around it."),
    (
        "kind",
        "flow (a run of a workflow or crew), task (a piece of work), agent (a run of an agent) or tool.",
    ),
    ("name", "What was executed: name of the workflow or crew, of the task, agent or tool."),
    ("status", "Latest state: starting, running, completed or failed."),
    ("time", "When it started, UTC."),
    ("completed", "When it ended, well or not, UTC; NULL while it has not."),
    ("duration_ns", "How long it took; NULL while it has not ended.", "nanoseconds"),
    ("tenant", "Customer that it was done for; own attribute, else inherited within the trace."),
    ("engagement", "Engagement (contract, project) it was done for."),
    ("feature", "Product feature it was done for."),
    (
        "flow",
        "Id of the flow it belongs to: as it was named, else `task_id` of the outermost flow around it.",
    ),
    ("flow_type", "Kind of the flow: as it was named, else the name of the outermost flow around it."),
    ("phase", "Phase of the flow."),
    ("task", "Name of the task it is or belongs to."),
    ("agent", "Name of the agent that does it."),
    ("session", "Conversation or session it belongs to."),
    ("user", "End user."),
    ("environment", "Deployment environment."),
    _SERVICE,
    _SCOPE,
    ("error_type", "Class of the error."),
    ("error_message", "Message of the error."),
    ("input", "Hash of what it was given; the text is in `messages`."),
    ("output", "Hash of what came out of it; the text is in `messages`."),
    ("states", "Each state that is known and when it began, since 1970-01-01 UTC.", "nanoseconds"),
    ("metadata", "Further facts by name, the library's own ids among them."),
    ("dialect", "Convention that the span was read by."),
    ("outermost", "Of a flow: whether no other flow is around it, so that it tells of the whole run."),
    ("time_ns", "`time` as an exact integer since 1970-01-01 UTC.", "nanoseconds"),
)

FLOWS = _columns(
    ("flow", "Id of the flow, as in `calls` and `tasks`."),
    ("flow_type", "Kind of the flow: as it was named, else `name`."),
    ("phase", "Phase that was named last."),
    ("name", "Name of the workflow or crew; NULL where nothing but attributes of others tells of the flow."),
    (
        "status",
        "failed, running or completed, as the flow's own spans say; NULL where there are none.",
    ),
    ("time", "Start of the flow, or of the first call or task that names it, UTC."),
    ("completed", "End of the flow, or of the last call or task that names it, UTC; NULL while it runs."),
    ("duration_ns", "From `time` to `completed`.", "nanoseconds"),
    ("tenant", "Customer that it was run for."),
    ("engagement", "Engagement (contract, project) it was run for."),
    ("feature", "Product feature it was run for."),
    ("session", "Conversation or session it belongs to."),
    ("user", "End user."),
    ("environment", "Deployment environment."),
    _SERVICE,
    ("error_type", "Class of the error of a flow that failed."),
    ("error_message", "Message of the error."),
    ("trace_id", "Trace in which it started, 32 lower-case hex digits."),
    ("span_id", "Span in which it started, 16 lower-case hex digits."),
)

MESSAGES = _columns(
    _TENANT,
    ("hash", "BLAKE2b-128 of `content`, 32 hex digits; calls point at it."),
    ("role", "Who spoke: system, user, assistant, tool, …"),
    ("content", "The message, as JSON text; each is kept once per tenant."),
    ("last_time", "Time of the last span or log record that came with it, UTC."),
)

LOGS = _columns(
    ("log_id", "Identity: hash of the record."),
    ("time", "When it happened, UTC."),
    ("observed_time", "When the collector saw it, UTC."),
    ("trace_id", "Trace it belongs to, or ''."),
    ("span_id", "Span it belongs to, or ''."),
    ("severity", "OTLP severity number, 0 to 24."),
    ("severity_text", "Severity as the sender calls it."),
    ("event_name", "Name of the event, or ''."),
    ("body", "Text as it is, anything else as JSON."),
    _ATTRIBUTES,
    _ATTRIBUTE_TYPES,
    _TENANT,
    _SERVICE,
    _SCOPE,
    _RESOURCE,
)

_SAID_WITHIN = (
    ("engagement", "Engagement (contract, project) it was for, as the event says."),
    ("feature", "Product feature it was for, as the event says."),
    ("flow", "Id of the flow it was in, as the event says."),
    ("task_id", "Execution of the task it was in, as in `tasks`."),
    ("agent", "Name of the agent."),
    ("session", "Conversation or session."),
    ("user", "End user."),
    *_IDS,
    _SERVICE,
    _SCOPE,
    ("time_ns", "`time` as an exact integer since 1970-01-01 UTC.", "nanoseconds"),
)

SCORES = _columns(
    ("score_id", "Identity of the score: `log_id` of its event."),
    ("time", "When it was given, UTC."),
    _TENANT,
    ("name", "What was judged: relevance, correctness …"),
    ("value", "The score, in whatever unit its name has."),
    ("label", "The score as a word."),
    ("explanation", "Why; a long one as `\\u0001ref:<hash>`, which points into `messages`."),
    ("response_id", "The provider's id of the answer that was judged."),
    *_SAID_WITHIN,
)

INTERRUPTS = _columns(
    ("interrupt_id", "Identity of the interrupt: `log_id` of its event."),
    ("time", "When it happened, UTC."),
    _TENANT,
    ("kind", "What the agent asked for: clarification, confirmation …"),
    ("status", "How far that was: requested, answered, timeout …"),
    *_SAID_WITHIN,
)

AGENT_INVOCATIONS = _columns(
    ("invocation_id", "Identity of the row: `log_id` of its event."),
    ("time", "When it was told, UTC."),
    _TENANT,
    ("success", "Whether the agent did what it was invoked for."),
    ("duration_ns", "How long it took.", "nanoseconds"),
    ("confidence", "How sure the agent was, 0 to 1."),
    ("hallucination", "Whether it made something up."),
    *_SAID_WITHIN,
)

METRICS = _columns(
    ("point_id", "Identity: hash of name, time and attributes."),
    ("name", "Name of the metric."),
    ("kind", "gauge, sum, histogram, exponential_histogram or summary."),
    ("unit", "Unit as the sender wrote it (UCUM)."),
    ("description", "What the sender says it measures."),
    ("time", "When it was measured, UTC."),
    ("start_time", "Start of the interval it covers, UTC."),
    ("value", "Value of a gauge or sum, where it is a float.", "`unit`"),
    ("value_int", "Value of a gauge or sum, where it is an integer.", "`unit`"),
    ("count", "Number of observations of a histogram or summary.", "observations"),
    ("sum", "Sum of the observations of a histogram or summary.", "`unit`"),
    ("data", "The rest of the point (buckets, quantiles, exemplars), as JSON."),
    _ATTRIBUTES,
    _ATTRIBUTE_TYPES,
    ("temporality", "delta, cumulative, or ''."),
    ("monotonic", "Whether a sum only grows."),
    _TENANT,
    _SERVICE,
    _SCOPE,
    _RESOURCE,
)

REJECTS = _columns(
    ("time", "When it was rejected, UTC."),
    ("signal", "traces, logs or metrics."),
    ("where", "Place in the request."),
    ("reason", "What was wrong."),
    ("trace_id", "Trace of the rejected item, or ''."),
    ("span_id", "Span of the rejected item, or ''."),
    ("source", "Who sent it."),
    ("tenant", "Tenant that the sender's key is bound to."),
)

AUDIT = _columns(
    ("time", "When it first happened, UTC; a row tells of all alike within a few seconds."),
    (
        "event",
        (
            "no_key, wrong_key, revoked_key, wrong_role, limited, foreign_tenant (items rejected), "
            "query_refused, host_refused, origin_refused, bad_host, key_created, key_revoked, key_forgotten, "
            "budget_refused (a reservation), budget_set, budget_removed, budget_threshold, budget_spent, "
            "budget_forecast."
        ),
    ),
    ("key_id", "Id of the key that was shown, made or revoked, or ''."),
    ("tenant", "Tenant that the key is bound to."),
    ("route", "Route that was asked for."),
    ("reason", "Further detail, never a secret."),
    ("remote", "Address that it came from."),
    ("count", "How often."),
)

REPRICINGS = _columns(
    ("run", "Run of `watchglass reprice` that changed the row; `reprice show RUN` tells of it."),
    ("at", "When it was changed, UTC."),
    ("time", "When the call started, UTC."),
    ("call_id", "The call, as in `calls`."),
    *_IDS,
    _TENANT,
    ("model", "Model that answered, else the one that was asked for."),
    ("counted", "Whether the call counted when it was changed."),
    ("old_cost_usd", "Cost before; NULL when it was unknown.", "US dollars"),
    ("new_cost_usd", "Cost after; NULL when it is unknown.", "US dollars"),
    ("old_price_source", "Layer of the price book, before."),
    ("new_price_source", "Layer of the price book, after."),
    ("old_price_id", "Entry of the price book, before."),
    ("new_price_id", "Entry of the price book, after."),
    ("old_unpriced_reason", "Why there was no cost."),
    ("new_unpriced_reason", "Why there is no cost."),
    ("old_provider", "Provider before."),
    ("new_provider", "Provider after."),
    ("old_provider_source", "What the provider had been concluded from."),
    ("new_provider_source", "What the provider was concluded from."),
    ("old_price_run", "Run that the price before came from; '' as it came."),
    (
        "new_price_run",
        "Run that the price comes from since: this one, or where a run was undone the one before.",
    ),
    ("time_ns", "`time` as an exact integer since 1970-01-01 UTC.", "nanoseconds"),
)

_TEAM_TENANT = ("client_account_id", "The tenant, as text.")
_TEAM_ENGAGEMENT = ("engagement_id", "The engagement, as text.")
_TEAM_ERROR = (("error_type", "Class of the error."), ("error_message", "Message of the error."))
_TEAM_TOKENS = (
    ("input_tokens", "All input, cached reads and writes included.", "tokens"),
    ("output_tokens", "All output, reasoning included.", "tokens"),
    ("total_tokens", "Both together; NULL when one of them is.", "tokens"),
)

LLM_USAGE_LOGS = _columns(
    ("id", "A number made of `call_id`; the same whenever it is asked for."),
    ("flow_id", "Id of the flow."),
    _TEAM_TENANT,
    _TEAM_ENGAGEMENT,
    ("llm_provider", "Who served the call; `unknown` where nothing says."),
    ("llm_model", "Model that answered, else the one that was asked for."),
    *_TEAM_TOKENS,
    ("total_cost", "Exact cost; NULL when unknown.", "US dollars"),
    ("response_time_ms", "How long the call took.", "milliseconds"),
    ("success", "Whether the call ended without an error."),
    *_TEAM_ERROR,
    ("feature_context", "Product feature that asked."),
    ("additional_metadata", "Free metadata, as a JSON object."),
    ("created_at", "When the call started, UTC."),
)

_SUMMED = (
    _TEAM_TENANT,
    _TEAM_ENGAGEMENT,
    ("feature_context", "Product feature that asked."),
    ("llm_provider", "Who served the calls; `unknown` where nothing says."),
    ("llm_model", "Model that answered, else the one that was asked for."),
    ("calls", "Counted calls."),
    *_TEAM_TOKENS,
    ("total_cost", "Sum of the known costs; NULL when none is known.", "US dollars"),
    ("avg_response_time", "Mean duration.", "milliseconds"),
    (
        "expired",
        "Whether calls of it are deleted, being older than they are kept, and only their sums are left.",
    ),
)

LLM_USAGE_SUMMARY = _columns(("period_start", "Start of the hour, UTC."), *_SUMMED)

LLM_USAGE_SUMMARY_DAILY = _columns(("period_start", "Start of the day, UTC."), *_SUMMED)

LLM_CALLS = _columns(
    ("call_id", "Identity of the call, as in `calls`."),
    ("trace_id", "Trace, 32 lower-case hex digits."),
    ("session_id", "Conversation or session."),
    _TEAM_TENANT,
    ("user_id", "End user."),
    ("agent_name", "Agent that made it."),
    ("provider", "Who served the call; `unknown` where nothing says."),
    ("model", "Model that answered, else the one that was asked for."),
    ("prompt_tokens", "All input, cached reads and writes included.", "tokens"),
    ("completion_tokens", "All output, reasoning included.", "tokens"),
    ("total_tokens", "Both together; NULL when one of them is.", "tokens"),
    ("cost", "Exact cost; NULL when unknown.", "US dollars"),
    ("latency_ms", "How long the call took.", "milliseconds"),
    ("success", "Whether the call ended without an error."),
    *_TEAM_ERROR,
    ("created_at", "When the call started, UTC."),
)

AGENT_TASK_HISTORY = _columns(
    ("id", "A number made of `task_id`; the same whenever it is asked for."),
    ("task_id", "Identity of the execution, as in `tasks`."),
    ("flow_id", "Id of the flow."),
    _TEAM_TENANT,
    _TEAM_ENGAGEMENT,
    ("agent_name", "Agent that did it."),
    ("task_name", "The task; the agent's name where it ran outside of any."),
    ("status", "starting, running, completed or failed."),
    ("started_at", "When it started, UTC."),
    ("completed_at", "When it ended, UTC; NULL while it has not."),
    ("duration_ms", "How long it took.", "milliseconds"),
    ("input_context", "Hash of what it was given; the text is in `messages`."),
    ("output_result", "Hash of what came out; the text is in `messages`."),
    ("error_details", "Class and message of the error."),
    ("metadata", "Further facts, as a JSON object."),
    ("created_at", "When it started, UTC."),
)

_PER_MILLION = "US dollars a million tokens"

PRICES = _columns(
    ("provider", "Who serves the model, as the price book names providers."),
    ("model", "Model, as its list writes it; `*` stands for anything."),
    ("tier", "Service tier: batch, flex, priority …; NULL for the one that everybody gets."),
    ("since", "From when on it is the price, UTC; NULL if that was never said."),
    ("until", "Until when, not included; NULL if it still is."),
    ("daily", "Hours of the day (UTC) at which it holds instead of the price without hours."),
    (
        "input",
        "Input that is no part with a price of its own; NULL where a usage cannot tell it.",
        _PER_MILLION,
    ),
    ("output", "Output, likewise.", _PER_MILLION),
    ("cache_read", "Input read from the provider's cache.", _PER_MILLION),
    ("cache_write", "Input written to the provider's cache.", _PER_MILLION),
    ("cache_write_1h", "Input written to be kept for an hour.", _PER_MILLION),
    ("reasoning", "Output that was reasoning.", _PER_MILLION),
    ("input_audio", "Input that was audio.", _PER_MILLION),
    ("output_audio", "Output that was audio.", _PER_MILLION),
    ("per_request", "A request as such.", "US dollars"),
    ("above", "Prices of requests with more input tokens than the key, as JSON: only those that differ."),
    ("source", "Layer of the price book: override, discount, watchglass, genai-prices, litellm."),
    ("price_id", "Entry of the price book, as in `calls`."),
    ("citation", "Where the price stands, if that is known."),
    ("dated", "Whether its list says since when its prices hold."),
)

LLM_MODEL_PRICING = _columns(
    ("id", "Identity of the row."),
    ("provider", "Who serves the model, as the price book names providers."),
    ("model", "Model, as its list writes it."),
    ("cost_per_1k_input_tokens", "Plain input.", "US dollars a thousand tokens"),
    ("cost_per_1k_output_tokens", "Plain output.", "US dollars a thousand tokens"),
    ("effective_date", "Day (UTC) from which on it is the price; NULL if that was never said."),
    ("source", "Layer of the price book: override, discount, watchglass, genai-prices, litellm."),
)

BILLS = _columns(
    ("file", "Name of the file that the line came in."),
    ("format", "Format of the file: openai-costs, anthropic-usage, csv …"),
    ("taken", "When the file was imported, UTC."),
    ("superseded", "Whether a newer file of the format has this provider's day, project and model again."),
    ("provider", "Who bills."),
    ("since", "Start of the time that the line is about, UTC."),
    ("until", "End of that time, not included."),
    ("zone", "Time zone in which the provider's billing days are cut."),
    ("project", "Project, workspace or team that it is billed to, in the provider's words."),
    ("key", "The provider's public id or name of the API key."),
    ("model", "Model as the provider writes it; NULL for what is charged for none."),
    ("item", "What it is for, in the provider's words."),
    (
        "token_class",
        "Class of tokens, or request, search, credit, tax, other; NULL: all classes in one figure.",
    ),
    ("tier", "batch, flex, priority …; NULL for the standard one."),
    ("long_context", "Requests of the provider's long context only."),
    ("region", "Where it was processed, in the provider's words."),
    ("tokens", "Billed tokens.", "tokens"),
    ("requests", "Billed requests."),
    ("amount_usd", "Billed amount, every digit as in the file; credits are negative.", "US dollars"),
    ("request_id", "The provider's id of the one request that the line is about, as in `calls.response_id`."),
    ("place", "Where the line is in its file."),
)

COLUMNS: dict[str, tuple[Column, ...]] = {
    "calls": CALLS,
    "usage": CALLS,
    "unattributed_usage": CALLS,
    "tasks": TASKS,
    "flows": FLOWS,
    "spans": SPANS,
    "messages": MESSAGES,
    "logs": LOGS,
    "scores": SCORES,
    "interrupts": INTERRUPTS,
    "agent_invocations": AGENT_INVOCATIONS,
    "metrics": METRICS,
    "rejects": REJECTS,
    "audit": AUDIT,
    "repricings": REPRICINGS,
    "llm_usage_logs": LLM_USAGE_LOGS,
    "llm_usage_summary": LLM_USAGE_SUMMARY,
    "llm_usage_summary_daily": LLM_USAGE_SUMMARY_DAILY,
    "llm_calls": LLM_CALLS,
    "agent_task_history": AGENT_TASK_HISTORY,
    "bills": BILLS,
    "prices": PRICES,
    "llm_model_pricing": LLM_MODEL_PRICING,
}
"""Columns of each documented table (database `watchglass`), in the order of `SELECT *`."""

TABLES: dict[str, str] = {
    "calls": "Every LLM request that was described, and what repeats one; `counted` says which add up.",
    "usage": "The calls that count, each request once. Sums of cost and tokens are over this table.",
    "unattributed_usage": "Sums that an agent or crew reported with no call below them.",
    "tasks": "Executions of flows, tasks, agents and tools, each with its latest state.",
    "flows": "Runs of workflows and crews, and flows that only their calls and tasks name.",
    "spans": "Every span as it came.",
    "messages": "Texts of prompts and answers, each kept once per tenant.",
    "logs": "Log records.",
    "scores": "Judgements of what agents did (`watchglass.score`, OpenTelemetry's evaluation events).",
    "interrupts": "Where agents asked a person, and were answered (`watchglass.interrupt`).",
    "agent_invocations": "Runs of agents as the application tells of them (`MetricsCollector`).",
    "metrics": "Metric points.",
    "rejects": "What was refused, and why.",
    "repricings": "What repricing changed, call by call, with the price before and after.",
    "audit": "Who was refused what, what became of keys and budgets, and what was told of budgets.",
    "llm_usage_logs": "Counted calls, under the names that teams have them by.",
    "llm_usage_summary": "Counted calls, expired too, by hour, tenant, engagement, feature, provider, model.",
    "llm_usage_summary_daily": "The same by the day.",
    "llm_calls": "Counted calls, under the names that other teams have them by.",
    "agent_task_history": "What agents did: tasks, and runs of agents that no task is directly around.",
    "bills": "What providers say they served and charged (`reconcile`). Of no tenant: a bound key sees none.",
    "prices": "The price book: what wins for each model, time after time; prices of one tenant aside.",
    "llm_model_pricing": "The same for plain tokens of the standard tier, a thousand at a time.",
}
"""What each documented table is, in one sentence."""
