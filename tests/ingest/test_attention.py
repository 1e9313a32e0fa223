"""Which traces are looked at again: never too few, in any order, whatever was forgotten."""

from __future__ import annotations

from pathlib import Path
from unittest import mock

from hypothesis import given
from hypothesis import strategies as st

from tests.new_store import prepared
from tests.stored_rows import insert
from watchglass.ingest import attention, unsettled
from watchglass.ingest.attention import SKEW_NS, Attention, Lone, Sighting
from watchglass.store import open_store

NOW_NS = 1_790_000_000 * 10**9
A, B = "openinference.openai", "opentelemetry.openai"


def lone(trace_id: str, process: str = "", start_ns: int = NOW_NS) -> Sighting:
    """A body with one root that is alone; a call where a process is named, reported through scope A."""
    sources = [(process, A)] if process else []
    return Sighting(lone=[Lone(trace_id, process, start_ns)], sources=sources)


def touched(*trace_ids: str, at_ns: int = NOW_NS) -> Sighting:
    """A body with spans that have parents or siblings."""
    return Sighting(touched=trace_ids, latest_ns=at_ns)


def test_a_lone_trace_of_one_scope_is_settled_as_it_came() -> None:
    """Nothing is to be decided about a root that is alone, in a process that reports through one scope."""
    seen = Attention()
    assert seen.needed(lone("t1", "p")) == []
    assert seen.needed(lone("t2", "p")) == []


def test_what_is_not_lone_is_always_looked_at() -> None:
    """A trace of several spans, or of a span with a parent, is needed each time that it is touched."""
    seen = Attention()
    assert seen.needed(touched("t1", "t2")) == ["t1", "t2"]
    assert seen.needed(touched("t1")) == ["t1"]


def test_a_root_after_its_children_is_looked_at() -> None:
    """A root that comes in a body of its own is needed where its trace was touched before."""
    seen = Attention()
    seen.needed(touched("t1"))
    assert seen.needed(lone("t1")) == ["t1"]
    assert seen.needed(lone("t2")) == []


def test_calls_of_a_process_with_two_scopes_are_looked_at() -> None:
    """From the body that shows the second scope on, each lone call of that process is needed."""
    seen = Attention()
    assert seen.needed(lone("t1", "p")) == []
    both = Sighting(lone=[Lone("t2", "p", NOW_NS)], sources=[("p", B)])
    assert seen.needed(both) == ["t2"]
    assert seen.needed(lone("t3", "p")) == ["t3"]
    assert seen.needed(lone("t4", "other")) == []


def test_a_span_that_is_no_call_has_no_double() -> None:
    """A lone root that is no call is not needed on account of scopes."""
    seen = Attention(sources=[("p", A), ("p", B), ("", A), ("", B)])
    assert seen.needed(lone("t1")) == []


def test_after_a_restart_what_the_store_holds_counts_as_forgotten() -> None:
    """Roots up to the store's latest moment, and as far after it as clocks may differ, are needed."""
    seen = Attention(NOW_NS, [("p", A), ("p", B)])
    assert seen.needed(lone("t1", start_ns=NOW_NS)) == ["t1"]
    assert seen.needed(lone("t2", start_ns=NOW_NS + SKEW_NS)) == ["t2"]
    assert seen.needed(lone("t3", start_ns=NOW_NS + SKEW_NS + 1)) == []
    assert seen.needed(lone("t4", "p", NOW_NS + SKEW_NS + 1)) == ["t4"]


def test_memory_is_bounded() -> None:
    """Only so many traces are remembered, and the forgotten are needed all the same."""
    with mock.patch.object(attention, "REMEMBERED", 10):
        seen = Attention()
        for number in range(100):
            seen.needed(touched(f"t{number}", at_ns=NOW_NS + number))
            assert len(seen._seen) <= 10
        for number in range(100):
            assert seen.needed(lone(f"t{number}", start_ns=NOW_NS + number)) == [f"t{number}"]


def test_memory_of_processes_is_bounded() -> None:
    """Beyond so many processes, what any of them reports is looked at, whether it is remembered or not."""
    with mock.patch.object(attention, "PROCESSES", 3):
        seen = Attention(0, [(f"p{number}", A) for number in range(3)])
        assert seen.needed(lone("t1", "p0")) == []
        seen = Attention(0, [(f"p{number}", A) for number in range(4)])
        assert len(seen._scopes) == 0
        assert seen.needed(lone("t1", "p0")) == ["t1"]


def test_logs_that_came_before_a_restart_are_remembered(tmp_path: Path) -> None:
    """A root that comes after a restart is needed where only log records of its trace came before it."""
    with open_store(prepared(tmp_path / "data")) as store:
        insert(
            store.engine,
            "logs",
            [{"log_id": "1", "time": NOW_NS, "trace_id": "t1", "span_id": "s1", "version": 1}],
        )
        seen = unsettled.attention(store.engine, NOW_NS)
    assert seen.needed(lone("t1", start_ns=NOW_NS - 1)) == ["t1"]


def test_what_was_in_the_store_stays_forgotten() -> None:
    """Forgetting older traces later does not make those from before the start known again."""
    seen = Attention(NOW_NS)
    with mock.patch.object(attention, "REMEMBERED", 1):
        seen.needed(touched("a", "b", at_ns=NOW_NS - 10 * SKEW_NS))
    assert seen.needed(lone("t1", start_ns=NOW_NS)) == ["t1"]


TRACES = st.sampled_from(["t1", "t2", "t3", "t4", "t5", "t6"])
PROCESSES = st.sampled_from(["", "p", "q"])
MOMENTS = st.integers(NOW_NS, NOW_NS + SKEW_NS)
"""Within what clocks may differ: the only thing that is taken for granted."""
BODIES = st.lists(
    st.builds(
        Sighting,
        touched=st.lists(TRACES, max_size=3, unique=True),
        lone=st.lists(st.builds(Lone, TRACES, PROCESSES, MOMENTS), max_size=3),
        sources=st.lists(st.tuples(st.sampled_from(["p", "q"]), st.sampled_from([A, B])), max_size=2),
        latest_ns=MOMENTS,
    ),
    max_size=12,
)


@given(BODIES, st.integers(1, 5), st.integers(0, 12))
def test_nothing_that_matters_is_left_out(bodies: list[Sighting], remembered: int, restart_at: int) -> None:
    """For any bodies in any order, with any memory and a restart anywhere: a lone trace whose other spans
    came before, or whose process has shown two scopes, is always needed."""
    with mock.patch.object(attention, "REMEMBERED", remembered):
        seen, before, latest_ns = Attention(), set[str](), 0
        scopes: dict[str, set[str]] = {}
        for number, body in enumerate(bodies):
            if number == restart_at:
                seen = Attention(latest_ns, [(p, scope) for p, found in scopes.items() for scope in found])
            needed = seen.needed(body)
            for process, scope in body.sources:
                scopes.setdefault(process, set()).add(scope)
            must = {each.trace_id for each in body.lone if each.trace_id in before}
            must |= {each.trace_id for each in body.lone if len(scopes.get(each.process, ())) > 1}
            assert must | set(body.touched) <= set(needed)
            assert set(needed) <= set(body.touched) | {each.trace_id for each in body.lone}
            before.update(body.touched)
            latest_ns = max(
                latest_ns, body.latest_ns if body.touched else 0, *(each.start_ns for each in body.lone), 0
            )
