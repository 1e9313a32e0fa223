"""`watchglass serve`: the server, until Ctrl-C."""

from __future__ import annotations

from typing import Annotated, List, Optional  # noqa: UP035 (typer reads these at run time)

import typer

from watchglass.surfaces.cli import options
from watchglass.surfaces.cli.exits import reporting


def serve(
    data: Annotated[Optional[str], options.option("data")] = None,
    host: Annotated[Optional[str], options.option("host")] = None,
    port: Annotated[Optional[int], options.option("port")] = None,
    grpc_port: Annotated[Optional[int], options.option("grpc_port")] = None,
    allowed_hosts: Annotated[Optional[List[str]], options.option("allowed_hosts", "--allowed-host")] = None,
    prices: Annotated[Optional[str], options.option("prices")] = None,
    log_level: Annotated[Optional[str], options.option("log_level")] = None,
    max_body_bytes: Annotated[Optional[int], options.option("max_body_bytes", panel="Limits")] = None,
    inflight_bytes: Annotated[Optional[int], options.option("inflight_bytes", panel="Limits")] = None,
    query_time_s: Annotated[Optional[float], options.option("query_time_s", panel="Limits")] = None,
    query_rows: Annotated[Optional[int], options.option("query_rows", panel="Limits")] = None,
    query_memory_bytes: Annotated[Optional[int], options.option("query_memory_bytes", panel="Limits")] = None,
) -> None:
    """Receive telemetry and answer questions: OTLP over HTTP and gRPC, the API, health; until Ctrl-C."""
    given = dict(locals())
    with reporting():
        settings = options.settings(**given).settings
        from watchglass.surfaces.serve import serve as run

        raise typer.Exit(run(settings))
