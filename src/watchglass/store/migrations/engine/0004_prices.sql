-- The price book as a table, for those who read prices with SQL: the price that wins, time after time.
-- Written whole whenever the book changes, as one insert of a new edition; only the latest counts.

CREATE TABLE IF NOT EXISTS store.prices
(
    edition        UInt64,
    provider       LowCardinality(String),
    model          String,
    tier           LowCardinality(Nullable(String)),
    since          Nullable(DateTime64(9, 'UTC')),
    until          Nullable(DateTime64(9, 'UTC')),
    daily          LowCardinality(Nullable(String)),
    -- US dollars a million tokens.
    input          Nullable(Decimal(38, 18)),
    output         Nullable(Decimal(38, 18)),
    cache_read     Nullable(Decimal(38, 18)),
    cache_write    Nullable(Decimal(38, 18)),
    cache_write_1h Nullable(Decimal(38, 18)),
    reasoning      Nullable(Decimal(38, 18)),
    input_audio    Nullable(Decimal(38, 18)),
    output_audio   Nullable(Decimal(38, 18)),
    per_request    Decimal(38, 18),
    above          String, -- JSON: {"200000": {"input": "6", …}, …}
    source         LowCardinality(String),
    price_id       String,
    citation       Nullable(String),
    dated          Bool
)
ENGINE = MergeTree
PARTITION BY edition
ORDER BY (provider, model)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1,
    min_rows_to_fsync_after_merge = 1, min_compressed_bytes_to_fsync_after_merge = 1;
