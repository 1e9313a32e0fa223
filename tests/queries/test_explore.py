"""The search for traces on a real store: what is found, what is counted, and whose it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.new_store import prepared
from tests.stored_rows import NOON_NS, SECOND_NS, call, insert, span
from watchglass.errors import QueryError
from watchglass.queries.explore.answer import Explored, explore
from watchglass.queries.explore.facets import BARS, WIDTHS_S
from watchglass.queries.explore.patience import Patience
from watchglass.queries.explore.question import explore_question
from watchglass.queries.reader import StoreReader
from watchglass.queries.scope import EVERYTHING, Scope
from watchglass.store import Engine, open_store

HOUR = 3600
NAMES = {3: "look up the WEATHER"}
NOW_NS = NOON_NS + HOUR * SECOND_NS
Put = Callable[..., None]
VALUES = {
    "tenant": ["acme", "umbrella", None],
    "agent": ["planner", "writer", None],
    "feature": ["search", "chat"],
    "request_model": ["gpt", "claude"],
    "provider": ["openai", None],
}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with open_store(prepared(tmp_path_factory.mktemp("explore") / "data")) as opened:
        yield opened.engine


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each part of a search has all of a question's time: how far a slow machine comes in three seconds is
    chance."""
    for name in ("TEXT_PART", "ROWS_PART", "FACETS_PART", "JUMP_PART"):
        monkeypatch.setattr(f"watchglass.queries.explore.answer.{name}", 10)


@pytest.fixture(scope="module")
def put(engine: Engine) -> Put:
    """Empty the store and put these rows in."""

    def putting(**rows: list[dict[str, Any]]) -> None:
        for table in ("calls", "spans", "messages"):
            engine.execute(f"TRUNCATE TABLE store.{table}")
            if rows.get(table):
                insert(engine, table, rows[table])

    return putting


def searched(engine: Engine, scope: Scope = EVERYTHING, **items: Any) -> Explored:
    items.setdefault("since", "60d")
    pairs = [
        (name, str(value))
        for name, given in items.items()
        for value in (given if isinstance(given, list) else [given])
    ]
    question = explore_question(pairs, NOW_NS)
    return StoreReader(engine, scope=scope).answer(
        lambda store, limits: explore(store, question, NOW_NS, limits=limits)
    )


def message(content: str, tenant: str | None = None, role: str = "user") -> dict[str, Any]:
    digest = f"{abs(hash((content, tenant))):032x}"[:32]
    return {
        "tenant": tenant or "",
        "hash": digest,
        "role": role,
        "content": content,
        "last_time": NOON_NS,
        "version": NOON_NS,
    }


def counts(found: Explored, facet: str) -> dict[str | None, int]:
    assert found.facets is not None
    return {
        value.value: value.calls
        for each in found.facets
        if each.name == facet
        for value in each.values
        if value.calls
    }


ONE = st.fixed_dictionaries(
    {name: st.sampled_from(values) for name, values in VALUES.items()}
    | {"at": st.integers(-40 * 24 * HOUR, HOUR - 1), "trace": st.integers(0, 8), "success": st.booleans()}
)


@settings(
    max_examples=5,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(made=st.lists(ONE, max_size=16), limit=st.integers(3, 7), data=st.data())
def test_pages_are_the_whole_and_facets_sum(
    engine: Engine, put: Put, made: list[dict[str, Any]], limit: int, data: st.DataObject
) -> None:
    """Every trace with a call that meets all filters once, in order; counts are those of such calls."""
    calls = [
        call(
            number,
            time=NOON_NS + each["at"] * SECOND_NS,
            trace_id=f"{each['trace']:032x}",
            success=each["success"],
            **{name: each[name] for name in VALUES},
        )
        for number, each in enumerate(made)
    ]
    spans = [span(n, trace_id=row["trace_id"], start_time=row["time"]) for n, row in enumerate(calls)]
    put(calls=calls, spans=spans)
    chosen = data.draw(
        st.dictionaries(st.sampled_from(["agent", "feature", "provider"]), st.just(0), max_size=2)
    )
    filters = {name: data.draw(st.sampled_from(VALUES[name])) or "" for name in chosen}

    def meets(row: dict[str, Any], but: str = "") -> bool:
        return all((row[name] or "") == value for name, value in filters.items() if name != but)

    rows, cursor = [], {}
    while True:
        page = searched(engine, limit=limit, **filters, **cursor)
        rows += page.rows
        if page.next is None:
            break
        cursor = {"cursor": page.next}
    assert sorted(row.trace_id for row in rows) == sorted({row["trace_id"] for row in calls if meets(row)})
    assert [row.last for row in rows] == sorted((row.last for row in rows), reverse=True)
    matching = [row for row in calls if meets(row)]
    assert page.totals is not None and page.histogram is not None and page.notes == []
    assert page.totals.calls == sum(page.histogram.calls) == len(matching)
    assert page.totals.failed_calls == sum(page.histogram.failed_calls)
    assert len(page.histogram.calls) <= BARS + 1
    for facet, column in (
        ("agent", "agent"),
        ("feature", "feature"),
        ("provider", "provider"),
        ("model", "request_model"),
    ):
        assert counts(page, facet) == Counter(row[column] for row in calls if meets(row, facet)), facet


def test_text_is_found_wherever_it_is(engine: Engine, put: Put) -> None:
    """In a message (also escaped there), a span's name, an error, an id; whatever the case."""
    asked, answered = message('{"content":"A \\"Lofoten\\" tent"}'), message("Straße", role="assistant")
    put(
        messages=[asked, answered],
        spans=[span(n, trace_id=f"{n:032x}", name=NAMES.get(n, "step")) for n in range(1, 8)],
        calls=[
            call(1, input_messages=[asked["hash"]]),
            call(2, output_messages=[answered["hash"]]),
            call(4, success=False, error_message="Rate limit of 3 reached"),
            call(5, session="s-99"),
            call(6, counted=False, input_messages=[asked["hash"]]),
        ],
    )  # fmt: skip

    def numbers(text: str) -> list[int]:
        return [int(row.trace_id, 16) for row in searched(engine, text=text).rows]

    assert numbers('a "lofoten') == [6, 1]
    assert numbers("STRASSE") == [] and numbers("straße") == [2]
    assert numbers("weather") == [3]
    assert numbers("rate LIMIT") == [4]
    assert numbers("s-99") == [5]
    assert numbers("%") == []
    found = searched(engine, text="lofoten")
    assert counts(found, "status") == {"ok": 1}
    assert "Lofoten" in (found.rows[-1].match or "")
    assert found.rows[-1].input == 'A "Lofoten" tent'


@pytest.mark.parametrize("text", ["needle", "aé needle", "ÉA NEEDLE"])
def test_what_stands_around_a_text_is_shown_in_any_script(engine: Engine, put: Put, text: str) -> None:
    """The excerpt is of whole characters and holds the text, whatever bytes the letters before it take."""
    said = message(f'{{"content":"{"é" * 150}aé needle éa needle{"é" * 300}"}}')
    put(messages=[said], spans=[span(1)], calls=[call(1, input_messages=[said["hash"]])])
    (row,) = searched(engine, text=text).rows
    assert row.match is not None and text.lower() in row.match


def test_nothing_of_another_tenant(engine: Engine, put: Put) -> None:
    """A scoped search finds no text, counts no value and jumps to no id of another tenant's."""
    secret = message("hunter2", "umbrella")
    put(
        messages=[secret],
        spans=[span(1, trace_id="a" * 32, tenant="umbrella"), span(2, trace_id="b" * 32, tenant="acme")],
        calls=[
            call(1, trace_id="a" * 32, tenant="umbrella", agent="theirs", input_messages=[secret["hash"]]),
            call(2, trace_id="b" * 32, tenant="acme", agent="ours"),
        ],
    )
    mine = Scope(frozenset({"acme"}))
    assert [row.trace_id for row in searched(engine).rows] == ["b" * 32, "a" * 32]
    found = searched(engine, mine)
    assert [row.trace_id for row in found.rows] == ["b" * 32]
    assert counts(found, "agent") == {"ours": 1} and counts(found, "tenant") == {"acme": 1}
    assert searched(engine, text="hunter2").rows and not searched(engine, mine, text="hunter2").rows
    assert searched(engine, text="A" * 32).jump is not None
    assert searched(engine, mine, text="a" * 32).jump is None
    assert searched(engine, mine, tenant="umbrella").rows == []


def test_amounts_and_endings_are_of_whole_traces(engine: Engine, put: Put) -> None:
    """Cost and duration are bounds on what a trace adds up to; a failed span is a failed trace."""
    put(
        spans=[
            span(1, trace_id="a" * 32, duration_ns=90 * SECOND_NS),
            span(2, trace_id="b" * 32, status=2, status_message="boom"),
            span(3, trace_id="c" * 32),
        ],
        calls=[
            call(1, trace_id="a" * 32, cost_usd=Decimal("0.3")),
            call(11, trace_id="a" * 32, cost_usd=Decimal("0.3")),
            call(2, trace_id="b" * 32, cost_usd=Decimal("0.1")),
            call(3, trace_id="c" * 32),
        ],
    )

    def letters(**items: Any) -> str:
        found = searched(engine, **items)
        assert found.totals is not None
        return "".join(sorted(row.trace_id[0] for row in found.rows)) + str(found.totals.calls)

    assert letters(min_cost_usd="0.5") == "a2"
    assert letters(max_cost_usd="0.5") == "b1"
    assert letters(min_duration_ms="60000") == "a2"
    assert letters(max_duration_ms="60000") == "bc2"
    assert [row.error for row in searched(engine, status="failed").rows] == ["boom"]
    assert len(searched(engine, status="ok").rows) == 2


def test_ids_are_jumped_to(engine: Engine, put: Put) -> None:
    """A whole id of a trace, a call or a span leads to its trace, from any time; a part of one does not."""
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    put(spans=[span(1, trace_id=trace)], calls=[call(1, trace_id=trace)])
    for text, span_id in (
        (trace.upper(), None),
        (f"{trace}:{1:016x}", f"{1:016x}"),
        (f"{1:016x}", f"{1:016x}"),
    ):
        found = searched(engine, text=text).jump
        assert found is not None and (found.trace_id, found.span_id) == (trace, span_id)
    assert searched(engine, text=trace[:20]).jump is None


def test_a_search_without_time_says_so(engine: Engine, put: Put, monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be looked through in time is a note and a page to go on with, not a wrong zero."""
    put(spans=[span(1)], calls=[call(1)])
    monkeypatch.setattr("watchglass.queries.explore.answer.ROWS_PART", 0)
    monkeypatch.setattr("watchglass.queries.explore.answer.FACETS_PART", 0)
    found = searched(engine)
    assert found.rows == [] and found.next is not None and found.totals is None
    assert "time ran out" in found.notes[0] and "counted" in found.notes[1]
    monkeypatch.undo()
    assert len(searched(engine, cursor=found.next).rows) == 1


@pytest.mark.parametrize(
    "items", [{"colour": "red"}, {"status": "odd"}, {"parts": "some"}, {"text": "x" * 501}, {"cursor": "no"}]
)
def test_what_means_nothing_is_an_error(engine: Engine, items: dict[str, str]) -> None:
    """Ignoring a word would answer another question."""
    with pytest.raises(QueryError):
        searched(engine, **items)


def test_patience_ends() -> None:
    """The time that is left shrinks with the clock and is never less than nothing."""
    now = [0.0]
    patience = Patience(2, lambda: now[0])
    now[0] = 1.5
    assert patience.left_s == 0.5 and not patience.over
    now[0] = 3
    assert patience.left_s == 0 and patience.over
    assert list(WIDTHS_S) == sorted(WIDTHS_S)


def test_traces_with_calls_without_a_price_are_found_by_the_reason(engine: Engine, put: Put) -> None:
    """What a page says is unpriced leads to its traces."""
    put(
        spans=[span(number, trace_id=str(number) * 32) for number in (1, 2)],
        calls=[
            call(1, trace_id="1" * 32, unpriced_reason="unknown_model"),
            call(2, trace_id="2" * 32, cost_usd=Decimal("0.1")),
        ],
    )
    assert [row.trace_id for row in searched(engine, unpriced_reason="unknown_model").rows] == ["1" * 32]


def test_a_time_to_come_has_nothing_in_it(engine: Engine, put: Put) -> None:
    """A beginning after the present is answered with nothing, whatever else is asked."""
    put(calls=[call(1)])
    found = searched(engine, since="2030-01-01", min_cost_usd=0)
    assert not found.rows and not any(value.calls for facet in found.facets for value in facet.values)
