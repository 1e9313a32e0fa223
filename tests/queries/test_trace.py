"""Traces as trees: pure over rows, and from a real store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.new_store import prepared
from tests.stored_rows import NOON_NS, SECOND_NS, call, insert, span, task
from watchglass.errors import NotFound, QueryError
from watchglass.queries.documents import read_trace, trace_document
from watchglass.queries.reader import StoreReader
from watchglass.queries.trace import Trace, build
from watchglass.queries.traced.ids import normal_id
from watchglass.queries.traced.known import whole
from watchglass.queries.traced.rows import Columns
from watchglass.store import open_store

RUN = "8" * 32
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def row(name: str, parent: str = "", start: int = 0, duration: int = 10) -> dict[str, Any]:
    return {
        "span_id": name,
        "parent_span_id": parent,
        "name": f"step {name}",
        "service": None,
        "scope": "",
        "start_ns": start,
        "duration_ns": duration,
        "status": 0,
        "status_message": "",
        "events": 0,
        "exceptions": 0,
        "tenant": None,
    }


def request(name: str, parent: str = "", **columns: Any) -> dict[str, Any]:
    return {
        "span_id": name,
        "parent_span_id": parent,
        "time_ns": 0,
        "duration_ns": 10,
        "service": None,
        "scope": "",
        "call_id": f"{TRACE}:{name}",
        "kind": "call",
        "operation": "chat",
        "provider": None,
        "model": None,
        "input_tokens": None,
        "output_tokens": None,
        "cache_read_tokens": None,
        "cache_write_tokens": None,
        "reasoning_tokens": None,
        "cost_usd": None,
        "tenant": None,
        "unpriced_reason": None,
        "success": True,
        "error_type": None,
        "ttft_ns": None,
        "counted": True,
        "not_counted_reason": None,
        "duplicate_of": None,
        **columns,
    }


def columns(rows: Sequence[Mapping[str, Any]], names: Iterable[str]) -> Columns:
    return {name: [each[name] for each in rows] for name in names}


def tree(spans: Sequence[Mapping[str, Any]], calls: Sequence[Mapping[str, Any]] = ()) -> Trace:
    """The tree of spans and calls as they are in the store."""
    known = columns(calls, request(""))
    return build(TRACE, whole(columns(spans, row("")), known, {"span_id": []}), known)


def outline(trace: Trace) -> list[tuple[str, int]]:
    return [(span.span_id, span.depth) for span in trace.spans]


def test_parents_come_before_children_and_siblings_by_time() -> None:
    """A walk through the tree: each span under its parent, earlier siblings first."""
    spans = [row("c", "a", 3), row("b", "a", 5), row("a"), row("d", "c", 4), row("e", start=9)]
    assert outline(tree(spans)) == [("a", 0), ("c", 1), ("d", 2), ("b", 1), ("e", 0)]


def test_sums_of_a_subtree_are_of_counted_calls_only() -> None:
    """An agent's cumulative usage is shown with its reason and not added to what it repeats."""
    trace = tree(
        [row("agent"), row("one", "agent", 1), row("two", "agent", 2), row("deep", "two", 3)],
        [
            request(
                "agent", kind="aggregate", counted=False, not_counted_reason="cumulative", input_tokens=30
            ),
            request("one", cost_usd=Decimal("0.1"), input_tokens=10),
            request("deep", cost_usd=Decimal("0.02"), input_tokens=20),
        ],
    )
    sums = {
        span.span_id: (span.subtree.calls, span.subtree.input_tokens, span.subtree.cost_usd)
        for span in trace.spans
    }
    assert sums == {
        "agent": (2, 30, Decimal("0.12")),
        "one": (1, 10, Decimal("0.1")),
        "two": (1, 20, Decimal("0.02")),
        "deep": (1, 20, Decimal("0.02")),
    }
    assert trace.totals == trace.spans[0].subtree
    assert trace.spans[0].calls[0].not_counted_reason == "cumulative"


def test_unknown_stays_unknown() -> None:
    """A call without tokens or price leaves the sums None and is counted as unpriced."""
    trace = tree([row("a")], [request("a", unpriced_reason="tokens_missing")])
    assert (trace.totals.calls, trace.totals.input_tokens, trace.totals.cost_usd) == (1, None, None)
    assert trace.totals.unpriced == {"tokens_missing": 1}
    assert trace.totals.calls_without_tokens == 1


def test_orphans_are_roots_and_say_so() -> None:
    """A span whose parent has not come (yet) stands at the top, marked."""
    trace = tree([row("a", "gone"), row("b", "a", 1)])
    assert outline(trace) == [("a", 0), ("b", 1)]
    assert [span.orphan for span in trace.spans] == [True, False]


def test_cycles_are_cut() -> None:
    """Spans that are each other's parents are all shown once, the earliest of them as a root."""
    trace = tree([row("a", "c"), row("b", "a", 1), row("c", "b", 2), row("self", "self", 5)])
    assert sorted(span.span_id for span in trace.spans) == ["a", "b", "c", "self"]
    assert outline(trace)[-3:] == [("a", 0), ("b", 1), ("c", 2)]
    assert {span.span_id for span in trace.spans if span.cycle} == {"a", "self"}


def test_a_call_whose_span_is_not_there_is_shown() -> None:
    """An imported call has no span; its tokens are in the tree all the same."""
    trace = tree([row("a")], [request("x", "a", input_tokens=5)])
    assert outline(trace) == [("a", 0), ("x", 1)]
    assert trace.spans[1].missing
    assert trace.totals.input_tokens == 5


def test_a_chain_of_ten_thousand() -> None:
    """Depth is the sender's to choose and breaks nothing."""
    spans = [row(f"{n}", f"{n - 1}" if n else "", n) for n in range(10_000)]
    trace = tree(spans, [request("9999", input_tokens=1)])
    assert trace.spans[-1].depth == 9999
    assert trace.totals.input_tokens == 1


@given(
    st.lists(
        st.tuples(st.integers(0, 12), st.integers(-1, 12), st.integers(0, 9), st.integers(0, 5)), max_size=13
    )
)
def test_any_graph_is_a_tree_of_each_span_once(edges: list[tuple[int, int, int, int]]) -> None:
    """Whatever parents are claimed, every span is shown once, and the roots' sums are the total."""
    unique = {node: (parent, start, tokens) for node, parent, start, tokens in edges}
    spans = [row(str(n), str(p) if p >= 0 else "", s) for n, (p, s, _) in unique.items()]
    calls = [request(str(n), input_tokens=tokens) for n, (_, _, tokens) in unique.items()]
    trace = tree(spans, calls)
    assert sorted(span.span_id for span in trace.spans) == sorted(str(n) for n in unique)
    assert (trace.totals.input_tokens or 0) == sum(tokens for _, _, tokens in unique.values())
    assert read_trace(msgspec.json.decode(msgspec.json.encode(trace_document(trace)))) == trace
    path: list[str] = []
    for found in trace.spans:
        del path[found.depth :]
        assert found.depth == len(path)
        if path:
            assert found.parent_span_id == path[-1]
        path.append(found.span_id)


@pytest.mark.parametrize(
    "text", [TRACE, TRACE.upper(), f"0x{TRACE}", "4bf92f35-77b3-4da6-a3ce-929d0e0e4736", f" {TRACE}\n"]
)
def test_ids_in_any_dress(text: str) -> None:
    """Upper case, 0x, dashes and blanks around are the same id."""
    assert normal_id(text) == TRACE


@pytest.mark.parametrize("text", ["", "xyz", "4b", TRACE + "0", "' OR 1", "0x", "----", "٤bf9"])
def test_what_is_no_id(text: str) -> None:
    """Anything but 4 to 32 hexadecimal digits is refused before the store is asked."""
    with pytest.raises(QueryError):
        normal_id(text)


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoreReader]:
    with open_store(prepared(tmp_path_factory.mktemp("trace") / "data")) as store:
        insert(
            store.engine,
            "spans",
            [span(1, trace_id=TRACE), span(2, trace_id=TRACE, parent_span_id=f"{1:016x}")],
        )
        insert(
            store.engine,
            "calls",
            [call(2, trace_id=TRACE, parent_span_id=f"{1:016x}", cost_usd=Decimal("0.5"))],
        )
        insert(store.engine, "spans", [span(1, trace_id=f"4bf9{'1' * 28}")])
        insert(store.engine, "calls", [call(7, trace_id="7" * 32, input_tokens=7)])
        going = {"trace_id": RUN, "status": "running", "kind": "agent", "agent": "planner"}
        insert(store.engine, "tasks", [task(1, name="plan", **going), task(2, status="failed", trace_id=RUN)])
        insert(store.engine, "spans", [span(3, trace_id=RUN, parent_span_id=f"{1:016x}", duration_ns=None)])
        insert(store.engine, "tasks", [task(9, trace_id="9" * 32, status="starting")])
        yield StoreReader(store.engine)


def test_from_the_store(reader: StoreReader) -> None:
    """Spans and calls of one trace, put together, times exact."""
    trace = reader.trace(TRACE.upper())
    assert outline(trace) == [(f"{1:016x}", 0), (f"{2:016x}", 1)]
    assert trace.totals.cost_usd == Decimal("0.5")
    assert (trace.spans[0].start_ns, trace.spans[0].start) == (
        NOON_NS + SECOND_NS,
        "2026-01-01T12:00:01.000000000Z",
    )
    assert trace.duration_ns == 2 * SECOND_NS


def test_by_its_first_digits(reader: StoreReader) -> None:
    """First digits that fit one trace find it, that fit several list them, that fit none say so."""
    assert reader.trace(TRACE[:8]).trace_id == TRACE
    with pytest.raises(QueryError, match=f"several traces begin with 4bf9.*{TRACE}"):
        reader.trace("4bf9")
    with pytest.raises(NotFound, match="no trace 0000"):
        reader.trace("0000")
    with pytest.raises(NotFound):
        reader.trace("f" * 32)


def test_a_trace_of_calls_only(reader: StoreReader) -> None:
    """A trace known by its calls alone is found."""
    trace = reader.trace("7777")
    assert trace.totals.input_tokens == 7
    assert [span.missing for span in trace.spans] == [True]


def test_a_run_that_goes_on(reader: StoreReader) -> None:
    """What is told of a run before its span comes has a place in the tree; what hangs on it hangs there, and
    it lasts until the last that is known. A span that says no end has no duration."""
    trace = reader.trace(RUN[:6])
    going, below, failed = trace.spans
    assert (going.name, going.running, going.missing, going.depth) == ("plan", True, True, 0)
    assert (below.depth, below.orphan, below.duration_ns) == (1, False, None)
    assert (failed.running, failed.missing, failed.status) == (False, True, "error")
    assert going.duration_ns == trace.duration_ns == 2 * SECOND_NS


def test_a_run_of_which_nothing_else_is_known(reader: StoreReader) -> None:
    """Step events alone make a trace."""
    assert [span.running for span in reader.trace("9999").spans] == [True]
