"""Plain tables with `--map`."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from tests.ledger.bills.generated import plain_csv, some_calls, total
from tests.ledger.bills.reading import both_of, dollars, lines_of, tokens_by_class
from watchglass.errors import BadRequest
from watchglass.ledger.bills.formats import read_bill

OURS = "day,provider,model,amount_usd\n"


def test_a_table_with_our_names_needs_no_mapping() -> None:
    """It is recognised by them, and says what the columns say."""
    [line] = lines_of(OURS + "2026-01-31,OpenAI,gpt-4o,12.5\n")
    assert (line.provider, line.model, line.amount_usd) == ("openai", "gpt-4o", Decimal("12.5"))
    assert line.where == "line 2"


def test_theirs_are_mapped_to_ours_and_constants_are_said_with_two_signs() -> None:
    """`--map day=Datum --map provider==anthropic`, whatever stands between the values."""
    [line] = lines_of(
        "Datum;Betrag;Modell\n2026-01-31;3.20;opus\n",
        day="Datum",
        amount_usd="Betrag",
        model="Modell",
        provider="=anthropic",
        zone="=Europe/Berlin",
    )
    assert (line.provider, line.model, line.zone) == ("anthropic", "opus", "Europe/Berlin")
    assert line.since_ns == int(dt.datetime(2026, 1, 30, 23, tzinfo=dt.UTC).timestamp()) * 10**9


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-06-01", 24)])
def test_a_day_is_as_long_as_it_is_in_its_zone(day: str, hours: int) -> None:
    """Summer time begins and ends."""
    [line] = lines_of(f"day,zone,provider,amount_usd\n{day},Europe/Berlin,openai,1\n")
    assert line.until_ns - line.since_ns == hours * 3600 * 10**9


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("12.50", "12.50"),
        ("$12.50", "12.50"),
        ("-$1,234,567.89", "-1234567.89"),
        ("$-3", "-3"),
        ("12.5 USD", "12.5"),
        ("1e-7", "1e-7"),
        (".5", ".5"),
    ],
)
def test_amounts_are_dollars_as_spreadsheets_write_them(written: str, read: str) -> None:
    """A dollar sign and commas between thousands are no digits."""
    [line] = lines_of(OURS + f'2026-01-31,openai,m,"{written}"\n')
    assert line.amount_usd == Decimal(read)


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("€5", "only US dollars"),
        ("5 EUR", "only US dollars"),
        ("5,20", "as a point"),
        ("1.234,50", "as a point"),
        ("12,34.5", "plain number"),
        ("nan", "plain number"),
        ("Infinity", "plain number"),
        ("five", "plain number"),
        ("1e30", "below 10^20"),
        ("0." + "1" * 39, "38 decimals"),
        ("١٢", "plain number"),
    ],
)
def test_other_amounts_are_refused_with_what_to_do(written: str, why: str) -> None:
    """Strictly: a comma could be a point, and euros are no dollars. The next row is kept."""
    lines, [refused] = both_of(OURS + f'2026-01-31,openai,m,"{written}"\n2026-01-31,openai,m,1\n')
    assert why in refused.reason
    assert [line.where for line in lines] == ["line 3"]


def test_a_currency_column_must_say_dollars() -> None:
    """Of each row."""
    lines, [refused] = both_of("day,provider,amount_usd,currency\n2026-01-31,o,1,EUR\n2026-01-31,o,1,usd\n")
    assert len(lines) == 1
    assert "currency is 'EUR'" in refused.reason


def test_tokens_are_of_one_class_a_row_or_of_several_side_by_side() -> None:
    """`token_class` with `tokens`, or a column for each class."""
    one = lines_of("day,provider,token_class,tokens\n2026-01-31,o,Cached Input,7\n")
    assert tokens_by_class(one) == {"cache_read": 7}
    wide = "Day,P,C,$\n2026-01-31,10,3,0.5\n"
    several = lines_of(wide, day="Day", input="P", output="C", amount_usd="$", provider="=openai")
    assert tokens_by_class(several) == {"input": 10, "output": 3}
    assert dollars(several) == Decimal("0.5")
    _, [refused] = both_of("day,provider,token_class,tokens\n2026-01-31,o,magic,7\n")
    assert "write one of input," in refused.reason


@pytest.mark.parametrize(
    ("time", "nanoseconds"),
    [
        ("2026-01-31T12:00:00Z", 1_769_860_800 * 10**9),
        ("2026-01-31 13:00:00.5+01:00", 1_769_860_800_500_000_000),
        ("1769860800", 1_769_860_800 * 10**9),
        ("1769860800123", 1_769_860_800_123 * 10**6),
        ("1769860800123456789", 1_769_860_800_123_456_789),
    ],
)
def test_a_time_is_a_moment(time: str, nanoseconds: int) -> None:
    """As text with a zone or as an epoch, exactly."""
    [line] = lines_of(f"time,provider,requests,request_id\n{time},openai,1,r-1\n")
    assert (line.since_ns, line.until_ns) == (nanoseconds, nanoseconds + 1)


@pytest.mark.parametrize("zone", ["Mars/Base", "localtime", "../../etc/passwd", "posix/UTC", "utc+1"])
def test_a_zone_is_one_that_is_the_same_everywhere(zone: str) -> None:
    """What only this machine calls so would be another day elsewhere."""
    _, [refused] = both_of(f"day,zone,provider,amount_usd\n2026-01-31,{zone},openai,1\n")
    assert "write an IANA name" in refused.reason


def test_what_is_missing_is_named_with_what_there_is() -> None:
    """The message is what to type next."""
    with pytest.raises(BadRequest, match=r"who bills.*nor when.*nor what.*its columns are 'Datum', 'Betrag'"):
        read_bill(b"Datum;Betrag\n1;2\n", "csv", {})
    with pytest.raises(BadRequest, match="no such column; it has 'Datum', 'Betrag'"):
        read_bill(b"Datum;Betrag\n1;2\n", None, {"day": "Date"})
    with pytest.raises(BadRequest, match="not one of ours, which are time, day"):
        read_bill(b"Datum;Betrag\n1;2\n", None, {"date": "Datum"})


def test_rows_that_say_nothing_or_no_time_are_refused() -> None:
    """Each with its line."""
    rows = "2026-01-31,openai,m,\n,openai,m,1\n31.01.2026,openai,m,1\n2026-01-31,,m,1\n2026-01-31,openai,m\n"
    _, refused = both_of(OURS + rows)
    assert [each.where for each in refused] == [f"line {number}" for number in range(2, 7)]


def test_a_generated_month_sums_to_its_calls_in_any_zone() -> None:
    """Money to the last digit, and tokens."""
    calls = some_calls(7, 200)
    for zone in ("UTC", "Asia/Kolkata"):
        found = lines_of(plain_csv(calls, zone))
        assert dollars(found) == total(call.total_usd for call in calls)
        assert tokens_by_class(found)["output"] == sum(call.tokens["output"] for call in calls)
        assert {line.zone for line in found} == {zone}
