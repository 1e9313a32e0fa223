"""`watchglass serve`: the server, until Ctrl-C."""

from __future__ import annotations

from typing import Annotated

import typer

from watchglass.surfaces.cli import options
from watchglass.surfaces.cli.exits import reporting


def serve(
    data: Annotated[str | None, options.option("data")] = None,
    host: Annotated[str | None, options.option("host")] = None,
    port: Annotated[int | None, options.option("port")] = None,
    grpc_port: Annotated[int | None, options.option("grpc_port")] = None,
    allowed_hosts: Annotated[list[str] | None, options.option("allowed_hosts", "--allowed-host")] = None,
    prices: Annotated[str | None, options.option("prices")] = None,
    litellm_prices: Annotated[str | None, options.option("litellm_prices")] = None,
    log_level: Annotated[str | None, options.option("log_level")] = None,
    max_body_bytes: Annotated[int | None, options.option("max_body_bytes", panel="Limits")] = None,
    inflight_bytes: Annotated[int | None, options.option("inflight_bytes", panel="Limits")] = None,
    free_bytes: Annotated[int | None, options.option("free_bytes", panel="Limits")] = None,
    query_time_s: Annotated[float | None, options.option("query_time_s", panel="Limits")] = None,
    query_rows: Annotated[int | None, options.option("query_rows", panel="Limits")] = None,
    query_memory_bytes: Annotated[int | None, options.option("query_memory_bytes", panel="Limits")] = None,
    retention_content: Annotated[str | None, options.option("retention_content", panel="Retention")] = None,
    retention_calls: Annotated[str | None, options.option("retention_calls", panel="Retention")] = None,
    retention_tasks: Annotated[str | None, options.option("retention_tasks", panel="Retention")] = None,
    retention_spans: Annotated[str | None, options.option("retention_spans", panel="Retention")] = None,
    retention_logs: Annotated[str | None, options.option("retention_logs", panel="Retention")] = None,
    retention_metrics: Annotated[str | None, options.option("retention_metrics", panel="Retention")] = None,
    retention_audit: Annotated[str | None, options.option("retention_audit", panel="Retention")] = None,
    retention_rejects: Annotated[str | None, options.option("retention_rejects", panel="Retention")] = None,
) -> None:
    """Receive telemetry and answer questions: OTLP over HTTP and gRPC, the API, health; until Ctrl-C."""
    given = dict(locals())
    with reporting():
        settings = options.settings(**given).settings
        from watchglass.surfaces.serve import serve as run

        raise typer.Exit(run(settings))
