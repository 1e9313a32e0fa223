"""Handles and labels: what the application touches."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tests.capture.prometheus.scrape import at, scraped
from watchglass import names
from watchglass.capture import boundary
from watchglass.capture.prometheus import runtime
from watchglass.errors import ConfigError


def test_a_handle_counts_what_it_is_told(metrics: runtime.Metrics) -> None:
    """Counters add, gauges are set and moved, histograms count a value at its bound within that bucket."""
    calls = runtime.metric("llm_calls_total", provider="openai", model="m", status="success")
    calls.inc()
    calls.inc(2)
    depth = runtime.metric("queue_depth", queue="events")
    depth.set(7)
    depth.inc(2)
    depth.dec()
    took = runtime.metric("llm_duration_seconds", provider="openai", model="m")
    for seconds in (0.1, 0.2, 31):
        took.observe(seconds)
    found = scraped(metrics.port)
    who = {"provider": "openai", "model": "m"}
    assert at(found, "watchglass_llm_calls_total", **who, status="success") == 3
    assert at(found, "watchglass_queue_depth", queue="events") == 8
    buckets = [
        at(found, "watchglass_llm_duration_seconds_bucket", **who, le=le)
        for le in ("0.1", "0.5", "30.0", "+Inf")
    ]
    assert buckets == [1, 2, 2, 3]
    assert at(found, "watchglass_llm_duration_seconds_count", **who) == 3
    assert at(found, "watchglass_llm_duration_seconds_sum", **who) == pytest.approx(31.3)


def test_the_same_labels_are_the_same_handle() -> None:
    """A handle is found again whatever the order of its labels, and differs where a value does."""
    first = runtime.metric("agent_executions_total", agent="a", status="b")
    assert runtime.metric("agent_executions_total", status="b", agent="a") is first
    assert runtime.metric("agent_executions_total", agent="b", status="a") is not first


def test_what_was_counted_before_the_start_is_there(tmp_path: Path) -> None:
    """A handle made and used before `start` is served afterwards with what it had, and goes on."""
    interrupts = runtime.metric("interrupts_total", kind="confirmation", status="asked")
    interrupts.inc(4)
    metrics = runtime.start("shop", port=0, folder=tmp_path)
    interrupts.inc()
    assert at(scraped(metrics.port), "watchglass_interrupts_total", kind="confirmation", status="asked") == 5


def test_labels_cannot_explode(metrics: runtime.Metrics) -> None:
    """Values beyond a label's limit are counted together as `other`, nothing is lost, and it is told."""
    limit = names.LABELS["route"].limit
    for number in range(limit + 25):
        runtime.metric("router_decisions_total", route=f"r{number}", reason="cheap").inc()
    found = scraped(metrics.port)
    routes = {dict(labels)["route"]: v for (n, labels), v in found.items() if n.endswith("decisions_total")}
    assert len(routes) == limit + 1
    assert routes["other"] == 25
    assert sum(routes.values()) == limit + 25
    told = at(found, "watchglass_sdk_label_overflows_total", metric="router_decisions_total", label="route")
    assert told == 25


def test_combinations_cannot_explode(metrics: runtime.Metrics) -> None:
    """However its labels combine, a metric has no more series than the limit, and counts all the same."""
    made = 0
    for provider in range(names.LABELS["provider"].limit):
        for model in range(60):
            runtime.metric(
                "llm_calls_total", provider=f"p{provider}", model=f"m{model}", status="success"
            ).inc()
            made += 1
    found = {labels: v for (name, labels), v in scraped(metrics.port).items() if name.endswith("calls_total")}
    assert made > names.SERIES_LIMIT
    assert len(found) == names.SERIES_LIMIT + 1
    assert sum(found.values()) == made


def test_misuse_costs_a_log_line(caplog: pytest.LogCaptureFixture) -> None:
    """An unknown metric or label, a wrong method, and values that are no numbers never raise."""
    runtime.metric("no_such_metric", a="b").inc()
    runtime.metric("queue_depth", colour="red").set(1)
    calls = runtime.metric("llm_calls_total", provider="x", model="m", status="success")
    calls.observe(3)
    calls.inc("many")  # type: ignore[arg-type] - the misuse that is tested
    calls.inc(-1)
    runtime.metric("queue_depth", queue=["not", "hashable"]).set(2)
    runtime.metric("llm_duration_seconds").observe(None)  # type: ignore[arg-type] - the misuse that is tested
    told = [record.getMessage() for record in caplog.records]
    assert any("no_such_metric" in line for line in told)
    assert any("colour" in line for line in told)
    assert any("is a counter, not .observe()" in line for line in told)
    assert boundary.failures == {"metric.inc": 1, "metric.observe": 1}


def test_any_text_can_be_a_label(metrics: runtime.Metrics) -> None:
    """Quotes, line ends, half characters and very long values leave the scrape readable."""
    for value in ('"', "a\nb", "\ud800", "x" * 5000, "\\", "😀", None, 7):
        runtime.metric("interrupts_total", kind=value, status="asked").inc()
    kinds = {
        dict(labels)["kind"] for (name, labels) in scraped(metrics.port) if name.endswith("interrupts_total")
    }
    assert kinds == {'"', "a\nb", "?", "x" * 200, "\\", "😀", "", "7"}


def test_threads_lose_nothing(metrics: runtime.Metrics) -> None:
    """Increments of many threads at once all arrive."""
    counter = runtime.metric("errors_total", source="llm", error_type="x")
    threads = [threading.Thread(target=lambda: [counter.inc() for _ in range(20_000)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert at(scraped(metrics.port), "watchglass_errors_total", source="llm", error_type="x") == 80_000


def test_an_application_defines_its_own(metrics: runtime.Metrics) -> None:
    """A metric that was defined can be used; to define the same again is fine."""
    for _ in range(2):
        runtime.define_metric("orders_total", "counter", "Orders.", labels=["shop_kind"])
    runtime.metric("orders_total", shop_kind="books").inc()
    assert at(scraped(metrics.port), "watchglass_orders_total", shop_kind="books") == 1


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"name": "orders", "kind": "counter"}, "_total"),
        ({"name": "orders_total", "kind": "gauge"}, "_total"),
        ({"name": "8orders", "kind": "gauge"}, "no name"),
        ({"name": "o", "kind": "meter"}, "counter, gauge or histogram"),
        ({"name": "o", "kind": "histogram"}, "buckets"),
        ({"name": "o", "kind": "histogram", "buckets": [2, 1]}, "rise"),
        ({"name": "o", "kind": "gauge", "labels": ["le"]}, "reserved"),
        ({"name": "o", "kind": "gauge", "labels": ["a-b"]}, "no name"),
        ({"name": "o", "kind": "gauge", "unit": "bytes"}, "o_bytes"),
        ({"name": "llm_calls_total", "kind": "counter"}, "defined already"),
    ],
)
def test_a_definition_that_means_nothing_is_refused(given: dict[str, object], says: str) -> None:
    """What Prometheus would not take is refused where it is defined, with what to do."""
    with pytest.raises(ConfigError, match=says):
        runtime.define_metric(help="Help.", **given)  # type: ignore[arg-type] - wrong on purpose
