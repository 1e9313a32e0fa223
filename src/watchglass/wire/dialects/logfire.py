"""logfire's instrument_openai, instrument_anthropic and their like.

The request is a span of its own with `request_data`; the tokens are in the conventions' names and whole in
`gen_ai.usage.raw` (earlier: in `response_data`). A streamed request is two spans: one that ends when the
stream opens, without usage, and a zero-length one of `logfire.span_type` log when it ends, with the usage.
(logfire 1 to 5.2.)
"""

from __future__ import annotations

import msgspec

from watchglass.model import Attributes, Context, Described, Span, Step, Usage, Value
from watchglass.wire.dialects import totals
from watchglass.wire.dialects.answers import answer_of, tier_of
from watchglass.wire.dialects.bodies import answer_messages, request_messages
from watchglass.wire.dialects.genai import describe_judged
from watchglass.wire.dialects.operations import Judged, has_model, judge
from watchglass.wire.dialects.pydantic_ai import as_sent
from watchglass.wire.dialects.steps import step_by_operation
from watchglass.wire.dialects.usages import completed, usage_of
from watchglass.wire.values import dig, flag, json_value, mapping, text

_NO_CONTEXT = Context()

_TEMPLATES: tuple[tuple[str, str], ...] = (
    ("embedding", "embeddings"),
    ("image generation", "image_generation"),
    ("completion with", "text_completion"),
)
"""How message templates of requests begin that are no chats, where no operation is named."""


class Logfire:
    """Reads the spans of logfire's own integrations."""

    name = "logfire"

    def reads_scope(self, scope: str) -> bool:
        """logfire's own only."""
        return scope.startswith("logfire")

    def matches(self, span: Span) -> bool:
        """logfire's scopes, `logfire` or `logfire.<integration>`; other tracers' spans keep their own."""
        return span.scope.name.startswith("logfire")

    def describe(self, span: Span) -> Described | None:
        """A request, what a stream brought when it ended, a repetition, or (most often) nothing."""
        attributes = span.attributes
        if "request_data" not in attributes and not has_model(attributes):
            return None
        answer = _response(attributes)
        usage = _usage(attributes, answer)
        judged = _judged(span, usage)
        if judged is None:
            return None
        described = as_sent(span, describe_judged(span, self.name, judged, usage))
        return _with_data(described, attributes, answer, _ends_stream(attributes))

    def step(self, span: Span) -> Step | None:
        """By the conventions; what the application itself calls a span says nothing of agents."""
        return step_by_operation(span, self.name)

    def context(self, span: Span) -> Context:
        """logfire has no names of its own for these."""
        return _NO_CONTEXT


def _judged(span: Span, usage: Usage) -> Judged | None:
    attributes = span.attributes
    if "gen_ai.operation.name" in attributes or "request_data" not in attributes:
        return judge(span, usage.known)
    if not has_model(attributes) and mapping(attributes["request_data"]).get("model") is None:
        return None
    template = (text(attributes.get("logfire.msg_template")) or span.name).lower()
    for beginning, operation in _TEMPLATES:
        if template.startswith(beginning):
            return "call", operation
    return "call", "chat"


def _ends_stream(attributes: Attributes) -> bool:
    return attributes.get("logfire.span_type") == "log"


def _response(attributes: Attributes) -> Value:
    value = attributes.get("response_data")
    return json_value(value) if isinstance(value, str) else value


def _raw_usage(attributes: Attributes) -> Value:
    raw = attributes.get("gen_ai.usage.raw")
    return json_value(raw) if isinstance(raw, str) else raw


def _usage(attributes: Attributes, answer: Value) -> Usage:
    """The provider's own figures, which have every part; the conventions' where there are none."""
    own = usage_of(_raw_usage(attributes))
    if not own.known:
        own = usage_of(dig(answer, "usage"))
    said = totals.usage(attributes)
    return own if own.known and own.output_tokens == said.output_tokens else completed(said, own)


def _with_data(described: Described, attributes: Attributes, answer: Value, ends_stream: bool) -> Described:
    """`request_data` and `response_data`, which earlier versions have in place of the conventions' names."""
    request = mapping(attributes.get("request_data"))
    asked, answered, keys = (
        described.input_messages,
        described.output_messages,
        described.content_keys,
    )
    if not asked and ("messages" in request or "input" in request):
        asked, keys = request_messages(dict(request)), (*keys, "request_data")
    if not answered and isinstance(answer, dict):
        body = answer.get("message") or answer.get("combined_chunk_content") or answer
        answered, keys = answer_messages(body), (*keys, "response_data")
    return msgspec.structs.replace(
        described,
        kind="supplement" if ends_stream and described.kind == "call" else described.kind,
        request_model=described.request_model or text(request.get("model")),
        response_model=described.response_model or answer_of(answer).model,
        service_tier=described.service_tier
        or tier_of(dig(answer, "service_tier"), _raw_usage(attributes) or dig(answer, "usage")),
        streaming=True if ends_stream else (described.streaming or flag(request.get("stream"))),
        input_messages=asked,
        output_messages=answered,
        content_keys=keys,
    )


LOGFIRE = Logfire()
