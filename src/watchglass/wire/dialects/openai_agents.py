"""OpenTelemetry's instrumentation of the OpenAI Agents SDK, which writes a host that it never saw.

`server.address` is `api.openai.com:443` unless it is configured, whichever host the client talks to; so
it proves nothing and is left out. (opentelemetry-instrumentation-openai-agents-v2 0.x.)
"""

from __future__ import annotations

import msgspec

from watchglass.model import Context, Described, Span, Step
from watchglass.wire.dialects.genai import describe_genai
from watchglass.wire.dialects.steps import step_by_operation

_SCOPE = "opentelemetry.instrumentation.openai_agents"
_DEFAULT_HOST = "api.openai.com"
_NO_CONTEXT = Context()


class OpenAIAgents:
    """Reads the spans of the agents-v2 instrumentation."""

    name = "otel-openai-agents"

    def reads_scope(self, scope: str) -> bool:
        """One scope, which OpenLLMetry's instrumentation has too."""
        return scope == _SCOPE

    def matches(self, span: Span) -> bool:
        """By scope; OpenLLMetry's of the same name writes no `gen_ai.system`."""
        return self.reads_scope(span.scope.name) and "gen_ai.system" in span.attributes

    def describe(self, span: Span) -> Described | None:
        """By the conventions, without the default host."""
        described = describe_genai(span, self.name)
        if described is None or described.server_address != _DEFAULT_HOST:
            return described
        return msgspec.structs.replace(described, server_address=None)

    def step(self, span: Span) -> Step | None:
        """By the conventions; an agent's run that names no agent is the root, named after the workflow."""
        found = step_by_operation(span, self.name)
        if found is None:
            return None
        nameless = found.kind == "agent" and "gen_ai.agent.name" not in span.attributes
        if nameless and not span.name.startswith("invoke_agent"):
            return msgspec.structs.replace(found, kind="flow", agent=None)
        return found

    def context(self, span: Span) -> Context:
        """None of its own."""
        return _NO_CONTEXT


OPENAI_AGENTS = OpenAIAgents()
