-- What stays of calls that retention deletes (archive.py): the sums of their hours, and which calls they were.
--
-- A pass writes its sums and identities under the next generation, then one row into expired_passes: from
-- then on they count, and the calls between `since` and `until` (seconds since 1970) do not, which are deleted
-- next (`state` 0 → 1). Rows of a generation above the highest in expired_passes are of a pass that was killed
-- before: nobody reads them, and they are removed before the next pass.

CREATE TABLE IF NOT EXISTS store.usage_expired
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
    total_tokens         Nullable(Int64),
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

-- id: SipHash-128 of owner and call_id. Random, so it is not worth packing.
CREATE TABLE IF NOT EXISTS store.expired_calls
(
    bucket     Int64 CODEC(Delta, ZSTD(1)),
    tenant     LowCardinality(Nullable(String)),
    id         FixedString(16) CODEC(NONE),
    generation UInt64 CODEC(Delta, ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY intDiv(bucket, 2678400)
ORDER BY (bucket, tenant)
SETTINGS allow_nullable_key = 1, default_compression_codec = 'ZSTD(1)', min_bytes_for_wide_part = 134217728,
    fsync_after_insert = 1, fsync_part_directory = 1,
    min_rows_to_fsync_after_merge = 1, min_compressed_bytes_to_fsync_after_merge = 1;

CREATE TABLE IF NOT EXISTS store.expired_passes
(
    generation UInt64,
    since      Int64,
    until      Int64,
    state      UInt8
)
ENGINE = ReplacingMergeTree(state)
ORDER BY generation
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1,
    min_rows_to_fsync_after_merge = 1, min_compressed_bytes_to_fsync_after_merge = 1;
