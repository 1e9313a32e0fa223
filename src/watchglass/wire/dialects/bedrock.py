"""Amazon Bedrock through the AWS clients: input tokens exclude cached ones.

Bedrock's `TokenUsage.inputTokens` does not count cache reads and writes (Converse API reference), and
the instrumentations hand it on as it is. (opentelemetry-instrumentation-botocore 0.66b, its JavaScript
and Java siblings, OpenLLMetry's bedrock.)
"""

from __future__ import annotations

import msgspec

from watchglass.model import Context, Described, Span, Step
from watchglass.wire.dialects.genai import describe_genai
from watchglass.wire.dialects.steps import step_by_operation
from watchglass.wire.values import text

_SCOPES = ("bedrock", "botocore", "aws-sdk")
_STREAMS = frozenset({"ConverseStream", "InvokeModelWithResponseStream"})
_NO_CONTEXT = Context()


class Bedrock:
    """Reads spans of the AWS clients' instrumentations."""

    name = "otel-bedrock"

    def reads_scope(self, scope: str) -> bool:
        """The AWS clients' instrumentations."""
        return any(part in scope for part in _SCOPES)

    def matches(self, span: Span) -> bool:
        """By scope, and only spans that speak of a model."""
        spoken = "gen_ai.system" in span.attributes or "gen_ai.provider.name" in span.attributes
        return spoken and self.reads_scope(span.scope.name)

    def describe(self, span: Span) -> Described | None:
        """By the conventions, with the cached tokens added to the input."""
        described = describe_genai(span, self.name, cache_excluded=True)
        if described is None or described.streaming is not None:
            return described
        method = text(span.attributes.get("rpc.method"))
        if method is None:
            return described
        return msgspec.structs.replace(described, streaming=method in _STREAMS)

    def step(self, span: Span) -> Step | None:
        """By the conventions."""
        return step_by_operation(span, self.name)

    def context(self, span: Span) -> Context:
        """None of its own."""
        return _NO_CONTEXT


BEDROCK = Bedrock()
