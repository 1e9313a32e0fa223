"""Answers: every type of the engine has one plain form, the same in JSON, CSV and over the wire."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.new_store import prepared
from watchglass.queries.answers import Answer, ResultColumn, csv_lines, distinct, json_columns, json_objects
from watchglass.queries.plain import moment, money
from watchglass.queries.reader import StoreReader
from watchglass.store import open_store


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoreReader]:
    with open_store(prepared(tmp_path_factory.mktemp("answers") / "data")) as store:
        yield StoreReader(store.engine)


def objects(reader: StoreReader, sql: str) -> list[dict[str, Any]]:
    return json.loads(b"".join(json_objects(reader.query(sql))))


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("toDecimal128('0.0125', 18)", "0.0125"),
        ("toDecimal128('0', 18)", "0"),
        ("toDecimal128('-100', 2)", "-100"),
        ("toDecimal256('0.000000000000000000000001', 30)", "0.000000000000000000000001"),
        ("toDateTime64('2026-01-02 03:04:05.123456789', 9, 'UTC')", "2026-01-02T03:04:05.123456789Z"),
        ("toDateTime64('2026-01-02 03:04:05', 9, 'UTC')", "2026-01-02T03:04:05.000000000Z"),
        ("toDateTime64('2026-01-02 03:04:05.12', 3, 'Europe/Berlin')", "2026-01-02T02:04:05.120Z"),
        ("toIntervalNanosecond(90000000000005)", "25:00:00.000000005"),
        ("toIntervalSecond(-5)", "-00:00:05"),
        ("toTime64('12:00:00.123456789', 9)", "12:00:00.123456789"),
        ("toDateTime64('1950-01-02 03:04:05', 9, 'UTC')", "1950-01-02T03:04:05.000000000Z"),
        ("toDateTime('2026-01-02 03:04:05', 'Europe/Berlin')", "2026-01-02T02:04:05Z"),
        ("toStartOfHour(toDateTime64('2026-01-02 03:04:05', 9, 'UTC'))", "2026-01-02T03:00:00Z"),
        ("toNullable(toDateTime('2026-01-02 03:04:05', 'UTC'))", "2026-01-02T03:04:05Z"),
        ("CAST(NULL AS Nullable(DateTime))", None),
        ("toDate('2026-01-02')", "2026-01-02"),
        ("18446744073709551615", 18446744073709551615),
        ("-9223372036854775808", -9223372036854775808),
        ("toInt128('170141183460469231731687303715884105727')", "170141183460469231731687303715884105727"),
        ("toInt128(-5)", -5),
        ("toUInt32(7)", 7),
        ("0 / 0", None),
        ("1 / 0", None),
        ("-1 / 0", None),
        ("1.5", 1.5),
        ("true", True),
        ("NULL", None),
        ("'it''s \"é\"'", 'it\'s "é"'),
        ("unhex('ff41')", "\ufffdA"),
        ("CAST('b' AS Enum8('a' = 1, 'b\\'(,' = -2, 'b' = 3))", "b"),
        ("toIPv4('127.0.0.1')", "127.0.0.1"),
        ("toIPv6('::1')", "::1"),
        ("toUUID('61f0c404-5cb3-11e7-907b-a6006ad3dba0')", "61f0c404-5cb3-11e7-907b-a6006ad3dba0"),
        ("toFixedString('ab', 2)", "ab"),
        ("map('a', 1, 'b', 2)", {"a": 1, "b": 2}),
        ("map(1, [toDateTime(0, 'UTC')])", {"1": ["1970-01-01T00:00:00Z"]}),
        ("[toDateTime64('2026-01-02 03:04:05', 9, 'UTC')]", ["2026-01-02T03:04:05.000000000Z"]),
        ("[[1], []]", [[1], []]),
        ("(1, 'a', [toDecimal128('0.5', 2)])", [1, "a", ["0.5"]]),
        (
            "CAST((1, toDateTime(0, 'UTC')) AS Tuple(n UInt8, t DateTime('UTC')))",
            {"n": 1, "t": "1970-01-01T00:00:00Z"},
        ),
        ("toLowCardinality('x')", "x"),
        ("[NULL, 1]", [None, 1]),
    ],
)
def test_plain_values(reader: StoreReader, sql: str, expected: object) -> None:
    """Money is exact text, times are RFC 3339 in UTC, numbers are numbers, NaN is null, maps are objects."""
    assert objects(reader, f"SELECT {sql} AS v") == [{"v": expected}]
    assert objects(reader, f"SELECT {sql} AS v FROM numbers(3)") == [{"v": expected}] * 3


def test_an_empty_answer_keeps_its_columns(reader: StoreReader) -> None:
    """No rows are `[]`; the form for programs that need columns has them all the same."""
    answer = reader.query("SELECT 1 AS a, 'x' AS b WHERE 0")
    assert b"".join(json_objects(answer)) == b"[]\n"
    assert json.loads(b"".join(json_columns(answer))) == {
        "columns": [{"name": "a", "number": True}, {"name": "b", "number": False}],
        "rows": [],
    }


def test_many_rows_come_in_order(reader: StoreReader) -> None:
    """An answer of several chunks is one array."""
    rows = objects(reader, "SELECT number AS n FROM numbers(25000) ORDER BY n")
    assert [row["n"] for row in rows] == list(range(25000))


def test_repeated_names_are_told_apart(reader: StoreReader) -> None:
    """No value is lost because another column has the same name."""
    assert distinct(["a", "a_2", "a", "a"]) == ["a", "a_2", "a_3", "a_4"]
    assert objects(reader, "SELECT a.number, b.number FROM numbers(1) AS a, numbers(1) AS b") != [{}]


TEXT = st.text(st.characters(codec="utf-8"))
VALUES = st.none() | st.booleans() | st.integers(-(2**63), 2**63) | TEXT


@given(st.lists(st.lists(VALUES, min_size=2, max_size=2), max_size=5))
def test_csv_and_json_hold_the_same(rows: list[list[Any]]) -> None:
    """Every value can be read back from JSON, and every text from CSV."""
    answer = Answer((ResultColumn("a"), ResultColumn("b,c")), [rows])
    assert json.loads(b"".join(json_columns(answer)))["rows"] == rows
    assert [list(row.values()) for row in json.loads(b"".join(json_objects(answer)))] == rows
    read = list(csv.reader(io.StringIO(b"".join(csv_lines(answer)).decode(), newline="")))
    assert read[0] == ["a", "b,c"]
    for found, row in zip(read[1:], rows, strict=True):
        for text, value in zip(found, row, strict=True):
            if isinstance(value, str):
                assert text == value


def test_csv_tells_null_from_empty(reader: StoreReader) -> None:
    """NULL is nothing between the commas, an empty text is a pair of quotes."""
    answer = reader.query("SELECT NULL AS a, '' AS b, 'x,\"y' AS c, [1] AS d")
    assert b"".join(csv_lines(answer)) == b'a,b,c,d\r\n,"","x,""y",[1]\r\n'


@given(st.decimals(allow_nan=False, allow_infinity=False, places=18))
def test_money_is_exact(amount: Decimal) -> None:
    """Text of money reads back to the same amount and has no exponent."""
    assert Decimal(money(amount)) == amount
    assert "E" not in money(amount)


def test_moments_before_1970() -> None:
    """Times before the epoch are written as any other."""
    assert moment(-1) == "1969-12-31T23:59:59.999999999Z"
