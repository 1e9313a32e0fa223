"""The fence: what a reader's own SQL may ask, tried on a real engine."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.new_store import prepared
from tests.stored_rows import call, insert, span
from watchglass.errors import QueryError, QueryLimit, QueryRefused
from watchglass.queries.answers import json_objects
from watchglass.queries.catalogue import read_catalogue
from watchglass.queries.functions import TABLE_FUNCTIONS, read_functions
from watchglass.queries.reader import StoreReader
from watchglass.store import Engine, Limits, open_store


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with open_store(prepared(tmp_path_factory.mktemp("fence") / "data")) as opened:
        insert(opened.engine, "calls", [call(n, tenant="acme", input_tokens=n) for n in range(1, 6)])
        insert(opened.engine, "spans", [span(n, tenant="acme") for n in range(1, 6)])
        yield opened.engine


@pytest.fixture(scope="module")
def reader(engine: Engine) -> StoreReader:
    return StoreReader(engine, limits=Limits(time_s=60, result_rows=1000))


HOSTILE = {
    "other databases": """
        SELECT * FROM system.tables
        SELECT * FROM system.one
        SELECT * FROM `system`.`tables`
        SELECT * FROM "system"."processes"
        SELECT * FROM information_schema.tables
        SELECT * FROM INFORMATION_SCHEMA.COLUMNS
        SELECT * FROM store.calls
        SELECT * FROM `store` . calls
        SELECT * FROM default.foo
        SELECT s.name FROM system.settings AS s
        SELECT * FROM calls, system.one
        SELECT * FROM calls JOIN store.spans ON 1
        SELECT (SELECT count() FROM system.tables)
        SELECT 1 WHERE 1 IN (SELECT 1 FROM system.one)
        SELECT call_id IN store.calls FROM calls
        SELECT call_id IN (store.calls) FROM calls
        SELECT in(call_id, system.one) FROM calls
        SELECT call_id GLOBAL NOT IN system.one FROM calls
        WITH t AS (SELECT * FROM system.tables) SELECT * FROM t
        WITH `system.one` AS (SELECT 1) SELECT * FROM `system.one`, system.one
        WITH system.one AS z SELECT * FROM z
        SELECT * FROM (SELECT * FROM (SELECT * FROM store.messages))
        SELECT 1 UNION ALL SELECT count() FROM store.calls
        SELECT 1 INTERSECT SELECT 1 FROM system.one
        SELECT EXISTS(SELECT 1 FROM system.one)
        SELECT 1 = ANY(SELECT dummy FROM system.one)
        SELECT * FROM calls WHERE time > (SELECT max(time) FROM store.calls)
        SELECT * FROM calls /* FROM calls */ JOIN /* x */ system /**/ . /**/ one ON 1
        FROM system.one SELECT *
        SELECT system.one.dummy FROM calls
        SELECT * FROM calls ORDER BY (SELECT 1 FROM system.one)
        SELECT * FROM calls LIMIT (SELECT 1 FROM system.one)
        SELECT sum(1) OVER (ORDER BY (SELECT 1 FROM system.one)) FROM calls
        SELECT * FROM watchglass.nothing_here
        SELECT * FROM ѕystem.tables
        SELECT * FROM SYSTEM.tables
    """,
    "table functions": """
        SELECT * FROM file('/etc/passwd')
        SELECT * FROM file('/etc/passwd', 'LineAsString')
        SELECT * FROM url('http://127.0.0.1/')
        SELECT * FROM s3('http://127.0.0.1/x')
        SELECT * FROM remote('127.0.0.1', store.calls)
        SELECT * FROM remoteSecure('127.0.0.1', store, calls)
        SELECT * FROM cluster('default', store.calls)
        SELECT * FROM clusterAllReplicas('default', system.one)
        SELECT * FROM merge('store', '.*')
        SELECT * FROM merge(REGEXP('.*'), '.*')
        SELECT * FROM mergeTreeIndex(store, calls)
        SELECT * FROM mergeTreeProjection(store, calls, x)
        SELECT * FROM view(SELECT 1)
        SELECT * FROM viewIfPermitted(SELECT 1 ELSE null('x Int'))
        SELECT * FROM executable('sh', 'TSV', 'x String')
        SELECT * FROM input('x String')
        SELECT * FROM loop(store.calls)
        SELECT * FROM dictionary('x')
        SELECT * FROM sqlite('/x', 'y')
        SELECT * FROM mysql('a', 'b', 'c', 'd', 'e')
        SELECT * FROM postgresql('a', 'b', 'c', 'd', 'e')
        SELECT * FROM generateRandom('x Int')
        SELECT * FROM format('TSV', 'x')
        SELECT * FROM Python(x)
        SELECT * FROM fileCluster('a', 'b')
        SELECT * FROM iceberg('x')
        SELECT * FROM fuzzQuery('SELECT 1')
        SELECT * FROM timeSeriesData(x)
        SELECT * FROM `file`('/etc/passwd')
        SELECT * FROM FILE('/etc/passwd')
        INSERT INTO FUNCTION file('x.tsv') SELECT 1
    """,
    "functions": """
        SELECT sleep(1)
        SELECT sleepEachRow(1) FROM calls
        SELECT `sleep`(1)
        SELECT arrayMap(sleep, [1])
        SELECT arrayMap(x -> sleep(1), [1])
        SELECT arrayFold((a, x) -> sleep(1), [1], 1)
        WITH x -> sleep(1) AS f SELECT f(1)
        SELECT * FROM calls WHERE sleep(1) = 0
        SELECT * FROM calls ORDER BY sleep(1)
        SELECT * FROM calls LIMIT sleep(1)
        SELECT * FROM calls LIMIT 1 BY sleep(1)
        SELECT sum(1) OVER (PARTITION BY sleep(1)) FROM calls
        SELECT sum(1) OVER w FROM calls WINDOW w AS (ORDER BY sleep(1))
        SELECT count() FROM calls GROUP BY sleep(1)
        SELECT count() FROM calls HAVING sleep(1) = 0
        SELECT 1 FROM calls QUALIFY sleep(1) = 0
        SELECT * FROM calls AS a JOIN calls AS b ON sleep(1) = 0
        SELECT * FROM calls ARRAY JOIN [sleep(1)] AS x
        SELECT * REPLACE (sleep(1) AS call_id) FROM calls
        SELECT * APPLY(sleep) FROM calls
        SELECT * APPLY(x -> sleep(1)) FROM calls
        SELECT COLUMNS('tokens') APPLY(sum) FROM calls
        SELECT count() FILTER (WHERE sleep(1) = 0) FROM calls
        SELECT [sleep(1)][1], (sleep(1), 1).1, CASE WHEN sleep(1) = 0 THEN 1 END
        SELECT INTERVAL sleep(1) DAY
        SELECT number FROM numbers(3) ORDER BY number WITH FILL TO sleep(1)
        SELECT number FROM numbers(3) ORDER BY number WITH FILL INTERPOLATE (number AS sleep(1))
        SELECT number FROM numbers(sleep(1))
        SELECT quantile(sleep(1))(1)
        SELECT file('/etc/passwd')
        SELECT dictGet('x', 'y', 1)
        SELECT dictHas('x', 1)
        SELECT joinGet('store.calls', 'x', 1)
        SELECT getSetting('max_threads')
        SELECT getSettingOrDefault('max_threads', 1)
        SELECT getServerSetting('x')
        SELECT getMacro('x')
        SELECT hostName()
        SELECT FQDN()
        SELECT hostname()
        SELECT version()
        SELECT @@version
        SELECT currentUser()
        SELECT user()
        SELECT currentDatabase()
        SELECT database()
        SELECT uptime(), serverUUID(), tcpPort()
        SELECT filesystemAvailable()
        SELECT hasColumnInTable('store', 'calls', 'x')
        SELECT throwIf(1)
        SELECT evalMLMethod(1, 2)
        SELECT addressToLine(1)
        SELECT logTrace('x')
        SELECT showCertificate()
        SELECT getOSKernelVersion()
        SELECT catboostEvaluate('/x', 1)
        SELECT fuzzQuery('SELECT 1')
        SELECT initialQueryID()
        SELECT getClientHTTPHeader('x')
        SELECT aiGenerate('x', 'y')
        SELECT __actionName(1, 'x')
    """,
    "clauses": """
        SELECT 1 FORMAT CSV
        SELECT 1 INTO OUTFILE '/tmp/watchglass-fence'
        SELECT 1 INTO OUTFILE '/tmp/watchglass-fence' APPEND FORMAT TSV
        SELECT 1 SETTINGS max_execution_time = 0
        SELECT 1 SETTINGS readonly = 0
        SELECT * FROM calls SETTINGS additional_table_filters = {}
        SELECT * FROM (SELECT * FROM calls SETTINGS additional_table_filters = {})
        SELECT * FROM (SELECT 1 SETTINGS max_threads = 1)
        SELECT 1 IN (SELECT 1 SETTINGS max_threads = 1)
        WITH t AS (SELECT 1 SETTINGS max_threads = 1) SELECT * FROM t
        SELECT 1 UNION ALL (SELECT 1 SETTINGS max_threads = 1)
        SELECT 1 FORMAT TSV SETTINGS max_threads = 1
        SELECT * FROM calls SAMPLE 1/10
    """,
    "statements": """
        INSERT INTO calls SELECT * FROM calls
        INSERT INTO store.calls VALUES (1)
        DROP TABLE calls
        DROP TABLE store.calls
        DROP DATABASE store
        TRUNCATE TABLE store.calls
        ALTER TABLE store.calls DELETE WHERE 1
        DELETE FROM store.calls WHERE 1
        UPDATE store.calls SET tenant = '' WHERE 1
        CREATE TABLE x (a Int8) ENGINE = Memory
        CREATE TEMPORARY TABLE x (a Int8)
        CREATE VIEW x AS SELECT 1
        CREATE FUNCTION f AS x -> x
        CREATE DICTIONARY d (a Int8) PRIMARY KEY a SOURCE(FILE(path '/x' format 'TSV')) LAYOUT(FLAT())
        OPTIMIZE TABLE store.calls FINAL
        SET max_threads = 1
        USE store
        SYSTEM FLUSH LOGS
        KILL QUERY WHERE 1
        ATTACH TABLE x
        DETACH TABLE store.calls
        RENAME TABLE store.calls TO store.x
        EXCHANGE TABLES store.calls AND store.spans
        BACKUP DATABASE store TO Disk('x', 'y')
        GRANT ALL ON *.* TO x
        SHOW DATABASES
        SHOW TABLES FROM system
        SHOW TABLES LIKE '%'
        SHOW CREATE TABLE calls
        SHOW SETTINGS LIKE '%'
        SHOW PROCESSLIST
        SHOW GRANTS
        SHOW COLUMNS FROM calls FROM system
        DESCRIBE store.calls
        DESCRIBE system.one
        DESCRIBE file('/etc/passwd')
        DESCRIBE (SELECT 1)
        EXISTS TABLE store.calls
        EXPLAIN SELECT 1
        EXPLAIN AST SELECT 1
        EXPLAIN ESTIMATE SELECT * FROM store.calls
        CHECK TABLE store.calls
        SELECT 1 PARALLEL WITH SELECT 2
        BEGIN TRANSACTION
        EXECUTE AS x SELECT 1
        WATCH calls
    """,
}
REFUSED = [
    pytest.param(line.strip(), id=line.strip())
    for lines in HOSTILE.values()
    for line in lines.strip().splitlines()
]

NO_SQL = [
    "",
    "   \n\t ",
    "selec 1",
    "SELECT",
    "SELECT 1; SELECT 2",
    "SELECT 1; DROP TABLE store.calls",
    "SELECT 1 --\n; SELECT 2",
    "SELECT 'abc",
    "SELECT `abc",
    "/* SELECT 1",
    "-- SELECT 1",
    "SELECT {p:UInt8}",
    "SELECT {p:Identifier} FROM calls",
    "SELECT * FROM {t:Identifier}",
    "SELECT \0",
    "SELECT 1\0; DROP TABLE store.calls",
    "SELECT no_such_function(1)",
    "SELECT costs_usd FROM calls",
    "SELECT * FROM nowhere",
    "SELECT \x1b[31m",
    "\ufeffSELECT * FROM system.one",
    "SELECT * FROM calls\u2028JOIN system.one ON 1",
    "(" * 500 + "SELECT 1" + ")" * 500,
    "SELECT " + "(" * 3000 + "1" + ")" * 3000,
    "SELECT '" + "x" * 70_000 + "'",
]

ALLOWED = r"""
    SELECT 1

    select 1;

    SELECT count() FROM calls

    SELECT count() FROM watchglass.calls -- and nothing else

    FROM calls SELECT call_id

    SELECT * FROM calls ORDER BY time DESC LIMIT 3

    SELECT * EXCEPT (metadata) FROM calls

    SELECT COLUMNS('tokens$') FROM calls

    SELECT c.* FROM calls AS c JOIN spans AS s USING (trace_id)

    SELECT tenant, sum(cost_usd) AS usd FROM (SELECT *, 1 AS n FROM usage) GROUP BY ALL WITH
    TOTALS HAVING usd > 0

    WITH per AS (SELECT tenant, count() AS n FROM calls GROUP BY ALL) SELECT * FROM per WHERE
    n > (SELECT avg(n) FROM per) - 1

    WITH RECURSIVE up AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM up WHERE n < 5) SELECT
    sum(n) FROM up

    SELECT toStartOfHour(time) AS hour, countIf(success) FROM calls GROUP BY hour ORDER BY
    hour WITH FILL STEP 3600

    SELECT quantile(0.95)(duration_ns), quantiles(0.5, 0.9)(duration_ns), uniqExact(session),
    argMax(agent, time) FROM calls

    SELECT row_number() OVER (PARTITION BY tenant ORDER BY time), lagInFrame(cost_usd) OVER w
    FROM calls WINDOW w AS (ORDER BY time)

    SELECT CASE WHEN success THEN 'ok' ELSE 'failed' END AS state, count() FROM calls GROUP BY
    state

    SELECT call_id FROM calls WHERE trace_id IN (SELECT trace_id FROM spans) AND tenant IN
    ('acme', 'b')

    WITH ids AS (SELECT call_id FROM calls) SELECT call_id IN ids, call_id IN (ids) FROM calls

    SELECT time > now() - INTERVAL 1 DAY, date_trunc('day', time), extract(YEAR FROM time),
    DATE_DIFF('day', time, now()) FROM calls

    SELECT attributes['gen_ai.system'], mapKeys(attributes) FROM spans

    SELECT JSONExtractString(content, 'role'), length(content), content ILIKE '%x%' FROM
    messages

    SELECT arrayMap(x -> x + 1, [1, 2]), arrayMap(negate, [1]), (1, 'a').2, [1, 2][1], CAST(1
    AS String), '1'::Int8

    SELECT SUM(input_tokens), Count(*), count(DISTINCT tenant), sumIf(input_tokens, success),
    uniqExactIf(tenant, success) FROM calls

    SELECT user, session, count() FROM calls GROUP BY GROUPING SETS ((user), (session)) HAVING
    grouping(user) = 1

    SELECT max(user), arrayFilter(x -> x != '', [user]) FROM calls GROUP BY user

    SELECT * FROM numbers(3)

    SELECT * FROM generate_series(1, 3)

    SELECT * FROM values('a Int8, b String', (1, 'x'))

    SELECT 'FROM system.tables', $$; DROP TABLE x$$, 'it''s', '\''

    SELECT 'a;b' AS `c;d`

    (SELECT 1) UNION ALL (SELECT 2) EXCEPT SELECT 3

    SELECT EXISTS(SELECT 1 FROM calls), 1 BETWEEN 0 AND 2, NULL IS NULL, NOT 1, 'a' || 'b',
    toDecimal128('1.5', 18)

    SHOW TABLES

    DESCRIBE calls

    DESC TABLE watchglass.usage
"""


@pytest.mark.parametrize("sql", REFUSED)
def test_refused(reader: StoreReader, sql: str) -> None:
    """Whatever reaches outside the documented tables is refused or is no SQL, and says so in a sentence."""
    with pytest.raises(QueryError) as refusal:
        list(reader.query(sql).rows())
    assert not isinstance(refusal.value, QueryLimit)
    assert_clean(str(refusal.value))


@pytest.mark.parametrize("sql", NO_SQL, ids=lambda sql: repr(sql)[:40])
def test_no_sql(reader: StoreReader, sql: str) -> None:
    """What is no single statement is an error of the asker, whatever it is."""
    with pytest.raises(QueryError) as refusal:
        list(reader.query(sql).rows())
    assert_clean(str(refusal.value))


@pytest.mark.parametrize("sql", textwrap.dedent(ALLOWED).strip().split("\n\n"))
def test_allowed(reader: StoreReader, sql: str) -> None:
    """SQL as people write it over the documented tables is answered."""
    b"".join(json_objects(reader.query(sql)))


def test_nothing_happened(reader: StoreReader) -> None:
    """After all hostile statements every row is still there."""
    assert list(reader.query("SELECT count() FROM calls").rows()) == [[5]]
    assert list(reader.query("SELECT count() FROM spans").rows()) == [[5]]


def test_every_documented_table_can_be_read_and_described(engine: Engine, reader: StoreReader) -> None:
    """The tables that SHOW TABLES lists are the ones that open, with or without the database's name."""
    names = [row[0] for row in reader.query("SHOW TABLES").rows()]
    assert names == sorted(read_catalogue(engine).tables)
    for name in names:
        columns = [row[0] for row in reader.query(f"DESCRIBE {name}").rows()]
        assert reader.query(f"SELECT * FROM {name}").names == columns
        assert reader.query(f"SELECT * FROM watchglass.{name} LIMIT 0").names == columns


def test_every_closed_function_is_refused_wherever_it_stands(engine: Engine, reader: StoreReader) -> None:
    """No function outside the open list gets through, called or handed over by name."""
    functions = read_functions(engine)
    names = engine.execute("SELECT name FROM system.functions")["name"].to_pylist()
    closed = [name for name in names if not functions.allows(name)]
    assert {"sleep", "file", "dictGet", "getSetting", "hostName", "joinGet", "version"} <= set(closed)
    for name in closed[::7]:
        with pytest.raises(QueryError):
            reader.query(f"SELECT `{name}`(1)")


def test_every_other_table_function_is_refused(engine: Engine, reader: StoreReader) -> None:
    """Of the engine's table functions only those that make rows out of nothing are open."""
    for name in engine.execute("SELECT name FROM system.table_functions")["name"].to_pylist():
        if name not in TABLE_FUNCTIONS:
            with pytest.raises(QueryError):
                reader.query(f"SELECT * FROM `{name}`(1)")


@pytest.mark.parametrize(
    ("sql", "limit"),
    [
        ("SELECT sum(cityHash64(number)) FROM numbers(1000000000000)", "time_s"),
        ("SELECT count() FROM numbers(100000) AS a, numbers(100000) AS b, numbers(10000) AS c", "time_s"),
        ("SELECT number FROM numbers(1001)", "result_rows"),
        ("SELECT groupArray(number) FROM numbers(100000000)", "memory_bytes"),
        (
            "SELECT number FROM numbers(100000000) ORDER BY cityHash64(number) LIMIT 1 OFFSET 90000000",
            "memory_bytes",
        ),
    ],
)
def test_limits_are_errors(engine: Engine, sql: str, limit: str) -> None:
    """Over a limit of time, rows or memory there is an error, never a shortened answer."""
    limits = Limits(time_s=0.5 if limit == "time_s" else 20, result_rows=1000, memory_bytes=64 << 20)
    with pytest.raises(QueryLimit):
        list(StoreReader(engine, limits=limits).query(sql).rows())


def test_the_last_row_inside_the_limit_is_answered(engine: Engine) -> None:
    """Exactly as many rows as allowed are all there."""
    reader = StoreReader(engine, limits=Limits(result_rows=1000))
    assert len(list(reader.query("SELECT number FROM numbers(1000)").rows())) == 1000


WORDS = st.sampled_from(
    [
        *(
            "SELECT",
            "FROM",
            "WHERE",
            "UNION ALL",
            "JOIN",
            "ON",
            "IN",
            "AS",
            "WITH",
            "SETTINGS",
            "FORMAT",
            "INTO",
        ),
        *(
            "OUTFILE",
            "EXPLAIN",
            "AST",
            "TSV",
            "calls",
            "spans",
            "system",
            "one",
            "tables",
            "store",
            "numbers",
        ),
        *(
            "sleep",
            "file",
            "readonly",
            "x",
            "0",
            "1",
            "=",
            ".",
            ",",
            "*",
            "(",
            ")",
            "[",
            "]",
            "{",
            "}",
            ":",
            "->",
        ),
        *(";", "--", "/*", "*/", "'", "`", '"', "$$", "\\", "\n", "\0", "\u00a0"),
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(WORDS, max_size=14))
def test_no_mixture_of_words_gets_past(engine: Engine, words: list[str]) -> None:
    """Whatever words are strung together, a reader gets rows of documented tables or a QueryError."""
    reader = StoreReader(engine, limits=Limits(time_s=2, result_rows=1000))
    sql = " ".join(["SELECT", *words])
    try:
        text = b"".join(json_objects(reader.query(sql))).decode()
    except QueryError as refusal:
        assert_clean(str(refusal))
    else:
        assert "MergeTree" not in text


def assert_clean(message: str) -> None:
    """No paths, stack frames, codes or versions of the engine, and no traces of how it was asked."""
    for leak in ("DB::Exception", "Stack trace", "/tmp/", "Code:", "(version", "formatQuerySingleLine"):
        assert leak not in message
    assert message


def test_messages_say_what_to_do(reader: StoreReader) -> None:
    """A refusal names the tables there are; a mistyped column its nearest one."""
    with pytest.raises(
        QueryRefused, match=r"system\.tables is not open to readers; the tables are .*calls, flows, .*logs"
    ):
        reader.query("SELECT * FROM system.tables")
    with pytest.raises(QueryError, match=r"no table invoices; the tables are .*calls"):
        reader.query("SELECT * FROM invoices")
    with pytest.raises(QueryError, match=r"no column costusd here; did you mean cost_usd"):
        reader.query("SELECT costusd FROM calls")
