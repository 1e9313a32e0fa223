"""Foreign values are read exactly, whole columns and one by one alike, or refused with the reason."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchglass.ingest.importers import values
from watchglass.ingest.importers.values import Faults

WEIRD = st.one_of(
    st.none(),
    st.text(max_size=8),
    st.integers(),
    st.booleans(),
    st.decimals(allow_nan=False, allow_infinity=False),
    st.sampled_from(
        ["", "NaN", "Infinity", "1_000", "１", "1.2.3", ".", "1e5", "-0", "1e-400", "0x1f", " 7 "]
    ),
    st.lists(st.integers(), max_size=2),
)


@given(st.lists(WEIRD, max_size=6))
def test_a_column_is_read_as_its_values_are_one_by_one(column: list[Any]) -> None:
    """The ways that are quick for a whole column never read a value otherwise than the careful one."""
    readers = [
        values.texts,
        values.counts,
        values.money,
        values.flags,
        values.lists,
        lambda given, name, faults: values.nanoseconds(given, name, faults, 1_000_000),
        lambda given, name, faults: values.moments(given, name, faults, 0),
    ]
    for read in readers:
        whole, each = Faults(), [Faults() for _ in column]
        found = read(column, "c", whole)
        # A list beside it makes the column a mixed one, which is read value by value.
        alone = [read([value, []], "c", faults)[0] for value, faults in zip(column, each, strict=True)]
        assert list(found) == alone
        assert {row for row, faults in enumerate(each) if 0 in faults} == set(whole)


@pytest.mark.parametrize(
    ("given_", "expected"),
    [
        (["0.1", "2", "", None, "1e-05"], ["0.1", "2", None, None, "0.00001"]),
        ([Decimal("0.12345678901234567850"), 3], ["0.123456789012345678", "3"]),
        (["1" * 20], ["1" * 20]),
    ],
)
def test_money_is_what_was_written_to_18_decimals(given_: list[Any], expected: list[str | None]) -> None:
    """No float comes near it; beyond the column's digits it is rounded half to even."""
    faults = Faults()
    found = values.money(given_, "cost", faults)
    assert found == [None if text is None else Decimal(text) for text in expected]
    assert not faults


@pytest.mark.parametrize(
    "bad", ["-1", "NaN", "inf", "$1", "1,5", Decimal("1e30"), Decimal(-1), True, {"usd": 1}]
)
def test_what_is_no_amount_is_named(bad: Any) -> None:
    """The fault has the column, the value and what to write instead."""
    faults = Faults()
    assert values.money([Decimal(1), bad], "cost", faults) == [Decimal(1), None]
    assert faults[1].startswith("cost is ")
    assert "US dollars" in faults[1]


def test_counts_are_whole_and_not_negative() -> None:
    """Whole numbers in any usual form; a fraction, a sign and what 63 bits cannot hold are refused."""
    faults = Faults()
    given_ = [5, "5", "5.0", Decimal("5.0"), None, "", 5.5, -5, "-5", 2**63, "1e9", Decimal("1e400"), True]
    given_[6] = Decimal("5.5")
    assert values.counts(given_, "n", faults) == [5, 5, 5, 5, None, None, *[None] * 4, 10**9, None, None]
    assert sorted(faults) == [6, 7, 8, 9, 11, 12]


def test_lengths_of_time_may_have_fractions_of_their_unit() -> None:
    """1.5 ms are 1,500,000 ns exactly, also where they are text."""
    faults = Faults()
    found = values.nanoseconds(["1.5", Decimal("0.0000004"), 2, None], "d", faults, 1_000_000)
    assert (found, faults) == ([1_500_000, 0, 2_000_000, None], {})


def test_ids_are_hex_of_their_length() -> None:
    """A UUID's dashes and capitals are no difference; anything else is refused, all zeros too."""
    faults = Faults()
    uuid = "5B8EFFF7-9803-8103-D269-B633813FC60C"
    found = values.hex_ids([uuid, "0" * 32, "trace-17", 17], "trace_id", faults, 32)
    assert found == ["5b8efff798038103d269b633813fc60c", None, None, None]
    assert sorted(faults) == [1, 2, 3]
