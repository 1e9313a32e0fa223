"""The catalogue of metrics: names that others rely on, and that every row can be what it says."""

from __future__ import annotations

import pytest

from watchglass import names
from watchglass.capture.prometheus.defining import checked

PIPELINE = (0.1, 0.5, 1, 2, 5, 10, 30, 60)
AGENT = (0.01, 0.05, 0.1, 0.5, 1, 2, 5)
LLM = (0.1, 0.5, 1, 2, 5, 10, 30)
DB = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1)

ROW_B1 = {
    "pipeline_executions_total": ("counter", {"pipeline", "status"}, ()),
    "pipeline_duration_seconds": ("histogram", {"pipeline"}, PIPELINE),
    "agent_executions_total": ("counter", {"agent", "status"}, ()),
    "agent_duration_seconds": ("histogram", {"agent"}, AGENT),
    "llm_calls_total": ("counter", {"provider", "model", "status"}, ()),
    "llm_tokens_total": ("counter", {"provider", "model", "type"}, ()),
    "llm_duration_seconds": ("histogram", {"provider", "model"}, LLM),
    "llm_provider_calls_total": ("counter", {"provider", "model", "status"}, ()),
    "llm_provider_duration_seconds": ("histogram", {"provider", "model"}, LLM),
    "http_requests_total": ("counter", {"method", "endpoint", "status"}, ()),
    "http_request_duration_seconds": ("histogram", {"method", "endpoint"}, None),
    "db_connections": ("gauge", {"pool"}, ()),
    "db_query_duration_seconds": ("histogram", {"operation"}, DB),
    "db_pool_size": ("gauge", {"pool"}, ()),
    "db_pool_active_connections": ("gauge", {"pool"}, ()),
    "db_pool_idle_connections": ("gauge", {"pool"}, ()),
    "interrupts_total": ("counter", {"kind", "status"}, ()),
}
"""As the teams have them; the pool's label is ours, their queries without it still work."""

ROW_D1 = {
    "llm.requests.total": "llm_calls_total",
    "llm.request.duration": "llm_duration_seconds",
    "llm.cost.total": "llm_cost_usd_total",
    "llm.tokens.total": "llm_tokens_total",
    "cache.hits.total": "cache_hits_total",
    "cache.misses.total": "cache_misses_total",
}

PANELS = {
    *("router_decisions_total", "errors_total", "grpc_requests_total", "grpc_connections"),
    *("process_memory_bytes", "process_cpu_seconds_total", "queue_depth", "user_sessions_active"),
    *("feature_calls_total", "feature_tokens_total", "agent_llm_calls_total", "agent_tokens_total"),
    *("agents_running", "flow_executions_total", "flow_tokens_total", "flow_duration_seconds"),
    *("llm_errors_total", "llm_cost_usd_total", "dependency_up"),
}


@pytest.mark.parametrize("name", ROW_B1)
def test_the_teams_metrics_are_there_as_they_have_them(name: str) -> None:
    """Name, kind, labels and buckets of a metric of the teams are theirs."""
    kind, labels, buckets = ROW_B1[name]
    found = names.METRICS[name]
    assert (found.kind, set(found.labels)) == (kind, labels)
    assert buckets is None or found.buckets == buckets


def test_instruments_of_opentelemetry_have_their_metric() -> None:
    """Each instrument of row D1 is one metric of the catalogue."""
    assert {each.instrument: each.name for each in names.METRICS.values() if each.instrument} == ROW_D1


def test_every_panel_has_a_metric() -> None:
    """What the teams' panels show and row B1 has no metric for is in the catalogue."""
    assert names.METRICS.keys() >= PANELS


@pytest.mark.parametrize("name", names.METRICS)
def test_every_metric_can_be_what_it_says(name: str) -> None:
    """Prometheus takes each row, it is explained, and each of its labels is explained and bounded."""
    each = names.METRICS[name]
    checked(each.name, each.kind, each.help, each.labels, each.unit, each.buckets)
    assert each.help.endswith(".")
    assert all(names.LABELS[label].limit > 0 and names.LABELS[label].meaning for label in each.labels)
