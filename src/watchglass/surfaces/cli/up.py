"""`watchglass up`: the server with demo traffic in it and a first table, for a first look.

One process: once the store is open a thread waits until the server is ready, then talks to it over
HTTP as any client does. There is no child that could outlive its parent, and Ctrl-C ends the server
just as it ends `serve`.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from watchglass import errors
from watchglass.surfaces.cli import options
from watchglass.surfaces.cli.demo import described, go_on, poster, window_now
from watchglass.surfaces.cli.exits import reporting

if TYPE_CHECKING:
    from watchglass.config import Settings
    from watchglass.surfaces.backend import Backend

READY_S = 60
SETTLED_S = 30
FIRST_DAYS = 3
"""Days before today that the first table waits for."""

DEFAULT_URL = "http://127.0.0.1:4318"


def up(
    data: Annotated[str | None, options.option("data")] = None,
    host: Annotated[str | None, options.option("host")] = None,
    port: Annotated[int | None, options.option("port")] = None,
    grpc_port: Annotated[int | None, options.option("grpc_port")] = None,
    prices: Annotated[str | None, options.option("prices")] = None,
    litellm_prices: Annotated[str | None, options.option("litellm_prices")] = None,
    demo: Annotated[bool, typer.Option("--demo/--no-demo", help="send demo traffic when it is ready")] = True,
) -> None:
    """Serve, send demo traffic, say where to look and show what it cost; until Ctrl-C."""
    given = {
        "data": data,
        "host": host,
        "port": port,
        "grpc_port": grpc_port,
        "prices": prices,
        "litellm_prices": litellm_prices,
    }
    with reporting():
        settings = options.settings(**given).settings
        typer.echo("Starting watchglass …")
        from watchglass.surfaces.house import open_house
        from watchglass.surfaces.serve import serve

        @asynccontextmanager
        async def open_and_greet(settings: Settings, address: str) -> AsyncGenerator[Backend]:
            async with open_house(settings, address) as backend:
                # Only now: the port is surely ours, so it is not another server that is greeted.
                threading.Thread(
                    target=_greet, args=(address, settings, demo, backend.access.errand()), daemon=True
                ).start()
                yield backend

        raise typer.Exit(serve(settings, open_and_greet))


def _greet(url: str, settings: Settings, demo: bool, key: str) -> None:
    if not _ready(url):
        typer.echo(f"watchglass: {url}/ready does not say ready after {READY_S} s", err=True)
        return
    from watchglass.surfaces.http.web_app import load

    typer.echo(where_to_click(url, load().built))
    try:
        if demo:
            _demo(url, settings, key)
        else:
            _print_spend(url, key)
            typer.echo(where_to_look(url, settings.data))
    except errors.WatchglassError as error:
        typer.echo(f"watchglass: {error}", err=True)  # the server itself goes on


def _demo(url: str, settings: Settings, key: str) -> None:
    """The last days first, so that there is soon something to see; then the rest, then what happens now."""
    from watchglass.surfaces.demo.sending import Sent, send_history

    window, post, sent = window_now(), poster(url, key), Sent(0, 0)
    try:
        for number, sent in enumerate(send_history(window, post, time.sleep, newest_first=True)):
            if number == FIRST_DAYS:
                typer.echo(described(sent, FIRST_DAYS))
                _settled(url, key)
                _print_spend(url, key)
                typer.echo(where_to_look(url, settings.data))
        typer.echo(f"{described(sent, window.days)} It goes on as long as the server runs.")
        go_on(window, post)
    except errors.Unreachable:
        return  # the server, which is this process, has been stopped


def _ready(url: str) -> bool:
    import urllib.request

    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline:
        try:
            with opener.open(f"{url}/ready", timeout=5):
                return True
        except OSError:  # not listening yet, or a 503
            time.sleep(0.05)
    return False


def _settled(url: str, key: str) -> None:
    """Wait until each request is counted once and has its tenant: that is decided just after it is stored."""
    from watchglass.surfaces.cli.remote import RemoteReader

    server = RemoteReader(url, timeout_s=60, key=key)
    deadline = time.monotonic() + SETTLED_S
    while time.monotonic() < deadline:
        health = json.loads(server.fetch("/health", None, "GET"))
        if not health["dependencies"]["ingest"]["unsettled_traces"]:
            return
        time.sleep(0.1)


def _print_spend(url: str, key: str) -> None:
    from watchglass.queries.usage import UsageQuestion
    from watchglass.surfaces.cli.remote import RemoteReader
    from watchglass.surfaces.cli.usage import print_report

    report = RemoteReader(url, timeout_s=60, key=key).usage(UsageQuestion(by=("tenant", "feature")))
    typer.echo("\nSpend by tenant and feature:")
    print_report(report)


def where_to_click(url: str, built: bool) -> str:
    """The app's address, before anything else."""
    if built:
        return f"\n  Open {url} in a browser.\n"
    return f"\nThe app is not built here (`make app` does it); {url}/api/docs shows the API.\n"


def where_to_look(url: str, data: str, program: str | None = None) -> str:
    """What to type next; `program` is how this program was called."""
    name = program or (sys.argv[0] if sys.argv[0].endswith("watchglass") else "watchglass")
    option = "" if url == DEFAULT_URL else f" --url {url}"
    tries = [
        f"{name} usage --by engagement,feature,agent{option}",
        f"{name} usage --by day,tenant --since 7d{option}",
        f'{name} query "SELECT agent, count(), sum(cost_usd) FROM usage GROUP BY agent"{option}',
    ]
    return "\n".join(
        [
            "",
            "Look further, in another terminal:",
            *(f"  {line}" for line in tries),
            "Send your own:",
            f"  export OTEL_EXPORTER_OTLP_ENDPOINT={url}",
            f"Ctrl-C stops the server; the data stays in {data}.",
        ]
    )
