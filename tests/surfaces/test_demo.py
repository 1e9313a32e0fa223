"""The demo's traffic: what happens, how it is told, and that nothing depends on when it is looked at."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from watchglass.surfaces.cli.up import where_to_click, where_to_look
from watchglass.surfaces.demo import story
from watchglass.surfaces.demo.plan import Window, history, runs_of
from watchglass.surfaces.demo.records import Run
from watchglass.surfaces.demo.traffic import batches
from watchglass.surfaces.demo.workloads import MODELS, TENANTS, WORKLOADS
from watchglass.wire import dialects
from watchglass.wire.otlp import decode_traces

NOON = (20_778 * 24 + 12) * story.HOUR_NS
"""A Saturday, the third day of a cycle."""

WEEK = Window(seed=3, now_ns=NOON, days=7, rate=0.2)


@pytest.fixture(scope="module")
def week() -> list[Run]:
    """The runs of a week with a fifth of the usual traffic."""
    return [run for day in history(WEEK) for run in day]


def bodies(runs: list[Run]) -> Iterator[bytes]:
    """The bodies with spans."""
    yield from (batch.body for batch in batches(runs) if batch.path == "/v1/traces")


def test_the_same_seed_and_moment_make_the_same_bytes(week: list[Run]) -> None:
    """Playing a week again gives the same bodies; another seed shares no trace with it."""
    again = [run for day in history(WEEK) for run in day]
    assert list(bodies(again)) == list(bodies(week))
    other = Window(seed=4, now_ns=NOON, days=7, rate=0.2)
    assert not {run.id for run in week} & {run.id for day in history(other) for run in day}


def test_a_run_is_the_same_whatever_the_window() -> None:
    """Looked at on the next day, or with more traffic, what happened on a day is the same and more of it."""
    day = NOON // story.DAY_NS - 3
    seen = {run.id: run for run in runs_of(WEEK, day)}
    later = Window(seed=3, now_ns=NOON + story.DAY_NS, days=7, rate=0.4)
    more = {run.id: run for run in runs_of(later, day)}
    assert len(more) > len(seen)
    assert all(more[each] == run for each, run in seen.items())


def test_everything_has_happened_by_now(week: list[Run]) -> None:
    """Every span lies between the window's begin and its moment, and inside the span above it."""
    begin = (NOON // story.DAY_NS - 7) * story.DAY_NS
    for body in bodies(week):
        export = ExportTraceServiceRequest.FromString(body)
        spans = [span for r in export.resource_spans for sc in r.scope_spans for span in sc.spans]
        above = {span.span_id: span for span in spans}
        for span in spans:
            assert begin <= span.start_time_unix_nano < span.end_time_unix_nano <= NOON
            parent = above.get(span.parent_span_id)
            assert (parent is None) == (not span.parent_span_id)
            if parent is not None:
                assert parent.start_time_unix_nano <= span.start_time_unix_nano
                assert span.end_time_unix_nano <= parent.end_time_unix_nano


def test_every_request_is_understood_as_a_call(week: list[Run]) -> None:
    """The dialects see each request in the spans, and twice only where the provider's SDK speaks, too."""
    calls = sum(len(run.calls) for run in week)
    twice = sum(
        call.model.provider == "anthropic"
        for run in week
        for call in run.calls
        if run.workload.library == "otel_anthropic"
    )
    told = [
        dialects.describe(span) for body in bodies(week) for span in decode_traces(body, "protobuf").spans
    ]
    assert [each.kind for each in told if each].count("call") == calls + twice


def test_every_thirty_days_hold_an_outage_and_a_loop() -> None:
    """Whatever the date, the window holds one of each at least: they are fixed on a cycle of 28 days."""
    crew = next(each for each in WORKLOADS if each.feature == story.LOOP_FEATURE)
    for last in range(20_000, 20_000 + story.CYCLE_DAYS):
        days = range(last - 30, last)
        assert any(story.in_outage("anthropic", day * story.DAY_NS + 10 * story.HOUR_NS) for day in days)
        assert any(story.loops_on(day, crew) for day in days)


def test_the_outage_and_the_loop_are_on_working_days() -> None:
    """Somebody is there to notice."""
    crew = next(each for each in WORKLOADS if each.feature == story.LOOP_FEATURE)
    for day in range(20_000, 20_100):
        happens = story.in_outage("anthropic", day * story.DAY_NS + 10 * story.HOUR_NS)
        assert not ((happens or story.loops_on(day, crew)) and story.is_weekend(day))


def test_during_an_outage_calls_fail_and_another_model_helps() -> None:
    """Most requests to the provider fail then, and some are answered by the fallback."""
    day = next(
        day for day in range(20_700, 20_800) if story.in_outage("anthropic", (day * 24 + 10) * story.HOUR_NS)
    )
    window = Window(seed=1, now_ns=(day + 2) * story.DAY_NS, days=2, rate=3)
    runs = [run for run in runs_of(window, day) if run.workload.library == "otel_anthropic"]
    hit = [call for run in runs for call in run.calls if story.in_outage(call.model.provider, call.start_ns)]
    assert len(hit) > 20
    assert sum(call.failure is not None for call in hit) > 0.7 * len(hit)
    assert any(call.model.provider == "openai" and call.failure is None for run in runs for call in run.calls)


def test_all_of_it_is_labelled(week: list[Run]) -> None:
    """Every resource says that it is a demo, and every tenant's name begins with `demo-`."""
    assert all(tenant.startswith("demo-") for tenant in TENANTS)
    for body in bodies(week):
        for sent in ExportTraceServiceRequest.FromString(body).resource_spans:
            said = {each.key: each.value for each in sent.resource.attributes}
            assert said["watchglass.demo"].bool_value


def test_the_cast_is_complete() -> None:
    """Every model that an agent names exists, and every library has work."""
    named = {
        name
        for workload in WORKLOADS
        for role in workload.roles
        for beat in role.beats
        for name in (beat.model, beat.fallback)
        if name
    }
    assert named == set(MODELS)
    assert len({workload.library for workload in WORKLOADS}) == 8


def test_the_apps_address_comes_first() -> None:
    """`watchglass up` names the address to open, or what to do where the app was not built."""
    assert "Open http://127.0.0.1:4318 in a browser" in where_to_click("http://127.0.0.1:4318", True)
    unbuilt = where_to_click("http://127.0.0.1:4318", False)
    assert "make app" in unbuilt and "http://127.0.0.1:4318/api/docs" in unbuilt


def test_where_to_look_names_the_server_only_when_it_is_not_the_usual_one() -> None:
    """Commands to type are as short as they can be, and right."""
    usual = where_to_look("http://127.0.0.1:4318", "data", "watchglass")
    other = where_to_look("http://127.0.0.1:5318", "data", "watchglass")
    assert "--url" not in usual
    assert "watchglass usage --by day,tenant --since 7d --url http://127.0.0.1:5318" in other
