"""Readers of values whose type nobody promises."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchglass.model import Value
from watchglass.wire.values import (
    MAX_TOKENS,
    count,
    dig,
    first_count,
    first_text,
    flag,
    mapping,
    money,
    seconds_to_ns,
    sequence,
    text,
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("plain", "plain"),
        (" spaced ", "spaced"),
        ('"quoted"', "quoted"),
        ('"', '"'),
        ("", None),
        ("  ", None),
        ("null", None),
        ("None", None),
        ('""', None),
        (7, "7"),
        (True, "true"),
        (None, None),
        ([1], None),
    ],
)
def test_text(value: Value, expected: str | None) -> None:
    """Text without its quotes and spaces; words for nothing are nothing."""
    assert text(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (5, 5),
        ("5", 5),
        ('"5"', 5),
        (5.0, 5),
        (0, 0),
        (5.5, None),
        (-1, None),
        (True, None),
        ("five", None),
        ("²", None),
        (MAX_TOKENS + 1, None),
        (float("nan"), None),
    ],
)
def test_count(value: Value, expected: int | None) -> None:
    """A whole number that can be a count, however it is written; a boolean is none."""
    assert count(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.1, "0.1"),
        ("0.0083202", "0.0083202"),
        (3, "3"),
        (8e-08, "8E-8"),
        (-1.0, None),
        ("x", None),
        (True, None),
    ],
)
def test_money(value: Value, expected: str | None) -> None:
    """A float is the decimal that its shortest text says."""
    assert money(value) == (None if expected is None else Decimal(expected))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.25, 250_000_000),
        (2, 2_000_000_000),
        ("0.5", 500_000_000),
        (-1.0, None),
        (float("nan"), None),
        (1e9, None),
    ],
)
def test_seconds(value: Value, expected: int | None) -> None:
    """Seconds as nanoseconds; what cannot be a duration of a request is none."""
    assert seconds_to_ns(value) == expected


def test_maps_and_lists_in_text() -> None:
    """JSON and Python literals are maps; a broken text is an empty one."""
    assert mapping('{"a": 1}') == mapping("{'a': 1}") == mapping({"a": 1}) == {"a": 1}
    assert mapping('{"a": ') == mapping(None) == mapping([1]) == {}
    assert sequence("[1]") == sequence([1]) == [1]
    assert sequence("[1") == sequence("{}") == []
    assert flag("True") is True
    assert flag("no") is None


def test_the_first_that_says_something() -> None:
    """A name that is there and says nothing gives way to the next one."""
    attributes: dict[str, Any] = {"a": "", "b": "x", "c": "7"}
    assert first_text(attributes, "z", "a", "b") == "x"
    assert first_count(attributes, "a", "b", "c") == 7


def test_dig_through_text() -> None:
    """A step into JSON text decodes it; a missing step is nothing."""
    assert dig({"a": '[{"b": 3}]'}, "a", 0, "b") == 3
    assert dig({"a": []}, "a", 0) is None
    assert dig("{", "a") is None


@given(
    st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(), st.lists)
)
def test_no_reader_raises(value: Any) -> None:
    """Whatever the value, each reader gives its type or nothing."""
    assert isinstance(text(value), str | None)
    assert isinstance(count(value), int | None)
    assert isinstance(money(value), Decimal | None)
    assert isinstance(seconds_to_ns(value), int | None)
    assert isinstance(flag(value), bool | None)
    assert isinstance(mapping(value), dict)
    assert isinstance(sequence(value), list)
