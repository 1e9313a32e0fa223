-- What was refused, and what became of keys; a row tells of `count` alike within a few seconds.

CREATE TABLE IF NOT EXISTS store.audit
(
    time   DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    event  LowCardinality(String),
    key_id String,
    tenant LowCardinality(Nullable(String)),
    route  LowCardinality(String),
    reason String,
    remote String,
    count  UInt64
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(time)
ORDER BY time
SETTINGS default_compression_codec = 'ZSTD(1)', merge_selector_base = 25, min_bytes_for_wide_part = 134217728,
    fsync_after_insert = 1, fsync_part_directory = 1,
    min_rows_to_fsync_after_merge = 1, min_compressed_bytes_to_fsync_after_merge = 1;
