"""Generated SQL against a tenant's reader: no foreign row, write, file, network or thing of the engine.

Statements are grown from a grammar as tokens, which are then joined by any blanks and comments and in any
case. Some tokens are *poison*: wherever they stand as code, the statement must be refused. They are never
put where they are only text, so that this is known of each statement without asking the fence.
"""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.new_store import prepared
from tests.stored_rows import NOON_NS, call, insert, span
from watchglass.errors import QueryError, WatchglassError
from watchglass.queries.answers import json_objects
from watchglass.queries.reader import StoreReader
from watchglass.queries.scope import Scope
from watchglass.store import Limits, Store, open_store

MINE, SECRET = "acme", "hunter2"
HEAVY = [HealthCheck.too_slow, HealthCheck.data_too_large]
FILE_TEXT = "text-of-a-file"
COLUMNS = {
    "calls": ("call_id", "error_message", "tenant", "input_tokens"),
    "usage": ("agent", "session", "tenant", "cost_usd"),
    "spans": ("name", "tenant", "attributes", "span_id"),
    "messages": ("content", "tenant", "hash"),
    "logs": ("body", "tenant"),
    "rejects": ("reason", "tenant"),
    "audit": ("reason", "tenant", "remote"),
    "metrics": ("name", "tenant"),
}


@dataclass(frozen=True)
class Piece:
    """Tokens, and whether one of them is poison."""

    tokens: tuple[str, ...]
    poisoned: bool = False


def piece(*parts: str | Piece) -> Piece:
    """Parts in a row; texts are split at blanks."""
    tokens: list[str] = []
    for part in parts:
        tokens += part.tokens if isinstance(part, Piece) else part.split(" ")
    return Piece(tuple(tokens), any(isinstance(part, Piece) and part.poisoned for part in parts))


def poison(text: str) -> Piece:
    """Tokens of which one must never be answered."""
    return Piece(tuple(text.split(" ")), True)


HOSTS = "http://127.0.0.1:PORT/x"
POISON_SOURCES = [
    *("system.tables", "system . settings", "`system`.`one`", '"system".processes', "system.query_log"),
    *("system.numbers", "information_schema.tables", "INFORMATION_SCHEMA.COLUMNS", "default.anything"),
    *("store.calls", "store.spans FINAL", "`store` . `messages`", '"store".audit', "store.usage_hourly"),
    *(f"url( '{HOSTS}' , CSV , 'a String' )", f"url('{HOSTS}')", f"s3( '{HOSTS}' )", "file( 'FILE' )"),
    *("file( 'FILE' , 'LineAsString' )", "FILE('FILE')", "fileCluster( 'a' , 'FILE' )"),
    *("remote( '127.0.0.1' , store.calls )", "remoteSecure('127.0.0.1',store,calls)"),
    *("cluster( 'default' , store.calls )", "clusterAllReplicas('default',system.one)"),
    *("merge( 'store' , '.*' )", "merge( 'watchglass' , '.*' )", "merge(REGEXP('.*'),'.*')"),
    *("mergeTreeIndex( store , calls )", "executable( 'sh' , TSV , 'a String' )", "input( 'a String' )"),
    *("view( SELECT 1 )", "viewIfPermitted( SELECT 1 ELSE null('a Int') )", "dictionary( 'a' )"),
    *("loop( store.calls )", "generateRandom( 'a Int' )", "sqlite( 'FILE' , 'a' )", "Python( a )"),
    *("mysql('a','b','c','d','e')", "postgresql('a','b','c','d','e')", "format( 'TSV' , 'a' )"),
    *("deltaLake( 'a' )", "hdfs( 'a' )", "azureBlobStorage( 'a' )", "mongodb( 'a' )", "redis( 'a' )"),
]
POISON_VALUES = [
    *("sleep( 1 )", "sleepEachRow( 1 )", "`sleep`( 3 )", "arrayMap( x -> sleep( x ) , [1] )"),
    *(
        "arrayMap( sleep , [1] )",
        "dictGet( 'a' , 'b' , 1 )",
        "dictHas( 'a' , 1 )",
        "joinGet( 'a' , 'b' , 1 )",
    ),
    *(
        "getSetting( 'max_threads' )",
        "getMacro( 'a' )",
        "currentUser()",
        "hostName()",
        "version()",
        "uptime()",
    ),
    *("file( 'FILE' )", "filesystemAvailable()", "filesystemCapacity()", "currentDatabase()", "serverUUID()"),
    *("getServerPort( 'tcp_port' )", "queryID()", "connectionId()", "tcpPort()", "buildId()", "user()"),
    *("catboostEvaluate( 'FILE' , 1 )", "hasColumnInTable( 'store' , 'calls' , 'tenant' )"),
    *(
        "throwIf( 1 )",
        "showCertificate()",
        "globalVariable( 'a' )",
        "addressToSymbol( 1 )",
        "demangle( 'a' )",
    ),
    *("evalMLMethod( 1 )", "blockSerializedSize( 1 )", "displayName()", "isMergeTreePartCoveredBy('a','b')"),
]
POISON_ENDS = [
    *("INTO OUTFILE 'OUT'", "INTO OUTFILE 'OUT' TRUNCATE", "FORMAT TSV", "INTO OUTFILE 'OUT' FORMAT CSV"),
    *("SETTINGS max_threads = 1", "SETTINGS additional_table_filters = {}", "SETTINGS readonly = 0"),
    *("; SELECT 1", "; DROP TABLE store.calls", "PARALLEL WITH SELECT 1"),
]
POISON_STARTS = [
    *(
        "EXPLAIN",
        "EXPLAIN AST",
        "EXPLAIN PLAN",
        "EXPLAIN ESTIMATE",
        "INSERT INTO store.calls",
        "DESCRIBE TABLE",
    ),
    *("INSERT INTO watchglass.calls", "INSERT INTO FUNCTION file( 'OUT' )", "CREATE VIEW watchglass.v AS"),
    *(
        "CREATE TABLE v ENGINE = Memory AS",
        "CREATE OR REPLACE VIEW watchglass.calls AS",
        "CREATE FUNCTION f AS",
    ),
    *(
        "ALTER TABLE store.calls DELETE WHERE 1 IN",
        "DELETE FROM store.calls WHERE 1 IN",
        "SET readonly = 0 ;",
    ),
    *("KILL QUERY WHERE 1 IN", "SYSTEM FLUSH LOGS ;", "USE store ;", "TRUNCATE TABLE store.calls ;"),
    *("DROP TABLE store.calls ;", "GRANT ALL ON *.* TO default ;", "BACKUP ALL TO Disk( 'a' , 'b' ) ;"),
    *(
        "UPDATE store.calls SET tenant = 'acme' WHERE 1 IN",
        "ATTACH TABLE v ;",
        "OPTIMIZE TABLE store.calls ;",
    ),
]

values = st.deferred(lambda: st.one_of(*PLAIN_VALUES, *GROWN_VALUES))
queries = st.deferred(lambda: st.one_of(selects, selects, *GROWN_QUERIES))


@st.composite
def sources(draw: st.DrawFn) -> tuple[Piece, str]:
    """What to select from, and a column of it."""
    match draw(st.integers(0, 9)):
        case 0:
            return draw(st.sampled_from(POISON_SOURCES).map(poison)), "1"
        case 1:
            return piece("numbers( 5 )"), "number"
        case 2:
            return piece("(", draw(queries), ") AS s"), "1"
        case _:
            table = draw(st.sampled_from(sorted(COLUMNS)))
            prefix = draw(st.sampled_from(("", "watchglass.", "`watchglass`.")))
            return piece(prefix + table), draw(st.sampled_from(COLUMNS[table]))


@st.composite
def simple(draw: st.DrawFn) -> Piece:
    """One SELECT."""
    (source, column), value = draw(sources()), draw(values)
    parts: list[str | Piece] = [draw(st.sampled_from(("SELECT", "SELECT DISTINCT")))]
    parts += [draw(st.sampled_from((column, f"any( {column} )", "*", f"groupArray( {column} )")))]
    if parts[-1] in (column, "*"):
        parts += [",", value]
    parts += ["FROM", source]
    match draw(st.integers(0, 7)):
        case 0:
            parts += [draw(st.sampled_from((", ", "CROSS JOIN", "LEFT ANTI JOIN", "FULL JOIN"))).strip()]
            parts += [draw(sources())[0]]
            if "JOIN" in str(parts[-2]) and parts[-2] != "CROSS JOIN":
                parts += ["ON 1 = 1"]
        case 1:
            parts += ["WHERE", draw(values), "= 1"]
        case 2:
            parts += ["WHERE tenant != 'acme' OR 1 = 1"]
        case 3:
            parts += ["ORDER BY", draw(values)]
        case 4:
            parts += ["LIMIT 3"]
        case 5:
            parts += ["PREWHERE 1", "GROUP BY ALL"]
        case _:
            pass
    return piece(*parts)


selects = simple()
PLAIN_VALUES = [
    st.sampled_from(("1", "'hunt' || 'er3'", "tenant", "NULL", "[1, 2]", "now()", "rand()")).map(piece),
    st.sampled_from(("1", "tenant", "upper( tenant )", "toString( 1 )", "COLUMNS( '.*' )")).map(piece),
]
GROWN_VALUES = [
    st.sampled_from(POISON_VALUES).map(poison),
    st.builds(lambda q: piece("(", q, ")"), selects),
    st.builds(lambda q: piece("EXISTS (", q, ")"), selects),
    st.builds(lambda v, q: piece("(", v, ") IN (", q, ")"), values, selects),
    st.builds(lambda v: piece("if( 1 ,", v, ", NULL )"), values),
    st.builds(lambda v: piece("arrayMap( x ->", v, ", [1] )"), values),
    st.builds(lambda v: piece("toUInt8(", v, ")"), values),
    st.builds(lambda v: piece("sum(", v, ") OVER ( ORDER BY 1 )"), values),
]
GROWN_QUERIES = [
    st.builds(lambda a, b: piece("(", a, ") UNION ALL (", b, ")"), queries, queries),
    st.builds(lambda a, b: piece("(", a, ") EXCEPT (", b, ")"), queries, queries),
    st.builds(lambda a, b: piece("(", a, ") INTERSECT (", b, ")"), queries, queries),
    st.builds(lambda a, b: piece("WITH w AS (", a, ") SELECT * FROM w , (", b, ")"), queries, queries),
    st.builds(lambda a, b: piece("WITH calls AS (", a, ")", b), queries, selects),
    st.builds(lambda v, b: piece("WITH", v, "AS tenant", b), values, selects),
    st.builds(lambda a: piece("WITH RECURSIVE r AS (", a, ") SELECT * FROM r"), queries),
]
statements = st.one_of(
    queries,
    queries,
    queries,
    st.builds(lambda q, end: piece(q, poison(end)), queries, st.sampled_from(POISON_ENDS)),
    st.builds(lambda start, q: piece(poison(start), "(", q, ")"), st.sampled_from(POISON_STARTS), queries),
)
BLANKS = (" ", " ", " ", "\n", "\t", " /* , */ ", " -- '\n", "  ")
KEYWORDS = frozenset(
    {
        *(
            "SELECT",
            "FROM",
            "WHERE",
            "UNION",
            "ALL",
            "WITH",
            "AS",
            "JOIN",
            "IN",
            "EXISTS",
            "ORDER",
            "BY",
            "INTO",
        )
    }
)


@st.composite
def spelled(draw: st.DrawFn) -> tuple[str, bool]:
    """A statement as text, and whether it must be refused."""
    grown = draw(statements)
    blanks = draw(st.lists(st.sampled_from(BLANKS), min_size=4, max_size=4))
    lower = draw(st.booleans())
    words = [token.lower() if lower and token in KEYWORDS else token for token in grown.tokens]
    return "".join(word + blanks[at % 4] for at, word in enumerate(words)), grown.poisoned


class House:
    """A store with two tenants, a listener that nobody may call, and files that nobody may touch."""

    def __init__(self, store: Store, place: Path) -> None:
        self.store = store
        self.reader = StoreReader(
            store.engine, scope=Scope(frozenset({MINE})), limits=Limits(time_s=5, result_rows=2000)
        )
        self.file, self.out = place / "read-me.txt", place / "written.txt"
        self.file.write_text(FILE_TEXT)
        self.calls = 0
        house = self

        class Listener(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                house.calls += 1
                self.send_error(404)

            do_HEAD = do_POST = do_PUT = do_GET

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Listener)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.before = self.contents()

    def fill_in(self, sql: str) -> str:
        port = str(self.server.server_address[1])
        return sql.replace("PORT", port).replace("FILE'", f"{self.file}'").replace("OUT'", f"{self.out}'")

    def contents(self) -> list[dict[str, Any]]:
        """What tables there are, with their definitions and rows."""
        return self.store.engine.execute(
            "SELECT database, name, create_table_query, total_rows FROM system.tables"
            " WHERE database NOT IN ('system', 'INFORMATION_SCHEMA', 'information_schema') ORDER BY ALL"
        ).to_pylist()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    place = tmp_path_factory.mktemp("fuzz")
    with open_store(prepared(place / "data")) as store:
        for number, (tenant, word) in enumerate(((MINE, "mine"), (f"umbrella-{SECRET}", SECRET))):
            n = number * 10 + 1
            texts: dict[str, Any] = {"tenant": tenant}
            insert(store.engine, "calls", [call(n, error_message=word, agent=word, session=word, **texts)])
            insert(store.engine, "spans", [span(n, name=word, **texts)])
            insert(store.engine, "messages", [{"hash": f"{n}", "content": word, "version": 1, **texts}])
            for table, column in (
                ("logs", "body"),
                ("rejects", "reason"),
                ("audit", "reason"),
                ("metrics", "name"),
            ):
                insert(store.engine, table, [{"time": NOON_NS + n, column: word, **texts}])
        made = House(store, place)
        yield made
        made.server.shutdown()
        made.server.server_close()


@pytest.mark.parametrize("examples", [40, pytest.param(1_000, marks=pytest.mark.long)])
def test_no_statement_reaches_out_of_its_tenant(house: House, examples: int) -> None:
    """Each is answered from the tenant's own rows or refused; after all of them the store is as before."""
    answered: list[str] = []

    @settings(max_examples=examples, deadline=None, suppress_health_check=HEAVY)
    @given(spelled())
    def attempt(statement: tuple[str, bool]) -> None:
        sql, poisoned = house.fill_in(statement[0]), statement[1]
        try:
            text = b"".join(json_objects(house.reader.query(sql))).decode()
            assert not poisoned, f"answered: {sql}"
            answered.append(sql)
        except QueryError as refusal:
            text = str(refusal)
        except WatchglassError as other:
            pytest.fail(f"{type(other).__name__}: {other}: {sql}")
        assert SECRET not in text, sql
        assert FILE_TEXT not in text and str(house.file.parent) not in text.replace(sql, ""), sql
        assert not house.out.exists(), sql
        assert house.calls == 0, sql

    attempt()
    assert house.contents() == house.before
    assert len(answered) > examples / 10  # or the grammar tries nothing but what is refused


@pytest.mark.parametrize("text", [*POISON_SOURCES, *POISON_VALUES])
def test_each_poison_is_refused_by_itself(house: House, text: str) -> None:
    """What the grammar calls poison is refused in the plainest statement too."""
    form = "SELECT * FROM {}" if text in POISON_SOURCES else "SELECT {}"
    with pytest.raises(QueryError):
        house.reader.query(house.fill_in(form.format(text)))
