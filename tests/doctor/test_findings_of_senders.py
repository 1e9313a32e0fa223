"""Findings about who sends, on a real store: each with its evidence on a sick one, and silent on a healthy
one."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.doctor.conftest import HEALTHY, WINDOW, Look
from tests.doctor.test_findings import OF_SENDERS
from tests.stored_rows import NOON_NS, SECOND_NS, call, span, task
from watchglass.clock import ManualClock
from watchglass.doctor.contract import Diagnosis, Finding, Window
from watchglass.doctor.findings import FINDINGS
from watchglass.doctor.findings.billed_unrecorded import BilledUnrecorded
from watchglass.doctor.findings.clock_skew import ClockSkew
from watchglass.doctor.findings.content_cut import ContentCut
from watchglass.doctor.findings.expiring_unpriced import ExpiringUnpriced
from watchglass.doctor.findings.gone_silent import GoneSilent
from watchglass.doctor.findings.lost_by_sender import LostBySender
from watchglass.doctor.findings.newer_sdk import NewerSdk
from watchglass.doctor.findings.no_context import NoContext
from watchglass.doctor.findings.refused_keys import RefusedKeys
from watchglass.doctor.findings.stuck_tasks import StuckTasks
from watchglass.doctor.findings.unrecorded_requests import UnrecordedRequests
from watchglass.store import BillFile, BillRow, Bills, Engine, VersionClock

HOUR = 3600
DAY = Window(NOON_NS, NOON_NS + 24 * HOUR * SECOND_NS)


@pytest.fixture(scope="module")
def asked() -> list[Finding]:
    return [each for each in FINDINGS if each.name in {"no_data", *OF_SENDERS}]


def the(finding: str, found: list[Diagnosis]) -> Diagnosis:
    """The one that was found by this name."""
    (one,) = (each for each in found if each.finding == finding)
    return one


def rows(found: Diagnosis) -> list[list[Any]]:
    return [list(row) for row in found.evidence.rows]


def test_a_whole_application_is_healthy(look: Look) -> None:
    """An agent with its task, tool, call and HTTP spans, of two services, is nothing to speak of."""
    agent = {"service": "web", "scope": "watchglass.crewai", "agent": "writer"}
    http = {"kind": 3, "attributes": {"server.address": "api.openai.com", "http.request.method": "POST"}}
    trace = f"{1:032x}"
    found = look(
        window=DAY,
        findings=FINDINGS,
        calls=[call(1, **HEALTHY, service="web", agent="writer", task="write", task_id="t1")],
        tasks=[
            task(1, **agent),
            task(2, **agent, trace_id=trace, kind="agent", name="writer", parent_task_id="t1"),
            task(3, **agent, trace_id=trace, kind="tool", name="look up", parent_task_id="t2"),
            task(4, service="web", scope="watchglass.steps", name="tidy up"),
            task(DAY.until_ns // SECOND_NS - NOON_NS // SECOND_NS - 60, status="running", service="web"),
        ],
        spans=[
            span(1, service="web", **http),
            span(2, service="api", kind=2, parent_span_id=f"{1:016x}"),
            span(3, service="web", scope="watchglass.litellm", scope_version="0.1.0"),
        ],
        metrics=[metric("otelcol_exporter_send_failed_spans", 0)],
    )
    assert found == []


def test_stuck_tasks(look: Look) -> None:
    """A task that is open in a trace that went quiet, or below one that has ended; a young or busy one is
    not."""
    found = look(
        findings=[StuckTasks()],
        window=DAY,
        calls=[call(23 * HOUR + 1900, **HEALTHY, trace_id=f"{2:032x}")],
        tasks=[
            task(1, status="running", name="quiet"),
            task(2, status="running", name="busy"),
            task(3, status="completed", name="parent"),
            task(24 * HOUR - 60, status="starting", name="child", parent_task_id="t3"),
            task(24 * HOUR - 90, status="running", name="young"),
        ],
    )
    stuck = the("stuck_tasks", found)
    assert stuck.symptom.startswith("2 executions began and never ended")
    assert [row[1:5] for row in rows(stuck)] == [
        ["child", "starting", None, "parent has ended"],
        ["quiet", "running", None, "silent"],
    ]


def test_tracking_off(look: Look) -> None:
    """A service that tells of agents and of no call is an error; the error is of that service alone."""
    framework = {"scope": "openinference.instrumentation.crewai"}
    found = look(
        calls=[call(1, **HEALTHY, service="web")],
        tasks=[task(1, service="batch", **framework), task(2, service="batch", **framework)],
    )
    off = the("tracking_off", found)
    assert off.severity == "error"
    assert off.symptom.startswith("1 service with 2 executions of agents or tasks and not one call")
    assert rows(off)[0][:5] == ["batch", "task", "write", framework["scope"], 2]
    assert [each.finding for each in found] == ["tracking_off"]


def test_handler_missing(look: Look) -> None:
    """One agent of a service is never seen to ask, another one is, and the one above both only hands out
    work."""
    scope = {"service": "web", "scope": "openinference.instrumentation.crewai"}
    found = look(
        calls=[call(1, **HEALTHY, service="web", agent="writer")],
        tasks=[
            task(1, **scope, kind="agent", name="writer", parent_task_id="t3"),
            task(2, **scope, kind="agent", name="editor", parent_task_id="t3"),
            task(3, **scope, kind="agent", name="chief"),
            task(4, service="web", scope="watchglass.steps", name="tidy up"),
        ],
    )
    missing = the("handler_missing", found)
    assert rows(missing)[0][:5] == ["web", "agent", "editor", scope["scope"], 1]
    assert (len(rows(missing)), missing.command) == (1, "watchglass check .")


def test_no_context(look: Look) -> None:
    """Calls without a tenant, the dearest place first; only a hint where nobody ever names one."""
    place = {"service": "web", "code_file": "/app/a.py"}
    nobodys = HEALTHY | {"tenant": None}
    calls = [
        call(1, **nobodys, **place, code_line=10),
        call(2, **nobodys | {"cost_usd": HEALTHY["cost_usd"] * 5}, **place, code_line=20),
    ]
    found = the("no_context", look(findings=[NoContext()], calls=[*calls, call(3, **HEALTHY)]))
    assert (found.severity, found.command) == ("warning", "watchglass calls --filter tenant= --sort cost")
    assert found.symptom.startswith("2 calls that say nothing of the customer")
    assert [row[:6] for row in rows(found)] == [
        ["web", "/app/a.py", 20, None, 1, "0.5"],
        ["web", "/app/a.py", 10, None, 1, "0.1"],
    ]
    assert the("no_context", look(findings=[NoContext()], calls=calls)).severity == "info"
    silent = call(1, **HEALTHY | {"feature": None})
    featureless = the("no_context", look(findings=[NoContext()], calls=[silent, call(2, **HEALTHY)]))
    assert featureless.symptom.startswith("1 call that says nothing of the feature")


def test_calls_from_the_future(look: Look) -> None:
    """A call of tomorrow is in no window, and told nevertheless; one within a minute is not."""
    now_s = time.time_ns() // SECOND_NS - NOON_NS // SECOND_NS
    ahead = look(
        findings=[ClockSkew()],
        calls=[
            call(now_s + 2 * 24 * HOUR, **HEALTHY, service="web"),
            call(now_s + 5, **HEALTHY, service="web"),
        ],
    )
    assert [(each.severity, rows(each)[0][0], rows(each)[0][2]) for each in ahead] == [("error", "web", 1)]


def test_clocks_that_disagree(look: Look) -> None:
    """A request that arrives seconds before it is sent; one that takes its time is fine."""
    found = look(
        findings=[ClockSkew()],
        calls=[call(1, **HEALTHY)],
        spans=[
            span(10, kind=3, service="web"),
            span(7, kind=2, service="api", parent_span_id=f"{10:016x}"),
            span(20, kind=3, service="web"),
            span(21, kind=2, service="api", parent_span_id=f"{20:016x}"),
        ],
    )
    assert rows(the("clock_skew", found)) == [["web", "api", 1, 3 * SECOND_NS, f"{1:032x}", 1]]


@pytest.mark.parametrize(
    "attributes",
    [
        {"server.address": "api.openai.com", "http.request.method": "POST"},
        {"net.peer.name": "eu-aiplatform.googleapis.com", "http.method": "POST"},
        {"http.url": "https://api.anthropic.com/v1/messages"},
        {"url.full": "https://mine.openai.azure.com/openai/deployments/x"},
    ],
)
def test_unrecorded_requests(look: Look, attributes: dict[str, str]) -> None:
    """A client's span to a provider in a trace without a call, by the new and the old names of attributes."""
    asked = {"kind": 3, "service": "web", "scope": "opentelemetry.instrumentation.httpx"}
    found = look(
        findings=[UnrecordedRequests()],
        calls=[call(9, **HEALTHY)],
        spans=[
            span(1, **asked, attributes=attributes),
            span(2, **asked, attributes=attributes | {"http.request.method": "GET"}),
            span(3, **asked, attributes={"server.address": "notopenai.com.example"}),
            span(4, **asked, attributes=attributes, trace_id=f"{9:032x}"),
        ],
    )
    unrecorded = the("unrecorded_requests", found)
    assert unrecorded.symptom.startswith("1 request to a provider")
    assert rows(unrecorded)[0][2:4] == [asked["scope"], 1]


def test_content_cut(look: Look) -> None:
    """Texts that were cut are told, with their service."""
    cut = {"watchglass.content.cut": '{"gen_ai.input.messages": 70000}'}
    found = look(
        findings=[ContentCut()],
        calls=[call(1, **HEALTHY)],
        spans=[span(1, service="web", scope="s", attributes=cut)],
    )
    assert rows(the("content_cut", found))[0][:3] == ["web", "s", 1]


def metric(name: str, value: int, **columns: Any) -> dict[str, Any]:
    base = {
        "point_id": f"{name}{value}{columns}",
        "name": name,
        "value_int": value,
        "time": NOON_NS + SECOND_NS,
    }
    return {
        **base,
        "kind": "sum",
        "temporality": "cumulative",
        "service": "collector",
        "version": 1,
        **columns,
    }


def test_lost_by_sender(look: Look) -> None:
    """Growing counts are taken at their highest, but for what they were before the window; differences are
    summed; what worked is no loss."""
    found = look(
        findings=[LostBySender()],
        calls=[call(1, **HEALTHY)],
        metrics=[
            metric("otelcol_exporter_send_failed_spans_total", 5, attributes={"exporter": "otlp"}),
            metric("otelcol_exporter_send_failed_spans_total", 9, attributes={"exporter": "otlp"}),
            *(metric("otelcol_receiver_refused_spans", lost, start_time=1) for lost in (5_000, 5_000)),
            *(metric("otelcol_receiver_failed_spans", lost, start_time=1) for lost in (5_000, 5_001)),
            metric("otel.sdk.processor.span.processed", 2, attributes={"error.type": "queue_full"}),
            metric("otel.sdk.processor.span.processed", 1000),
            metric("shop_sdk_records_dropped_total", 3, temporality="delta", attributes={"reason": "full"}),
            metric("shop_sdk_records_dropped_total", 4, temporality="delta", attributes={"reason": "full"}),
        ],
    )
    lost = the("lost_by_sender", found)
    assert lost.symptom == "19 records that senders say they lost."
    assert [row[1:4] for row in rows(lost)] == [
        ["otelcol_exporter_send_failed_spans_total", "otlp", 9],
        ["shop_sdk_records_dropped_total", "full", 7],
        ["otel.sdk.processor.span.processed", "queue_full", 2],
        ["otelcol_receiver_failed_spans", None, 1],
    ]


def test_gone_silent(look: Look) -> None:
    """Silent for twice its longest pause; a service that only ever comes at night, or came once, is not."""
    hourly = [call(hour * HOUR, **HEALTHY, service="hourly") for hour in range(12)]
    steady = [call(hour * HOUR + 1, **HEALTHY, service="steady") for hour in range(23)]
    nightly = [call(day * 24 * HOUR + hour * HOUR + 2, **HEALTHY, service="nightly")
               for day in (-1, 0) for hour in range(4)]  # fmt: skip
    once = [call(3, **HEALTHY, service="once")]
    found = the(
        "gone_silent", look(findings=[GoneSilent()], window=DAY, calls=[*hourly, *steady, *nightly, *once])
    )
    assert rows(found) == [["hourly", 12, "2026-01-01T23:00:00.000000000Z", HOUR, 13 * HOUR]]


def refusal(event: str, count: int = 1, **columns: Any) -> dict[str, Any]:
    base = {
        "time": NOON_NS + SECOND_NS,
        "event": event,
        "route": "/v1/*",
        "remote": "10.0.0.7",
        "count": count,
    }
    return {**base, **columns}


def test_refused_keys(look: Look) -> None:
    """Refusals are summed by what was wrong with them, the worst first, with the address they came from."""
    found = look(
        findings=[RefusedKeys()],
        calls=[call(1, **HEALTHY)],
        audit=[
            refusal("no_key", 40),
            refusal("revoked_key", 2, key_id="k1"),
            refusal("limited", 3, key_id="k2"),
            refusal("foreign_tenant", 5, key_id="k3"),
            refusal("key_created", 1),
        ],
    )
    assert [(each.finding, each.severity, each.symptom) for each in found] == [
        ("refused_keys", "error", "42 requests refused for want of the right key."),
        ("refused_keys", "error", "5 items rejected that named another tenant than their key."),
        ("refused_keys", "warning", "3 requests refused over a key's limit."),
    ]
    assert rows(found[0])[0][:5] == ["no_key", "/v1/*", "", "10.0.0.7", 40]


def test_refusals_from_everywhere_are_all_counted(look: Look) -> None:
    """However many addresses are refused, all count and the commonest are shown."""
    many = [refusal("no_key", 1 + number % 2, remote=f"10.0.1.{number}") for number in range(100)]
    (found,) = look(findings=[RefusedKeys()], calls=[call(1, **HEALTHY)], audit=many)
    assert found.symptom.startswith("150 requests refused")
    assert [row[4] for row in rows(found)] == [2] * 10


def test_newer_sdk(look: Look) -> None:
    """An SDK of a later release is told; one that is older, or another library's, is not."""
    ours = {"scope": "watchglass.litellm", "service": "web"}
    found = look(
        findings=[NewerSdk()],
        spans=[
            span(1, **ours, scope_version="999.1"),
            span(2, **ours, scope_version="0.0.9"),
            span(3, scope="openai", scope_version="2000.1"),
        ],
    )
    assert [row[:3] for row in rows(found[0])] == [["999.1", ["web"], 1]]


def billed(requests: int, **columns: Any) -> BillRow:
    names = ("item", "project", "key", "model", "token_class", "tier", "above", "region", "tokens")
    base = dict.fromkeys((*names, "amount_usd", "request_id"))
    base |= {"provider": "openai", "since_ns": DAY.since_ns, "until_ns": DAY.until_ns, "zone": "UTC"}
    return BillRow(**{**base, "requests": requests, "long_context": False, "where": "", **columns})


def test_billed_unrecorded(engine: Engine, look: Look) -> None:
    """A provider that counts more requests than are on record is told; what counts something else is left
    out."""
    calls = [call(1, **HEALTHY), call(2, **HEALTHY), call(3, **HEALTHY | {"provider": "anthropic"})]
    rows = [billed(3), billed(2, model="gpt-4o"), billed(90, token_class="search")]
    rows.append(billed(1, provider="anthropic"))
    kept = Bills(engine, VersionClock(ManualClock(NOON_NS)))
    kept.take([BillFile(file="a", name="usage.json", format="openai-usage", rows=rows)])
    found = look(findings=[BilledUnrecorded()], calls=calls, window=DAY)
    assert [(each.finding, each.severity) for each in found] == [("billed_unrecorded", "error")]
    assert [(row[0], *row[4:]) for row in found[0].evidence.rows] == [("openai", 5, 2, 3)]
    assert look(findings=[BilledUnrecorded()], calls=calls) == []  # a bill of a day, asked of an hour
    engine.execute("TRUNCATE TABLE store.bill_files")


def test_expiring_unpriced(look: Look) -> None:
    """Calls without a cost that retention takes within the week; younger ones and priced ones are not
    told."""
    unpriced = HEALTHY | {"cost_usd": None, "unpriced_reason": "unknown_model", "request_model": "m"}
    day_s, day_ns = 24 * HOUR, 24 * HOUR * SECOND_NS
    calls = [call(1, **unpriced), call(20 * day_s, **unpriced), call(2, **HEALTHY)]
    now_ns = NOON_NS + 25 * day_ns
    (found,) = look(findings=[ExpiringUnpriced(30 * day_ns, now_ns)], calls=calls)
    assert rows(found)[0][:4] == ["openai", "m", "unknown_model", 1]
    assert found.command == "watchglass reprice --unpriced --since 2026-01-01"
    assert look(findings=[ExpiringUnpriced(90 * day_ns, now_ns)], calls=calls) == []
    assert look(findings=[ExpiringUnpriced(None, now_ns)], calls=calls) == []


def test_every_finding_keeps_to_the_window(look: Look) -> None:
    """What lies before the window is no finding of it, for those that look at one."""
    before = [{**row, "time": NOON_NS - 10**9} for row in (refusal("no_key"), refusal("limited"))]
    assert look(calls=[call(1, **HEALTHY)], audit=before, findings=FINDINGS, window=WINDOW) == []
