"""The demo traffic and `watchglass demo`, against a real store behind real servers where it matters."""

from __future__ import annotations

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from watchglass.surfaces.cli.up import where_to_look
from watchglass.surfaces.demo_traffic import FLOWS, SECOND_NS, batches
from watchglass.wire import dialects
from watchglass.wire.otlp import decode_traces

NOW = 1_760_000_000 * SECOND_NS


def test_the_same_moment_makes_the_same_bytes() -> None:
    """Nothing in the traffic is random; another moment makes other ids."""
    assert batches(NOW) == batches(NOW)
    first = {each for batch in batches(NOW) for each in batch.trace_ids}
    second = {each for batch in batches(NOW + 1) for each in batch.trace_ids}
    assert not first & second


def test_everything_has_happened_by_now() -> None:
    """Every span lies between the earliest flow's begin and the moment given."""
    earliest = NOW - max(flow.minutes_ago for flow in FLOWS) * 60 * SECOND_NS
    for batch in batches(NOW):
        export = ExportTraceServiceRequest.FromString(batch.body)
        for span in (s for r in export.resource_spans for sc in r.scope_spans for s in sc.spans):
            assert earliest <= span.start_time_unix_nano < span.end_time_unix_nano <= NOW


def test_every_request_is_understood_as_a_call() -> None:
    """The dialects describe as many calls as the flows make, and one aggregate for each agent's run."""
    kinds: list[str] = []
    for batch in batches(NOW):
        spans = decode_traces(batch.body, "protobuf").spans
        assert len(spans) == batch.spans
        kinds += [told.kind for span in spans if (told := dialects.describe(span)) is not None]
    assert kinds.count("call") == sum(flow.times * len(flow.requests) for flow in FLOWS)
    assert kinds.count("aggregate") == sum(flow.times for flow in FLOWS if flow.agent)


def test_where_to_look_names_the_server_only_when_it_is_not_the_usual_one() -> None:
    """Commands to type are as short as they can be, and right."""
    usual = where_to_look("http://127.0.0.1:4318", "data", None, "watchglass")
    other = where_to_look("http://127.0.0.1:5318", "data", "ab", "watchglass")
    assert "--url" not in usual
    assert "watchglass trace ab --url http://127.0.0.1:5318" in other
