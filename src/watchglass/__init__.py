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
    from watchglass.capture.callbacks import CallbackHandlerIntegration
    from watchglass.capture.context import context
    from watchglass.capture.decorators import agent, flow, task, tool, trace_agent_execution
    from watchglass.capture.litellm import (
        LLMUsageCallback,
        is_litellm_tracking_enabled,
        setup_litellm_tracking,
    )
    from watchglass.capture.logs import structlog_processor
    from watchglass.capture.outcomes import MetricsCollector, interrupt, score
    from watchglass.capture.prometheus.asgi import metrics_app
    from watchglass.capture.prometheus.pools import observe_pool
    from watchglass.capture.prometheus.runtime import define_metric, metric
    from watchglass.capture.propagation.asgi import ContextMiddleware
    from watchglass.capture.propagation.carrying import carry
    from watchglass.capture.propagation.grpc import (
        grpc_aio_client_interceptors,
        grpc_aio_server_interceptors,
        grpc_client_interceptors,
        grpc_server_interceptors,
    )
    from watchglass.capture.propagation.headers import extract, inject
    from watchglass.capture.propagation.trust import shared_secret
    from watchglass.capture.runtime import (
        Runtime,
        init,
        initialize_observability,
        shutdown,
        shutdown_observability,
    )
    from watchglass.capture.selfcheck import selfcheck
    from watchglass.capture.service import TaskComplexity, multi_model_service

_PLACES: dict[str, str] = {
    "watchglass.capture.context": "context",
    "watchglass.capture.decorators": "agent flow task tool trace_agent_execution",
    "watchglass.capture.litellm": "LLMUsageCallback is_litellm_tracking_enabled setup_litellm_tracking",
    "watchglass.capture.callbacks": "CallbackHandlerIntegration",
    "watchglass.capture.logs": "structlog_processor",
    "watchglass.capture.outcomes": "MetricsCollector interrupt score",
    "watchglass.capture.prometheus.asgi": "metrics_app",
    "watchglass.capture.prometheus.pools": "observe_pool",
    "watchglass.capture.prometheus.runtime": "define_metric metric",
    "watchglass.capture.propagation.asgi": "ContextMiddleware",
    "watchglass.capture.propagation.carrying": "carry",
    "watchglass.capture.propagation.grpc": (
        "grpc_aio_client_interceptors grpc_aio_server_interceptors grpc_client_interceptors "
        "grpc_server_interceptors"
    ),
    "watchglass.capture.propagation.headers": "extract inject",
    "watchglass.capture.propagation.trust": "shared_secret",
    "watchglass.capture.selfcheck": "selfcheck",
    "watchglass.capture.service": "TaskComplexity multi_model_service",
    "watchglass.capture.runtime": "Runtime init initialize_observability shutdown shutdown_observability",
}
"""Modules, and the public names that are in them."""

_WHERE = {name: module for module, names in _PLACES.items() for name in names.split()}

__all__ = [
    "CallbackHandlerIntegration",
    "ContextMiddleware",
    "LLMUsageCallback",
    "MetricsCollector",
    "Runtime",
    "TaskComplexity",
    "agent",
    "carry",
    "context",
    "define_metric",
    "extract",
    "flow",
    "grpc_aio_client_interceptors",
    "grpc_aio_server_interceptors",
    "grpc_client_interceptors",
    "grpc_server_interceptors",
    "init",
    "initialize_observability",
    "inject",
    "interrupt",
    "is_litellm_tracking_enabled",
    "metric",
    "metrics_app",
    "multi_model_service",
    "observe_pool",
    "score",
    "selfcheck",
    "setup_litellm_tracking",
    "shared_secret",
    "shutdown",
    "shutdown_observability",
    "structlog_processor",
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
