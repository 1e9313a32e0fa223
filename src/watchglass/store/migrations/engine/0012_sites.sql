-- Counted calls summed up by the day and the line of code that made them (rollup_sites.py): what coverage asks
-- for. By the hour they would be nearly as many rows as there are calls. Generations are as in usage_hourly.

CREATE TABLE IF NOT EXISTS store.sites_daily
(
    bucket                   Int64 CODEC(Delta, ZSTD(1)),
    generation               UInt64 CODEC(Delta, ZSTD(1)),
    tenant                   LowCardinality(Nullable(String)),
    service                  LowCardinality(Nullable(String)),
    environment              LowCardinality(Nullable(String)),
    code_file                LowCardinality(Nullable(String)),
    code_line                Nullable(UInt32),
    code_function            LowCardinality(Nullable(String)),
    calls                    UInt64,
    failed_calls             UInt64,
    unpriced_calls           UInt64,
    cost_usd                 Nullable(Decimal(38, 18)),
    without_tenant           UInt64,
    without_feature          UInt64,
    without_context          UInt64,
    cost_without_context_usd Nullable(Decimal(38, 18)),
    last                     DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    scope                    LowCardinality(String)
)
ENGINE = MergeTree
ORDER BY (bucket, generation)
SETTINGS default_compression_codec = 'ZSTD(1)', min_bytes_for_wide_part = 134217728,
    fsync_after_insert = 1, fsync_part_directory = 1,
    min_rows_to_fsync_after_merge = 1, min_compressed_bytes_to_fsync_after_merge = 1;
