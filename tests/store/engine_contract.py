"""The suite that every `Engine` passes: subclass `EngineContract` and give it an `engine` fixture."""

from __future__ import annotations

import contextlib
import datetime as dt
import threading
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from watchglass.errors import QueryError, QueryLimit, QueryRefused, StoreError
from watchglass.store import Engine, Limits

TABLE = "contract.rows"
MAKE = (
    "CREATE DATABASE IF NOT EXISTS contract",
    f"CREATE OR REPLACE TABLE {TABLE} (id UInt64, text Nullable(String)) ENGINE = MergeTree ORDER BY id",
    f"ALTER TABLE {TABLE} MODIFY SETTING fsync_after_insert = 1, fsync_part_directory = 1",
)
SLOW = "SELECT sum(sipHash64(number)) FROM system.numbers"
LIMITS = Limits(time_s=20)


def rows(*ids: int, text: str | None = "x") -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict({"id": pa.array(ids, pa.uint64()), "text": pa.array([text] * len(ids))})


def one(engine: Engine, sql: str, **params: object) -> object:
    return engine.execute(sql, params)[0][0].as_py()


def until_it_runs(engine: Engine) -> None:
    """Wait until the engine is at work on `SLOW`."""
    while one(engine, "SELECT count() FROM system.processes WHERE query LIKE '%system.numbers'") == 0:
        pass


class EngineContract:
    """What the prose of `Engine` says, as tests."""

    @pytest.fixture(autouse=True)
    def _table(self, engine: Engine) -> None:
        for statement in MAKE:
            engine.execute(statement)

    def test_rows_are_there_as_soon_as_insert_returns(self, engine: Engine) -> None:
        """What `insert` returned for is seen by the next question, and it tells how many rows there were."""
        assert engine.insert(TABLE, [rows(1, 2), rows(3)]) == 3
        assert one(engine, f"SELECT count() FROM {TABLE}") == 3

    def test_rows_of_any_number_of_partitions_are_taken(self, engine: Engine) -> None:
        """What spreads over hundreds of partitions is one insert all the same."""
        engine.execute(
            "CREATE OR REPLACE TABLE contract.parted (id UInt64, text Nullable(String))"
            " ENGINE = MergeTree PARTITION BY id ORDER BY id"
        )
        assert engine.insert("contract.parted", [rows(*range(150))]) == 150

    def test_nothing_to_insert_is_nothing_done(self, engine: Engine) -> None:
        """No batches, or batches without rows, are no error."""
        assert engine.insert(TABLE, []) == 0
        assert engine.insert(TABLE, [rows()]) == 0

    def test_columns_are_matched_by_name_and_may_be_left_out(self, engine: Engine) -> None:
        """The order of columns in a batch does not matter, and a missing one takes its default."""
        engine.insert(TABLE, [rows(1).select(["text", "id"])])
        engine.insert(TABLE, [rows(2).select(["id"])])
        read = engine.execute(f"SELECT id, text FROM {TABLE} ORDER BY id").to_pydict()
        assert read == {"id": [1, 2], "text": ["x", None]}

    def test_an_empty_answer_still_has_its_columns(self, engine: Engine) -> None:
        """A question without rows keeps names and types; a statement without one is empty."""
        assert engine.execute(f"SELECT id FROM {TABLE}").schema.field("id").type == pa.uint64()
        assert engine.execute("CREATE DATABASE IF NOT EXISTS contract").num_rows == 0

    @settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(text=st.text(st.characters(exclude_categories=["Cs"])))
    def test_any_text_is_bound_as_itself(self, engine: Engine, text: str) -> None:
        """A text parameter comes back as it went in, alone, in a list, in a map and as a NULL-able."""
        assert one(engine, "SELECT {x:String}", x=text) == text
        assert one(engine, "SELECT {x:Nullable(String)}", x=text) == text
        assert one(engine, "SELECT {x:Array(String)}", x=[text, "", text]) == [text, "", text]
        assert one(engine, "SELECT {x:Map(String, String)}", x={text: text}) == [(text, text)]

    @pytest.mark.parametrize(
        ("kind", "value"),
        [
            ("Nullable(String)", None),
            ("Array(Nullable(String))", ["a", None]),
            ("Array(String)", []),
            ("UInt64", 2**64 - 1),
            ("Int64", -(2**63)),
            ("Array(Int64)", [1, -2]),
            ("Bool", True),
            ("Float64", 0.1),
            ("Decimal(38, 18)", Decimal("-12345678901234567890.000000000000000001")),
            ("Array(Decimal(38, 18))", [Decimal("0.000000000000000001")]),
            ("DateTime64(6, 'UTC')", dt.datetime(2024, 2, 29, 1, 2, 3, 4, dt.UTC)),
        ],
    )
    def test_every_kind_of_value_is_bound_exactly(self, engine: Engine, kind: str, value: object) -> None:
        """Numbers to the last digit, money, moments, NULL and lists."""
        assert one(engine, f"SELECT {{x:{kind}}}", x=value) == value

    def test_what_cannot_be_bound_is_named(self, engine: Engine) -> None:
        """Bytes and times without a zone are refused by name, not stored wrong."""
        with pytest.raises(QueryError, match="parameter x is a bytes"):
            engine.execute("SELECT {x:String}", {"x": b"\xff"})
        with pytest.raises(QueryError, match=r"parameter x .* no time zone"):
            engine.execute("SELECT {x:DateTime64(6)}", {"x": dt.datetime(2024, 1, 1)})

    def test_a_question_that_makes_no_sense_is_a_query_error(self, engine: Engine) -> None:
        """Syntax, unknown names and missing parameters are the asker's fault, said in the engine's words."""
        for sql, word in [("SELEC 1", "Syntax error"), ("SELECT nope", "nope"), ("SELECT {x:String}", "x")]:
            with pytest.raises(QueryError, match=word) as caught:
                engine.execute(sql)
            assert not isinstance(caught.value, QueryLimit | QueryRefused)
            assert "Code:" not in str(caught.value)
            assert "DB::" not in str(caught.value)

    @pytest.mark.parametrize(
        ("sql", "limits"),
        [
            (SLOW, Limits(time_s=0.2)),
            ("SELECT number FROM numbers(11)", Limits(result_rows=10)),
            ("SELECT groupArray(number) FROM numbers(20000000)", Limits(memory_bytes=20 << 20)),
        ],
    )
    def test_going_over_a_limit_is_an_error(self, engine: Engine, sql: str, limits: Limits) -> None:
        """Time, rows and memory end a question with `QueryLimit`, never with a part of the answer."""
        with pytest.raises(QueryLimit, match="over a limit"):
            engine.execute(sql, limits=limits)
        assert one(engine, "SELECT 1") == 1

    @pytest.mark.parametrize(
        "sql",
        [
            f"INSERT INTO {TABLE} (id) SELECT 1",
            f"DROP TABLE {TABLE}",
            "SET max_result_rows = 0",
            "SET readonly = 0",
            "SELECT number FROM numbers(9) SETTINGS max_result_rows = 0",
            "SELECT * FROM file('/etc/passwd', 'LineAsString')",
            "SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')",
        ],
    )
    def test_a_read_only_question_cannot_change_or_leave_anything(self, engine: Engine, sql: str) -> None:
        """Read-only questions write nothing, lift no limit of their own and reach no file or address."""
        with pytest.raises(QueryRefused):
            engine.execute(sql, limits=LIMITS)
        assert one(engine, f"SELECT count() FROM {TABLE}") == 0

    def test_one_readers_limits_are_not_anothers(self, engine: Engine) -> None:
        """Limits hold for one question only; parameters work within them."""
        assert engine.execute("SELECT {x:String} AS x", {"x": "a'b"}, limits=LIMITS)["x"].to_pylist() == [
            "a'b"
        ]
        assert engine.execute("SELECT number FROM numbers(2000000)").num_rows == 2_000_000

    def test_many_threads_read_and_write_at_once(self, engine: Engine) -> None:
        """Reads and inserts from many threads all succeed, and no row is lost or doubled."""
        failures: list[BaseException] = []

        def work(worker: int) -> None:
            try:
                for step in range(10):
                    engine.insert(TABLE, [rows(worker * 10 + step)])
                    one(engine, f"SELECT count() FROM {TABLE}")
            except Exception as error:  # noqa: BLE001 - the test looks at it
                failures.append(error)

        threads = [threading.Thread(target=work, args=(worker,)) for worker in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        assert one(engine, f"SELECT (count(), uniqExact(id)) = (80, 80) FROM {TABLE}") == 1

    def test_a_slow_question_does_not_hold_up_others(self, engine: Engine) -> None:
        """While one question runs, another is answered and rows go in."""

        def slow() -> None:
            with contextlib.suppress(StoreError):  # it never ends by itself
                engine.execute(SLOW)

        thread = threading.Thread(target=slow)
        thread.start()
        until_it_runs(engine)
        engine.insert(TABLE, [rows(1)])
        assert one(engine, f"SELECT count() FROM {TABLE}") == 1
        assert thread.is_alive()
        engine.close()
        thread.join()

    def test_rows_of_the_wrong_shape_are_refused_and_leave_nothing(self, engine: Engine) -> None:
        """A batch with a column that the table does not have is a `StoreError`, and the store goes on."""
        wrong = pa.RecordBatch.from_pydict({"id": pa.array([1], pa.uint64()), "nope": ["x"]})
        with pytest.raises(StoreError, match=r"contract\.rows were not written"):
            engine.insert(TABLE, [wrong])
        with pytest.raises(StoreError, match="not written"):
            engine.insert(TABLE, [pa.RecordBatch.from_pydict({"id": ["not a number"]})])
        engine.insert(TABLE, [rows(1)])
        assert one(engine, f"SELECT count() FROM {TABLE}") == 1

    def test_closing_stops_reads_and_says_so(self, engine: Engine) -> None:
        """`close` ends a question that would run for ever, with a `StoreError`; twice is fine."""
        outcome: list[BaseException] = []

        def slow() -> None:
            try:
                engine.execute(SLOW)
            except Exception as error:  # noqa: BLE001 - the test looks at it
                outcome.append(error)

        thread = threading.Thread(target=slow)
        thread.start()
        until_it_runs(engine)
        engine.close()
        engine.close()
        thread.join()
        assert [type(error) for error in outcome] == [StoreError]
        with pytest.raises(StoreError, match="closed"):
            engine.execute("SELECT 1")
