"""Google's Agent Development Kit: `call_llm` spans whose output tokens leave the thinking out.

The whole truth is in the JSON of `gcp.vertex.agent.llm_response` (Gemini's `usage_metadata`, whoever
served it); the attributes are the fallback where content is not recorded. Later versions nest a
`generate_content` span of the same scope in it. (google-adk 1.x, scope `gcp.vertex.agent`.)
"""

from __future__ import annotations

import msgspec

from watchglass.model import Context, Described, Span, Step, Value
from watchglass.wire.dialects import totals
from watchglass.wire.dialects.genai import describe_judged
from watchglass.wire.dialects.messages import instructions, provider_message, provider_messages
from watchglass.wire.dialects.operations import judge
from watchglass.wire.dialects.steps import made, step_by_operation
from watchglass.wire.values import dig, json_value, text

_SCOPE = "gcp.vertex.agent"


class GoogleAdk:
    """Reads the spans of Google's ADK."""

    name = "google-adk"

    def reads_scope(self, scope: str) -> bool:
        """ADK's own tracer."""
        return scope == _SCOPE

    def matches(self, span: Span) -> bool:
        """By scope."""
        return self.reads_scope(span.scope.name)

    def describe(self, span: Span) -> Described | None:
        """A call where the span is `call_llm` or names a request's operation."""
        attributes = span.attributes
        response = json_value(attributes.get("gcp.vertex.agent.llm_response"))
        said = totals.provider_usage(dig(response, "usage_metadata"))
        said = said if said.known else totals.usage(attributes)
        judged = judge(span, said.known)
        if judged is None and span.name.startswith("call_llm"):
            judged = "call", "generate_content"
        if judged is None:
            return None
        if "gen_ai.operation.name" not in attributes and judged[0] == "call":
            judged = "call", "generate_content"
        described = describe_judged(span, self.name, judged, said, may_wrap=True)
        request = json_value(attributes.get("gcp.vertex.agent.llm_request"))
        return _with_json(described, request, response)

    def step(self, span: Span) -> Step | None:
        """An invocation (one turn of a conversation, by whatever agents) as a flow; its agents and tools."""
        if span.name == "invocation":
            return made(span, self.name, "flow", span.name)
        if span.name == "execute_tool (merged)":
            return None  # repeats the answers of the tools beside it
        agent = _agent(span.name)
        return step_by_operation(span, self.name) or (
            None if agent is None else made(span, self.name, "agent", agent)
        )

    def context(self, span: Span) -> Context:
        """The agent by the span's name where no attribute has it; the session by ADK's own name."""
        return Context(
            agent=_agent(span.name), session=text(span.attributes.get("gcp.vertex.agent.session_id"))
        )


def _with_json(described: Described, request: Value, response: Value) -> Described:
    """What only the recorded request and response say: messages, model version, error."""
    asked = described.input_messages or (
        *instructions(dig(request, "config", "system_instruction") or []),
        *provider_messages(dig(request, "contents")),
    )
    answered = described.output_messages
    content = dig(response, "content")
    if not answered and (one := provider_message(content, "assistant")) is not None:
        answered = (one,)
    error = text(dig(response, "error_code"))
    failed = described.success and error is not None and not described.usage.known
    return msgspec.structs.replace(
        described,
        request_model=described.request_model or text(dig(request, "model")),
        response_model=described.response_model or text(dig(response, "model_version")),
        input_messages=asked,
        output_messages=answered,
        success=not failed and described.success,
        error_type=error if failed else described.error_type,
        error_message=text(dig(response, "error_message")) if failed else described.error_message,
    )


def _agent(name: str) -> str | None:
    """`agent_run [name]` (1.x), `invoke_agent name` (later)."""
    if name.startswith("agent_run [") and name.endswith("]"):
        return name[len("agent_run [") : -1] or None
    return None


GOOGLE_ADK = GoogleAdk()
