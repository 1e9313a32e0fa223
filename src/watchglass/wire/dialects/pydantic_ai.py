"""pydantic-ai's own instrumentation, with logfire or with the plain OpenTelemetry SDK.

`chat <model>` spans are the requests, in the conventions' names; `invoke_agent <name>` (earlier: `agent run`)
repeats their sum, in `gen_ai.aggregated_usage.*` or, before instrumentation version 4, in the very
`gen_ai.usage.*` of the requests. Costs are the library's estimate in `operation.cost`.
(pydantic-ai 0.1 to 2.68, instrumentation versions 1 to 5.)
"""

from __future__ import annotations

import msgspec

from watchglass.model import Attributes, Context, Described, Span, Step, Usage, Value
from watchglass.wire.dialects import fields, totals
from watchglass.wire.dialects.genai import describe_judged
from watchglass.wire.dialects.messages import Messages, named_event_messages
from watchglass.wire.dialects.operations import judge
from watchglass.wire.dialects.steps import made, step_by_operation
from watchglass.wire.values import count, dig, money, seconds_to_ns, sequence, text, to_json

_NO_CONTEXT = Context()

_SCOPES = frozenset({"pydantic-ai", "pydantic_ai"})

_AGGREGATED = "gen_ai.aggregated_usage."


class PydanticAi:
    """Reads the spans of pydantic-ai's tracer."""

    name = "pydantic-ai"

    def reads_scope(self, scope: str) -> bool:
        """pydantic-ai's own only."""
        return scope in _SCOPES

    def matches(self, span: Span) -> bool:
        """By scope alone: the attributes are the conventions'."""
        return span.scope.name in _SCOPES

    def describe(self, span: Span) -> Described | None:
        """A request, an agent's sum, or nothing (tools)."""
        attributes = span.attributes
        if _AGGREGATED + "input_tokens" in attributes or _AGGREGATED + "output_tokens" in attributes:
            return _sum(span, _aggregated(attributes))
        usage = _with_details(attributes, totals.usage(attributes))
        if "model_name" in attributes and "gen_ai.request.model" not in attributes:
            return _sum(span, usage) if usage.known else None  # an agent run
        judged = judge(span, usage.known)
        if judged is None:
            return None
        return as_sent(span, describe_judged(span, self.name, judged, usage))

    def step(self, span: Span) -> Step | None:
        """Runs of agents and tools; before instrumentation version 2 without an operation."""
        found = step_by_operation(span, self.name)
        if found is not None and found.kind == "agent" and found.input is None:
            return msgspec.structs.replace(found, input=_given(span.attributes))
        if found is None and "agent_name" in span.attributes and "model_name" in span.attributes:
            agent = text(span.attributes["agent_name"])
            return made(span, self.name, "agent", agent, answered=("final_result",))
        return found

    def context(self, span: Span) -> Context:
        """`agent_name` and `gen_ai.agent.name` are common names."""
        return _NO_CONTEXT


def as_sent(span: Span, described: Described) -> Described:
    """What pydantic-ai and logfire add to, or do otherwise than, the conventions.

    logfire's exporter copies the requested model into `gen_ai.response.model` of spans that have no
    answer (failed) or whose answer did not say (streamed): without a response id it is no fact.
    """
    attributes = span.attributes
    responded = described.response_model
    if responded == described.request_model and described.response_id is None:
        responded = None
    asked, answered, keys = (
        described.input_messages,
        described.output_messages,
        described.content_keys,
    )
    if not (asked or answered) and described.kind == "call" and "events" in attributes:
        asked, answered = _event_list(attributes["events"])
        keys = (*keys, "events") if asked or answered else keys
    cost = attributes.get("operation.cost")
    return msgspec.structs.replace(
        described,
        response_model=responded,
        reported_cost_usd=None if cost is None else money(cost),
        ttft_ns=described.ttft_ns
        or seconds_to_ns(attributes.get("gen_ai.client.operation.time_to_first_chunk")),
        input_messages=asked,
        output_messages=answered,
        content_keys=keys,
    )


def _event_list(value: object) -> tuple[Messages, Messages]:
    """Instrumentation version 1: the messages as a JSON list of the events of conventions 1.36."""
    asked: list[Messages] = []
    answered: list[Messages] = []
    for event in sequence(value if isinstance(value, str | list) else None):
        if isinstance(event, dict):
            name = text(event.get("event.name")) or ""
            more_asked, more_answered = named_event_messages(name, event, event)
            asked.append(more_asked)
            answered.append(more_answered)
    return tuple(one for some in asked for one in some), tuple(one for some in answered for one in some)


def _given(attributes: Attributes) -> str | None:
    """What an agent was asked: what is new in its conversation, up to the first answer."""
    asked: list[Value] = []
    since = count(attributes.get("pydantic_ai.new_message_index")) or 0
    for each in sequence(attributes.get("pydantic_ai.all_messages"))[since:]:
        if dig(each, "role") == "assistant":
            break
        asked.append(each)
    return to_json(asked) if asked else None


def _sum(span: Span, usage: Usage) -> Described:
    success, error_type, error_message = fields.failure(span)
    attributes = span.attributes
    return Described(
        dialect=PydanticAi.name,
        kind="aggregate",
        operation="invoke_agent",
        provider_label=fields.label(attributes),
        request_model=text(attributes.get("model_name")),
        usage=usage,
        success=success,
        error_type=error_type,
        error_message=error_message,
    )


def _aggregated(attributes: Attributes) -> Usage:
    """The sum's names are the requests' with another beginning."""
    renamed = {
        "gen_ai.usage." + key[len(_AGGREGATED) :]: value
        for key, value in attributes.items()
        if key.startswith(_AGGREGATED)
    }
    return _with_details(renamed, totals.usage(renamed))


def _with_details(attributes: Attributes, usage: Usage) -> Usage:
    """`gen_ai.usage.details.*`: the parts under the provider's names (cached tokens as `cached_tokens` …)."""
    if not usage.known or usage.reasoning_tokens is not None:
        return usage
    reasoning = count(attributes.get("gen_ai.usage.details.reasoning_tokens"))
    if reasoning is None:
        reasoning = count(attributes.get("gen_ai.usage.details.thoughts_tokens"))
    return usage if reasoning is None else msgspec.structs.replace(usage, reasoning_tokens=reasoning)


PYDANTIC_AI = PydanticAi()
