"""The scope: a reader never learns of a row that is not of its tenants, however it asks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.new_store import prepared
from tests.stored_rows import NOON_NS, call, insert, span
from watchglass.errors import NotFound, QueryError
from watchglass.queries.answers import json_objects
from watchglass.queries.catalogue import DATABASE, read_catalogue
from watchglass.queries.reader import StoreReader
from watchglass.queries.scope import EVERYTHING, Scope, row_filters
from watchglass.queries.usage import UsageQuestion
from watchglass.store import SCHEMAS, Engine, Limits, open_store

MINE, FOREIGN = "acme", "umbrella"
SECRET = "hunter2"
HOSTILE_NAMES = [
    "it's",
    "back\\slash",
    "a'} , x",
    "\\'",
    "') OR 1 --",
    "{}",
    "é中\U0001f600",
    "new\nline",
    "1",
    "umbrella'",
]


def rows_of(tenant: str | None, first: int) -> dict[str, list[dict[str, Any]]]:
    """Rows of every table for one tenant; the foreign ones say the secret in every text."""
    word = SECRET if tenant == FOREIGN else f"of {tenant}"
    texts = {"name": word, "content": word, "body": word, "session": word, "agent": word, "service": word}
    numbers = range(first, first + 3)
    return {
        "calls": [
            call(n, tenant=tenant, input_tokens=7, error_message=word, **_some("calls", texts))
            for n in numbers
        ],
        "spans": [span(n, tenant=tenant, trace_id=f"{n:032x}", **_some("spans", texts)) for n in numbers],
        # Every tenant has flows of the same ids.
        "tasks": [
            {
                "task_id": f"{n}",
                "kind": "flow",
                "tenant": tenant,
                "time": NOON_NS,
                "flow": f"f{n - first}",
                "name": word,
                "status": "failed",
                "error_message": word,
                "outermost": True,
                "version": 1,
            }
            for n in numbers
        ],
        "messages": [
            {"tenant": tenant or "", "hash": f"{n:032x}", "content": word, "version": 1} for n in numbers
        ],
        "logs": [
            {"log_id": f"{n}", "tenant": tenant, "time": NOON_NS, "body": word, "version": 1} for n in numbers
        ],
        "metrics": [
            {"point_id": f"{n}", "tenant": tenant, "time": NOON_NS, "name": word, "version": 1}
            for n in numbers
        ],
        "rejects": [{"time": NOON_NS, "reason": word} for _ in numbers],
    }


def _some(table: str, texts: dict[str, str]) -> dict[str, str]:
    return {name: text for name, text in texts.items() if name in SCHEMAS[table].names}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with open_store(prepared(tmp_path_factory.mktemp("scope") / "data")) as opened:
        for number, tenant in enumerate([MINE, FOREIGN, None, *HOSTILE_NAMES]):
            for table, rows in rows_of(tenant, 10 * (number + 1)).items():
                insert(opened.engine, table, rows)
        insert(opened.engine, "calls", [call(1, tenant="before", version=1)])
        insert(opened.engine, "calls", [call(1, tenant="after", version=2)])
        yield opened.engine


@pytest.fixture(scope="module")
def mine(engine: Engine) -> StoreReader:
    return StoreReader(engine, scope=Scope(frozenset({MINE})), limits=Limits(time_s=60))


def answer(reader: StoreReader, sql: str) -> str:
    return b"".join(json_objects(reader.query(sql))).decode()


def value(reader: StoreReader, sql: str) -> object:
    return next(iter(reader.query(sql).rows()))[0]


@pytest.mark.parametrize(
    "table", ["calls", "usage", "tasks", "flows", "spans", "messages", "logs", "metrics"]
)
def test_each_table_shows_only_its_tenants_rows(mine: StoreReader, table: str) -> None:
    """A scoped reader sees its tenant's three rows of each table and no other tenant's name."""
    assert list(mine.query(f"SELECT tenant, count() FROM {table} GROUP BY tenant").rows()) == [[MINE, 3]]
    assert value(mine, f"SELECT count() FROM {table}") == 3


def test_rows_of_nobody_show_a_scoped_reader_nothing(engine: Engine, mine: StoreReader) -> None:
    """Rejects that came without a tenant's key are seen by an unscoped reader only."""
    assert value(mine, "SELECT count() FROM rejects") == 0
    assert value(StoreReader(engine), "SELECT count() FROM rejects") == 3 * (3 + len(HOSTILE_NAMES))


def test_every_table_of_the_store_has_a_filter(engine: Engine) -> None:
    """Nothing that holds rows is left out, so that a new table starts closed."""
    catalogue = read_catalogue(engine)
    filters = row_filters(Scope(frozenset({MINE})), catalogue.everything)
    found = engine.execute(
        "SELECT database || '.' || name AS name FROM system.tables WHERE database IN ('store', 'watchglass')"
    )
    assert set(filters) == set(found["name"].to_pylist())
    assert {f"{DATABASE}.{name}" for name in catalogue.tables} <= set(filters)


def test_no_scope_sees_everything(engine: Engine) -> None:
    """An unscoped reader sees rows of every tenant and of none."""
    assert row_filters(EVERYTHING, {"store.calls": ["tenant"]}) == {}
    assert value(StoreReader(engine), "SELECT count() FROM calls") == 3 * (3 + len(HOSTILE_NAMES)) + 1


def test_an_empty_scope_sees_nothing(engine: Engine) -> None:
    """No tenants is not every tenant."""
    nobody = StoreReader(engine, scope=Scope(frozenset()))
    assert value(nobody, "SELECT count() FROM calls") == 0


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_a_tenants_name_is_only_a_name(engine: Engine, name: str) -> None:
    """Quotes, backslashes and SQL in a tenant's name select that tenant and nothing else."""
    reader = StoreReader(engine, scope=Scope(frozenset({name})))
    assert list(reader.query("SELECT tenant, count() FROM calls GROUP BY ALL").rows()) == [[name, 3]]


def test_several_tenants(engine: Engine) -> None:
    """A scope of two shows the rows of both."""
    both = StoreReader(engine, scope=Scope(frozenset({MINE, FOREIGN})))
    assert value(both, "SELECT count() FROM calls") == 6


SHAPES = [
    "SELECT * FROM {t}",
    "SELECT count(), any({c}) FROM {t}",
    "SELECT * FROM watchglass.{t} AS `store.{t}`",
    "SELECT * FROM (SELECT * FROM {t}) AS {t}",
    "WITH {t} AS (SELECT * FROM watchglass.{t}) SELECT * FROM {t}",
    "WITH a AS (SELECT * FROM {t}), b AS (SELECT * FROM a UNION ALL SELECT * FROM {t}) SELECT * FROM b",
    "WITH RECURSIVE r AS (SELECT {c} AS v, 1 AS n FROM {t} UNION ALL SELECT v, n+1 FROM r WHERE n<3) FROM r",
    "SELECT * FROM {t} UNION ALL SELECT * FROM {t}",
    "(SELECT {c} FROM {t} EXCEPT SELECT 'x') UNION DISTINCT (SELECT {c} FROM {t})",
    "SELECT {c} FROM {t} INTERSECT SELECT {c} FROM {t}",
    "SELECT a.{c}, b.{c} FROM {t} AS a CROSS JOIN {t} AS b",
    "SELECT a.{c}, b.{c} FROM {t} AS a FULL OUTER JOIN {t} AS b ON a.{c} = b.{c}",
    "SELECT a.{c} FROM {t} AS a LEFT ANTI JOIN {t} AS b ON a.{c} = concat(b.{c}, '')",
    "SELECT a.{c}, c.call_id FROM {t} AS a, calls AS c, usage AS u",
    "SELECT * FROM numbers(3) AS n LEFT JOIN {t} AS b ON 1 = 1",
    "SELECT (SELECT groupArray({c}) FROM {t})",
    "SELECT * FROM numbers(1) WHERE EXISTS(SELECT 1 FROM {t} WHERE {c} = '{secret}')",
    "SELECT number FROM numbers(1) WHERE '{secret}' IN (SELECT {c} FROM {t})",
    "SELECT [(SELECT any({c}) FROM {t})], map('a', (SELECT max({c}) FROM {t}))",
    "SELECT {c}, row_number() OVER (ORDER BY {c}) FROM {t} ORDER BY 2 DESC",
    "SELECT {c} FROM {t} WHERE tenant = '{foreign}' OR tenant IS NULL OR 1 = 1",
    "SELECT {c} FROM {t} WHERE NOT (tenant = '{mine}')",
    "SELECT {c} FROM {t} PREWHERE {c} != ''",
    "SELECT DISTINCT tenant, {c} FROM {t} ORDER BY ALL LIMIT 100 OFFSET 0",
    "SELECT {c}, count() FROM {t} GROUP BY {c} WITH ROLLUP WITH TOTALS",
    "SELECT * REPLACE ('{mine}' AS tenant) FROM {t}",
    "SELECT tenant AS x, '{foreign}' AS tenant, {c} FROM {t} WHERE tenant = '{foreign}'",
    "WITH '{mine}' AS tenant SELECT {c} FROM {t} WHERE tenant = '{mine}'",
    "SELECT {c} FROM (SELECT '{mine}' AS tenant, {c} FROM {t})",
    "SELECT arrayJoin(groupArray({c})) FROM {t}",
    "SELECT {c} FROM {t} ARRAY JOIN ['{foreign}', '{mine}'] AS tenant",
    "SELECT count() FROM {t} WHERE toInt64({c}) = 1",
    "SELECT count() FROM {t} AS a JOIN {t} AS b ON toInt64OrNull(a.{c}) IS NULL AND toInt64(b.{c}) = 1",
    "SELECT sum(toUInt8({c})) FROM {t}",
    "SELECT {c} FROM {t} FINAL",
    "SELECT * FROM {t} SETTINGS additional_table_filters = {{}}",
    "SELECT * FROM (SELECT * FROM {t} SETTINGS additional_table_filters = {{'watchglass.{t}': '1'}})",
    "SELECT * FROM merge('watchglass', '{t}')",
    "SELECT * FROM merge('store', '.*')",
    "SELECT * FROM remote('127.0.0.1', watchglass.{t})",
    "SELECT * FROM view(SELECT * FROM {t})",
    "SELECT * FROM store.{t}",
    "SELECT {c} IN store.{t} FROM {t}",
    "SELECT dictGet('{t}', '{c}', 1)",
    "SELECT joinGet('store.{t}', '{c}', 1)",
]
COLUMNS = {
    "calls": "error_message",
    "usage": "session",
    "tasks": "error_message",
    "flows": "name",
    "spans": "name",
    "messages": "content",
    "logs": "body",
    "metrics": "name",
}


@pytest.mark.parametrize("table", ["usage", "flows", "messages"])
@pytest.mark.parametrize("shape", SHAPES)
def test_no_shape_of_question_shows_a_foreign_row(mine: StoreReader, shape: str, table: str) -> None:
    """Joins, unions, subqueries, aliases, CTEs, windows and settings stay inside the scope, errors too."""
    sql = shape.format(t=table, c=COLUMNS[table], secret="zzz", foreign="zzz", mine=MINE)
    assert_says_nothing(mine, sql)


@pytest.mark.parametrize("table", COLUMNS)
@pytest.mark.parametrize("shape", [shape for shape in SHAPES if "{secret}" in shape])
def test_a_guess_at_a_foreign_value_is_not_confirmed(mine: StoreReader, shape: str, table: str) -> None:
    """Who already suspects a foreign value learns nothing by asking whether it is there."""
    sql = shape.format(t=table, c=COLUMNS[table], secret=SECRET)
    assert answer(mine, sql) == "[]\n"


def assert_says_nothing(reader: StoreReader, sql: str) -> None:
    """No foreign text is in the answer or the error."""
    try:
        text = answer(reader, sql)
    except QueryError as refusal:
        text = str(refusal)
    assert SECRET not in text
    assert FOREIGN not in text


PIECES = st.recursive(
    st.sampled_from([f"SELECT {c} AS v, tenant FROM {t}" for t, c in COLUMNS.items()]),
    lambda inner: st.one_of(
        inner.map(lambda q: f"SELECT v, tenant FROM ({q}) AS calls"),
        st.tuples(inner, inner).map(lambda p: f"({p[0]}) UNION ALL ({p[1]})"),
        st.tuples(inner, inner).map(lambda p: f"({p[0]}) EXCEPT ({p[1]})"),
        st.tuples(inner, inner).map(
            lambda p: (
                f"SELECT a.v AS v, b.tenant AS tenant FROM ({p[0]}) a LEFT JOIN ({p[1]}) b USING (tenant)"
            )
        ),
        st.tuples(inner, inner).map(
            lambda p: (
                f"WITH usage AS ({p[0]}) SELECT v, tenant FROM ({p[1]}) WHERE v NOT IN (SELECT v FROM usage)"
            )
        ),
        inner.map(lambda q: f"SELECT max(v) AS v, any(tenant) AS tenant FROM ({q}) GROUP BY v WITH TOTALS"),
        inner.map(lambda q: f"SELECT v, (SELECT any(tenant) FROM ({q})) AS tenant FROM ({q})"),
        inner.map(lambda q: f"SELECT last_value(v) OVER (ORDER BY tenant) AS v, tenant FROM ({q})"),
    ),
    max_leaves=6,
)


@settings(max_examples=60, deadline=None)
@given(PIECES)
def test_no_composition_shows_a_foreign_row(mine: StoreReader, sql: str) -> None:
    """Questions nested into each other at random stay inside the scope."""
    assert_says_nothing(mine, sql)


def test_named_questions_are_scoped_alike(engine: Engine, mine: StoreReader) -> None:
    """Usage and traces show a scoped reader its own rows; a foreign trace is not found."""
    report = mine.usage(UsageQuestion(by=("tenant",)))
    assert [row.group["tenant"] for row in report.counted.rows] == [MINE]
    assert report.counted.totals.calls == 3
    own, foreign = f"{10:032x}", f"{20:032x}"
    assert mine.trace(own).trace_id == own
    assert StoreReader(engine).trace(foreign).trace_id == foreign
    with pytest.raises(NotFound):
        mine.trace(foreign)


def test_questions_of_pages_are_scoped_alike(mine: StoreReader) -> None:
    """A function that is given the engine reads the reader's rows alone, of tables and of views."""

    def tenants(engine: Engine, limits: Limits) -> set[str | None]:
        tables = ("calls", "store.calls", "usage", "tasks", "store.tasks", "flows")
        found = [engine.execute(f"SELECT DISTINCT tenant FROM {each}", limits=limits) for each in tables]
        return {tenant for each in found for tenant in each["tenant"].to_pylist()}

    assert mine.answer(tenants) == {MINE}


def test_a_row_that_changed_tenant_is_seen_by_its_present_tenant_only(engine: Engine) -> None:
    """The scope looks at the latest version: an older one of another tenant does not come back to light."""
    before = StoreReader(engine, scope=Scope(frozenset({"before"})))
    after = StoreReader(engine, scope=Scope(frozenset({"after"})))
    assert value(before, "SELECT count() FROM calls") == 0
    assert value(after, "SELECT count() FROM calls") == 1
