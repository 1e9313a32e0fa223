"""What a request may cost at most, before it is made: its tokens at the book's price of now."""

from __future__ import annotations

from watchglass.errors import BadRequest
from watchglass.ledger.budgets.amounts import units
from watchglass.model import Usage
from watchglass.pricing.book import PriceBook, PriceRequest
from watchglass.pricing.provider import detect

MOST_TOKENS = 10**9


def estimate(
    book: PriceBook,
    *,
    model: str,
    provider: str | None,
    tier: str | None,
    input_tokens: int,
    output_tokens: int,
    tenant: str | None,
    at_ns: int,
) -> int:
    """Dollars in 1e-18, no token taken to be cached. Raises `BadRequest` where the book has no price."""
    for where, tokens in (("input_tokens", input_tokens), ("max_output_tokens", output_tokens)):
        if not 0 <= tokens <= MOST_TOKENS:
            raise BadRequest(f"{where} must be from 0 to {MOST_TOKENS}, not {tokens}", where=where)
    known, _ = detect(label=provider, server_address=None, request_model=model, response_model=None)
    request = PriceRequest(
        provider=known,
        request_model=model,
        response_model=None,
        at_ns=at_ns,
        usage=Usage(input_tokens=input_tokens, output_tokens=output_tokens),
        service_tier=tier,
        tenant=tenant,
    )
    [priced] = book.price([request])
    if priced.cost_usd is None:
        raise BadRequest(
            f"{model[:100]!r} has no price ({priced.unpriced_reason}); name its provider, state its price, "
            "or reserve an amount_usd",
            where="model",
        )
    return units(priced.cost_usd)
