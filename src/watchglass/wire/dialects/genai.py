"""The reading that all dialects of `gen_ai.*` attributes share: one span into one record.

What a library does differently, its own file hands in (its usage, its label) or mends afterwards.
"""

from __future__ import annotations

from watchglass.model import Attributes, Described, Message, Span, Usage
from watchglass.wire.dialects import fields, totals
from watchglass.wire.dialects.messages import (
    convention_messages,
    event_messages,
    indexed_messages,
    provider_messages,
)
from watchglass.wire.dialects.operations import Judged, judge
from watchglass.wire.values import text

Messages = tuple[Message, ...]

_ERROR = 2  # OTLP's status code of a failed span


def describe_genai(span: Span, dialect: str, *, cache_excluded: bool = False) -> Described | None:
    """What a span says by the conventions; `cache_excluded` where its input tokens leave cached ones out."""
    said = totals.usage(span.attributes, cache_excluded=cache_excluded)
    judged = judge(span, said.known)
    return None if judged is None else describe_judged(span, dialect, judged, said)


def describe_judged(
    span: Span, dialect: str, judged: Judged, said: Usage, *, may_wrap: bool = False
) -> Described:
    """The record of a span whose kind and usage are known already."""
    attributes = span.attributes
    kind, operation = judged
    said_of = fields.mentioned(attributes)
    success, error_type, error_message = True, None, None
    if span.status == _ERROR or said_of & fields.FAILURE:
        success, error_type, error_message = fields.failure(span)
    asked, answered, keys = (), (), ()
    if kind == "call" and (said_of & fields.MESSAGES or span.events):
        asked, answered, keys = messages(span)
    ttft = fields.ttft_ns(span) if said_of & fields.TTFT or span.events else None
    streaming = fields.streaming(attributes) if said_of & fields.STREAMING else None
    return Described(
        dialect=dialect,
        kind=kind,
        operation=operation,
        provider_label=fields.label(attributes),
        server_address=fields.host(attributes),
        request_model=fields.request_model(attributes),
        response_model=fields.response_model(attributes),
        response_id=text(attributes.get("gen_ai.response.id")),
        usage=said,
        reported_cost_usd=fields.cost_usd(attributes) if said_of & fields.COST else None,
        service_tier=fields.service_tier(attributes) if said_of & fields.TIER else None,
        ttft_ns=ttft,
        streaming=True if streaming is None and ttft is not None else streaming,
        finish_reasons=fields.finish_reasons(span) if said_of & fields.FINISH or span.events else (),
        success=success,
        error_type=error_type,
        error_message=error_message,
        input_messages=asked,
        output_messages=answered,
        content_keys=keys,
        may_wrap=may_wrap,
    )


def messages(span: Span) -> tuple[Messages, Messages, tuple[str, ...]]:
    """Input, output and content keys: the conventions' attributes, OpenLLMetry's, one text, or events."""
    attributes = span.attributes
    asked, answered, keys = convention_messages(attributes)
    if not asked:
        asked, more = _older(attributes, "gen_ai.prompt", "user")
        keys += more
    if not answered:
        answered, more = _older(attributes, "gen_ai.completion", "assistant")
        keys += more
    if span.events and not (asked and answered):
        event_asked, event_answered = event_messages(span.events)
        asked, answered = asked or event_asked, answered or event_answered
    return asked, answered, keys


def _older(attributes: Attributes, prefix: str, role: str) -> tuple[Messages, tuple[str, ...]]:
    if f"{prefix}.0.role" in attributes or f"{prefix}.0.content" in attributes:
        return indexed_messages(attributes, prefix, role)
    if prefix in attributes and (found := provider_messages(attributes[prefix], role)):
        return found, (prefix,)
    return (), ()
