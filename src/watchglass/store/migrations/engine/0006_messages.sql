-- Texts by the week in which they were last received: `version` is that moment in nanoseconds, so the
-- newest row of a text says how long it is still to be kept, and a week that is over goes as a whole.
-- A text that is used for months is there once a week; without the weeks, deleting a day's texts
-- would mean to rewrite all of them.

DROP TABLE IF EXISTS store.messages_by_week;

CREATE TABLE store.messages_by_week
(
    tenant    LowCardinality(String),
    hash      String,
    role      LowCardinality(String),
    content   String,
    last_time DateTime64(9, 'UTC') CODEC(Delta, Default),
    version   UInt64 CODEC(Delta, Default)
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY intDiv(version, 604800000000000)
ORDER BY (tenant, hash)
SETTINGS merge_selector_base = 25, min_bytes_for_wide_part = 134217728,
    fsync_after_insert = 1, fsync_part_directory = 1,
    min_rows_to_fsync_after_merge = 1, min_compressed_bytes_to_fsync_after_merge = 1;

-- Run again after a kill, this reads what it has written itself, so nothing here names the old time.
INSERT INTO store.messages_by_week (tenant, hash, role, content, last_time, version)
SELECT tenant, hash, role, content, now64(9), toUnixTimestamp64Nano(now64(9))
FROM store.messages FINAL;

EXCHANGE TABLES store.messages_by_week AND store.messages;

DROP TABLE store.messages_by_week;
