"""What a dialect understood, as rows of `store.calls`."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, localcontext
from typing import Any

import msgspec

from watchglass.ingest.content import Contents
from watchglass.ingest.span_rows import FRESH_VERSION, ResourceFacts, duration_ns
from watchglass.model import CONTEXT_FIELDS, Context, Described, Span
from watchglass.pricing.book import PriceBook, Priced, PriceRequest
from watchglass.pricing.provider import detect
from watchglass.wire.context import code_location

MONEY_DIGITS = Decimal(1).scaleb(-18)
NOT_PRICED = Priced(None, None, None, None)


CALL_COLUMNS = (
    *("call_id", "trace_id", "span_id", "parent_span_id", "time", "kind"),
    *CONTEXT_FIELDS,
    *("service", "process", "scope", "provider", "provider_source", "provider_label", "server_address"),
    *("request_model", "response_model", "operation", "response_id"),
    *("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "cache_write_1h_tokens"),
    *("reasoning_tokens", "input_audio_tokens", "output_audio_tokens", "total_tokens_reported"),
    *("cost_usd", "reported_cost_usd", "price_source", "price_id", "unpriced_reason", "service_tier"),
    *("duration_ns", "ttft_ns", "streaming", "finish_reasons", "success", "error_type", "error_message"),
    *("counted", "not_counted_reason", "duplicate_of", "may_wrap", "supplements_span_id", "dialect"),
    *("code_file", "code_line", "code_function", "input_messages", "output_messages", "metadata"),
    *("origin", "price_run", "owner", "version"),
)


class CallDraft(msgspec.Struct, frozen=True, gc=False):
    """A described span on its way to a row."""

    span: Span
    described: Described
    context: Context
    facts: ResourceFacts
    provider: str | None
    provider_source: str | None


def draft(span: Span, described: Described, context: Context, facts: ResourceFacts) -> CallDraft:
    """Find out who served it."""
    provider, source = detect(
        label=described.provider_label,
        server_address=described.server_address,
        request_model=described.request_model,
        response_model=described.response_model,
    )
    return CallDraft(span, described, context, facts, provider, source)


def price_request(
    described: Described, provider: str | None, start_ns: int, tenant: str | None
) -> PriceRequest:
    """What the book must know to price one request."""
    return PriceRequest(
        provider=provider,
        request_model=described.request_model,
        response_model=described.response_model,
        at_ns=start_ns,
        usage=described.usage,
        service_tier=described.service_tier,
        success=described.success,
        tenant=tenant,
    )


def call_rows(drafts: Sequence[CallDraft], book: PriceBook, contents: Contents) -> list[tuple[Any, ...]]:
    """Rows in the order of `CALL_COLUMNS`, priced."""
    asked = [
        price_request(each.described, each.provider, each.span.start_ns, each.context.tenant)
        for each in drafts
    ]
    return [_row(each, priced, contents) for each, priced in zip(drafts, book.price(asked), strict=True)]


def _row(draft: CallDraft, priced: Priced, contents: Contents) -> tuple[Any, ...]:
    span, described, context, facts = draft.span, draft.described, draft.context, draft.facts
    usage = described.usage
    is_call = described.kind == "call"
    if not is_call:
        priced = NOT_PRICED
    file, line, function = code_location(span)
    return (
        f"{span.trace_id}:{span.span_id}",
        span.trace_id,
        span.span_id,
        span.parent_span_id,
        span.start_ns,
        described.kind,
        *msgspec.structs.astuple(context),
        facts.service,
        facts.process,
        span.scope.name,
        draft.provider,
        draft.provider_source,
        described.provider_label,
        described.server_address,
        described.request_model,
        described.response_model,
        described.operation,
        described.response_id,
        *msgspec.structs.astuple(usage),
        priced.cost_usd,
        exact(described.reported_cost_usd),
        priced.price_source,
        priced.price_id,
        priced.unpriced_reason,
        described.service_tier,
        duration_ns(span),
        described.ttft_ns,
        described.streaming,
        described.finish_reasons,
        described.success,
        described.error_type,
        described.error_message,
        is_call,
        None if is_call else ("supplement" if described.kind == "supplement" else "unattributed"),
        None,
        described.may_wrap,
        described.supplements_span_id,
        described.dialect,
        file,
        line,
        function,
        contents.add_messages(context.tenant, described.input_messages, span.start_ns),
        contents.add_messages(context.tenant, described.output_messages, span.start_ns),
        described.metadata,
        "",  # nothing settled yet
        "",  # priced as it came
        facts.owner,
        FRESH_VERSION,
    )


def exact(amount: Decimal | None) -> Decimal | None:
    """A reported amount as the column holds it: 18 decimals, half even; None where it cannot."""
    if amount is None or amount.adjusted() > 18:
        return None
    with localcontext(prec=60):
        return amount.quantize(MONEY_DIGITS)
