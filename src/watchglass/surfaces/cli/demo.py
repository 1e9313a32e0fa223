"""`watchglass demo`: sends made-up traffic to a server the way any OpenTelemetry client would."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

import typer

from watchglass.surfaces.cli import options
from watchglass.surfaces.cli.exits import reporting

if TYPE_CHECKING:
    from watchglass.surfaces.demo_traffic import Batch

TIMEOUT_S = 30


def demo(url: options.Url = None, key: options.Key = None) -> None:
    """Send demo traffic of three tenants (demo-acme, demo-globex, demo-initech) over OTLP.

    Running it again adds another batch beside the first: its times end now, its ids are new.
    """
    with reporting():
        settings = options.settings(url=url, key=key).settings
        sent = send_demo(settings.url, settings.key)
        typer.echo(described(sent))
        typer.echo(f"watchglass trace {sent[0].trace_ids[0]}  shows one of them")


def send_demo(url: str, key: str | None = None) -> list[Batch]:
    """Post the demo traffic to the server at `url`. Raises `Unreachable`, `ConfigError`, `BadRequest`."""
    from watchglass.clock import SystemClock
    from watchglass.surfaces.cli.remote import address_of, authorization, opener_for
    from watchglass.surfaces.demo_traffic import batches

    address = address_of(url)
    opener = opener_for(address)
    made = batches(SystemClock().now_ns())
    headers = {"content-type": "application/x-protobuf", **authorization(key)}
    for batch in made:
        _post(opener, f"{address}/v1/traces", batch.body, headers)
    return made


def described(sent: list[Batch]) -> str:
    """What was sent, as a sentence."""
    traces = sum(len(batch.trace_ids) for batch in sent)
    return f"Sent {sum(batch.spans for batch in sent)} demo spans in {traces} traces over OTLP/HTTP."


def _post(opener: urllib.request.OpenerDirector, address: str, body: bytes, headers: dict[str, str]) -> None:
    from watchglass.errors import BadRequest, Unauthenticated, Unreachable

    request = urllib.request.Request(address, data=body, headers=headers)
    try:
        with opener.open(request, timeout=TIMEOUT_S) as response:
            response.read()
    except urllib.error.HTTPError as refusal:
        if refusal.code in (401, 403):
            raise Unauthenticated(
                f"{address} wants a key that may send; give one with --key or WATCHGLASS_KEY"
            ) from None
        raise BadRequest(
            f"{address} refused the demo traffic (HTTP {refusal.code}); is it a watchglass server? "
            "Name one with --url"
        ) from None
    except (OSError, http.client.HTTPException) as fault:
        raise Unreachable(
            f"no server answers at {address} ({getattr(fault, 'reason', fault)}); start one with "
            "`watchglass serve`, or name another with --url"
        ) from None
