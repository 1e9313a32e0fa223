"""What lines of code cost is the same from sums of days and from rows, whatever has happened to the rows."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.ledger.repricing_house import listed_price, priced_call
from tests.rolled_house import House
from tests.stored_rows import NOON_NS, call
from watchglass.ledger.reprice import Repricing
from watchglass.ledger.reprice_plan import Asked
from watchglass.pricing.book import Layers, PriceBook
from watchglass.queries.presence import any_calls
from watchglass.queries.reader import StoreReader
from watchglass.queries.scope import EVERYTHING as EVERYBODY
from watchglass.queries.scope import Scope
from watchglass.queries.sites import SitesQuestion
from watchglass.store import Retention, remove_tenants
from watchglass.store.reprice_runs import RepriceRuns
from watchglass.store.rollup_engine import site_days
from watchglass.store.rollup_hours import HOUR_NS, KEPT_NS
from watchglass.store.rollup_sites import AGAIN_NS

DAY_NS = 24 * HOUR_NS
MIDNIGHT_NS = NOON_NS - 12 * HOUR_NS
EVERYTHING = SitesQuestion(since_ns=MIDNIGHT_NS - 9 * DAY_NS, until_ns=MIDNIGHT_NS + 9 * DAY_NS)


def asked(number: int, /, **columns: Any) -> dict[str, Any]:
    """A call of one of two lines of three tenants, of six hours of each of three days."""
    place = {"code_file": "/app/a.py", "code_line": number % 2, "code_function": "ask"}
    known = {"tenant": (None, "acme", "umbrella")[number % 3], "service": "web", "feature": "chat"}
    time = MIDNIGHT_NS + number % 3 * DAY_NS + number % 6 * HOUR_NS + number
    return call(number, **{"time": time, "cost_usd": Decimal(number), **place, **known, **columns})


def from_sums(house: House, question: SitesQuestion = EVERYTHING) -> tuple[int, int]:
    """Days that sums answer, and ranges of time that calls do."""
    found = site_days(house.engine, question.since_ns, question.until_ns)
    return len(found.days), len(found.ranges)


def until_sites_are_next(house: House, days: int = 3) -> None:
    """Sum up until all days have been made of their hours; lines of code come after."""
    house.clock.advance_ns(AGAIN_NS)
    while len(house.engine.rollup.coverage().days) < days:
        assert house.keeper.step()


def cost(house: House) -> Decimal:
    """Of all lines, after they were found equal to those from rows; a tenant's too."""
    house.same_sites(EVERYTHING, Scope(frozenset({"acme"})))
    return sum((each.cost_usd or Decimal() for each in house.same_sites(EVERYTHING).sites), Decimal())


def test_whole_days_come_from_sums(house: House) -> None:
    """Days that are over are read without their calls; one that the question's bounds cut is not."""
    house.write([asked(number) for number in range(12)])
    assert from_sums(house) == (0, 1)
    assert cost(house) == 66
    house.keep()
    assert from_sums(house) == (3, 0)
    assert cost(house) == 66
    cut = SitesQuestion(since_ns=MIDNIGHT_NS + 1, until_ns=MIDNIGHT_NS + 2 * DAY_NS)
    assert from_sums(house, cut) == (1, 2)
    house.same_sites(cut)
    for filters in ({"tenant": ("",)}, {"service": ("web",), "tenant": ("acme",)}, {"service": ("",)}):
        house.same_sites(
            SitesQuestion(since_ns=EVERYTHING.since_ns, until_ns=EVERYTHING.until_ns, filters=filters)
        )


def test_a_late_call_is_in_the_next_answer(house: House) -> None:
    """Its day is answered from calls at once, and summed up again, though not for each call that comes."""
    house.write([asked(number) for number in range(6)])
    house.keep()
    house.write([asked(99)])
    assert from_sums(house)[0] == 2
    assert cost(house) == 15 + 99
    house.keep()
    assert from_sums(house)[0] == 2
    house.clock.advance_ns(AGAIN_NS)
    house.keep()
    assert from_sums(house) == (3, 0)
    assert cost(house) == 15 + 99


def test_today_is_not_summed_up(house: House) -> None:
    """A day that is not over would be summed up again and again."""
    today_ns = house.clock.now_ns() - house.clock.now_ns() % DAY_NS
    house.write([asked(1, time=today_ns), asked(2, time=today_ns - 1)])
    house.keep()
    whole = SitesQuestion(since_ns=today_ns - DAY_NS, until_ns=today_ns + DAY_NS)
    assert from_sums(house, whole) == (1, 1)
    assert len(house.same_sites(whole).sites) == 2


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_row_written_during_the_summing_up_is_not_missed(house: House, moment: str) -> None:
    """Rows that come just before or just after a day is read: its sums are nobody's."""
    house.write([asked(number) for number in range(6)])
    until_sites_are_next(house)
    setattr(house.rows, moment, lambda: house.write([asked(101)]))  # of the day that comes first
    assert house.keeper.step()
    house.rows.before = house.rows.after = lambda: None
    assert cost(house) == 15 + 101
    house.clock.advance_ns(AGAIN_NS)
    house.keep()
    assert from_sums(house) == (3, 0)
    assert cost(house) == 15 + 101


def test_a_kill_before_the_note_leaves_sums_that_nobody_reads(house: House) -> None:
    """What a killed keeper has written of a day is in no answer, and is removed."""
    house.write([asked(3)])
    until_sites_are_next(house, days=1)

    def kill() -> None:
        raise KeyboardInterrupt

    house.rows.after = kill
    with pytest.raises(KeyboardInterrupt):
        house.keeper.step()
    house.reopen()
    assert (from_sums(house), cost(house)) == ((0, 1), 3)
    house.keep()
    assert (from_sums(house), cost(house)) == ((1, 0), 3)
    house.clock.advance_ns(2 * KEPT_NS)
    house.keep()
    left = house.store.engine.execute("SELECT uniqExact(generation) AS n FROM store.sites_daily")
    assert left["n"].to_pylist() == [1]


def test_sums_outlive_the_process(house: House) -> None:
    """A command that opens the store for one question has them, without anybody summing up."""
    house.write([asked(number) for number in range(6)])
    house.keep()
    house.reopen()
    assert from_sums(house) == (3, 0)
    assert cost(house) == 15


def test_calls_that_are_deleted(house: House) -> None:
    """By a statement, a tenant's removal, or by age: they are in no sum, and soon not on the disk either."""
    house.write([asked(number) for number in range(12)])
    house.keep()
    house.engine.execute(f"DELETE FROM store.calls WHERE span_id = '{11:016x}'")
    assert cost(house) == 55
    house.clock.advance_ns(AGAIN_NS)
    house.keep()
    assert (from_sums(house), cost(house)) == ((3, 0), 55)
    removed = remove_tenants(house.engine, ["acme"])
    assert removed["calls"] == 4
    assert cost(house) == 55 - (1 + 4 + 7 + 10)
    house.clock.advance_ns(2 * KEPT_NS)
    house.keep()
    assert (from_sums(house), cost(house)) == ((2, 0), 55 - 22)  # the second day was all acme's
    house.clock.advance_ns(2 * KEPT_NS)
    house.keep()
    left = house.store.engine.execute(
        "SELECT countIf(tenant = 'acme') AS theirs, uniqExact(bucket) AS days FROM store.sites_daily"
    )
    assert left.to_pylist() == [{"theirs": 0, "days": 2}]
    Retention(house.engine, {"calls": DAY_NS}).run(MIDNIGHT_NS + 2 * DAY_NS)
    assert cost(house) == 2 + 5 + 8
    house.keep()
    assert cost(house) == 2 + 5 + 8


def test_calls_that_are_repriced(house: House) -> None:
    """Before and after their prices change, and when that is taken back, sums are those of the calls."""
    runs, book = RepriceRuns(house.store.control, house.clock), PriceBook()
    repricing = Repricing(house.engine, runs, house.store.versions, house.clock)

    def kept() -> Decimal:
        before = cost(house)
        house.clock.advance_ns(AGAIN_NS)
        house.keep()
        assert from_sums(house) == (1, 0)
        assert cost(house) == before
        return before

    house.write([priced_call(number, code_file="/app/a.py", code_line=number % 2) for number in range(4)])
    assert kept() == 0
    book.replace(Layers(overrides=(listed_price("model-a", "3"),)))
    run = repricing.go(repricing.begin(Asked(), book, who="a test"), book)
    assert (run.state, kept()) == ("done", 12)
    assert repricing.go(repricing.begin_undoing(run, who="a test"), book).state == "done"
    assert kept() == 0


def test_whether_calls_of_a_tenant_are_there(house: House) -> None:
    """A tenant has calls from the first until all are removed, summed up or not, for who may see them."""

    def there(tenant: str, scope: Scope = EVERYBODY) -> bool:
        return StoreReader(house.engine, scope=scope).answer(
            lambda engine, limits: any_calls(engine, [tenant], limits=limits)
        )

    house.write([asked(number) for number in range(6)])
    assert (there("acme"), there("nobody")) == (True, False)
    house.keep()
    assert (there("acme"), there("nobody")) == (True, False)
    assert not there("acme", Scope(frozenset({"umbrella"})))
    remove_tenants(house.engine, ["acme"])
    assert not there("acme")
    house.keep()
    assert (there("acme"), there("umbrella")) == (False, True)
