-- Executions of agents, tasks, flows and tools, and which of them a call was made in.
--
-- One row an execution, the latest state on top: the two highest bits of `version` are the rank of `status`
-- (starting 0, running 1, completed and failed 2), the rest is as in every table. So a sender that tells of
-- an execution while it is going on sends the whole row again with each change, with the same task_id and
-- the same `time`; what it tells late or twice changes nothing. `states` holds the history.

CREATE TABLE IF NOT EXISTS store.tasks
(
    task_id        String,
    trace_id       String,
    span_id        String,
    parent_task_id Nullable(String),
    kind           LowCardinality(String),
    name           LowCardinality(String),
    status         LowCardinality(String),
    time           DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    completed      Nullable(DateTime64(9, 'UTC')),
    duration_ns    Nullable(Int64),
    states         Map(LowCardinality(String), Int64),
    tenant         LowCardinality(Nullable(String)),
    engagement     LowCardinality(Nullable(String)),
    feature        LowCardinality(Nullable(String)),
    flow           Nullable(String),
    flow_type      LowCardinality(Nullable(String)),
    phase          LowCardinality(Nullable(String)),
    task           Nullable(String),
    agent          LowCardinality(Nullable(String)),
    session        Nullable(String),
    user           Nullable(String),
    environment    LowCardinality(Nullable(String)),
    service        LowCardinality(Nullable(String)),
    process        String,
    scope          LowCardinality(String),
    error_type     LowCardinality(Nullable(String)),
    error_message  Nullable(String),
    -- Hashes; the texts are in store.messages and go when those go.
    input          Nullable(String),
    output         Nullable(String),
    metadata       Map(LowCardinality(String), String),
    dialect        LowCardinality(String),
    -- Of a flow: no other flow is around it, so it tells of the whole run.
    outermost      Bool,
    owner          LowCardinality(String),
    version        UInt64 CODEC(Delta, ZSTD(1)),
    INDEX by_trace trace_id TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(time)
ORDER BY (toStartOfHour(time), trace_id, span_id, task_id, owner)
SETTINGS default_compression_codec = 'ZSTD(1)', merge_selector_base = 25, min_bytes_for_wide_part = 134217728,
    fsync_after_insert = 1, fsync_part_directory = 1,
    min_rows_to_fsync_after_merge = 1, min_compressed_bytes_to_fsync_after_merge = 1;

ALTER TABLE store.calls ADD COLUMN IF NOT EXISTS task_id Nullable(String) AFTER task;
