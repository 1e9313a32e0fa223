"""The write path: what was written is settled, whoever still waits for the answer."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping, Sequence

import pyarrow as pa
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from watchglass.clock import SystemClock
from watchglass.ingest.attention import Attention
from watchglass.ingest.pipeline import Ingest
from watchglass.ingest.settler import Settler
from watchglass.pricing.book import PriceBook
from watchglass.store import Limits

PATIENCE_S = 60


class SlowEngine:
    """An engine whose inserts wait for `gate`."""

    def __init__(self) -> None:
        self.begun, self.gate = threading.Event(), threading.Event()

    def execute(
        self, sql: str, params: Mapping[str, object] = {}, *, limits: Limits | None = None
    ) -> pa.Table:
        raise AssertionError("the write path asks nothing")

    def insert(self, table: str, batches: Sequence[pa.RecordBatch]) -> int:
        self.begun.set()
        assert self.gate.wait(PATIENCE_S)
        return sum(batch.num_rows for batch in batches)

    def close(self) -> None:
        pass


def one_child() -> bytes:
    """A body with one span that has a parent, so that its trace must be settled."""
    request = ExportTraceServiceRequest()
    span = request.resource_spans.add().scope_spans.add().spans.add()
    span.trace_id, span.span_id, span.parent_span_id = b"t" * 16, b"s" * 8, b"p" * 8
    span.start_time_unix_nano = span.end_time_unix_nano = 1_790_000_000 * 10**9
    return request.SerializeToString()


def test_what_is_written_is_settled_though_its_sender_hung_up() -> None:
    """gRPC cancels a call whose client is gone; its rows are written all the same, and so settled."""
    engine, settled = SlowEngine(), list[str]()

    async def hang_up() -> None:
        settler = Settler(settled.extend, clock=SystemClock())
        ingest = Ingest(engine, PriceBook(()), SystemClock(), settler, Attention(), processes=0)
        ingest.start()
        call = asyncio.create_task(ingest.receive("traces", one_child(), "protobuf"))
        assert await asyncio.to_thread(engine.begun.wait, PATIENCE_S)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        engine.gate.set()
        await ingest.stop()

    asyncio.run(hang_up())
    assert settled == [(b"t" * 16).hex()]
