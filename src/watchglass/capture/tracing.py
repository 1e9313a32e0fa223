"""The tracer of the SDK's live spans: of our provider since `init`, else of OpenTelemetry's global one."""

from __future__ import annotations

from opentelemetry import trace

from watchglass import __version__, names

_ours: trace.TracerProvider | None = None
_known: tuple[trace.TracerProvider | None, trace.Tracer] = (None, trace.NoOpTracer())


def use(provider: trace.TracerProvider | None) -> trace.TracerProvider | None:
    """Make steps by this provider; None is OpenTelemetry's global one. Returns the one before."""
    global _ours
    before, _ours = _ours, provider
    return before


def tracer() -> trace.Tracer:
    """The tracer of steps. Making one takes longer than a span, and providers change at start-up only."""
    global _known
    provider, made = _known
    now = _ours or trace.get_tracer_provider()
    if now is not provider:
        made = now.get_tracer(names.STEPS_SCOPE, __version__)
        _known = now, made
    return made
