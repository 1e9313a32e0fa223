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
    from watchglass.capture.prometheus.asgi import metrics_app
    from watchglass.capture.prometheus.pools import observe_pool
    from watchglass.capture.prometheus.runtime import define_metric, metric
    from watchglass.capture.runtime import (
        Runtime,
        init,
        initialize_observability,
        shutdown,
        shutdown_observability,
    )
    from watchglass.capture.selfcheck import selfcheck

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
    **dict.fromkeys(("define_metric", "metric"), "watchglass.capture.prometheus.runtime"),
    "metrics_app": "watchglass.capture.prometheus.asgi",
    "observe_pool": "watchglass.capture.prometheus.pools",
    "selfcheck": "watchglass.capture.selfcheck",
}
"""Where each public name is."""

__all__ = [
    "LLMUsageCallback",
    "MetricsCollector",
    "Runtime",
    "agent",
    "define_metric",
    "flow",
    "init",
    "initialize_observability",
    "interrupt",
    "is_litellm_tracking_enabled",
    "metric",
    "metrics_app",
    "observe_pool",
    "score",
    "selfcheck",
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
