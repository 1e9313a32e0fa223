"""Two that report the same request: instrumentations of one library, exporters to one address."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterator
from importlib.metadata import distributions
from typing import Any
from urllib.parse import urlsplit

from watchglass.capture.checks.finding import Finding

OURS = {
    "openai": "opentelemetry-instrumentation-openai-v2",
    "anthropic": "opentelemetry-instrumentation-anthropic",
    "litellm": "watchglass",
    "crewai": "watchglass",
}
"""Who records these libraries for watchglass."""

FAMILIES = {
    "openinference-instrumentation-": "OpenInference (Phoenix, Arize)",
    "opentelemetry-instrumentation-": "OpenLLMetry (Traceloop)",
    "splunk-otel-instrumentation-": "Splunk",
}
"""Distributions that record LLM libraries, by how their names begin; the rest of the name is the library."""

WHOLE = {
    "openlit": "OpenLIT",
    "traceloop-sdk": "OpenLLMetry (Traceloop)",
    "logfire": "Logfire",
    "langfuse": "Langfuse",
    "agentops": "AgentOps",
}
"""Distributions that record several LLM libraries once they are set up."""

MODULES = ("opentelemetry.instrumentation.", "openinference.instrumentation.")


def installed() -> dict[str, list[str]]:
    """By library, what else is installed that would record it once it is set up."""
    found: dict[str, list[str]] = defaultdict(list)
    for each in sorted({d.metadata["Name"].lower() for d in distributions() if d.metadata["Name"]}):
        for start, family in FAMILIES.items():
            library = each.removeprefix(start)
            if each.startswith(start) and library in OURS and each != OURS[library]:
                found[library].append(f"{each} ({family})")
        if each in WHOLE:
            found["several libraries"].append(f"{each} ({WHOLE[each]})")
    return dict(found)


def instrumentations() -> list[Finding]:
    """Libraries that more than one active instrumentation records in this process."""
    active: dict[str, set[str]] = defaultdict(set)
    for library, path in _active():
        active[library].add(path)
    for library in ("litellm", "crewai"):
        if any(name.startswith(f"watchglass.capture.{library}.") for name in sys.modules.copy()):
            active[library].add(f"watchglass.capture.{library}")
    if "otel" in (getattr(sys.modules.get("litellm"), "callbacks", None) or []):
        active["litellm"].add('litellm.callbacks = ["otel"]')
    return [
        Finding(
            "double_instrumentation",
            f"{len(paths)} instrumentations record {library} in this process.",
            sorted(paths),
            f"Keep one: leave {library} out of init(instrument=…), or do not call the other's instrument(). "
            "The server counts a request once where one span is within the other; texts are stored twice.",
        )
        for library, paths in sorted(active.items())
        if len(paths) > 1
    ]


def _active() -> Iterator[tuple[str, str]]:
    """Library and class of each of OpenTelemetry's instrumentors that is on."""
    for name, module in sys.modules.copy().items():
        if not name.startswith(MODULES):
            continue
        library = name.split(".")[2].removesuffix("_v2")
        for kind in list(vars(module).values()):
            on = isinstance(kind, type) and getattr(kind, "_is_instrumented_by_opentelemetry", False)
            instance = getattr(kind, "_instance", None) if isinstance(kind, type) else None
            if on or getattr(instance, "_is_instrumented_by_opentelemetry", False):
                yield library, f"{kind.__module__}.{kind.__qualname__}"


def exporters(endpoint: str | None) -> list[Finding]:
    """Exporters of the application's tracer provider that send to one address, or to watchglass as we do."""
    from opentelemetry import trace

    addresses = [address for address in map(_address, _exporters(trace.get_tracer_provider())) if address]
    found: list[Finding] = []
    twice = sorted({each for each in addresses if addresses.count(each) > 1})
    if twice:
        found.append(
            Finding(
                "double_exporter",
                "Two exporters of the application's tracer provider send to the same address.",
                twice,
                "Remove one of them: each span is sent twice (watchglass counts it once).",
            )
        )
    own = _host(endpoint) if endpoint else None
    if own is not None and any(_host(each) == own for each in addresses):
        found.append(
            Finding(
                "exporter_beside_sdk",
                "The application's own exporter sends its spans to watchglass too.",
                [each for each in addresses if _host(each) == own],
                "Remove that exporter: watchglass.init() delivers the application's spans, with a spool.",
            )
        )
    return found


def _exporters(provider: Any) -> list[Any]:
    """The exporters of a tracer provider; OpenTelemetry has no public list of them."""
    waiting = [getattr(provider, "_active_span_processor", None)]
    found: list[Any] = []
    while waiting:
        each = waiting.pop()
        waiting += getattr(each, "_span_processors", ())
        exporter = getattr(each, "span_exporter", None)
        if exporter is not None:
            found.append(exporter)
    return found


def _address(exporter: Any) -> str | None:
    told = getattr(exporter, "_endpoint", None)
    if not isinstance(told, str):
        return None
    start, slashes, rest = told.rpartition("//")
    return start + slashes + rest.rpartition("@")[2]  # without a user and password


_LOCAL = {"localhost", "127.0.0.1", "::1"}


def _host(address: str) -> tuple[str, int | None]:
    """Host and port; watchglass's port of OTLP/gRPC stands for the same server as that of OTLP/HTTP."""
    parts = urlsplit(address if "//" in address else f"//{address}")
    host = "localhost" if parts.hostname in _LOCAL else str(parts.hostname)
    return host, 4318 if parts.port == 4317 else parts.port
