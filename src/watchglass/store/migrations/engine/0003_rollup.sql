-- Calls summed up by the hour: counted ones and, apart from them, unattributed sums. A bucket is summed up
-- anew as a whole, under a new generation; which generation of a bucket is the one to read is known
-- outside (rollup.py), so that a question never sees a bucket half written. Not a ReplacingMergeTree:
-- a merge would take the older generation away from a question that is still reading it.
--
-- Each bucket is there twice: in `fine` grain with all dimensions, and without most of them in `coarse`
-- grain, which has a quarter of the rows or less and answers what is asked most.
--
-- durations: how long the calls took, in steps of 2% (rollup_figures.py), so that percentiles of any
-- set of buckets can be had from it.

CREATE TABLE IF NOT EXISTS store.usage_hourly
(
    grain                LowCardinality(String),
    bucket               Int64 CODEC(Delta, ZSTD(1)),
    generation           UInt64 CODEC(Delta, ZSTD(1)),
    hour                 DateTime('UTC') CODEC(Delta, ZSTD(1)),
    counted              Bool,
    tenant               LowCardinality(Nullable(String)),
    engagement           LowCardinality(Nullable(String)),
    feature              LowCardinality(Nullable(String)),
    agent                LowCardinality(Nullable(String)),
    provider             LowCardinality(Nullable(String)),
    request_model        LowCardinality(Nullable(String)),
    response_model       LowCardinality(Nullable(String)),
    operation            LowCardinality(Nullable(String)),
    service              LowCardinality(Nullable(String)),
    environment          LowCardinality(Nullable(String)),
    flow_type            LowCardinality(Nullable(String)),
    phase                LowCardinality(Nullable(String)),
    dialect              LowCardinality(Nullable(String)),
    price_source         LowCardinality(Nullable(String)),
    calls                UInt64,
    failed_calls         UInt64,
    calls_without_tokens UInt64,
    input_tokens         Nullable(Int64),
    output_tokens        Nullable(Int64),
    cache_read_tokens    Nullable(Int64),
    cache_write_tokens   Nullable(Int64),
    reasoning_tokens     Nullable(Int64),
    cost_usd             Nullable(Decimal(38, 18)),
    reported_cost_usd    Nullable(Decimal(38, 18)),
    max_cost_usd         Nullable(Decimal(38, 18)),
    priced_calls         UInt64,
    unpriced             Map(LowCardinality(String), UInt64),
    duration_sum         Int128,
    duration_count       UInt64,
    duration_min         Nullable(Int64),
    duration_max         Nullable(Int64),
    durations            AggregateFunction(quantileTimingIf(0.95), UInt16, UInt8)
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(hour)
ORDER BY (grain, bucket, generation)
SETTINGS default_compression_codec = 'ZSTD(1)', min_bytes_for_wide_part = 134217728,
    fsync_after_insert = 1, fsync_part_directory = 1,
    min_rows_to_fsync_after_merge = 1, min_compressed_bytes_to_fsync_after_merge = 1;
