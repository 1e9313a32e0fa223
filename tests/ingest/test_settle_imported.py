"""Imported calls have no spans: settling leaves what they say of themselves alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.new_store import prepared
from tests.stored_rows import NOON_NS, call, insert, span
from watchglass.clock import ManualClock
from watchglass.ingest.settle_rows import SettleRows
from watchglass.pricing.book import PriceBook
from watchglass.store import Store, open_store

TRACE = f"{7:032x}"


def settled(store: Store) -> list[dict[str, Any]]:
    SettleRows(store.engine, PriceBook(), store.versions)([TRACE])
    return store.engine.execute(
        "SELECT span_id, tenant, session, counted, dialect, input_tokens FROM watchglass.calls"
        " ORDER BY span_id"
    ).to_pylist()


def imported(number: int, **columns: Any) -> dict[str, Any]:
    said = {"tenant": "acme", "session": "s", "dialect": "import", "process": "import", "version": 0}
    return call(number, **{"trace_id": TRACE, **said, **columns})


def test_what_an_imported_call_says_stays(tmp_path: Path) -> None:
    """Two calls of one trace below different parents keep tenant and session, however often it is settled."""
    with open_store(prepared(tmp_path / "data"), clock=ManualClock(NOON_NS)) as store:
        rows = [imported(1, parent_span_id="a" * 16), imported(2, parent_span_id="b" * 16, scope="other")]
        insert(store.engine, "calls", rows)
        for _ in range(2):
            assert [(row["tenant"], row["session"], row["counted"]) for row in settled(store)] == [
                ("acme", "s", True)
            ] * 2


def test_a_call_keeps_its_context_when_its_span_is_gone(tmp_path: Path) -> None:
    """Spans may be kept for less long than calls: a pass after that takes nothing back."""
    with open_store(prepared(tmp_path / "data"), clock=ManualClock(NOON_NS)) as store:
        insert(
            store.engine, "calls", [call(1, trace_id=TRACE, tenant="acme", may_wrap=True, dialect="genai")]
        )
        insert(store.engine, "spans", [span(9, trace_id=TRACE, own_context=[("tenant", "b")])])
        assert [row["tenant"] for row in settled(store)] == ["acme"]


def test_a_span_that_comes_later_replaces_a_settled_import(tmp_path: Path) -> None:
    """Settling does not raise an imported row above the span's own report of the same call."""
    with open_store(prepared(tmp_path / "data"), clock=ManualClock(NOON_NS)) as store:
        insert(store.engine, "calls", [imported(1, kind="call", may_wrap=True), imported(2, scope="other")])
        settled(store)
        told = call(1, trace_id=TRACE, tenant="acme", dialect="genai", input_tokens=77)
        insert(store.engine, "calls", [told])
        insert(store.engine, "spans", [span(1, trace_id=TRACE, own_context=[("tenant", "acme")])])
        first = settled(store)[0]
        assert (first["dialect"], first["input_tokens"], first["counted"]) == ("genai", 77, True)
