-- The rollup's days (rollup.py), in a table of their own: among the hours, reading a day means to read the
-- thousands of rows around it.

CREATE TABLE IF NOT EXISTS store.usage_daily AS store.usage_hourly
ENGINE = MergeTree
ORDER BY (bucket, generation)
SETTINGS default_compression_codec = 'ZSTD(1)', min_bytes_for_wide_part = 134217728,
    fsync_after_insert = 1, fsync_part_directory = 1,
    min_rows_to_fsync_after_merge = 1, min_compressed_bytes_to_fsync_after_merge = 1;
