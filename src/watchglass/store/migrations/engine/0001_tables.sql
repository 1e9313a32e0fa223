-- The physical tables. Readers never see these: they see the views of views.sql.
--
-- Every table but rejects is a ReplacingMergeTree: the row with the highest version wins, so a
-- resent batch changes nothing and settling is a new version. All are synced to disk before an
-- insert returns (fsync_after_insert, fsync_part_directory), and so is a merge before its sources
-- go (min_*_to_fsync_after_merge), or a loss of power after a merge would lose what was acknowledged.
-- merge_selector_base: fewer, wider merges than the engine's own 5, for two dozen small parts more
-- to read; min_bytes_for_wide_part: one file a part instead of one a column until it is large.
-- Together they take two fifths off what merging costs. Messages alone have no codec of their own: what is small
-- is packed by lz4, what stays by zstd (settings.py); elsewhere lz4 saved next to nothing.
--
-- owner: the tenant that the writer's key is bound to, '' where it is bound to none. It is part of a
-- row's identity, so that nobody can overwrite another writer's rows by sending their ids.

CREATE DATABASE IF NOT EXISTS store;

CREATE TABLE IF NOT EXISTS store.spans
(
    trace_id         String,
    span_id          String,
    parent_span_id   String,
    name             LowCardinality(String),
    kind             UInt8,
    start_time       DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    duration_ns      Nullable(Int64),
    status           UInt8,
    status_message   String,
    service          LowCardinality(Nullable(String)),
    scope            LowCardinality(String),
    scope_version    LowCardinality(String),
    tenant           LowCardinality(Nullable(String)),
    own_context      Map(LowCardinality(String), String),
    resource_context Map(LowCardinality(String), String),
    process          LowCardinality(String),
    attributes       Map(LowCardinality(String), String),
    attribute_types  Map(LowCardinality(String), LowCardinality(String)),
    content_keys     Array(LowCardinality(String)),
    events           String,
    links            String,
    resource         String,
    trace_state      String,
    flags            UInt32,
    owner            LowCardinality(String),
    version          UInt64 CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(start_time)
ORDER BY (trace_id, span_id, owner)
SETTINGS default_compression_codec = 'ZSTD(1)', merge_selector_base = 25, min_bytes_for_wide_part = 134217728,
    fsync_after_insert = 1, fsync_part_directory = 1,
    min_rows_to_fsync_after_merge = 1, min_compressed_bytes_to_fsync_after_merge = 1;

CREATE TABLE IF NOT EXISTS store.calls
(
    call_id               String,
    trace_id              String,
    span_id               String,
    parent_span_id        String,
    time                  DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    kind                  LowCardinality(String),
    tenant                LowCardinality(Nullable(String)),
    engagement            LowCardinality(Nullable(String)),
    feature               LowCardinality(Nullable(String)),
    flow                  Nullable(String),
    flow_type             LowCardinality(Nullable(String)),
    phase                 LowCardinality(Nullable(String)),
    task                  Nullable(String),
    agent                 LowCardinality(Nullable(String)),
    session               Nullable(String),
    user                  Nullable(String),
    environment           LowCardinality(Nullable(String)),
    service               LowCardinality(Nullable(String)),
    process               String,
    scope                 LowCardinality(String),
    provider              LowCardinality(Nullable(String)),
    provider_source       LowCardinality(Nullable(String)),
    provider_label        LowCardinality(Nullable(String)),
    server_address        LowCardinality(Nullable(String)),
    request_model         LowCardinality(Nullable(String)),
    response_model        LowCardinality(Nullable(String)),
    operation             LowCardinality(String),
    response_id           Nullable(String),
    input_tokens          Nullable(Int64),
    output_tokens         Nullable(Int64),
    cache_read_tokens     Nullable(Int64),
    cache_write_tokens    Nullable(Int64),
    cache_write_1h_tokens Nullable(Int64),
    reasoning_tokens      Nullable(Int64),
    input_audio_tokens    Nullable(Int64),
    output_audio_tokens   Nullable(Int64),
    total_tokens_reported Nullable(Int64),
    cost_usd              Nullable(Decimal(38, 18)),
    reported_cost_usd     Nullable(Decimal(38, 18)),
    price_source          LowCardinality(Nullable(String)),
    price_id              LowCardinality(Nullable(String)),
    unpriced_reason       LowCardinality(Nullable(String)),
    service_tier          LowCardinality(Nullable(String)),
    duration_ns           Nullable(Int64),
    ttft_ns               Nullable(Int64),
    streaming             Nullable(Bool),
    finish_reasons        Array(LowCardinality(String)),
    success               Bool,
    error_type            LowCardinality(Nullable(String)),
    error_message         Nullable(String),
    counted               Bool,
    not_counted_reason    LowCardinality(Nullable(String)),
    duplicate_of          Nullable(String),
    may_wrap              Bool,
    supplements_span_id   Nullable(String),
    dialect               LowCardinality(String),
    code_file             LowCardinality(Nullable(String)),
    code_line             Nullable(UInt32),
    code_function         LowCardinality(Nullable(String)),
    input_messages        Array(String),
    output_messages       Array(String),
    metadata              Map(LowCardinality(String), String),
    -- The facts as first described (JSON), once settling has written others into the columns.
    origin                String,
    owner                 LowCardinality(String),
    version               UInt64 CODEC(Delta, ZSTD(1)),
    INDEX by_trace trace_id TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(time)
ORDER BY (toStartOfHour(time), trace_id, span_id, call_id, owner)
SETTINGS default_compression_codec = 'ZSTD(1)', merge_selector_base = 25, min_bytes_for_wide_part = 134217728,
    fsync_after_insert = 1, fsync_part_directory = 1,
    min_rows_to_fsync_after_merge = 1, min_compressed_bytes_to_fsync_after_merge = 1;

CREATE TABLE IF NOT EXISTS store.messages
(
    tenant     LowCardinality(String),
    hash       String,
    role       LowCardinality(String),
    content    String,
    first_time DateTime64(9, 'UTC') CODEC(Delta, Default),
    version    UInt64 CODEC(Delta, Default)
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (tenant, hash)
SETTINGS merge_selector_base = 25, min_bytes_for_wide_part = 134217728,
    fsync_after_insert = 1, fsync_part_directory = 1,
    min_rows_to_fsync_after_merge = 1, min_compressed_bytes_to_fsync_after_merge = 1;

CREATE TABLE IF NOT EXISTS store.logs
(
    log_id          String,
    time            DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    observed_time   DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    trace_id        String,
    span_id         String,
    severity        UInt8,
    severity_text   LowCardinality(String),
    event_name      LowCardinality(String),
    body            String,
    attributes      Map(LowCardinality(String), String),
    attribute_types Map(LowCardinality(String), LowCardinality(String)),
    input_messages  Array(String),
    output_messages Array(String),
    tenant          LowCardinality(Nullable(String)),
    service         LowCardinality(Nullable(String)),
    scope           LowCardinality(String),
    resource        String,
    owner           LowCardinality(String),
    version         UInt64 CODEC(Delta, ZSTD(1)),
    INDEX by_trace trace_id TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(time)
ORDER BY (toStartOfHour(time), trace_id, span_id, log_id, owner)
SETTINGS default_compression_codec = 'ZSTD(1)', merge_selector_base = 25, min_bytes_for_wide_part = 134217728,
    fsync_after_insert = 1, fsync_part_directory = 1,
    min_rows_to_fsync_after_merge = 1, min_compressed_bytes_to_fsync_after_merge = 1;

CREATE TABLE IF NOT EXISTS store.metrics
(
    point_id        String,
    name            LowCardinality(String),
    kind            LowCardinality(String),
    unit            LowCardinality(String),
    description     LowCardinality(String),
    time            DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    start_time      Nullable(DateTime64(9, 'UTC')),
    value           Nullable(Float64),
    value_int       Nullable(Int64),
    count           Nullable(UInt64),
    sum             Nullable(Float64),
    data            String,
    attributes      Map(LowCardinality(String), String),
    attribute_types Map(LowCardinality(String), LowCardinality(String)),
    temporality     LowCardinality(String),
    monotonic       Nullable(Bool),
    tenant          LowCardinality(Nullable(String)),
    service         LowCardinality(Nullable(String)),
    scope           LowCardinality(String),
    resource        String,
    owner           LowCardinality(String),
    version         UInt64 CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(time)
ORDER BY (name, time, point_id, owner)
SETTINGS default_compression_codec = 'ZSTD(1)', merge_selector_base = 25, min_bytes_for_wide_part = 134217728,
    fsync_after_insert = 1, fsync_part_directory = 1,
    min_rows_to_fsync_after_merge = 1, min_compressed_bytes_to_fsync_after_merge = 1;

CREATE TABLE IF NOT EXISTS store.rejects
(
    time     DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    signal   LowCardinality(String),
    where    String,
    reason   String,
    trace_id String,
    span_id  String,
    source   String,
    tenant   LowCardinality(Nullable(String))
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(time)
ORDER BY time
SETTINGS default_compression_codec = 'ZSTD(1)', merge_selector_base = 25, min_bytes_for_wide_part = 134217728,
    fsync_after_insert = 1, fsync_part_directory = 1,
    min_rows_to_fsync_after_merge = 1, min_compressed_bytes_to_fsync_after_merge = 1;
