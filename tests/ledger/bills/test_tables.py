"""Tables: CSV as programs and spreadsheets write it, and PostgreSQL's copies."""

from __future__ import annotations

from watchglass.ledger.bills.line import Refused
from watchglass.ledger.bills.tables import LONGEST_RECORD, Row, table


def rows(text: str | bytes) -> list[tuple[str, list[str]] | Refused]:
    found = table(text.encode() if isinstance(text, str) else text).rows()
    return [(each.where, list(each.values.values())) if isinstance(each, Row) else each for each in found]


def test_commas_semicolons_and_tabs_are_told_by_the_first_line() -> None:
    """The one that is there most often."""
    for sign in ",;\t":
        assert rows(f"a{sign}b\n1{sign}2\r\n") == [("line 2", ["1", "2"])]


def test_quoted_values_may_hold_commas_and_line_ends_and_the_next_line_is_right() -> None:
    """A record is named by the line that it begins at."""
    assert rows('\n\na,b\n"1\n1",2\n\n3,"4,""5"""\n') == [
        ("line 4", ["1\n1", "2"]),
        ("line 7", ["3", '4,"5"']),
    ]


def test_a_quote_that_is_never_closed_costs_one_line() -> None:
    """What follows it is read."""
    refused, second, third = rows('a,b\n"1,2\n3,4\n5,6\n')
    assert isinstance(refused, Refused)
    assert (refused.where, "not closed" in refused.reason) == ("line 2", True)
    assert (second, third) == (("line 3", ["3", "4"]), ("line 4", ["5", "6"]))


def test_a_record_that_is_too_long_is_refused_and_the_rest_read() -> None:
    """Four MiB is a text and no bill."""
    first, second = rows("a,b\n" + "x" * (LONGEST_RECORD + 1) + ",1\n1,2\n")
    assert isinstance(first, Refused)
    assert second == ("line 3", ["1", "2"])


def test_postgres_text_has_nulls_and_escapes() -> None:
    """What follows `\\.` is no record, nor is anything before the copy."""
    dump = 'SET x;\nCOPY public."T" ("A", b) FROM stdin;\n\\N\tone\\ttwo\\\\\n1\t\n\\.\nSELECT 1;\n'
    assert rows(dump) == [("line 3", ["", "one\ttwo\\"]), ("line 4", ["1", ""])]
    assert rows("a\tb\n\\N\t2\n") == [("line 2", ["", "2"])]


def test_what_is_no_table_has_no_records_that_matter() -> None:
    """Nothing raises."""
    assert rows("") == []
    assert rows(b"\x00\xff\xfe") == []
    assert table(b'{"a": 1}').names == {'{"a": 1}'}
