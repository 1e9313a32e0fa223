-- What repricing changed, row by row: enough to take it back to the last digit.
--
-- A chunk of a run is written here first and into `calls` after that, each as one part, so that what a kill
-- leaves between the two can be gone on with: `old_version` says which rows it was made for. `chunk` is a
-- number of the run's plan (control database). Taking a run back is a run of its own, and written likewise.

ALTER TABLE store.calls ADD COLUMN IF NOT EXISTS price_run LowCardinality(String) DEFAULT '' AFTER unpriced_reason;

CREATE TABLE IF NOT EXISTS store.repricings
(
    run                 LowCardinality(String),
    chunk               UInt32 CODEC(Delta, ZSTD(1)),
    at                  DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    time                DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    trace_id            String,
    span_id             String,
    call_id             String,
    owner               LowCardinality(String),
    tenant              LowCardinality(Nullable(String)),
    model               LowCardinality(Nullable(String)),
    counted             Bool,
    old_cost_usd        Nullable(Decimal(38, 18)),
    new_cost_usd        Nullable(Decimal(38, 18)),
    old_price_source    LowCardinality(Nullable(String)),
    new_price_source    LowCardinality(Nullable(String)),
    old_price_id        LowCardinality(Nullable(String)),
    new_price_id        LowCardinality(Nullable(String)),
    old_unpriced_reason LowCardinality(Nullable(String)),
    new_unpriced_reason LowCardinality(Nullable(String)),
    old_provider        LowCardinality(Nullable(String)),
    new_provider        LowCardinality(Nullable(String)),
    old_provider_source LowCardinality(Nullable(String)),
    new_provider_source LowCardinality(Nullable(String)),
    old_price_run       LowCardinality(String),
    new_price_run       LowCardinality(String),
    old_version         UInt64 CODEC(Delta, ZSTD(1)),
    version             UInt64 CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(time)
ORDER BY (run, toStartOfHour(time), trace_id, span_id, call_id, owner)
SETTINGS default_compression_codec = 'ZSTD(1)', merge_selector_base = 25, min_bytes_for_wide_part = 134217728,
    fsync_after_insert = 1, fsync_part_directory = 1,
    min_rows_to_fsync_after_merge = 1, min_compressed_bytes_to_fsync_after_merge = 1;
