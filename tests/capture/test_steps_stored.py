"""From a block of an application to the tables that teams read: what the SDK records, the server shows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry import context as otel
from opentelemetry.sdk.trace import TracerProvider

import watchglass
from tests.capture.recorded import Recorded
from tests.new_store import prepared
from watchglass.capture import encoder, recorder, records, steps, tracing
from watchglass.capture.context import context
from watchglass.capture.spans import RecordSpans
from watchglass.clock import SystemClock
from watchglass.ingest.prepare import prepare
from watchglass.ingest.settle_rows import SettleRows
from watchglass.pricing.book import PriceBook
from watchglass.queries.reader import StoreReader
from watchglass.store import Store, open_store

ABOUT = records.about_process({"service.name": "shop", "service.instance.id": "shop-1"})


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A server's store."""
    data = tmp_path_factory.mktemp("data")
    with open_store(prepared(data), program="tests", address="nowhere", clock=SystemClock()) as opened:
        yield opened


@pytest.fixture
def recorded() -> Iterator[Recorded]:
    """An application with the SDK in force."""
    sink, provider = Recorded(), TracerProvider()
    provider.add_span_processor(RecordSpans())
    before = tracing.use(provider)
    recorder.install(sink)
    token = otel.attach(otel.Context())
    yield sink
    otel.detach(token)
    recorder.install(None)
    tracing.use(before)


def deliver(store: Store, recorded: Recorded) -> None:
    """Send what was recorded since the last time, and settle it."""
    book = PriceBook(())
    for request in encoder.requests(ABOUT, recorded.payloads):
        signal = "logs" if request.path.endswith("logs") else "traces"
        prepared = prepare(signal, request.body, "protobuf", book, SystemClock().now_ns())
        assert prepared.rejected == 0
        for table, batch in prepared.batches.items():
            store.engine.insert(f"store.{table}", [batch])
        SettleRows(store.engine, book, store.versions)(prepared.sighting.touched)
    recorded.payloads.clear()


def ask(store: Store, sql: str) -> list[dict[str, Any]]:
    """What a reader sees."""
    answer = StoreReader(store.engine).query(sql)
    return [dict(zip(answer.names, row, strict=True)) for row in answer.rows()]


def test_a_stuck_task_is_seen_and_then_its_end(store: Store, recorded: Recorded) -> None:
    """`agent_task_history` has it as starting while it hangs, then as completed, with its one history."""
    history = "SELECT * FROM agent_task_history WHERE task_name = 'index'"
    with context(tenant="acme", engagement="e1", flow="f-1"):
        step = steps.begin("task", "index", agent="librarian", input={"pages": 3}, metadata={"shelf": "b"})
    deliver(store, recorded)
    (row,) = ask(store, history)
    assert (row["status"], row["task_id"], row["completed_at"]) == ("starting", step.task_id, None)
    assert (row["client_account_id"], row["engagement_id"], row["flow_id"]) == ("acme", "e1", "f-1")
    assert (row["agent_name"], row["metadata"]) == ("librarian", '{"shelf":"b"}')
    step.running()
    step.end({"found": 2})
    deliver(store, recorded)
    (row,) = ask(store, history)
    assert (row["status"], row["agent_name"], row["client_account_id"]) == ("completed", "librarian", "acme")
    (told,) = ask(store, "SELECT states, output FROM tasks WHERE name = 'index'")
    assert list(told["states"]) == ["starting", "running", "completed"]
    assert ask(store, f"SELECT content FROM messages WHERE hash = '{told['output']}'") == [
        {"content": '{"found":2}'}
    ]


def test_nested_steps(store: Store, recorded: Recorded) -> None:
    """Flow, task, agent and tool are in each other, fail with their errors, and are scored."""
    with pytest.raises(TimeoutError), watchglass.flow("trip", flow_type="booking"), watchglass.task("find"):
        with watchglass.agent("scout"):
            watchglass.score("confidence", 0.4)
            watchglass.interrupt("confirmation")
            with watchglass.tool("maps"):
                pass
        raise TimeoutError("no answer")
    deliver(store, recorded)
    rows = ask(store, "SELECT * FROM tasks WHERE flow_type = 'booking' ORDER BY time")
    assert [(row["kind"], row["name"], row["status"]) for row in rows] == [
        ("flow", "trip", "failed"),
        ("task", "find", "failed"),
        ("agent", "scout", "completed"),
        ("tool", "maps", "completed"),
    ]
    assert [row["parent_task_id"] for row in rows] == [None, *(row["task_id"] for row in rows[:-1])]
    assert {row["task"] for row in rows[1:]} == {"find"}
    assert rows[1]["error_message"] == "no answer"
    (flow,) = ask(store, "SELECT * FROM flows WHERE flow_type = 'booking'")
    assert (flow["status"], flow["error_type"], flow["flow"]) == ("failed", "TimeoutError", rows[0]["flow"])
    (score,) = ask(store, "SELECT * FROM scores")
    assert (score["agent"], score["value"], score["span_id"]) == ("scout", 0.4, rows[2]["span_id"])
    (interrupt,) = ask(store, "SELECT * FROM interrupts")
    assert (interrupt["kind"], interrupt["task_id"]) == ("confirmation", rows[1]["task_id"])
