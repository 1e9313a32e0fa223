"""What a page about prices shows, in one answer: models in use with their price, the book, what was set."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from watchglass.clock import Clock
from watchglass.errors import BadRequest
from watchglass.pricing.listing import PriceRow
from watchglass.queries.documents import plain
from watchglass.queries.plain import moment
from watchglass.queries.reader import Reader
from watchglass.queries.times import parse_moment
from watchglass.queries.usage import UsageQuestion
from watchglass.queries.usage_rows import UsageRow
from watchglass.surfaces.access import current
from watchglass.surfaces.api.endpoint import JSON, Endpoint, Parameter
from watchglass.surfaces.api.price_schemas import AT, PROVIDER, TENANT, whose
from watchglass.surfaces.api.turns import Turns
from watchglass.surfaces.price_desk import PriceDesk
from watchglass.surfaces.price_document import override_document, price_document

PATH = "/api/v1/price-book"
SINCE = "30d"
LIMIT, MOST = 100, 1000
MOST_USED = 200
"""Models of the window that are looked up; those that cost and are called most."""


class TokenPrices(msgspec.Struct, frozen=True, kw_only=True):
    """US dollars a million tokens, as decimals; null is a class that has no price."""

    input: str | None = None
    output: str | None = None
    cache_read: str | None = None
    cache_write: str | None = None
    cache_write_1h: str | None = None
    reasoning: str | None = None
    input_audio: str | None = None
    output_audio: str | None = None


class PriceStep(TokenPrices, frozen=True, kw_only=True):
    """What all tokens of a request with more input than `input_tokens` cost."""

    input_tokens: int


class BookPrice(TokenPrices, frozen=True, kw_only=True):
    """One price of the book. `since` null: ever since, `dated` false: as far as the list says."""

    provider: str
    model: str
    tier: str | None
    since: str | None
    until: str | None
    daily: str | None
    per_request: str
    above: list[PriceStep]
    source: str
    price_id: str
    citation: str | None
    dated: bool


class SetPrice(TokenPrices, frozen=True, kw_only=True):
    """A price or discount that was set. Of a discount `percent` is off what the lists say."""

    id: str
    kind: str
    provider: str
    model: str
    tier: str | None = None
    tenant: str | None = None
    since: str | None = None
    until: str | None = None
    daily: str | None = None
    percent: str | None = None
    above: list[PriceStep] = []
    source: str | None = None
    changed: str
    changed_by: str


class UsedModel(msgspec.Struct, frozen=True, kw_only=True):
    """A model that was called in the window, and its price now; null with the `reason` why there is none.

    `elsewhere` are sellers that the book knows the model of, where it does not know this one.
    """

    provider: str | None
    model: str | None
    calls: int
    input_tokens: int | None
    output_tokens: int | None
    cost_usd: Decimal | None
    unpriced: dict[str, int]
    price: BookPrice | None
    reason: str | None
    elsewhere: list[str]


class PriceSource(msgspec.Struct, frozen=True, kw_only=True):
    """A layer of the book, and of how many models its price holds."""

    source: str
    models: int


class PricePage(msgspec.Struct, frozen=True, kw_only=True):
    """The book at the moment `at`, beside the calls of `[since, until)`.

    `prices` are the first of `found` models that were asked for, of `models` in all. `used_left_out` models
    were called too and are not listed.
    """

    at: str
    since: str
    until: str
    calls: int
    unpriced: dict[str, int]
    used: list[UsedModel]
    used_left_out: int
    models: int
    found: int
    prices: list[BookPrice]
    sources: list[PriceSource]
    providers: list[str]
    overrides: list[SetPrice]


def price_page_endpoints(desk: PriceDesk, reader: Reader, turns: Turns, *, clock: Clock) -> list[Endpoint]:
    """The one question."""
    api = _Api(desk, reader, turns, clock)
    return [
        Endpoint(
            method="GET",
            path=PATH,
            summary="The price book beside what was called: models in use, the book, prices that were set",
            needs="read",
            handler=api.page,
            parameters=(
                Parameter(
                    name="since", meaning="Start of the calls: a date, an ISO time, or 7d ago; else 30d."
                ),
                Parameter(name="until", meaning="End of the calls, not included; else now."),
                PROVIDER,
                Parameter(name="model", meaning="A part of the model's name, or a pattern with `*`."),
                Parameter(name="source", meaning="Only prices of this layer of the book."),
                Parameter(
                    name="limit", meaning=f"Most models of the book, to {MOST}; else {LIMIT}.", type=int
                ),
                AT,
                TENANT,
            ),
            answer=PricePage,
        )
    ]


class _Api:
    def __init__(self, desk: PriceDesk, reader: Reader, turns: Turns, clock: Clock) -> None:
        self._desk = desk
        self._reader = reader
        self._clock = clock
        self._turns = turns

    async def page(self, request: Request) -> Response:
        now_ns, asked, tenant = self._clock.now_ns(), request.query_params, whose(request)
        window = UsageQuestion(
            by=("provider", "model"),
            since_ns=parse_moment(asked.get("since") or SINCE, now_ns),
            until_ns=parse_moment(asked.get("until") or "now", now_ns),
            filters={} if tenant is None else {"tenant": (tenant,)},
            durations=False,
        )
        at_ns = parse_moment(asked.get("at") or "now", now_ns)
        limit, bound = _limit(asked.get("limit")), current().tenant
        found = await self._turns.ask(self._made, window, at_ns, dict(asked), tenant, bound, limit)
        return Response(msgspec.json.encode(plain(found)), media_type=JSON)

    def _made(
        self,
        window: UsageQuestion,
        at_ns: int,
        asked: dict[str, str],
        tenant: str | None,
        bound: str | None,
        limit: int,
    ) -> PricePage:
        report = self._reader.usage(window)
        book = self._desk.list(at_ns, tenant=tenant)
        wanted = asked.get("provider") or None, asked.get("model") or None
        found = self._desk.list(at_ns, provider=wanted[0], model=wanted[1], tenant=tenant)
        source = asked.get("source")
        found = [row for row in found if not source or row.source == source]
        rows = report.counted.rows
        return PricePage(
            at=moment(at_ns),
            since=moment(window.since_ns or 0),
            until=moment(window.until_ns or 0),
            calls=report.counted.totals.calls,
            unpriced=report.counted.totals.unpriced,
            used=[self._used(row, at_ns, tenant) for row in rows[:MOST_USED]],
            used_left_out=max(0, len(rows) - MOST_USED),
            models=len(book),
            found=len(found),
            prices=[_price(row) for row in found[:limit]],
            sources=[
                PriceSource(source=name, models=models)
                for name, models in Counter(row.source for row in book).most_common()
            ],
            providers=sorted({row.provider for row in book}),
            overrides=[
                msgspec.convert(override_document(each), SetPrice) for each in self._desk.overrides(bound)
            ],
        )

    def _used(self, row: UsageRow, at_ns: int, tenant: str | None) -> UsedModel:
        provider, model = row.group["provider"], row.group["model"]
        price, reason, elsewhere = None, "model_missing" if model is None else "unknown_provider", list[str]()
        if provider is not None and model is not None:
            shown = self._desk.show(model, at_ns, provider=provider, tenant=tenant)
            price = next((_price(each) for each in shown.prices if each.wins), None)
            reason, elsewhere = shown.unpriced_reason, shown.elsewhere[:5]
        return UsedModel(
            provider=provider,
            model=model,
            calls=row.calls,
            input_tokens=row.input_tokens,
            output_tokens=row.output_tokens,
            cost_usd=row.cost_usd,
            unpriced=row.unpriced,
            price=price,
            reason=None if price is not None else reason,
            elsewhere=elsewhere,
        )


def _price(row: PriceRow) -> BookPrice:
    document: dict[str, Any] = price_document(row)
    return msgspec.convert(document, BookPrice)


def _limit(text: str | None) -> int:
    if not text:
        return LIMIT
    if not text.isdecimal() or not 1 <= int(text) <= MOST:
        raise BadRequest(f"limit must be a whole number from 1 to {MOST}, not {text[:40]!r}", where="limit")
    return int(text)
