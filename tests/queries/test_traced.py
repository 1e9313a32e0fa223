"""One trace as its page shows it: the critical path, what each step adds, columns, one span whole."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.new_store import prepared
from tests.stored_rows import NOON_NS, SECOND_NS, call, insert, span, task
from watchglass.errors import NotFound, QueryError
from watchglass.queries.documents import plain
from watchglass.queries.plain import money
from watchglass.queries.reader import StoreReader
from watchglass.queries.scope import Scope
from watchglass.queries.trace import build
from watchglass.queries.traced.columns import TraceView
from watchglass.queries.traced.critical import CriticalPart, critical_path
from watchglass.queries.traced.known import Known, whole
from watchglass.queries.traced.rows import CONTEXT
from watchglass.queries.traced.span import MOST_CHARACTERS, SpanDetail, span_detail, trace_conversation
from watchglass.queries.traced.steps import Said, Step, steps
from watchglass.queries.traced.view import assembled, trace_view
from watchglass.store import open_store

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
NANO = Decimal("0.000000001")
SPAN_COLUMNS = (
    "span_id", "parent_span_id", "name", "service", "scope", "start_ns", "duration_ns", "status",
    "status_message", "events", "exceptions", "tenant",
)  # fmt: skip
CALL_COLUMNS = (
    "span_id", "parent_span_id", "time_ns", "duration_ns", "service", "scope", "call_id", "kind", "operation",
    "provider", "model", "agent", "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens",
    "reasoning_tokens", "cost_usd", "unpriced_reason", "success", "error_type", "ttft_ns", "counted",
    "not_counted_reason", "duplicate_of", *CONTEXT,
)  # fmt: skip
DONE_COLUMNS = (
    "span_id", "task_id", "parent_task_id", "time_ns", "duration_ns", "service", "scope",
    "kind", "name", "status", "agent", "error_type", "error_message", *CONTEXT,
)  # fmt: skip
RUN = "8" * 32
LATER = "5bf92f3577b34da6a3ce929d0e0e4736"


def test_the_last_to_finish_is_waited_for() -> None:
    """Of two children side by side the one that ends last is on the path; gaps are the parent's own."""
    found = critical_path([-1, 0, 0, 0], [0, 10, 10, 60], [100, 20, 40, 30])
    assert found == [
        CriticalPart(0, 0, 10),
        CriticalPart(2, 10, 50),
        CriticalPart(0, 50, 60),
        CriticalPart(3, 60, 90),
        CriticalPart(0, 90, 100),
    ]


def test_what_runs_on_is_not_waited_for() -> None:
    """A child that ends after its parent counts until the parent's end, and not at all if it begins then."""
    assert critical_path([-1, 0, 0], [0, 5, 10], [10, 50, 5]) == [
        CriticalPart(0, 0, 5),
        CriticalPart(1, 5, 10),
    ]


TREES = st.lists(
    st.tuples(st.integers(0, 9), st.integers(0, 60), st.integers(0, 60)), min_size=1, max_size=10
)


@settings(deadline=None)
@given(tree=TREES)
def test_the_path_fills_the_root(tree: list[tuple[int, int, int]]) -> None:
    """Parts follow each other without gap or overlap from the root's start to its end, within their spans."""
    parents = [-1] + [parent % place for place, (parent, _, _) in enumerate(tree) if place]
    starts, durations = [start for _, start, _ in tree], [duration for _, _, duration in tree]
    path = critical_path(parents, starts, durations)
    assert sum(part.end_ns - part.start_ns for part in path) == durations[0]
    at = starts[0]
    for part in path:
        assert part.start_ns == at
        assert starts[part.span] <= part.start_ns < part.end_ns <= starts[part.span] + durations[part.span]
        at = part.end_ns


def said(name: str, messages: str, output: str = "", agent: str = "a") -> Said:
    return Said(call_id=name, thread=(agent,), input=list(messages), output=list(output))


def test_a_step_adds_what_the_one_before_did_not_have() -> None:
    """Compared with the same agent's call that it repeats most of; another agent's messages are its own."""
    found = steps(
        [
            said("1", "SU", "A"),
            said("other", "SX", "Y", agent="b"),
            said("2", "SUATQ", "B"),
            said("aside", "SZ", "C"),
            said("3", "SUATQBV", "D"),
            said("cut", "SQBV", "E"),
        ]
    )
    assert found == [
        Step(call_id="1", goes_on_from=None, new=[0, 1]),
        Step(call_id="other", goes_on_from=None, new=[0, 1]),
        Step(call_id="2", goes_on_from="1", new=[3, 4]),
        Step(call_id="aside", goes_on_from="2", new=[1], left_out=4),
        Step(call_id="3", goes_on_from="2", new=[6]),
        Step(call_id="cut", goes_on_from="3", new=[], left_out=3),
    ]


@settings(deadline=None)
@given(
    talks=st.lists(st.tuples(st.text("SUAB", max_size=6), st.text("AB", max_size=1)), max_size=8),
)
def test_nothing_is_new_and_old(talks: list[tuple[str, str]]) -> None:
    """What is not new was in the step before as often; without a step before all is new."""
    calls = [said(str(n), messages, output) for n, (messages, output) in enumerate(talks)]
    by_id = {each.call_id: each for each in calls}
    for call_, step in zip(calls, steps(calls), strict=True):
        before = by_id.get(step.goes_on_from or "")
        held = [*before.input, *before.output] if before else []
        old = [each for place, each in enumerate(call_.input) if place not in step.new]
        assert all(old.count(each) <= held.count(each) for each in old)
        assert before is not None or len(step.new) == len(call_.input)


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoreReader]:
    with open_store(prepared(tmp_path_factory.mktemp("traced") / "data")) as store:
        long = "x" * (MOST_CHARACTERS + 5)
        texts = {"s": "system", "u": "hello", "a": "answer", "l": long}
        insert(
            store.engine,
            "messages",
            [
                {
                    "tenant": "acme",
                    "hash": key,
                    "role": "user",
                    "content": text,
                    "last_time": NOON_NS,
                    "version": 1,
                }
                for key, text in texts.items()
            ],
        )
        event = {
            "name": "exception",
            "time_ns": NOON_NS + 5,
            "attributes": {"exception.stacktrace": "line 1"},
        }
        insert(
            store.engine,
            "spans",
            [
                span(1, trace_id=TRACE, start_time=NOON_NS, duration_ns=10, tenant="acme", name="root"),
                span(
                    2,
                    trace_id=TRACE,
                    parent_span_id=f"{1:016x}",
                    start_time=NOON_NS + 2,
                    duration_ns=4,
                    tenant="acme",
                    status=2,
                    events=msgspec.json.encode([event]).decode(),
                    attributes={"plain": "1", "long": "\x01ref:l", "gone": "\x01ref:z"},
                    attribute_types={"plain": "i"},
                    resource='{"service.name":"shop"}',
                ),
                span(3, trace_id=LATER, start_time=NOON_NS + 60 * SECOND_NS, tenant="acme"),
            ],
        )
        run = {"trace_id": RUN, "tenant": "acme"}
        going = {"kind": "agent", "agent": "planner", "status": "running", "metadata": {"crew": "night"}}
        below = task(7, parent_task_id="t8", duration_ns=SECOND_NS, **run)
        insert(store.engine, "tasks", [task(8, name="plan", **going, **run), below])
        about = {"tenant": "acme", "session": "talk", "agent": "planner", "duration_ns": 1}
        insert(
            store.engine,
            "calls",
            [
                call(1, trace_id=TRACE, time=NOON_NS, cost_usd=NANO, input_messages=["s"], **about),
                call(
                    2,
                    trace_id=TRACE,
                    time=NOON_NS + 2,
                    input_messages=["s", "u"],
                    output_messages=["a"],
                    success=False,
                    error_type="TimeoutError",
                    **about,
                ),
                call(
                    5,
                    trace_id=TRACE,
                    time=NOON_NS + 3,
                    parent_span_id=f"{2:016x}",
                    counted=False,
                    not_counted_reason="duplicate",
                    **about,
                ),
                call(3, trace_id=LATER, time=NOON_NS + 60 * SECOND_NS, **about),
            ],
        )  # fmt: skip
        yield StoreReader(store.engine)


def viewed(reader: StoreReader, trace_id: str = TRACE) -> TraceView:
    return reader.answer(lambda engine, limits: trace_view(engine, trace_id, limits=limits))


def detailed(reader: StoreReader, number: int, trace_id: str = TRACE) -> SpanDetail:
    return reader.answer(
        lambda engine, limits: span_detail(engine, trace_id, f"{number:016x}", limits=limits)
    )


def test_a_trace_in_columns(reader: StoreReader) -> None:
    """Spans with sums of their subtrees, calls with why they do not count, and the session's next trace."""
    found = viewed(reader)
    spans, texts = found.spans, found.texts
    assert spans.parent == [-1, 0, 1] and spans.start_ns == [0, 2, 3] and spans.odd == ["", "", "missing"]
    assert [texts[place] for place in spans.name[:2]] == ["root", "step 2"]
    assert spans.calls == [2, 1, 0] and spans.failed_calls == [1, 1, 0] and spans.exceptions == [0, 1, 0]
    assert spans.cost_usd == ["0.000000001", None, None] and spans.unpriced_calls == [1, 1, 0]
    assert found.calls.counted == [True, True, False] and found.not_counted == {"duplicate": 1}
    assert texts[found.calls.not_counted_reason[2]] == "duplicate"
    assert found.errors == 1 and found.session == "talk" and found.agents == ["planner"]
    assert found.previous is None and found.next is not None and found.next.trace_id == LATER
    assert sum(part.end_ns - part.start_ns for part in found.critical) == 10
    assert sum(found.critical_ns.values()) == 10


NODES = st.tuples(st.integers(-1, 9), st.integers(0, 9), st.booleans(), st.booleans(), st.booleans())
COSTS = st.none() | st.decimals(0, 10, places=18)


@settings(deadline=None)
@given(
    nodes=st.dictionaries(
        st.integers(0, 9), st.tuples(NODES, COSTS, st.none() | st.integers(0, 99)), min_size=1
    )
)
def test_columns_say_what_the_tree_says(nodes: dict[int, Any]) -> None:
    """Whatever parents are claimed and spans missing: the same order, depths, sums and totals as the tree."""
    spans, calls = list[dict[str, Any]](), list[dict[str, Any]]()
    for number, ((parent, start, has_call, counted, is_missing), cost, tokens) in nodes.items():
        about = {"span_id": str(number), "parent_span_id": str(parent), "service": "shop", "duration_ns": 9}
        if is_missing or has_call:
            calls.append(
                dict.fromkeys(CALL_COLUMNS)
                | about
                | {"time_ns": start, "call_id": f"{TRACE}:{number}", "kind": "call", "operation": "chat"}
                | {"scope": ""}
                | {"counted": counted, "success": start > 2, "cost_usd": cost, "input_tokens": tokens}
            )
        if not is_missing:
            said = {"name": f"step {number}", "start_ns": start, "status": start % 3, "status_message": ""}
            spans.append(about | said | {"scope": "", "events": 0, "exceptions": 0, "tenant": None})
    columns = [
        {name: [row[name] for row in rows] for name in names}
        for rows, names in ((spans, SPAN_COLUMNS), (calls, CALL_COLUMNS), ([], DONE_COLUMNS))
    ]
    known = Known(TRACE, whole(*columns), *columns[1:])
    tree = build(TRACE, known.spans, known.calls)
    found = assembled(known, dict.fromkeys(CONTEXT), (None, None))
    of_trees = [each.subtree for each in tree.spans]
    assert found.spans.span_id == [each.span_id for each in tree.spans]
    assert found.spans.depth == [each.depth for each in tree.spans]
    assert [bool(odd) for odd in found.spans.odd] == [
        each.missing or each.cycle or each.orphan for each in tree.spans
    ]
    assert found.spans.calls == [each.calls for each in of_trees]
    assert found.spans.failed_calls == [each.failed_calls for each in of_trees]
    assert found.spans.unpriced_calls == [each.calls - each.priced_calls for each in of_trees]
    assert found.spans.input_tokens == [each.input_tokens for each in of_trees]
    assert found.spans.cost_usd == [
        None if each.cost_usd is None else money(each.cost_usd) for each in of_trees
    ]
    assert plain(found.totals) == plain(tree.totals)
    assert (found.start, found.duration_ns) == (tree.start, tree.duration_ns)


def test_a_span_with_all_it_holds(reader: StoreReader) -> None:
    """Long texts are fetched from where they are kept, cut ones say so, gone ones are null."""
    found = detailed(reader, 2)
    values = found.attributes
    assert (values["plain"].value, values["plain"].type) == ("1", "int")
    assert values["gone"].value is None and values["long"].cut == 5
    assert found.resource["service.name"].value == "shop"
    (event,) = found.events
    assert event.offset_ns == 3 and event.attributes["exception.stacktrace"].value == "line 1"
    (made,) = found.calls
    assert (made.goes_on_from, made.new, made.output) == (f"{TRACE}:{1:016x}", [1], ["a"])
    assert {key: each.content for key, each in found.messages.items()} == {
        "s": "system",
        "u": "hello",
        "a": "answer",
    }


def test_a_span_that_has_not_come(reader: StoreReader) -> None:
    """Its call tells what is known of it, and why it does not count."""
    found = detailed(reader, 5)
    assert found.missing and found.calls[0].not_counted_reason == "duplicate"


def test_a_run_that_goes_on(reader: StoreReader) -> None:
    """Known by what was told of it alone, it has a row and a panel, and is said to be running; a task whose
    span is gone hangs on what it was part of."""
    found = viewed(reader, RUN)
    assert found.spans.odd == ["running", "missing"] and found.spans.parent == [-1, 0]
    assert found.name == "plan" and found.executions.span == [1, 0] and found.tenant == "acme"
    panel = detailed(reader, 8, RUN)
    assert panel.missing and panel.name == "plan" and panel.duration_ns is None
    assert {name: each.value for name, each in panel.attributes.items()} == {
        "agent": "planner", "crew": "night", "kind": "agent", "task_id": "t8",
    }  # fmt: skip


def test_what_was_said_in_a_trace(reader: StoreReader) -> None:
    """Its counted calls in order, with each message once."""
    found = reader.answer(lambda engine, limits: trace_conversation(engine, TRACE, limits=limits))
    assert [each.input for each in found.calls] == [["s"], ["s", "u"]]
    assert list(found.messages) == ["s", "u", "a"]


def test_nothing_of_another_tenant(reader: StoreReader) -> None:
    """Neither the trace nor a span of it is there for who may not see its tenant."""
    theirs = StoreReader(reader._engine, scope=Scope(frozenset({"umbrella"})))  # pyright: ignore[reportPrivateUsage]
    with pytest.raises(NotFound):
        viewed(theirs)
    with pytest.raises(NotFound):
        detailed(theirs, 2)


def test_ids_that_are_none(reader: StoreReader) -> None:
    """A span needs its trace's whole id; what is no id is said to be none."""
    with pytest.raises(QueryError, match="all 32 digits"):
        detailed(reader, 2, TRACE[:10])
    with pytest.raises(NotFound):
        detailed(reader, 77)
    assert viewed(reader, TRACE[:10]).trace_id == TRACE
