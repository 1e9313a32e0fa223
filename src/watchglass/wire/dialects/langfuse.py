"""langfuse's SDKs (Python 3 to 5, JavaScript 4), which send OTLP with names of their own.

`langfuse.observation.type` says what a span is: `generation` and `embedding` are requests. Usage and cost are
JSON of any keys the sender likes, model and input and output beside them. (langfuse documentation,
"OpenTelemetry", attribute mapping.)
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

import msgspec

from watchglass.model import Attributes, Context, Described, Span, Step, StepKind, Usage, Value
from watchglass.wire.dialects import fields, totals
from watchglass.wire.dialects.answers import Answer, answer_of, decoded, tier_asked
from watchglass.wire.dialects.bodies import answer_messages, request_messages
from watchglass.wire.dialects.chains import plumbing
from watchglass.wire.dialects.steps import made
from watchglass.wire.dialects.usages import usage_of
from watchglass.wire.values import first_text, json_value, mapping, money, text

_TYPE = "langfuse.observation.type"
_PREFIX = "langfuse.observation."

_REQUESTS = {"generation": "chat", "embedding": "embeddings"}

_HOST_KEYS = ("base_url", "api_base", "azure_endpoint", "endpoint")

_NO_CONTEXT = Context()


class Langfuse:
    """Reads spans with `langfuse.observation.type`."""

    name = "langfuse"

    def matches(self, span: Span) -> bool:
        """By the attribute: it may also be set on other tracers' spans."""
        return _TYPE in span.attributes

    def describe(self, span: Span) -> Described | None:
        """A request, the sum of some (agents, chains), or nothing."""
        attributes = span.attributes
        kind = text(attributes[_TYPE]) or ""
        operation = _REQUESTS.get(kind.lower())
        if operation is not None:
            return _request(span, operation)
        if _PREFIX + "usage_details" not in attributes:
            return None
        usage = _usage(attributes)
        if not usage.known:
            return None
        return Described(dialect=self.name, kind="aggregate", operation="invoke_agent", usage=usage)

    def step(self, span: Span) -> Step | None:
        """Agents and tools; a chain or span around everything is the flow, a named chain within it a task."""
        kind = _step_kind(span)
        if kind is None:
            return None
        found = made(
            span,
            self.name,
            kind,
            span.name,
            asked=(_PREFIX + "input",),
            answered=(_PREFIX + "output",),
        )
        success, error_type, error_message = _failure(span)
        return msgspec.structs.replace(
            found, success=success, error_type=error_type, error_message=error_message
        )

    def context(self, span: Span) -> Context:
        """The older names of session and user; an agent observation's name is the agent's."""
        attributes = span.attributes
        agent = span.name if attributes.get(_TYPE) == "agent" else None
        session = first_text(attributes, "langfuse.session.id", "langfuse.trace.session_id")
        user = first_text(attributes, "langfuse.user.id", "langfuse.trace.user_id")
        if agent is None and session is None and user is None:
            return _NO_CONTEXT
        return Context(agent=agent, session=session, user=user)


def _step_kind(span: Span) -> StepKind | None:
    """By `langfuse.observation.type` (langfuse documentation, "Observation types")."""
    kind = (text(span.attributes[_TYPE]) or "").lower()
    if kind == "agent" or kind == "tool":
        return kind
    if kind not in ("chain", "span") or plumbing(span.name):
        return None
    if not span.parent_span_id:
        return "flow"
    return "task" if kind == "chain" else None


def _request(span: Span, operation: str) -> Described:
    attributes = span.attributes
    parameters = mapping(attributes.get(_PREFIX + "model.parameters"))
    output = decoded(attributes.get(_PREFIX + "output"))
    answer = answer_of(output)
    success, error_type, error_message = _failure(span)
    first = _first_token_ns(span)
    usage = _usage(attributes, answer)
    requested, responded = _models(attributes, answer, success and usage.known)
    keys = tuple(key for key in (_PREFIX + "input", _PREFIX + "output") if key in attributes)
    return Described(
        dialect=Langfuse.name,
        kind="call",
        operation=operation,
        provider_label=fields.label(attributes) or _provider(attributes),
        server_address=fields.host(attributes) or _host(parameters),
        request_model=requested,
        response_model=responded,
        response_id=text(attributes.get("gen_ai.response.id")) or answer.response_id,
        usage=usage,
        reported_cost_usd=_cost(attributes),
        service_tier=answer.service_tier or tier_asked(parameters),
        ttft_ns=first,
        streaming=True if first is not None else None,
        finish_reasons=_finish_reasons(attributes, answer),
        success=success,
        error_type=error_type,
        error_message=error_message,
        input_messages=request_messages(attributes.get(_PREFIX + "input")),
        output_messages=() if operation == "embeddings" else answer_messages(output),
        content_keys=keys,
        may_wrap=True,  # a decorated function of the application may be a generation too
    )


def _usage(attributes: Attributes, answer: Answer | None = None) -> Usage:
    """`usage_details`; failed generations carry zeros there, which say nothing."""
    said = usage_of(mapping(attributes.get(_PREFIX + "usage_details")))
    if said.known:
        return said
    said = totals.usage(attributes)
    if said.known or answer is None:
        return said
    return answer.tokens()


def _models(attributes: Attributes, answer: Answer, answered: bool) -> tuple[str | None, str | None]:
    """`model.name` is what was asked for, until an answer comes and names the model itself."""
    named = first_text(attributes, _PREFIX + "model.name", "langfuse.observation.model")
    requested = text(attributes.get("gen_ai.request.model"))
    responded = text(attributes.get("gen_ai.response.model")) or answer.model
    if responded is None and requested != named and answered:
        responded = named
    elif requested is None and named != responded:
        requested = named
    return requested, responded


def _provider(attributes: Attributes) -> str | None:
    """LangChain's handler passes LangChain's own word on."""
    return first_text(attributes, _PREFIX + "metadata.ls_provider", _PREFIX + "metadata.provider")


def _host(parameters: Mapping[str, Value]) -> str | None:
    return next(
        (found for key in _HOST_KEYS if (found := text(parameters.get(key))) is not None),
        None,
    )


def _cost(attributes: Attributes) -> Decimal | None:
    """The total of `cost_details`, or the sum of its parts; all zeros are no cost."""
    details = mapping(attributes.get(_PREFIX + "cost_details"))
    total = money(details.get("total"))
    if total is None:
        parts = [amount for each in details.values() if (amount := money(each)) is not None]
        total = sum(parts, Decimal(0))
    return total or None


def _failure(span: Span) -> tuple[bool, str | None, str | None]:
    attributes = span.attributes
    success, error_type, error_message = fields.failure(span)
    if success and text(attributes.get(_PREFIX + "level")) == "ERROR":
        success, error_type = False, fields.UNNAMED_ERROR
    if success:
        return True, None, None
    told = error_message or text(attributes.get(_PREFIX + "status_message"))
    if error_type == fields.UNNAMED_ERROR and told is not None:
        code = _STATUS_CODE.search(told)
        error_type = code[1] if code is not None else error_type
    return False, error_type, told


_STATUS_CODE = re.compile(r"Error code: (\d{3})\b")


def _first_token_ns(span: Span) -> int | None:
    """`completion_start_time`, an ISO time as a JSON string, after the start."""
    said = text(span.attributes.get(_PREFIX + "completion_start_time"))
    if said is None:
        return None
    try:
        first = datetime.fromisoformat(said)
    except ValueError:
        return None
    if first.tzinfo is None:
        return None
    since = first - datetime.fromtimestamp(0, first.tzinfo)
    at_ns = (since.days * 86_400 + since.seconds) * 1_000_000_000 + since.microseconds * 1_000
    return at_ns - span.start_ns if at_ns >= span.start_ns > 0 else None


def _finish_reasons(attributes: Attributes, answer: Answer) -> tuple[str, ...]:
    reason = text(attributes.get(_PREFIX + "metadata.finish_reason"))
    if reason is None:
        reason = text(json_value(attributes.get(_PREFIX + "metadata.stop_reason")))
    return answer.finish_reasons if reason is None else (reason,)


LANGFUSE = Langfuse()
