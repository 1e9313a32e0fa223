"""watchglass: bill-grade cost, reliability and quality observability for LLM agents.

    import watchglass
    watchglass.init(service_name="shop")

The names here are the SDK's. Each is imported when it is first used: `import watchglass` loads no server, no
OpenTelemetry and none of the libraries that are recorded.
"""

from __future__ import annotations

import importlib

__version__ = "0.1.0"

TYPE_CHECKING = False  # type checkers take it for true; importing `typing` for it would cost 13 ms
if TYPE_CHECKING:
    from watchglass.capture.decorators import agent, flow, task, tool, trace_agent_execution
    from watchglass.capture.litellm import (
        LLMUsageCallback,
        is_litellm_tracking_enabled,
        setup_litellm_tracking,
    )
    from watchglass.capture.outcomes import MetricsCollector, interrupt, score
    from watchglass.capture.runtime import (
        Runtime,
        init,
        initialize_observability,
        shutdown,
        shutdown_observability,
    )

_WHERE: dict[str, str] = {
    **dict.fromkeys(
        ("Runtime", "init", "initialize_observability", "shutdown", "shutdown_observability"),
        "watchglass.capture.runtime",
    ),
    **dict.fromkeys(
        ("agent", "flow", "task", "tool", "trace_agent_execution"), "watchglass.capture.decorators"
    ),
    **dict.fromkeys(
        ("LLMUsageCallback", "is_litellm_tracking_enabled", "setup_litellm_tracking"),
        "watchglass.capture.litellm",
    ),
    **dict.fromkeys(("MetricsCollector", "interrupt", "score"), "watchglass.capture.outcomes"),
}
"""Where each public name is."""

__all__ = [
    "LLMUsageCallback",
    "MetricsCollector",
    "Runtime",
    "agent",
    "flow",
    "init",
    "initialize_observability",
    "interrupt",
    "is_litellm_tracking_enabled",
    "score",
    "setup_litellm_tracking",
    "shutdown",
    "shutdown_observability",
    "task",
    "tool",
    "trace_agent_execution",
]


def __getattr__(name: str) -> object:
    """The public name, from where it is."""
    where = _WHERE.get(name)
    if where is None:
        raise AttributeError(f"module 'watchglass' has no attribute {name!r}")
    found = getattr(importlib.import_module(where), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_WHERE})
