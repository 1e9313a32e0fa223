"""Strands Agents' native tracing: chat spans under event-loop cycles under an agent that repeats their sum.

Time to first token is in milliseconds here, whatever the name says elsewhere; messages are span events
with Bedrock's content blocks as JSON text. Usage is handed on as the provider counts it: Bedrock and
Anthropic leave cached tokens out of the input, and only the model's name tells that it was one of them.
(strands-agents 1.x, `strands.telemetry.tracer`.)
"""

from __future__ import annotations

import re

import msgspec

from watchglass.model import Context, Described, Span, Step
from watchglass.wire.dialects.genai import describe_genai
from watchglass.wire.dialects.steps import step_by_operation
from watchglass.wire.values import count, text

_NO_CONTEXT = Context()

_EXCLUSIVE = re.compile(
    r"claude-"  # Anthropic's own API
    r"|arn:aws:bedrock|([a-z]{2,6}\.)?(anthropic|amazon|meta|mistral|cohere|ai21|deepseek|qwen|openai)\.[a-z]"
)
"""Model ids of Anthropic's API, and of Bedrock with and without an inference profile's region."""


class Strands:
    """Reads the spans of Strands' tracer."""

    name = "strands"

    def reads_scope(self, scope: str) -> bool:
        """Strands' own tracer."""
        return scope.startswith("strands")

    def matches(self, span: Span) -> bool:
        """By scope."""
        return self.reads_scope(span.scope.name)

    def describe(self, span: Span) -> Described | None:
        """By the conventions, with the time to first token in milliseconds."""
        model = text(span.attributes.get("gen_ai.request.model"))
        exclusive = model is not None and _EXCLUSIVE.match(model) is not None
        described = describe_genai(span, self.name, cache_excluded=exclusive)
        if described is None:
            return None
        milliseconds = count(span.attributes.get("gen_ai.server.time_to_first_token"))
        if milliseconds is None:
            return described
        return msgspec.structs.replace(described, ttft_ns=milliseconds * 1_000_000)

    def step(self, span: Span) -> Step | None:
        """Agents, tools, swarms and graphs; what they were given and gave is in span events."""
        found = step_by_operation(span, self.name)
        if found is None:
            return None
        asked = "gen_ai.tool.message" if found.kind == "tool" else "gen_ai.user.message"
        return msgspec.structs.replace(
            found,
            input=found.input or _told(span, asked, "content"),
            output=found.output or _told(span, "gen_ai.choice", "message"),
        )

    def context(self, span: Span) -> Context:
        """None of its own."""
        return _NO_CONTEXT


def _told(span: Span, event: str, key: str) -> str | None:
    return next((text(each.attributes.get(key)) for each in span.events if each.name == event), None)


STRANDS = Strands()
