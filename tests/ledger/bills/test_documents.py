"""JSON values of a file, however they are put together."""

from __future__ import annotations

import json
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from watchglass.ledger.bills.documents import Document, documents
from watchglass.ledger.bills.line import Refused

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@given(
    st.lists(VALUES.filter(lambda value: isinstance(value, dict | list))),
    st.sampled_from(["", "\n", " ,\r\n"]),
)
def test_values_one_after_the_other_are_the_values(values: list[object], between: str) -> None:
    """With nothing between them, blanks, commas or line ends."""
    text = between.join(json.dumps(value) for value in values)
    assert [_int(found) for found in documents(text.encode())] == [
        _int(Document("", value)) for value in values
    ]


def _int(found: Document | Refused) -> object:
    assert isinstance(found, Document)
    return json.loads(json.dumps(found.value, default=int))


def test_numbers_are_as_they_are_written() -> None:
    """No float; what is no number is NaN, which is refused where it is read."""
    [found] = documents(b"[0.1, 1e400, 12345678901234567890123, 7, NaN, -Infinity, 1e9999999999999999999]")
    assert isinstance(found, Document)
    *numbers, beyond = found.value
    assert [str(number) for number in numbers] == [
        *("0.1", "1E+400", "12345678901234567890123", "7", "NaN", "-Infinity")
    ]
    assert not any(isinstance(number, float) for number in numbers)
    assert isinstance(beyond, Decimal)
    assert beyond.is_nan()


def test_a_broken_line_is_refused_with_its_number_and_the_next_is_read() -> None:
    """Also one that is nested without end, or has a million digits."""
    found = list(
        documents(b'{"a": 1}\n{"a": \n{"a": 2}\n' + b"[" * 99_999 + b"\n" + b"1" * 999_999 + b"\n[3]")
    )
    assert [each.where for each in found] == [
        f"line {number}" if number > 1 else "" for number in range(1, 7)
    ]
    kinds = [type(each) for each in found]
    assert kinds == [Document, Refused, Document, Refused, Document, Document]


def test_a_value_that_is_too_large_is_refused_and_many_small_ones_are_not() -> None:
    """A window over the file bounds a value, and moves on as values are read."""
    many = b"\n".join(b'{"number": %d}' % number for number in range(2000))
    found = list(documents(many, most=1000))
    assert [each.value["number"] for each in found if isinstance(each, Document)] == list(range(2000))
    assert found[-1].where == "line 2000"
    refused, kept = documents(b'{"a": "' + b"x" * 5000 + b'"}\n{"b": 1}\n', most=1000)
    assert isinstance(refused, Refused)
    assert "larger than" in refused.reason
    assert (kept.where, isinstance(kept, Document)) == ("line 2", True)
