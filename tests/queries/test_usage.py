"""Usage on a real store: totals are sums, unknown stays unknown, nothing is counted that is not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.new_store import prepared
from tests.stored_rows import NOON_NS, SECOND_NS, call, insert
from watchglass.errors import QueryError
from watchglass.queries.documents import usage_document, usage_report
from watchglass.queries.figures import TOKEN_FIELDS, Figures, add
from watchglass.queries.questions import usage_items, usage_question
from watchglass.queries.reader import StoreReader
from watchglass.queries.usage import BUCKETS, DIMENSIONS, UsageQuestion, UsageReport, UsageRow
from watchglass.store import Engine, open_store

HOUR_NS = 3600 * SECOND_NS
DOLLAR_DIGITS = Decimal(1).scaleb(-18)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with open_store(prepared(tmp_path_factory.mktemp("usage") / "data")) as opened:
        yield opened.engine


@pytest.fixture
def ask(engine: Engine) -> Iterator[Callable[..., UsageReport]]:
    """Put rows into the emptied store and ask."""

    def asked(rows: Sequence[dict[str, Any]], **question: Any) -> UsageReport:
        engine.execute("TRUNCATE TABLE store.calls")
        insert(engine, "calls", rows)
        return StoreReader(engine).usage(UsageQuestion(**question))

    yield asked


def test_known_and_unknown(ask: Callable[..., UsageReport]) -> None:
    """A sum is of what is known; of nothing known it is None; what is missing is counted."""
    report = ask(
        [
            call(1, tenant="a", input_tokens=10, output_tokens=1, cost_usd=Decimal("0.1")),
            call(
                2, tenant="a", input_tokens=5, cache_read_tokens=2, cost_usd=Decimal("0.000000000000000001")
            ),
            call(3, tenant="a", unpriced_reason="tokens_missing"),
            call(4, tenant="b", unpriced_reason="unknown_model", success=False),
        ],
        by=("tenant",),
    )
    a, b = report.counted.rows
    assert a == UsageRow(
        group={"tenant": "a"},
        calls=3,
        calls_without_tokens=1,
        input_tokens=15,
        output_tokens=1,
        cache_read_tokens=2,
        cost_usd=Decimal("0.100000000000000001"),
        priced_calls=2,
        unpriced={"tokens_missing": 1},
        avg_duration_ns=SECOND_NS,
        p95_duration_ns=SECOND_NS,
    )
    assert (b.calls, b.failed_calls, b.input_tokens, b.cost_usd) == (1, 1, None, None)
    assert b.unpriced == {"unknown_model": 1}
    assert report.counted.totals.unpriced == {"tokens_missing": 1, "unknown_model": 1}


def test_zero_is_not_unknown(ask: Callable[..., UsageReport]) -> None:
    """A call that cost nothing and used nothing says 0, which is known."""
    (row,) = ask([call(1, input_tokens=0, output_tokens=0, cost_usd=Decimal(0))], by=()).counted.rows
    assert (row.input_tokens, row.cost_usd, row.priced_calls, row.calls_without_tokens) == (0, 0, 1, 0)


def test_only_counted_calls_are_summed(ask: Callable[..., UsageReport]) -> None:
    """Duplicates, wrappers, supplements and cumulative sums are nowhere in usage; unattributed ones apart."""
    reasons = ["duplicate", "wrapper", "supplement", "cumulative"]
    report = ask(
        [
            call(1, tenant="a", input_tokens=1),
            *(
                call(n, counted=False, not_counted_reason=r, input_tokens=100)
                for n, r in enumerate(reasons, 2)
            ),
            call(
                9,
                kind="aggregate",
                counted=False,
                not_counted_reason="unattributed",
                tenant="a",
                input_tokens=7,
            ),
        ],
        by=("tenant",),
    )
    assert [(row.group["tenant"], row.input_tokens) for row in report.counted.rows] == [("a", 1)]
    assert [(row.group["tenant"], row.input_tokens) for row in report.unattributed.rows] == [("a", 7)]
    assert report.counted.totals.input_tokens == 1
    assert report.unattributed.totals.input_tokens == 7


def test_a_resent_call_counts_once(ask: Callable[..., UsageReport]) -> None:
    """The same call in two versions is one call with the later one's figures."""
    report = ask([call(1, input_tokens=1, version=1), call(1, input_tokens=2, version=2)], by=())
    assert (report.counted.totals.calls, report.counted.totals.input_tokens) == (1, 2)


def test_no_calls(ask: Callable[..., UsageReport], engine: Engine) -> None:
    """Of nothing there are no rows, no calls and no known sums."""
    engine.execute("TRUNCATE TABLE store.calls")
    for by in ((), ("tenant", "hour")):
        report = StoreReader(engine).usage(UsageQuestion(by=by))
        assert report.counted.totals == UsageRow()
        assert report.unattributed.rows == []


def test_time_is_half_open(ask: Callable[..., UsageReport]) -> None:
    """A call at `since` is in, one at `until` is not, to the nanosecond."""
    rows = [call(n, time=NOON_NS + n) for n in range(5)]
    report = ask(rows, by=(), since_ns=NOON_NS + 1, until_ns=NOON_NS + 4)
    assert report.counted.totals.calls == 3
    assert report.since == "2026-01-01T12:00:00.000000001Z"


def test_buckets_are_utc_and_in_order(ask: Callable[..., UsageReport]) -> None:
    """Hours and days begin in UTC, oldest first."""
    rows = [call(n, time=NOON_NS + n * HOUR_NS - 1) for n in (13, 0, 1)]
    report = ask(rows, by=("day", "hour"))
    assert [tuple(row.group.values()) for row in report.counted.rows] == [
        ("2026-01-01", "2026-01-01T11:00:00Z"),
        ("2026-01-01", "2026-01-01T12:00:00Z"),
        ("2026-01-02", "2026-01-02T00:00:00Z"),
    ]


def test_model_is_what_answered_else_what_was_asked(ask: Callable[..., UsageReport]) -> None:
    """`model` is the response's where there is one."""
    rows = [call(1, request_model="m", response_model="m-2026"), call(2, request_model="m"), call(3)]
    report = ask(rows, by=("model",))
    assert {row.group["model"] for row in report.counted.rows} == {"m-2026", "m", None}


def test_filters(ask: Callable[..., UsageReport]) -> None:
    """A filter keeps any of its values, two filters must both hold, '' stands for unknown."""
    rows = [
        call(n, tenant=t, agent=a)
        for n, (t, a) in enumerate([("x", "1"), ("y", "1"), ("x", None), (None, "2")])
    ]

    def count(**filters: tuple[str, ...]) -> int:
        return ask(rows, by=(), filters=filters).counted.totals.calls

    assert count(tenant=("x",)) == 2
    assert count(tenant=("x", "y")) == 3
    assert count(tenant=("x",), agent=("1",)) == 1
    assert count(tenant=("",)) == 1
    assert count(agent=("' OR 1 = 1 --",)) == 0


def test_every_dimension_works(ask: Callable[..., UsageReport]) -> None:
    """Each dimension groups, alone and as a filter; all of them together too."""
    rows = [call(1, tenant="t", user="u")]
    for name in DIMENSIONS:
        assert ask(rows, by=(name,)).counted.totals.calls == 1
        if name not in BUCKETS:
            assert ask(rows, by=(), filters={name: ("nobody",)}).counted.totals.calls == 0
    assert ask(rows, by=tuple(DIMENSIONS)).counted.totals.calls == 1


@pytest.mark.parametrize(
    "question",
    [
        UsageQuestion(by=("colour",)),
        UsageQuestion(by=("tenant) --",)),
        UsageQuestion(by=("tenant", "tenant")),
        UsageQuestion(filters={"hour": ("x",)}),
        UsageQuestion(filters={"1=1": ("x",)}),
        UsageQuestion(since_ns=2, until_ns=1),
    ],
)
def test_senseless_questions_are_refused(engine: Engine, question: UsageQuestion) -> None:
    """A dimension, filter or span of time that does not exist is an error, never ignored."""
    with pytest.raises(QueryError):
        StoreReader(engine).usage(question)


COUNTS = st.none() | st.integers(0, 10**12)
DOLLARS = st.none() | st.decimals(0, 10**6, places=18)
NAMES = st.none() | st.sampled_from(["a", "b", "", "é", "x'y"])


@st.composite
def calls(draw: st.DrawFn) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for number in range(draw(st.integers(0, 25))):
        cost = draw(DOLLARS)
        state = draw(st.sampled_from(["counted"] * 4 + ["unattributed", "duplicate"]))
        rows.append(
            call(
                number,
                time=NOON_NS + draw(st.integers(0, 3 * HOUR_NS)),
                tenant=draw(NAMES),
                request_model=draw(NAMES),
                response_model=draw(NAMES),
                success=draw(st.booleans()),
                duration_ns=draw(st.integers(0, 10**12)),
                cost_usd=cost,
                reported_cost_usd=draw(DOLLARS),
                unpriced_reason=None
                if cost is not None
                else draw(st.sampled_from(["unknown_model", "tokens_missing"])),
                kind="aggregate" if state == "unattributed" else "call",
                counted=state == "counted",
                not_counted_reason=None if state == "counted" else state,
                **{field: draw(COUNTS) for field in TOKEN_FIELDS},
            )
        )
    return rows


def figures_of(rows: Iterable[dict[str, Any]]) -> Figures:
    """The sums as this test understands them, row by row."""
    total = Figures()
    for row in rows:
        reason = {} if row["cost_usd"] is not None else {row["unpriced_reason"]: 1}
        total = add(
            total,
            Figures(
                calls=1,
                failed_calls=int(not row["success"]),
                calls_without_tokens=int(row["input_tokens"] is None and row["output_tokens"] is None),
                **{field: row[field] for field in (*TOKEN_FIELDS, "cost_usd", "reported_cost_usd")},
                priced_calls=int(row["cost_usd"] is not None),
                unpriced=reason,
            ),
        )
    return total


def as_figures(row: UsageRow) -> Figures:
    return Figures(**{field: getattr(row, field) for field in Figures.__struct_fields__})


@settings(max_examples=40, deadline=None)
@given(
    rows=calls(), by=st.lists(st.sampled_from(["tenant", "model", "hour", "day"]), unique=True, max_size=3)
)
def test_totals_equal_sums(engine: Engine, rows: list[dict[str, Any]], by: list[str]) -> None:
    """To the last digit: rows add up to the totals, and both to what was put in."""
    engine.execute("TRUNCATE TABLE store.calls")
    insert(engine, "calls", rows)
    report = StoreReader(engine).usage(UsageQuestion(by=tuple(by)))
    for part, chosen in (
        (report.counted, [row for row in rows if row["counted"]]),
        (report.unattributed, [row for row in rows if row["not_counted_reason"] == "unattributed"]),
    ):
        sums = Figures()
        for row in part.rows:
            sums = add(sums, as_figures(row))
        assert sums == as_figures(part.totals) == figures_of(chosen)
        if "tenant" in by:
            per_tenant = Counter(row["tenant"] for row in chosen)
            found: Counter[str | None] = Counter()
            for row in part.rows:
                found[row.group["tenant"]] += row.calls
            assert found == per_tenant
        for row in (*part.rows, part.totals):
            assert row.priced_calls + sum(row.unpriced.values()) == row.calls


@settings(max_examples=25, deadline=None)
@given(rows=calls())
def test_reports_survive_json(engine: Engine, rows: list[dict[str, Any]]) -> None:
    """A report read back from its document is the same report, exact money included."""
    engine.execute("TRUNCATE TABLE store.calls")
    insert(engine, "calls", rows)
    report = StoreReader(engine).usage(UsageQuestion(by=("tenant", "hour")))
    text = msgspec.json.encode(usage_document(report))
    assert usage_report(msgspec.json.decode(text)) == report
    assert b"E-" not in text


QUESTIONS = st.builds(
    UsageQuestion,
    by=st.lists(st.sampled_from(list(DIMENSIONS)), unique=True, max_size=4).map(tuple),
    since_ns=st.none() | st.integers(0, NOON_NS),
    until_ns=st.none() | st.integers(NOON_NS, 2 * NOON_NS),
    filters=st.dictionaries(
        st.sampled_from(["tenant", "model", "agent"]), st.lists(st.text(), min_size=1, max_size=3).map(tuple)
    ),
    durations=st.booleans(),
)


@given(QUESTIONS)
def test_questions_survive_the_query_string(question: UsageQuestion) -> None:
    """What the command line asks a server is what it was asked."""
    assert usage_question(usage_items(question), 0) == question
