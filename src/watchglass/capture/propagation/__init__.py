"""Context that travels: threads, processes, HTTP, gRPC. `install` sets it up once for the process."""

from __future__ import annotations

from opentelemetry import propagate

from watchglass.capture.propagation import destinations as places
from watchglass.capture.propagation import headers, patches, processes, threads
from watchglass.capture.propagation import trust as trusting


def install(
    *,
    destinations: places.Destinations = (),
    trust: trusting.Trust = (),
    secret: str | None = None,
) -> None:
    """Let threads, processes and their pools inherit the context, and headers carry it; again changes only
    the rules.

    `destinations`: hosts that are told tenant, engagement and so on in requests (default: none; `traceparent`
    goes where OpenTelemetry's instrumentations send it). `trust`: the callers whose word for them is taken
    where a middleware or interceptor is not told otherwise (default: nobody). `secret`: sent to
    `destinations` as proof for callers behind a proxy, and taken as proof from callers. Raises `ConfigError`
    for what is no host, no network, or a secret that can be guessed.
    """
    rule, judge = places.rule(destinations), trusting.judge(trust)
    if secret is not None:
        judge = trusting.either(judge, trusting.shared_secret(secret))
    headers.rules.allowed, headers.rules.trusted, headers.rules.secret = rule, judge, secret
    threads.install()
    processes.install()
    inner = propagate.get_global_textmap()
    if not isinstance(inner, headers.Guarded):
        propagate.set_global_textmap(headers.Guarded(inner))


def uninstall() -> None:
    """Undo `install`; what somebody else has put on top of it stays."""
    patches.restore()
    guarded = propagate.get_global_textmap()
    if isinstance(guarded, headers.Guarded):
        propagate.set_global_textmap(guarded.inner)
    headers.rules = headers.Rules()
