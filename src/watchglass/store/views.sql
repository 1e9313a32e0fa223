-- What readers see: documented tables without duplicates, without the columns that only settling
-- and storing need. Replaced as a whole whenever this text changes. `columns.py` says what each
-- column means; a test holds the two together.

CREATE DATABASE IF NOT EXISTS watchglass;

CREATE OR REPLACE VIEW watchglass.calls AS
SELECT
    call_id,
    trace_id,
    span_id,
    time,
    tenant,
    engagement,
    feature,
    flow,
    agent,
    session,
    provider,
    request_model,
    response_model,
    operation,
    input_tokens,
    output_tokens,
    cache_read_tokens,
    cache_write_tokens,
    reasoning_tokens,
    cost_usd,
    reported_cost_usd,
    price_source,
    unpriced_reason,
    duration_ns,
    ttft_ns,
    success,
    error_type,
    counted,
    duplicate_of,
    dialect,
    code_file,
    code_line,
    toUnixTimestamp64Nano(time) AS time_ns,
    kind,
    parent_span_id,
    flow_type,
    phase,
    task,
    task_id,
    user,
    environment,
    service,
    scope,
    provider_source,
    provider_label,
    server_address,
    response_id,
    cache_write_1h_tokens,
    input_audio_tokens,
    output_audio_tokens,
    total_tokens_reported,
    price_id,
    service_tier,
    streaming,
    finish_reasons,
    error_message,
    not_counted_reason,
    code_function,
    input_messages,
    output_messages,
    metadata,
    price_run
FROM store.calls FINAL;

CREATE OR REPLACE VIEW watchglass.usage AS
SELECT *
FROM watchglass.calls
WHERE counted;

CREATE OR REPLACE VIEW watchglass.unattributed_usage AS
SELECT *
FROM watchglass.calls
WHERE kind = 'aggregate' AND not_counted_reason = 'unattributed';

CREATE OR REPLACE VIEW watchglass.tasks AS
SELECT
    task_id,
    trace_id,
    span_id,
    parent_task_id,
    kind,
    name,
    status,
    time,
    completed,
    duration_ns,
    tenant,
    engagement,
    feature,
    flow,
    flow_type,
    phase,
    task,
    agent,
    session,
    user,
    environment,
    service,
    scope,
    error_type,
    error_message,
    input,
    output,
    states,
    metadata,
    dialect,
    outermost,
    toUnixTimestamp64Nano(time) AS time_ns
FROM store.tasks FINAL;

-- A window of time is applied to the grouped flows here; a question that has one puts it on calls and tasks.
-- Few aggregates over tuples instead of one a column: each costs as much as reading the rows.
CREATE OR REPLACE VIEW watchglass.flows AS
WITH told AS
(
    SELECT
        assumeNotNull(flow) AS id, owner, tenant, time, completed AS until, kind = 'flow' AND outermost AS whole,
        (flow_type, engagement, feature, session, user, environment, service, trace_id, span_id) AS said,
        phase, name, status, error_type, error_message
    FROM store.tasks FINAL
    WHERE isNotNull(flow)
    UNION ALL
    SELECT
        assumeNotNull(flow) AS id, owner, tenant, time,
        time + toIntervalNanosecond(ifNull(duration_ns, 0)) AS until, false AS whole,
        (flow_type, engagement, feature, session, user, environment, service, trace_id, span_id) AS said,
        phase, '' AS name, '' AS status, NULL AS error_type, NULL AS error_message
    FROM store.calls FINAL
    WHERE isNotNull(flow)
),
argMin(told.said, (told.time, NOT told.whole, told.said.9)) AS first_said,
argMinIf((told.error_type, told.error_message), told.time, told.whole AND told.status = 'failed') AS failure
SELECT
    told.id AS flow,
    first_said.1 AS flow_type,
    argMax(told.phase, told.time) AS phase,
    nullIf(argMinIf(told.name, told.time, told.whole), '') AS name,
    multiIf(
        countIf(told.whole) = 0, NULL,
        countIf(told.whole AND told.status = 'failed') > 0, 'failed',
        countIf(told.whole AND told.status != 'completed') > 0, 'running',
        'completed'
    ) AS status,
    min(told.time) AS time,
    if(status = 'running', NULL, max(told.until)) AS completed,
    toUnixTimestamp64Nano(completed) - toUnixTimestamp64Nano(time) AS duration_ns,
    told.tenant AS tenant,
    first_said.2 AS engagement,
    first_said.3 AS feature,
    first_said.4 AS session,
    first_said.5 AS user,
    first_said.6 AS environment,
    first_said.7 AS service,
    failure.1 AS error_type,
    failure.2 AS error_message,
    first_said.8 AS trace_id,
    first_said.9 AS span_id
FROM told
GROUP BY told.owner, told.tenant, told.id;

CREATE OR REPLACE VIEW watchglass.spans AS
SELECT
    trace_id,
    span_id,
    parent_span_id,
    name,
    kind,
    start_time,
    toUnixTimestamp64Nano(start_time) AS start_time_ns,
    duration_ns,
    status,
    status_message,
    service,
    scope,
    scope_version,
    tenant,
    attributes,
    attribute_types,
    events,
    links,
    resource,
    trace_state,
    flags
FROM store.spans FINAL;

CREATE OR REPLACE VIEW watchglass.messages AS
SELECT
    nullIf(tenant, '') AS tenant,
    hash,
    role,
    content,
    last_time
FROM store.messages FINAL;

CREATE OR REPLACE VIEW watchglass.logs AS
SELECT
    log_id,
    time,
    observed_time,
    trace_id,
    span_id,
    severity,
    severity_text,
    event_name,
    body,
    attributes,
    attribute_types,
    tenant,
    service,
    scope,
    resource
FROM store.logs FINAL;

-- What applications say of their agents' work, as log events. The names are those of `names.py`.
CREATE OR REPLACE VIEW watchglass.scores AS
SELECT
    log_id AS score_id,
    time,
    tenant,
    nullIf(attributes['gen_ai.evaluation.name'], '') AS name,
    toFloat64OrNull(attributes['gen_ai.evaluation.score.value']) AS value,
    nullIf(attributes['gen_ai.evaluation.score.label'], '') AS label,
    nullIf(attributes['gen_ai.evaluation.explanation'], '') AS explanation,
    nullIf(attributes['gen_ai.response.id'], '') AS response_id,
    nullIf(attributes['watchglass.engagement'], '') AS engagement,
    nullIf(attributes['watchglass.feature'], '') AS feature,
    nullIf(attributes['watchglass.flow.id'], '') AS flow,
    nullIf(attributes['watchglass.task.id'], '') AS task_id,
    nullIf(attributes['gen_ai.agent.name'], '') AS agent,
    coalesce(
        nullIf(attributes['gen_ai.conversation.id'], ''), nullIf(attributes['session.id'], '')
    ) AS session,
    nullIf(attributes['user.id'], '') AS user,
    trace_id,
    span_id,
    service,
    scope,
    toUnixTimestamp64Nano(time) AS time_ns
FROM store.logs FINAL
WHERE event_name = 'gen_ai.evaluation.result';

CREATE OR REPLACE VIEW watchglass.interrupts AS
SELECT
    log_id AS interrupt_id,
    time,
    tenant,
    attributes['watchglass.interrupt.kind'] AS kind,
    attributes['watchglass.interrupt.status'] AS status,
    nullIf(attributes['watchglass.engagement'], '') AS engagement,
    nullIf(attributes['watchglass.feature'], '') AS feature,
    nullIf(attributes['watchglass.flow.id'], '') AS flow,
    nullIf(attributes['watchglass.task.id'], '') AS task_id,
    nullIf(attributes['gen_ai.agent.name'], '') AS agent,
    coalesce(
        nullIf(attributes['gen_ai.conversation.id'], ''), nullIf(attributes['session.id'], '')
    ) AS session,
    nullIf(attributes['user.id'], '') AS user,
    trace_id,
    span_id,
    service,
    scope,
    toUnixTimestamp64Nano(time) AS time_ns
FROM store.logs FINAL
WHERE event_name = 'watchglass.interrupt';

CREATE OR REPLACE VIEW watchglass.agent_invocations AS
SELECT
    log_id AS invocation_id,
    time,
    tenant,
    toBool(attributes['watchglass.invocation.success'] = 'true') AS success,
    toInt64OrNull(attributes['watchglass.invocation.duration_ns']) AS duration_ns,
    toFloat64OrNull(attributes['watchglass.invocation.confidence']) AS confidence,
    multiIf(
        attributes['watchglass.invocation.hallucination'] = 'true', true,
        attributes['watchglass.invocation.hallucination'] = 'false', false,
        NULL
    ) AS hallucination,
    nullIf(attributes['watchglass.engagement'], '') AS engagement,
    nullIf(attributes['watchglass.feature'], '') AS feature,
    nullIf(attributes['watchglass.flow.id'], '') AS flow,
    nullIf(attributes['watchglass.task.id'], '') AS task_id,
    nullIf(attributes['gen_ai.agent.name'], '') AS agent,
    coalesce(
        nullIf(attributes['gen_ai.conversation.id'], ''), nullIf(attributes['session.id'], '')
    ) AS session,
    nullIf(attributes['user.id'], '') AS user,
    trace_id,
    span_id,
    service,
    scope,
    toUnixTimestamp64Nano(time) AS time_ns
FROM store.logs FINAL
WHERE event_name = 'watchglass.agent.invocation';

CREATE OR REPLACE VIEW watchglass.metrics AS
SELECT
    point_id,
    name,
    kind,
    unit,
    description,
    time,
    start_time,
    value,
    value_int,
    count,
    sum,
    data,
    attributes,
    attribute_types,
    temporality,
    monotonic,
    tenant,
    service,
    scope,
    resource
FROM store.metrics FINAL;

CREATE OR REPLACE VIEW watchglass.rejects AS
SELECT
    time,
    signal,
    where,
    reason,
    trace_id,
    span_id,
    source,
    tenant
FROM store.rejects;

CREATE OR REPLACE VIEW watchglass.audit AS
SELECT
    time,
    event,
    key_id,
    tenant,
    route,
    reason,
    remote,
    count
FROM store.audit;

CREATE OR REPLACE VIEW watchglass.repricings AS
SELECT
    run,
    at,
    time,
    call_id,
    trace_id,
    span_id,
    tenant,
    model,
    counted,
    old_cost_usd,
    new_cost_usd,
    old_price_source,
    new_price_source,
    old_price_id,
    new_price_id,
    old_unpriced_reason,
    new_unpriced_reason,
    old_provider,
    new_provider,
    old_provider_source,
    new_provider_source,
    old_price_run,
    new_price_run,
    toUnixTimestamp64Nano(time) AS time_ns
FROM store.repricings FINAL;

-- The tables that teams already have, by their names and columns: their dashboards and queries go on.
-- What is whole numbers there (tenant, engagement) or a UUID (flow, task) is text here; costs keep all digits.

CREATE OR REPLACE VIEW watchglass.llm_usage_logs AS
SELECT
    toInt64(bitShiftRight(cityHash64(call_id), 1)) AS id,
    flow AS flow_id,
    tenant AS client_account_id,
    engagement AS engagement_id,
    ifNull(provider, 'unknown') AS llm_provider,
    coalesce(response_model, request_model, 'unknown') AS llm_model,
    input_tokens,
    output_tokens,
    input_tokens + output_tokens AS total_tokens,
    cost_usd AS total_cost,
    intDiv(duration_ns, 1000000) AS response_time_ms,
    success,
    error_type,
    error_message,
    feature AS feature_context,
    toJSONString(metadata) AS additional_metadata,
    time AS created_at
FROM watchglass.usage;

-- Counted calls by the hour: of those that are there, and of those that have expired (archive.py). Calls that
-- are in the archive and not deleted yet are left out.
CREATE OR REPLACE VIEW store.usage_by_hour AS
SELECT
    toStartOfHour(c.time) AS hour,
    c.tenant AS tenant,
    c.engagement AS engagement,
    c.feature AS feature,
    c.provider AS provider,
    coalesce(c.response_model, c.request_model) AS model,
    count() AS calls,
    sum(c.input_tokens) AS input_tokens,
    sum(c.output_tokens) AS output_tokens,
    sum(c.input_tokens + c.output_tokens) AS total_tokens,
    sum(c.cost_usd) AS cost_usd,
    sum(toInt128(ifNull(c.duration_ns, 0))) AS duration_sum,
    count(c.duration_ns) AS duration_count,
    false AS expired
FROM store.calls AS c FINAL
WHERE c.counted AND NOT
(
    c.time >= (SELECT fromUnixTimestamp64Nano(max(since) * 1000000000, 'UTC') FROM store.expired_passes FINAL
        WHERE state = 0)
    AND c.time < (SELECT fromUnixTimestamp64Nano(max(until) * 1000000000, 'UTC') FROM store.expired_passes FINAL
        WHERE state = 0)
)
GROUP BY hour, tenant, engagement, feature, provider, model
UNION ALL
SELECT
    e.hour AS hour,
    e.tenant AS tenant,
    e.engagement AS engagement,
    e.feature AS feature,
    e.provider AS provider,
    coalesce(e.response_model, e.request_model) AS model,
    sum(e.calls) AS calls,
    sum(e.input_tokens) AS input_tokens,
    sum(e.output_tokens) AS output_tokens,
    sum(e.total_tokens) AS total_tokens,
    sum(e.cost_usd) AS cost_usd,
    sum(e.duration_sum) AS duration_sum,
    sum(e.duration_count) AS duration_count,
    true AS expired
FROM store.usage_expired AS e
WHERE e.grain = 'fine' AND e.counted AND e.generation <= (SELECT max(generation) FROM store.expired_passes)
GROUP BY hour, tenant, engagement, feature, provider, model;

CREATE OR REPLACE VIEW watchglass.llm_usage_summary AS
SELECT
    u.hour AS period_start,
    u.tenant AS client_account_id,
    u.engagement AS engagement_id,
    u.feature AS feature_context,
    ifNull(u.provider, 'unknown') AS llm_provider,
    ifNull(u.model, 'unknown') AS llm_model,
    sum(u.calls) AS calls,
    sum(u.input_tokens) AS input_tokens,
    sum(u.output_tokens) AS output_tokens,
    sum(u.total_tokens) AS total_tokens,
    sum(u.cost_usd) AS total_cost,
    if(sum(u.duration_count) = 0, NULL, sum(u.duration_sum) / sum(u.duration_count) / 1000000)
        AS avg_response_time,
    max(u.expired) AS expired
FROM store.usage_by_hour AS u
GROUP BY period_start, client_account_id, engagement_id, feature_context, llm_provider, llm_model;

CREATE OR REPLACE VIEW watchglass.llm_usage_summary_daily AS
SELECT
    toStartOfDay(u.hour) AS period_start,
    u.tenant AS client_account_id,
    u.engagement AS engagement_id,
    u.feature AS feature_context,
    ifNull(u.provider, 'unknown') AS llm_provider,
    ifNull(u.model, 'unknown') AS llm_model,
    sum(u.calls) AS calls,
    sum(u.input_tokens) AS input_tokens,
    sum(u.output_tokens) AS output_tokens,
    sum(u.total_tokens) AS total_tokens,
    sum(u.cost_usd) AS total_cost,
    if(sum(u.duration_count) = 0, NULL, sum(u.duration_sum) / sum(u.duration_count) / 1000000)
        AS avg_response_time,
    max(u.expired) AS expired
FROM store.usage_by_hour AS u
GROUP BY period_start, client_account_id, engagement_id, feature_context, llm_provider, llm_model;

CREATE OR REPLACE VIEW watchglass.llm_calls AS
SELECT
    call_id,
    trace_id,
    session AS session_id,
    tenant AS client_account_id,
    user AS user_id,
    agent AS agent_name,
    ifNull(provider, 'unknown') AS provider,
    coalesce(response_model, request_model, 'unknown') AS model,
    input_tokens AS prompt_tokens,
    output_tokens AS completion_tokens,
    input_tokens + output_tokens AS total_tokens,
    cost_usd AS cost,
    intDiv(duration_ns, 1000000) AS latency_ms,
    success,
    error_type,
    error_message,
    time AS created_at
FROM watchglass.usage;

-- One row a piece of work, as the app's pages count it: a task, or the run of an agent that no task is directly
-- around. Texts are in `messages`.
CREATE OR REPLACE VIEW watchglass.agent_task_history AS
SELECT
    toInt64(bitShiftRight(cityHash64(task_id), 1)) AS id,
    task_id,
    flow AS flow_id,
    tenant AS client_account_id,
    engagement AS engagement_id,
    agent AS agent_name,
    name AS task_name,
    status,
    time AS started_at,
    completed AS completed_at,
    intDiv(duration_ns, 1000000) AS duration_ms,
    input AS input_context,
    output AS output_result,
    nullIf(concatWithSeparator(': ', error_type, error_message), '') AS error_details,
    toJSONString(metadata) AS metadata,
    time AS created_at
FROM watchglass.tasks
WHERE kind = 'task' OR (
    kind = 'agent' AND ifNull(parent_task_id, '') NOT IN (SELECT task_id FROM store.tasks WHERE kind = 'task')
);

CREATE OR REPLACE VIEW watchglass.prices AS
SELECT
    provider,
    model,
    tier,
    since,
    until,
    daily,
    input,
    output,
    cache_read,
    cache_write,
    cache_write_1h,
    reasoning,
    input_audio,
    output_audio,
    per_request,
    above,
    source,
    price_id,
    citation,
    dated
FROM store.prices
WHERE edition = (SELECT max(edition) FROM store.prices);

CREATE OR REPLACE VIEW watchglass.llm_model_pricing AS
SELECT
    toInt64(bitShiftRight(cityHash64(provider, model, ifNull(toString(since), '')), 1)) AS id,
    provider,
    model,
    input * toDecimal128('0.001', 3) AS cost_per_1k_input_tokens,
    output * toDecimal128('0.001', 3) AS cost_per_1k_output_tokens,
    toDate(since) AS effective_date,
    source
FROM watchglass.prices
WHERE tier IS NULL AND daily IS NULL AND (input IS NOT NULL OR output IS NOT NULL);

-- The window that replaces older lines is the one of store/bills.py.
CREATE OR REPLACE VIEW watchglass.bills AS
SELECT
    name AS file,
    format,
    fromUnixTimestamp64Nano(toInt64(taken), 'UTC') AS taken,
    taken != max(taken) OVER (
        PARTITION BY format, provider, toDate(since, 'UTC'), ifNull(project, ''), ifNull(model, '')
    ) AS superseded,
    provider,
    since,
    until,
    zone,
    project,
    key,
    model,
    item,
    token_class,
    tier,
    long_context,
    region,
    tokens,
    requests,
    amount_usd,
    request_id,
    place
FROM store.bills FINAL
WHERE store.bills.file IN (SELECT store.bill_files.file FROM store.bill_files);
