-- What providers say they served and charged, line by line as their files have it. A line counts once its file is
-- in bill_files, which is written after the last of its lines: a kill half-way leaves lines that nobody reads.
-- They belong to no tenant, so a reader that is bound to one sees none.

CREATE TABLE IF NOT EXISTS store.bills
(
    file         String,            -- digest of the file's content and of how it was read
    ordinal      UInt32,
    name         LowCardinality(String),
    format       LowCardinality(String),
    taken        UInt64,            -- the same for files that were imported together; grows
    provider     LowCardinality(String),
    since        DateTime64(9, 'UTC'),
    until        DateTime64(9, 'UTC'),
    zone         LowCardinality(String),
    item         LowCardinality(Nullable(String)),
    project      LowCardinality(Nullable(String)),
    key          LowCardinality(Nullable(String)),
    model        LowCardinality(Nullable(String)),
    token_class  LowCardinality(Nullable(String)),
    tier         LowCardinality(Nullable(String)),
    above        Nullable(Int64),
    long_context Bool,
    region       LowCardinality(Nullable(String)),
    tokens       Nullable(Int64),
    requests     Nullable(Int64),
    amount_usd   Nullable(Decimal(76, 38)),
    decimals     UInt8,             -- digits after the point that the amount is written with
    request_id   Nullable(String),
    place        String             -- in the file, for people
)
ENGINE = ReplacingMergeTree(taken)
ORDER BY (file, ordinal)
SETTINGS default_compression_codec = 'ZSTD(1)',
    fsync_after_insert = 1, fsync_part_directory = 1,
    min_rows_to_fsync_after_merge = 1, min_compressed_bytes_to_fsync_after_merge = 1;

CREATE TABLE IF NOT EXISTS store.bill_files
(
    file    String,
    name    String,
    format  LowCardinality(String),
    taken   UInt64,
    lines   UInt64,
    refused String -- JSON: what in it is no line, and what it says itself is missing
)
ENGINE = ReplacingMergeTree(taken)
ORDER BY file
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1,
    min_rows_to_fsync_after_merge = 1, min_compressed_bytes_to_fsync_after_merge = 1;
