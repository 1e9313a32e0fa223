"""Calls that expire leave their sums behind: counted once, whatever is killed when and comes late."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from tests.frail_engine import Frail, Killed
from tests.new_store import prepared
from tests.stored_rows import NOON_NS, call, insert
from watchglass.clock import ManualClock
from watchglass.queries.reader import StoreReader
from watchglass.queries.scope import Scope
from watchglass.queries.usage import UsageQuestion
from watchglass.store import Limits, Retention, Store, open_store, remove_tenants
from watchglass.store.retention import DAY_NS
from watchglass.store.rollup import Rollup
from watchglass.store.rollup_engine import RolledEngine
from watchglass.store.rollup_hours import HOUR_NS

NOW_NS = NOON_NS + 100 * DAY_NS
KEEP = {"calls": 30 * DAY_NS}
TINY = Decimal("0.000000000000000001")


STATEMENTS = 6
"""Of one partition in a pass: two of sums, identities, the switch, the deletion, the end of it."""


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with open_store(
        prepared(tmp_path_factory.mktemp("archive") / "data"), clock=ManualClock(NOW_NS)
    ) as store:
        yield store


@pytest.fixture
def store(opened: Store) -> Store:
    empty(opened)
    return opened


def empty(store: Store) -> None:
    for table in ("calls", "usage_expired", "expired_calls", "expired_passes"):
        store.engine.execute(f"TRUNCATE TABLE store.{table}")
    store.engine.archive.recover()


def reopened(store: Store, engine: Any) -> RolledEngine:
    """What a kill leaves is what is on disk."""
    made = RolledEngine(engine, Rollup(store.control, ManualClock(NOW_NS), store.versions))
    made.archive.recover()
    return made


def spent(engine: RolledEngine, scope: Scope | None = None) -> tuple[int, Decimal | None, int | None]:
    """Calls, dollars and tokens, after `usage` and both summaries were found to say the same."""
    reader = StoreReader(engine, scope=scope) if scope else StoreReader(engine)
    totals = reader.usage(UsageQuestion(by=("tenant", "day"))).counted.totals
    for table in ("llm_usage_summary", "llm_usage_summary_daily"):
        sql = f"SELECT sum(calls), toString(sum(total_cost)), sum(total_tokens) FROM {table}"
        ((calls, cost, tokens),) = reader.query(sql).rows()
        assert isinstance(cost, str | None)
        assert (calls, None if cost is None else Decimal(cost)) == (totals.calls, totals.cost_usd)
    return totals.calls, totals.cost_usd, tokens  # type: ignore[return-value]  # a JSON value


def some_calls() -> list[dict[str, Any]]:
    """Two old months, the month in which the limit lies, and today; counted and not."""
    ages = (98, 98, 60, 31, 30, 2, 0)
    rows = [
        call(
            n, time=NOW_NS - age * DAY_NS + n, tenant="ab"[n % 2], cost_usd=Decimal(n) + TINY, input_tokens=n
        )
        | ({"output_tokens": 1} if n % 3 else {})
        for n, age in enumerate(ages)
    ]
    return [*rows, call(50, time=NOW_NS - 98 * DAY_NS, counted=False, cost_usd=Decimal(99))]


ALL = (7, Decimal(21) + 7 * TINY, 1 + 2 + 4 + 5 + 4)


def test_sums_stay_when_calls_go(store: Store) -> None:
    """To the last digit; rows are deleted, and what is left says that they are."""
    insert(store.engine, "calls", some_calls())
    before = spent(store.engine)
    assert before == (7, 21 + 7 * TINY, before[2])
    frail = Frail(store.engine)
    engine = reopened(store, frail)
    Retention(engine, KEEP).run(NOW_NS)
    assert frail.number == 3 * STATEMENTS
    store.engine.archive.recover()
    assert store.engine.execute("SELECT count() AS n FROM store.calls")["n"].to_pylist() == [3]
    assert spent(store.engine) == before
    marked = StoreReader(store.engine).query(
        "SELECT expired, sum(calls) FROM llm_usage_summary GROUP BY expired ORDER BY expired"
    )
    assert list(marked.rows()) == [[False, 3], [True, 4]]


def test_a_second_pass_adds_nothing(store: Store) -> None:
    """What is archived is archived once."""
    insert(store.engine, "calls", some_calls())
    before = spent(store.engine)
    for days in range(3):
        Retention(store.engine, KEEP).run(NOW_NS + days * DAY_NS)
        assert spent(store.engine) == before


POINTS = [
    # After a statement is before the next one, but for the last; the long run tries both all the same.
    pytest.param(number, moment, marks=() if moment == "before" or number == STATEMENTS else pytest.mark.long)
    for number in range(1, STATEMENTS + 1)
    for moment in ("before", "after")
]


@pytest.mark.parametrize(("number", "moment"), POINTS)
def test_a_kill_at_any_point_loses_nothing_and_counts_nothing_twice(
    store: Store, number: int, moment: str
) -> None:
    """Before and after each statement of a pass: answers are the same at once, after the next start, and
    after the next pass."""
    insert(store.engine, "calls", some_calls())
    frail = Frail(store.engine)
    engine = reopened(store, frail)
    before = spent(engine)
    frail.fails_at = (frail.number + number, moment)
    with pytest.raises(Killed):
        Retention(engine, KEEP).run(NOW_NS)
    assert spent(engine) == before
    frail.fails_at = None
    insert(engine, "calls", [call(70, time=NOW_NS - 98 * DAY_NS + 5, cost_usd=Decimal(7))])
    before = (before[0] + 1, (before[1] or 0) + 7, before[2])
    assert spent(engine) == before
    engine = reopened(store, frail)
    assert spent(engine) == before
    Retention(engine, KEEP).run(NOW_NS)
    assert spent(engine) == before
    assert engine.execute("SELECT count() AS n FROM store.calls")["n"].to_pylist() == [3]


def test_a_call_that_is_sent_again_is_not_counted_again(store: Store) -> None:
    """Neither one that counted, nor the duplicate of one: what told so is gone."""
    rows = some_calls()
    insert(store.engine, "calls", rows)
    before = spent(store.engine)
    Retention(store.engine, KEEP).run(NOW_NS)
    insert(store.engine, "calls", [each | {"counted": True} for each in rows[:3] + rows[-1:]])
    assert spent(store.engine) == before
    engine = reopened(store, Frail(store.engine))
    insert(engine, "calls", [*rows[:3], call(71, time=NOW_NS - 98 * DAY_NS, cost_usd=TINY)])
    after = (before[0] + 1, (before[1] or 0) + TINY, before[2])
    assert spent(engine) == after
    Retention(engine, KEEP).run(NOW_NS)
    assert spent(engine) == after


def test_the_same_id_of_another_owner_is_another_call(store: Store) -> None:
    """Nobody keeps another's call out by having sent its id."""
    row = call(1, time=NOW_NS - 98 * DAY_NS, owner="a")
    insert(store.engine, "calls", [row])
    Retention(store.engine, KEEP).run(NOW_NS)
    insert(store.engine, "calls", [row, row | {"owner": "b"}, row | {"owner": ""}])
    assert spent(store.engine)[0] == 3


def test_late_calls_of_expired_hours_count(store: Store) -> None:
    """An import of old history counts at once, and after the next pass, which merges it into the archive."""
    insert(store.engine, "calls", some_calls())
    Retention(store.engine, KEEP).run(NOW_NS)
    insert(
        store.engine, "calls", [call(n, time=NOW_NS - 98 * DAY_NS + n, tenant="a") for n in range(100, 110)]
    )
    late = spent(store.engine)
    assert late[0] == 17
    Retention(store.engine, KEEP).run(NOW_NS)
    assert spent(store.engine) == late
    ((rows, marked),) = (
        StoreReader(store.engine)
        .query("SELECT count(), countIf(expired) FROM llm_usage_summary WHERE calls >= 10")
        .rows()
    )
    assert (rows, marked) == (1, 1)


def test_nobody_writes_old_calls_while_they_are_archived(store: Store) -> None:
    """A writer of an hour that is being archived waits and counts; one of today's goes on."""
    insert(store.engine, "calls", some_calls())
    frail = Frail(store.engine)
    engine = reopened(store, frail)
    written, threads = threading.Event(), list[threading.Thread]()

    def write() -> None:
        insert(engine, "calls", [call(80, time=NOW_NS - 98 * DAY_NS + 9)])
        written.set()

    execute = frail.execute

    def watching(sql: str, params: Mapping[str, object] = {}, *, limits: Limits | None = None) -> pa.Table:
        if "INSERT INTO store.expired_calls" in sql and not threads:
            threads.append(threading.Thread(target=write))
            threads[0].start()
            insert(engine, "calls", [call(81, time=NOW_NS + 1)])
            assert not written.wait(0.2)
        return execute(sql, params, limits=limits)

    frail.execute = watching  # type: ignore[method-assign]  # a test's own
    Retention(engine, KEEP).run(NOW_NS)
    threads[0].join(60)
    assert written.is_set()
    assert spent(engine)[0] == 9


def test_a_question_during_a_pass_is_asked_again(store: Store) -> None:
    """One that took calls for there, and found them gone, says what was spent and not what was left."""
    insert(store.engine, "calls", some_calls())
    before = spent(store.engine)
    frail = Frail(store.engine)
    engine = reopened(store, frail)
    execute, ran = frail.execute, list[int]()

    def passing(sql: str, params: Mapping[str, object] = {}, *, limits: Limits | None = None) -> pa.Table:
        if limits is not None and "sum" in sql and not ran:
            ran.append(1)
            Retention(engine, KEEP).run(NOW_NS)
        return execute(sql, params, limits=limits)

    frail.execute = passing  # type: ignore[method-assign]  # a test's own
    assert StoreReader(engine).usage(UsageQuestion()).counted.totals.calls == before[0]
    assert ran


def test_a_removed_tenant_leaves_no_sums(store: Store) -> None:
    """Archive and identities of a tenant go with its rows; others' stay."""
    rows = some_calls()
    insert(store.engine, "calls", rows)
    Retention(store.engine, KEEP).run(NOW_NS)
    removed = remove_tenants(store.engine, ["a"])
    assert removed["expired_calls"] == 2
    assert spent(store.engine)[0] == 3
    insert(store.engine, "calls", [rows[0], rows[1]])
    assert spent(store.engine)[0] == 4


def test_a_tenant_reads_its_own_sums(store: Store) -> None:
    """The scope holds for the archive, for its views and for what usage tells of expired hours."""
    insert(store.engine, "calls", some_calls())
    Retention(store.engine, KEEP).run(NOW_NS)
    assert spent(store.engine, Scope(frozenset({"a"})))[0] == 4
    assert spent(store.engine, Scope(frozenset({"b"})))[0] == 3
    assert spent(store.engine, Scope(frozenset({"c"})))[0] == 0
    told = StoreReader(store.engine, scope=Scope(frozenset({"b"}))).usage(UsageQuestion()).expired
    assert told is not None and told.calls == 2
    assert StoreReader(store.engine, scope=Scope(frozenset({"c"}))).usage(UsageQuestion()).expired is None


def test_usage_says_what_is_expired(store: Store) -> None:
    """From when to when; by what is not kept it is left out and said; so are hours that the bounds cut."""
    at_ns = NOW_NS - 98 * DAY_NS
    insert(
        store.engine,
        "calls",
        [call(1, time=at_ns, session="s"), call(2, time=at_ns + HOUR_NS), call(3, time=NOW_NS)],
    )
    Retention(store.engine, KEEP).run(NOW_NS)
    reader = StoreReader(store.engine)
    told = reader.usage(UsageQuestion()).expired
    assert told is not None
    assert (told.since[:16], told.until[:16], told.calls) == ("2026-01-03T12:00", "2026-01-03T14:00", 2)
    assert told.included
    by_session = reader.usage(UsageQuestion(by=("session",)))
    assert by_session.counted.totals.calls == 1
    assert by_session.expired is not None and not by_session.expired.included
    cut = reader.usage(UsageQuestion(since_ns=at_ns + 1))
    assert cut.counted.totals.calls == 2
    assert cut.expired is not None and "cuts are left out" in cut.expired.note
    assert reader.usage(UsageQuestion(since_ns=NOW_NS - DAY_NS)).expired is None
