"""Usage from the rollup is usage from the rows, whatever was written when, and whenever it was killed."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rolled_house import House
from tests.stored_rows import NOON_NS, call, insert
from watchglass.clock import ManualClock
from watchglass.queries.lists.question import ListQuestion
from watchglass.queries.scope import Scope
from watchglass.queries.sites import SitesQuestion
from watchglass.queries.top import ranges_of_most_expensive
from watchglass.queries.usage import DIMENSIONS, UsageQuestion, answering
from watchglass.store import Limits, Retention, Store
from watchglass.store.rollup_hours import HOUR_NS, KEPT_NS, QUIET_NS

HOURS = 4
DAY_NS = 24 * HOUR_NS


EVERYTHING = UsageQuestion(by=("tenant", "hour"))


def test_quiet_hours_come_from_the_rollup(house: House) -> None:
    """Once quiet for a while, whole hours are answered without reading calls, with the same answer."""
    house.write([call(n, time=NOON_NS + n * HOUR_NS, tenant="a", cost_usd=Decimal(n)) for n in range(3)])
    house.keep()
    assert house.from_rollup(EVERYTHING) == (3, 0)
    assert house.same(EVERYTHING).counted.totals.cost_usd == 3


def test_an_hour_that_is_written_to_is_answered_from_calls_at_once(house: House) -> None:
    """A row that was acknowledged is in the next answer, also in an hour that was summed up before."""
    house.write([call(1)])
    house.keep()
    house.write([call(2), call(1, version=2, input_tokens=5)])
    assert house.from_rollup(EVERYTHING) == (0, 1)
    totals = house.same(EVERYTHING).counted.totals
    assert (totals.calls, totals.input_tokens) == (2, 5)


def test_nothing_is_summed_up_while_it_is_written_to(house: House) -> None:
    """An hour whose writer has not ended, or has ended a moment ago, is left alone."""
    house.write([call(1)])
    house.keep()
    with house.engine.rollup.changing([NOON_NS // HOUR_NS]):
        house.keep()
        assert house.from_rollup(EVERYTHING) == (0, 1)
    assert not house.keeper.step()
    house.keep()
    assert house.from_rollup(EVERYTHING) == (1, 0)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_row_written_during_the_summing_up_is_not_missed(house: House, moment: str) -> None:
    """Rows that come just before or just after the hour is read keep it touched."""
    house.write([call(1)])
    setattr(house.rows, moment, lambda: house.write([call(2)]) if house.number == 0 else None)
    house.clock.advance_ns(QUIET_NS)
    while house.engine.rollup.discovering() is not None:
        house.keeper.step()
    house.keeper.step()
    house.number = 1
    assert house.from_rollup(EVERYTHING) == (0, 1)
    assert house.same(EVERYTHING).counted.totals.calls == 2
    house.keep()
    assert house.same(EVERYTHING).counted.totals.calls == 2
    assert house.from_rollup(EVERYTHING) == (1, 0)


def test_a_kill_between_note_and_row_leaves_the_hour_touched(house: House) -> None:
    """The note is on disk before the row, so that what is reopened answers from calls."""
    house.write([call(1)])
    house.keep()

    class Killed(Exception):
        """Stands for the end of the process."""

    with pytest.raises(Killed), house.engine.rollup.changing([NOON_NS // HOUR_NS]):
        house.rows.insert("store.calls", [])
        raise Killed
    insert(house.rows, "calls", [call(2)])
    house.reopen()
    assert house.from_rollup(EVERYTHING) == (0, 1)
    assert house.same(EVERYTHING).counted.totals.calls == 2


def test_a_kill_before_the_commit_leaves_sums_that_nobody_reads(house: House) -> None:
    """What a killed keeper left half done is never in an answer, and is removed later."""
    house.write([call(1)])
    house.keep()
    house.write([call(2)])

    def kill() -> None:
        raise KeyboardInterrupt

    house.rows.after = kill
    with pytest.raises(KeyboardInterrupt):
        house.keep()
    house.reopen()
    assert house.same(EVERYTHING).counted.totals.calls == 2
    house.keep()
    assert house.same(EVERYTHING).counted.totals.calls == 2
    left = house.store.engine.execute(
        "SELECT uniqExact(generation) AS n FROM store.usage_hourly WHERE grain = 'fine'"
    )
    assert left["n"].to_pylist() == [1]


def test_an_answer_under_way_keeps_its_generation(house: House) -> None:
    """Sums that have been replaced stay until no question can be reading them, then they go."""
    house.write([call(1)])
    house.keep()
    old = answering(house.engine, EVERYTHING).buckets
    house.write([call(2)])
    house.keep()
    count = "SELECT sum(calls) AS n FROM store.usage_hourly WHERE grain = 'fine' AND generation = {g:UInt64}"
    (generation,) = old.values()
    assert house.rows.execute(count, {"g": generation})["n"].to_pylist() == [1]
    house.clock.advance_ns(2 * KEPT_NS)
    house.keep()
    assert house.rows.execute(count, {"g": generation})["n"].to_pylist() == [0]
    assert house.same(EVERYTHING).counted.totals.calls == 2


def test_a_statement_that_rewrites_calls_is_noticed(house: House) -> None:
    """Deleting rows by a statement of one's own makes the rollup sum up again all by itself."""
    house.write([call(1), call(2, time=NOON_NS + HOUR_NS)])
    house.keep()
    house.engine.execute("ALTER TABLE store.calls DELETE WHERE span_id = '1' SETTINGS mutations_sync = 1")
    assert house.from_rollup(EVERYTHING) == (0, 1)
    house.engine.execute(f"DELETE FROM store.calls WHERE span_id = '{1:016x}'")
    assert house.same(EVERYTHING).counted.totals.calls == 1
    house.keep()
    assert house.same(EVERYTHING).counted.totals.calls == 1
    assert house.from_rollup(EVERYTHING) == (1, 0)


@pytest.mark.parametrize(
    ("sql", "is_noticed"),
    [
        ("ALTER TABLE store.calls FREEZE WITH NAME 'x'", False),
        ("ALTER TABLE store.calls DROP PARTITION ID '197001'", True),
        ("INSERT INTO store.tasks SELECT * FROM store.tasks WHERE 0", False),
        ("\n insert into store.calls SELECT * FROM store.calls WHERE 0", True),
        ("OPTIMIZE TABLE store.calls", False),
    ],
)
def test_only_what_can_change_calls_makes_hours_unknown(house: House, sql: str, is_noticed: bool) -> None:
    """A snapshot, a merge or a write elsewhere costs no summing up."""
    house.write([call(1)])
    house.keep()
    house.engine.execute(sql)
    assert house.engine.rollup.coverage().known is not is_noticed


def test_a_rewrite_that_names_its_hours_leaves_the_others_alone(house: House) -> None:
    """A deletion by hours costs the summing up of those hours only."""
    house.write([call(n, time=NOON_NS + n * HOUR_NS) for n in range(3)])
    house.keep()
    house.engine.rewrite(
        "DELETE FROM store.calls WHERE span_id = {id:String}",
        {"id": f"{1:016x}"},
        hours=[NOON_NS // HOUR_NS + 1],
    )
    assert house.from_rollup(EVERYTHING) == (2, 1)
    assert house.same(EVERYTHING).counted.totals.calls == 2


def test_many_touched_hours_are_one_condition(house: House) -> None:
    """Hours apart from each other, more than a statement should list, are answered exactly too."""
    house.write([call(n, time=NOON_NS + 2 * n * HOUR_NS) for n in range(60)])
    while house.engine.rollup.discovering() is not None:
        house.keeper.step()
    question = UsageQuestion(by=("hour",), since_ns=NOON_NS + 1, until_ns=NOON_NS + 118 * HOUR_NS + 1)
    assert house.same(question).counted.totals.calls == 59


def test_durations_can_be_left_out(house: House) -> None:
    """A question that does not want durations gets the same sums and no durations."""
    house.write([call(1), call(2)])
    for _ in range(2):
        totals = house.same(UsageQuestion(durations=False)).counted.totals
        assert (totals.calls, totals.avg_duration_ns, totals.p95_duration_ns) == (2, None, None)
        house.keep()


def test_the_most_expensive_calls_are_looked_for_where_they_are(house: House) -> None:
    """A page by cost reads the hours that hold its calls, ties and fresh rows included, and no others."""
    house.write(
        [call(n, time=NOON_NS + n * HOUR_NS, cost_usd=Decimal(n % 7), tenant="ab"[n % 2]) for n in range(20)]
    )
    house.keep()
    house.write([call(99, time=NOON_NS + 2 * HOUR_NS + 1, cost_usd=Decimal(100))])
    question = ListQuestion(subject="calls", sort="cost", limit=2)
    ranges = ranges_of_most_expensive(
        house.engine, 3, since_ns=None, until_ns=None, filters={}, limits=Limits(database="watchglass")
    )
    assert [(since - NOON_NS) // HOUR_NS for since, _ in ranges if since is not None] == [2, 6, 13, 19]
    assert [row.cost_usd for row in house.same_page(question).rows] == [100, 6]
    for filters in ({"tenant": ("b",)}, {"tenant": ("nobody",)}, {"session": ("",)}, {"success": ("true",)}):
        house.same_page(ListQuestion(subject="calls", sort="cost", limit=2, filters=filters))
    following = ListQuestion(subject="calls", sort="cost", limit=2, cursor=house.same_page(question).next)
    assert [row.cost_usd for row in house.same_page(following).rows] == [6, 5]


def test_whole_days_are_answered_from_days(house: House) -> None:
    """What is over and quiet is read a day at a time, until an hour of it is written to: the same answer."""
    day = UsageQuestion(by=("tenant", "day"))
    midnight = NOON_NS - 12 * HOUR_NS
    house.write([call(n, time=midnight + n * HOUR_NS, cost_usd=Decimal(n)) for n in range(48)])
    house.keep()
    found = answering(house.engine, day)
    assert (len(found.days), len(found.buckets), len(found.ranges)) == (2, 0, 0)
    assert house.same(day).counted.totals.calls == 48
    cut = UsageQuestion(by=("day",), since_ns=midnight + HOUR_NS, until_ns=midnight + 48 * HOUR_NS)
    found = answering(house.engine, cut)
    assert (len(found.days), len(found.buckets)) == (1, 23)
    assert house.same(cut).counted.totals.calls == 47
    house.write([call(99, time=midnight + 5)])
    found = answering(house.engine, day)
    assert (len(found.days), len(found.buckets), len(found.ranges)) == (1, 23, 1)
    assert house.same(day).counted.totals.calls == 49
    house.keep()
    assert len(answering(house.engine, day).days) == 2
    assert house.same(day).counted.totals.calls == 49
    house.reopen()
    house.keep()
    assert len(answering(house.engine, day).days) == 2
    assert house.same(day).counted.totals.calls == 49


NAMES = st.sampled_from([None, "a", "b", "x'y", ""])
AMOUNTS = st.none() | st.integers(0, 10**6)
DOLLARS = st.none() | st.decimals(0, 1000, places=18)

ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "number": st.integers(0, 12),
            "version": st.integers(1, 5),
            "hour": st.integers(0, HOURS - 1),
            "offset": st.sampled_from([0, 1, HOUR_NS // 2, HOUR_NS - 1]),
            "state": st.sampled_from(["counted", "counted", "counted", "unattributed", "duplicate"]),
            "tenant": NAMES,
            "agent": NAMES,
            "request_model": NAMES,
            "response_model": NAMES,
            "session": NAMES,
            "feature": NAMES,
            "service": NAMES,
            "code_file": st.sampled_from([None, "/app/a.py", "/app/b.py"]),
            "code_line": st.sampled_from([None, 3, 9]),
            "success": st.booleans(),
            "duration_ns": st.none() | st.integers(0, 10**14),
            "input_tokens": AMOUNTS,
            "output_tokens": AMOUNTS,
            "cost_usd": DOLLARS,
            "reported_cost_usd": DOLLARS,
            "unpriced_reason": st.sampled_from([None, "unknown_model", "tokens_missing"]),
        }
    ),
    min_size=1,
    max_size=8,
)
STEPS = st.lists(
    st.one_of(
        ROWS.map(lambda rows: ("write", rows)),
        st.just(("keep", None)),
        st.just(("one step", None)),
        st.just(("reopen", None)),
        st.just(("time passes", None)),
        ROWS.map(lambda rows: ("write while it is summed up", rows)),
        st.integers(0, 12).map(lambda number: ("delete", number)),
    ),
    min_size=2,
    max_size=8,
)
MOMENTS = st.none() | st.integers(0, HOURS * 4).map(lambda n: NOON_NS + n * HOUR_NS // 4 + (n % 3 - 1))


def in_order(bounds: tuple[int | None, int | None]) -> bool:
    since, until = bounds
    return since is None or until is None or since <= until


QUESTIONS = st.builds(
    lambda by, bounds, filters, durations: UsageQuestion(
        by=tuple(by),
        since_ns=bounds[0],
        until_ns=bounds[1],
        filters=filters,
        durations=durations,
    ),
    st.lists(st.sampled_from(sorted(DIMENSIONS)), unique=True, max_size=3),
    st.tuples(MOMENTS, MOMENTS).filter(in_order),
    st.dictionaries(
        st.sampled_from(["tenant", "model", "agent", "session"]),
        st.sampled_from([("a",), ("", "b"), ("x'y",)]),
        max_size=1,
    ),
    st.booleans(),
)


def row_of(drawn: Mapping[str, Any]) -> dict[str, Any]:
    """A row whose identity follows from its number: the same call is always of the same moment."""
    number, state = drawn["number"], drawn["state"]
    # A number has one moment, as a call has: versions of a row never differ in when it began.
    time = NOON_NS + (number % HOURS) * HOUR_NS + (0, 1, HOUR_NS // 2, HOUR_NS - 1)[number // HOURS % 4]
    columns = {k: v for k, v in drawn.items() if k not in ("number", "hour", "offset", "state")}
    return call(
        number,
        **columns,
        time=time,
        kind="aggregate" if state == "unattributed" else "call",
        counted=state == "counted",
        not_counted_reason=None if state == "counted" else state,
    )


def act(house: House, step: tuple[str, Any]) -> None:
    match step:
        case ("write", rows):
            house.write([row_of(each) for each in rows])
        case ("keep", _):
            house.keep()
        case ("one step", _):
            house.clock.advance_ns(QUIET_NS)
            house.keeper.step()
        case ("reopen", _):
            house.reopen()
        case ("time passes", _):
            house.clock.advance_ns(2 * KEPT_NS)
        case ("write while it is summed up", rows):
            house.rows.before = lambda: house.write([row_of(each) for each in rows[::2]])
            house.rows.after = lambda: house.write([row_of(each) for each in rows[1::2]])
            house.clock.advance_ns(QUIET_NS)
            house.keeper.step()
            house.rows.before = house.rows.after = lambda: None
        case (_, number):
            house.engine.execute(f"DELETE FROM store.calls WHERE span_id = '{number:016x}'")


@settings(max_examples=5, deadline=None)
@given(steps=STEPS, questions=st.lists(QUESTIONS, min_size=1, max_size=3))
def test_the_rollup_says_what_the_rows_say(
    opened: tuple[Store, ManualClock], steps: list[tuple[str, Any]], questions: list[UsageQuestion]
) -> None:
    """After any writes, retries, settlings, deletions and kills, however the keeper was interrupted."""
    compared(House(*opened), steps, questions)


@pytest.mark.long
@settings(max_examples=200, deadline=None)
@given(steps=STEPS, questions=st.lists(QUESTIONS, min_size=1, max_size=3))
def test_the_rollup_says_what_the_rows_say_for_long(
    opened: tuple[Store, ManualClock], steps: list[tuple[str, Any]], questions: list[UsageQuestion]
) -> None:
    """The same, many more times."""
    compared(House(*opened), steps, questions)


def compared(house: House, steps: list[tuple[str, Any]], questions: list[UsageQuestion]) -> None:
    for step in steps:
        act(house, step)
        for question in questions:
            house.same(question)
        house.same(questions[0], Scope(frozenset({"a"})))
        house.same_page(ListQuestion(subject="calls", sort="cost", limit=2))
        same_sites(house, questions[0])
    house.keep()
    for question in questions:
        house.same(question)
    same_sites(house, questions[0])


def same_sites(house: House, like: UsageQuestion) -> None:
    """Lines of code of all days, of one tenant, and between this question's bounds."""
    whole = SitesQuestion(since_ns=NOON_NS - DAY_NS, until_ns=NOON_NS + DAY_NS)
    house.same_sites(whole)
    house.same_sites(whole, Scope(frozenset({"a"})))
    since, until = like.since_ns or whole.since_ns, like.until_ns or whole.until_ns
    house.same_sites(SitesQuestion(since_ns=since, until_ns=until, filters={"service": ("", "b")}))


def test_deleting_by_age_takes_calls_and_leaves_their_sums(house: House) -> None:
    """After a pass of retention, the deleted calls' hours come from the archive, the others as before."""
    day = 24 * HOUR_NS
    house.write([call(n, time=NOON_NS - n * 10 * day, cost_usd=Decimal(1)) for n in range(6)])
    house.keep()
    assert house.same(EVERYTHING).counted.totals.cost_usd == 6
    deleted = Retention(house.engine, {"calls": 25 * day}).run(NOON_NS)
    assert [each.rows for each in deleted] == [3]
    assert house.same(EVERYTHING).counted.totals.cost_usd == 6
    house.keep()
    assert house.from_rollup(EVERYTHING) == (3, 0)
    assert house.same(EVERYTHING).counted.totals.cost_usd == 6
    left = house.engine.execute("SELECT count() AS n FROM watchglass.calls")
    assert left["n"].to_pylist() == [3]
