"""The summary is the sum of the calls, to the last digit, whatever happens to them and in whatever order."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.frail_engine import Frail, Killed
from tests.new_store import prepared
from tests.rolled_house import House
from tests.stored_rows import NOON_NS, call
from watchglass.clock import ManualClock
from watchglass.queries.reader import StoreReader
from watchglass.queries.scope import EVERYTHING, Scope
from watchglass.queries.usage import UsageQuestion
from watchglass.store import Retention, Store, open_store, remove_tenants
from watchglass.store.retention import DAY_NS, limit_ns
from watchglass.store.rollup_hours import HOUR_NS

NUMBERS = 12
KEPT_NS = 30 * DAY_NS
START_NS = NOON_NS + 31 * DAY_NS
BY = ("hour", "tenant", "engagement", "feature", "provider", "model")

Row: TypeAlias = "dict[str, Any]"
Key: TypeAlias = "tuple[str | None, ...]"


@dataclasses.dataclass
class Sums:
    """What a group adds up to; None is that nobody said."""

    calls: int = 0
    input: int | None = None
    output: int | None = None
    total: int | None = None
    cost: Decimal | None = None
    duration: int = 0
    expired: bool = False

    def add(self, row: Row, expired: bool) -> None:
        """One more call."""
        tokens = (row.get("input_tokens"), row.get("output_tokens"))
        both = None if None in tokens else sum(tokens)  # type: ignore[arg-type]  # None was looked for
        self.calls += 1
        self.input, self.output = plus(self.input, tokens[0]), plus(self.output, tokens[1])
        self.total, self.cost = plus(self.total, both), plus(self.cost, row.get("cost_usd"))
        self.duration += row["duration_ns"]
        self.expired |= expired


def plus(left: Any, right: Any) -> Any:
    return left if right is None else right if left is None else left + right


class Ledger:
    """The same calls, kept in Python by the simplest rules there are."""

    def __init__(self) -> None:
        self.live: dict[int, Row] = {}
        self.gone: list[Row] = []
        self.known: dict[str, str | None] = {}

    def send(self, number: int, row: Row) -> None:
        """A row comes in: the highest version of a call stays, what has expired comes in no more."""
        before = self.live.get(number)
        if row["call_id"] not in self.known and (before is None or before["version"] <= row["version"]):
            self.live[number] = row

    def expire(self, before_ns: int) -> None:
        """Calls from before a moment are deleted, and stay in the sums."""
        for number in [n for n, row in self.live.items() if row["time"] < before_ns]:
            row = self.live.pop(number)
            self.gone.append(row)
            self.known[row["call_id"]] = row.get("tenant")

    def remove(self, tenant: str) -> None:
        """Nothing of a tenant is left, neither calls nor sums nor the memory of them."""
        self.live = {n: row for n, row in self.live.items() if row.get("tenant") != tenant}
        self.gone = [row for row in self.gone if row.get("tenant") != tenant]
        self.known = {call_id: owner for call_id, owner in self.known.items() if owner != tenant}

    def sums(self, step_ns: int, scope: Scope, *, counted: bool = True) -> dict[Key, Sums]:
        """By period and dimensions."""
        found: dict[Key, Sums] = defaultdict(Sums)
        for expired, rows in ((False, self.live.values()), (True, self.gone)):
            for row in rows:
                is_sum = row.get("not_counted_reason") == "unattributed"
                if (row["counted"] if counted else is_sum) and seen(row, scope):
                    period = row["time"] // step_ns * step_ns // 10**9
                    key = (str(period), *(row.get(name) for name in (*BY[1:5], "response_model")))
                    found[key].add(row, expired)
        return dict(found)


def seen(row: Row, scope: Scope) -> bool:
    return scope.tenants is None or row.get("tenant") in scope.tenants


class Books:
    """A store and the ledger beside it."""

    def __init__(self, store: Store, clock: ManualClock) -> None:
        self.frail = Frail(store.engine)
        self.house = House(store, clock, self.frail)
        self.ledger = Ledger()
        self.now_ns = START_NS
        self.version = 1

    def send(self, rows: Sequence[tuple[int, Row]]) -> None:
        self.house.write([row for _, row in rows])
        for number, row in rows:
            self.ledger.send(number, row)

    def rewrite(self, number: int, changes: Row) -> None:
        """As settling does: a row that was read is written again, with a higher version."""
        before = self.ledger.live.get(number)
        if before is None:
            return
        self.version += 1
        # A tenant that was known is not another's later.
        tenant = before.get("tenant") or changes.get("tenant")
        self.send([(number, before | changes | {"version": self.version, "tenant": tenant})])

    def reprice(self, tenant: str | None, factor: Decimal) -> None:
        """As repricing does: many rows in one statement, which names its hours."""
        self.version += 1
        engine = self.house.engine
        hours = {row["time"] // HOUR_NS for row in self.ledger.live.values()}
        with engine.alone():
            engine.rewrite(
                f"""
                INSERT INTO store.calls
                SELECT * REPLACE (cost_usd * toDecimal32({factor}, 0) AS cost_usd, {self.version} AS version)
                FROM store.calls FINAL
                WHERE ifNull(tenant, '') = {{tenant:String}} AND cost_usd IS NOT NULL
                """,
                {"tenant": tenant or ""},
                hours=hours,
            )
        for row in self.ledger.live.values():
            if row.get("tenant") == tenant and row.get("cost_usd") is not None:
                row |= {"cost_usd": row["cost_usd"] * factor, "version": self.version}

    def expire(self, days: int, dies: tuple[int, str] | None) -> None:
        """A pass of retention, which may be killed half way; then the store is opened again."""
        self.now_ns += days * DAY_NS
        self.frail.fails_at = dies and (self.frail.number + dies[0], dies[1])
        retention = Retention(self.house.engine, {"calls": KEPT_NS})
        try:
            retention.run(self.now_ns)
        except Killed:
            self.agree()
            self.frail.fails_at = None
            self.house.reopen()
            self.agree()
            Retention(self.house.engine, {"calls": KEPT_NS}).run(self.now_ns)
        self.frail.fails_at = None
        self.ledger.expire(limit_ns(self.now_ns, KEPT_NS))

    def remove(self, tenant: str) -> None:
        remove_tenants(self.house.engine, [tenant])
        self.ledger.remove(tenant)

    def agree(self) -> None:
        """Hour, day and usage say what the ledger says, for everybody and for one tenant."""
        for scope in (EVERYTHING, Scope(frozenset({"a"}))):
            reader = StoreReader(self.house.engine, scope=scope)
            marks = not self.frail.fails_at
            assert hours_of(reader, "llm_usage_summary", marks) == marked(
                self.ledger.sums(HOUR_NS, scope), marks
            )
            assert hours_of(reader, "llm_usage_summary_daily", marks) == marked(
                self.ledger.sums(DAY_NS, scope), marks
            )
            report = reader.usage(UsageQuestion(by=BY))
            for counted, part in ((True, report.counted), (False, report.unattributed)):
                kept = self.ledger.sums(HOUR_NS, scope, counted=counted)
                assert {(*(row.group[name] for name in BY[1:]),): None for row in part.rows}.keys() == {
                    key[1:] for key in kept
                }
                assert sorted((row.calls, row.cost_usd or 0, row.input_tokens or 0) for row in part.rows) == (
                    sorted((each.calls, each.cost or 0, each.input or 0) for each in kept.values())
                )
                assert part.totals.cost_usd == total(kept)
                assert part.totals.calls == sum(each.calls for each in kept.values())


def total(kept: dict[Key, Sums]) -> Decimal | None:
    known = [each.cost for each in kept.values() if each.cost is not None]
    return sum(known, Decimal(0)) if known else None


def marked(kept: dict[Key, Sums], marks: bool) -> dict[Key, tuple[Any, ...]]:
    return {
        (key[0], key[1], key[2], key[3], key[4] or "unknown", key[5] or "unknown"): (
            each.calls, each.input, each.output, each.total, each.cost,
            each.duration / each.calls / 1_000_000, *([each.expired] if marks else []),
        )
        for key, each in kept.items()
    }  # fmt: skip


def hours_of(reader: StoreReader, table: str, marks: bool) -> dict[Key, tuple[Any, ...]]:
    """The rows of a summary by their keys; each key is there once."""
    rows = list(
        reader.query(
            f"SELECT * REPLACE (toString(toUnixTimestamp(period_start)) AS period_start) FROM {table}"
        ).rows()
    )
    found = {
        tuple(row[:6]): (*row[6:10], row[10] and Decimal(str(row[10])), row[11], *(row[12:] if marks else []))
        for row in rows
    }
    assert len(found) == len(rows)
    return found  # type: ignore[return-value]  # JSON values, which are compared


NAMES = st.sampled_from([None, "a", "b", "x'y"])
FACTS = st.fixed_dictionaries(
    {
        "state": st.sampled_from(["counted", "counted", "counted", "unattributed", "duplicate"]),
        "tenant": NAMES,
        "engagement": NAMES,
        "feature": st.sampled_from([None, "f"]),
        "provider": NAMES,
        "response_model": NAMES,
        "session": NAMES,
        "duration_ns": st.integers(0, 10**6).map(lambda n: n * 1_000_000),
        "input_tokens": st.none() | st.integers(0, 10**6),
        "output_tokens": st.none() | st.integers(0, 10**6),
        "cost_usd": st.none() | st.decimals(0, 1000, places=18),
    }
)
CHANGES = st.one_of(
    st.sampled_from(
        [
            {"counted": False, "not_counted_reason": "duplicate"},
            {"counted": True, "not_counted_reason": None, "kind": "call"},
        ]
    ),
    st.fixed_dictionaries({"tenant": NAMES, "feature": NAMES}),
    st.fixed_dictionaries({"cost_usd": st.none() | st.decimals(0, 1000, places=18)}),
)
SOME = st.lists(st.integers(0, NUMBERS - 1), min_size=1, max_size=8, unique=True)
STEPS = st.lists(
    st.one_of(
        SOME.map(lambda numbers: ("send", numbers)),
        SOME.map(lambda numbers: ("send", numbers)),
        st.tuples(st.integers(0, NUMBERS - 1), CHANGES).map(lambda drawn: ("rewrite", drawn)),
        st.tuples(st.sampled_from([None, "a"]), st.sampled_from([Decimal(0), Decimal(3)])).map(
            lambda drawn: ("reprice", drawn)
        ),
        st.tuples(
            st.integers(0, 20),
            st.none() | st.tuples(st.integers(1, 12), st.sampled_from(["before", "after"])),
        ).map(lambda drawn: ("expire", drawn)),
        st.sampled_from(["a", "b"]).map(lambda tenant: ("remove", tenant)),
        st.sampled_from([("keep", None), ("one step", None), ("reopen", None)]),
    ),
    min_size=3,
    max_size=9,
)


def row_of(number: int, facts: Row) -> Row:
    """The call of a number as it came: always of the same moment, and the same each time it is sent."""
    state = facts["state"]
    moment = NOON_NS + (number % 4) * 10 * DAY_NS + (number // 4) * (HOUR_NS // 2) + number
    return call(
        number,
        **{name: value for name, value in facts.items() if name != "state"},
        time=moment,
        kind="aggregate" if state == "unattributed" else "call",
        counted=state == "counted",
        not_counted_reason=None if state == "counted" else state,
    )


def act(books: Books, step: tuple[str, Any], facts: Sequence[Row]) -> None:
    match step:
        case ("send", numbers):
            books.send([(number, row_of(number, facts[number])) for number in numbers])
        case ("rewrite", (number, changes)):
            books.rewrite(number, changes)
        case ("reprice", (tenant, factor)):
            books.reprice(tenant, factor)
        case ("expire", (days, dies)):
            books.expire(days, dies)
        case ("remove", tenant):
            books.remove(tenant)
        case ("keep", _):
            books.house.keep()
        case ("one step", _):
            books.house.keeper.step()
        case _:
            books.house.reopen()


def compared(
    opened: tuple[Store, ManualClock], steps: Sequence[tuple[str, Any]], facts: Sequence[Row]
) -> None:
    books = Books(*opened)
    act(books, ("send", range(NUMBERS)), facts)
    for step in steps:
        act(books, step, facts)
        books.agree()


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, ManualClock]]:
    clock = ManualClock(START_NS)
    with open_store(prepared(tmp_path_factory.mktemp("summary") / "data"), clock=clock) as store:
        yield store, clock


@settings(max_examples=3, deadline=None)
@given(steps=STEPS, facts=st.lists(FACTS, min_size=NUMBERS, max_size=NUMBERS))
def test_the_summary_says_what_the_ledger_says(
    opened: tuple[Store, ManualClock], steps: list[tuple[str, Any]], facts: list[Row]
) -> None:
    """After any calls, retries, settlings, repricings, expiries, removals and kills, in any order."""
    compared(opened, steps, facts)


@pytest.mark.long
@settings(max_examples=200, deadline=None)
@given(steps=STEPS, facts=st.lists(FACTS, min_size=NUMBERS, max_size=NUMBERS))
def test_the_summary_says_what_the_ledger_says_for_long(
    opened: tuple[Store, ManualClock], steps: list[tuple[str, Any]], facts: list[Row]
) -> None:
    """The same, many more times."""
    compared(opened, steps, facts)
