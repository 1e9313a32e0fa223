"""The OpenTelemetry GenAI conventions, both generations, from whichever library.

Up to 1.36 the provider is `gen_ai.system` and messages are events; from 1.37 it is `gen_ai.provider.name`
and messages are JSON on the span. Many spans mix the two, so one reading serves both and the name only
says which of them a span speaks. (OpenTelemetry's instrumentations of openai, anthropic, google-genai …;
anthropic's and Azure's native tracing; Semantic Kernel, Spring AI, Microsoft.Extensions.AI; vLLM.)
"""

from __future__ import annotations

from watchglass.model import Context, Described, Span, Step
from watchglass.wire.dialects.genai import describe_genai
from watchglass.wire.dialects.steps import step_by_operation

_NO_CONTEXT = Context()

_CURRENT = frozenset(
    {
        *("gen_ai.provider.name", "gen_ai.input.messages", "gen_ai.output.messages"),
        *("gen_ai.usage.cache_read.input_tokens", "gen_ai.workflow.name"),
    }
)

_EARLIER = frozenset(
    {"gen_ai.system", "gen_ai.operation.name", "gen_ai.request.model", "gen_ai.response.model"}
)


class OtelGenAi:
    """Reads one generation of the conventions."""

    def __init__(self, name: str, markers: frozenset[str]) -> None:
        self.name = name
        self._markers = markers

    def matches(self, span: Span) -> bool:
        """Any span that has one of this generation's attributes."""
        return not self._markers.isdisjoint(span.attributes)

    def describe(self, span: Span) -> Described | None:
        """By the conventions, and nothing else."""
        return describe_genai(span, self.name)

    def step(self, span: Span) -> Step | None:
        """Agents, tools, workflows and tasks by their operation."""
        return step_by_operation(span, self.name)

    def context(self, span: Span) -> Context:
        """Agent and conversation are common names."""
        return _NO_CONTEXT


CURRENT = OtelGenAi("otel-genai-1.37", _CURRENT)
EARLIER = OtelGenAi("otel-genai-1.36", _EARLIER)
