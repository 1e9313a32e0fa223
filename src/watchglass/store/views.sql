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
    metadata
FROM store.calls FINAL;

CREATE OR REPLACE VIEW watchglass.usage AS
SELECT *
FROM watchglass.calls
WHERE counted;

CREATE OR REPLACE VIEW watchglass.unattributed_usage AS
SELECT *
FROM watchglass.calls
WHERE kind = 'aggregate' AND not_counted_reason = 'unattributed';

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
    first_time
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
