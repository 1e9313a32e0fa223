"""Which spans are tools at work: what a tool asks of a model is not part of the request above it."""

from __future__ import annotations

from collections.abc import Mapping

TOOL_MARKS: Mapping[str, str] = {
    "gen_ai.operation.name": "execute_tool",  # OpenTelemetry GenAI conventions
    "openinference.span.kind": "tool",  # OpenInference
    "traceloop.span.kind": "tool",  # OpenLLMetry
    "langfuse.observation.type": "tool",  # langfuse
    "langsmith.span.kind": "tool",  # LangSmith
    "mlflow.spanType": "tool",  # MLflow, JSON-quoted
    "ai.operationId": "ai.toolcall",  # Vercel AI SDK
}
"""Attribute, and its value on a tool's span, in lower case."""


def is_tool(attributes: Mapping[str, object]) -> bool:
    """Whether a span with these attributes (as they came, or as text) is a tool at work."""
    for key, value in TOOL_MARKS.items():
        said = attributes.get(key)
        if isinstance(said, str) and said.strip('"').lower() == value:
            return True
    return False
