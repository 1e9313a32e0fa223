"""The tracer of the SDK's live spans: of the provider that is in force, made once for each."""

from __future__ import annotations

from opentelemetry import trace

from watchglass import __version__, names

_known: tuple[trace.TracerProvider | None, trace.Tracer] = (None, trace.NoOpTracer())


def tracer() -> trace.Tracer:
    """The tracer of steps. Making one takes longer than a span, and providers change at start-up only."""
    global _known
    provider, made = _known
    if (now := trace.get_tracer_provider()) is not provider:
        made = now.get_tracer(names.STEPS_SCOPE, __version__)
        _known = now, made
    return made
