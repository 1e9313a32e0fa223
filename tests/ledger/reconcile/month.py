"""A month of calls of three providers, what we recorded of it, and what each provider says of it.

Prices are written down here a second time and the bills are made with these alone, so that what the ledger
says is held against arithmetic that is not its own. Every difference between the books is put here on
purpose.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

import msgspec

from tests.ledger.bills import generated
from tests.stored_rows import call as stored_call
from watchglass.ledger.bills.line import BillLine
from watchglass.model import Usage
from watchglass.pricing.book import Layers, PriceBook, PriceRequest
from watchglass.pricing.listed import AboveInput, ListedPrice

MILLION = Decimal(1_000_000)
LOS_ANGELES = ZoneInfo("America/Los_Angeles")
MARCH, APRIL = dt.date(2026, 3, 1), dt.date(2026, 4, 1)
CHANGE = dt.datetime(2026, 3, 15, tzinfo=dt.UTC)
"""When gpt-4o becomes cheaper."""


def ns(moment: dt.datetime) -> int:
    return int(moment.timestamp()) * 10**9


def _prices(**classes: str) -> dict[str, Decimal]:
    return {name: Decimal(price) for name, price in classes.items()}


GPT_OLD = _prices(input="2.5", cache_read="1.25", output="10")
GPT_NEW = _prices(input="2", cache_read="0.5", output="8")
MINI = _prices(input="0.15", cache_read="0.075", output="0.6")
MINI_BATCH = _prices(input="0.075", cache_read="0.0375", output="0.3")
O3 = _prices(input="2", cache_read="0.5", output="8", reasoning="8")
AUDIO = _prices(input="2.5", output="10", input_audio="40", output_audio="80")
SONNET = _prices(input="3", cache_read="0.3", cache_write="3.75", cache_write_1h="6", output="15")
SONNET_LONG = _prices(input="6", cache_read="0.6", cache_write="7.5", cache_write_1h="12", output="22.5")
HAIKU = _prices(input="1", cache_read="0.1", cache_write="1.25", cache_write_1h="2", output="5")
AGREED = {name: price * Decimal("0.9") for name, price in HAIKU.items()}
"""What the provider takes of us for it."""
LARGE = _prices(input="2", output="6")
SMALL = _prices(input="0.1", output="0.3")
UNKNOWN = _prices(input="7", cache_read="0.7", output="21")
"""The book has no price for this model; the bill does."""


def book(*, agreed: bool = False) -> PriceBook:
    """The prices that are ours to know; `agreed` with those that only the bill told: a negotiated
    one, and one of a model that is new. Nothing that is shipped is in it."""

    def listed(provider: str, model: str, prices: dict[str, Decimal], **more: object) -> ListedPrice:
        return ListedPrice(provider=provider, model=model, **prices, **more)  # type: ignore[arg-type]

    long = AboveInput(
        input_tokens=200_000,
        input=SONNET_LONG["input"],
        output=SONNET_LONG["output"],
        cache_read=SONNET_LONG["cache_read"],
        cache_write=SONNET_LONG["cache_write"],
    )
    # Our own price of it forgets one-hour writes in the long context; another list of the book has them.
    complete = msgspec.structs.replace(long, cache_write_1h=SONNET_LONG["cache_write_1h"])
    return PriceBook(
        Layers(
            facts=(listed("anthropic", "claude-sonnet-4-5-20250929", SONNET, above=(complete,)),),
            genai=b'[{"id": "nobody", "name": "nobody", "models": []}]',
            overrides=(
                listed("openai", "gpt-4o-2024-08-06", GPT_OLD, until_ns=ns(CHANGE)),
                listed("openai", "gpt-4o-2024-08-06", GPT_NEW, since_ns=ns(CHANGE)),
                listed("openai", "gpt-4o", GPT_OLD, until_ns=ns(CHANGE)),
                listed("openai", "gpt-4o", GPT_NEW, since_ns=ns(CHANGE)),
                listed("openai", "gpt-4o-mini-2024-07-18", MINI),
                listed("openai", "gpt-4o-mini-2024-07-18", MINI_BATCH, tier="batch"),
                listed("openai", "o3-2025-04-16", O3),
                listed("openai", "gpt-4o-audio-preview-2025-06-03", AUDIO),
                listed("anthropic", "claude-sonnet-4-5-20250929", SONNET, above=(long,)),
                listed("anthropic", "claude-haiku-4-5-20251001", AGREED if agreed else HAIKU),
                listed("mistral", "mistral-large-2512", LARGE),
                listed("mistral", "mistral-small-2506", SMALL),
                *([listed("openai", "gpt-next-2026-02-20", UNKNOWN)] if agreed else []),
            ),
        )
    )


@dataclass(frozen=True)
class Call:
    """One request: when, of whom, for what, and its tokens by class as the provider counts them."""

    at: dt.datetime
    provider: str
    model: str
    project: str
    tokens: dict[str, int]
    prices: dict[str, Decimal]
    """Dollars a million tokens that the provider takes."""
    tier: str | None = None
    seen: bool = True
    billed: bool = True
    request_model: str | None = None
    answered: bool = True
    recorded: dict[str, int] = field(default_factory=dict)
    """What our record has where it differs from the provider's."""
    recorded_tier: str | None = ""
    list_prices: dict[str, Decimal] | None = None
    """What the book says, where it is another price."""

    @property
    def classes(self) -> dict[str, int]:
        return self.tokens | self.recorded

    @property
    def long(self) -> bool:
        whole = sum(self.tokens.get(name, 0) for name in INPUTS)
        return self.provider == "anthropic" and whole > 200_000

    def charge(
        self, prices: dict[str, Decimal] | None = None, tokens: dict[str, int] | None = None
    ) -> Decimal:
        """Exact dollars, by a plain sum."""
        prices, tokens = prices or self.prices, tokens or self.tokens
        return sum((price_of(prices, name) * count for name, count in tokens.items()), Decimal(0)) / MILLION


INPUTS = ("input", "cache_read", "cache_write", "cache_write_1h", "input_audio")
OUTPUTS = ("output", "reasoning", "output_audio")


def price_of(prices: dict[str, Decimal], name: str) -> Decimal:
    return prices.get(name, prices["output" if name in OUTPUTS else "input"])


def calls(seed: int = 5) -> list[Call]:
    """The month, with everything that went wrong in it."""
    rng = random.Random(seed)
    return [*_openai(rng), *_anthropic(rng), *_mistral(rng)]


def _moments(rng: random.Random, a_day: int, zone: dt.tzinfo) -> Iterable[dt.datetime]:
    for number in range((APRIL - MARCH).days):
        day = MARCH + dt.timedelta(days=number)
        first = dt.datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(dt.UTC)
        following = day + dt.timedelta(days=1)
        last = dt.datetime(following.year, following.month, following.day, tzinfo=zone).astimezone(dt.UTC)
        for _ in range(a_day):
            yield first + dt.timedelta(seconds=rng.randrange(int((last - first).total_seconds())))


def _openai(rng: random.Random) -> Iterable[Call]:
    for at in _moments(rng, 70, dt.UTC):
        model = rng.choice(("gpt", "gpt", "mini", "mini", "mini", "o3", "audio", "new"))
        tokens = {"input": rng.randrange(50, 4000), "output": rng.randrange(5, 900)}
        one = Call(at, "openai", "", rng.choice(("proj_acme", "proj_beta")), tokens, {})
        cached = {"cache_read": rng.randrange(0, 2000)}
        billed = at < dt.datetime(2026, 3, 31, 18, tzinfo=dt.UTC)
        match model:
            case "gpt":
                list_prices = GPT_OLD if at < CHANGE else GPT_NEW
                # The provider changes its price a day late.
                charged = GPT_OLD if at < CHANGE + dt.timedelta(days=1) else GPT_NEW
                alias = rng.random() < 0.3
                yield replace(
                    one, model="gpt-4o-2024-08-06", tokens=tokens | cached, prices=charged,
                    list_prices=list_prices, request_model="gpt-4o", answered=not alias, billed=billed,
                )  # fmt: skip
            case "mini":
                batch = rng.random() < 0.3
                # On the 20th our batch calls did not say that they were; on the 5th and 6th our client
                # did not say what was cached; on the 12th some of the calls went past us.
                recorded = {}
                if at.day in (5, 6):
                    recorded = {"input": tokens["input"] + cached["cache_read"], "cache_read": 0}
                yield replace(
                    one, model="gpt-4o-mini-2024-07-18", tokens=tokens | cached,
                    prices=MINI_BATCH if batch else MINI, tier="batch" if batch else None,
                    recorded_tier=None if at.day == 20 else "", recorded=recorded, billed=billed,
                    list_prices=MINI if at.day == 20 else None, seen=at.day != 12 or rng.random() < 0.5,
                )  # fmt: skip
            case "o3":
                thought = {"reasoning": rng.randrange(0, 3000)}
                # One project's calls to it were never instrumented.
                yield replace(
                    one, model="o3-2025-04-16", tokens=tokens | cached | thought, prices=O3,
                    seen=one.project != "proj_beta" or at.day not in (9, 10), billed=billed,
                )  # fmt: skip
            case "audio":
                sound = {"input_audio": rng.randrange(0, 500), "output_audio": rng.randrange(0, 500)}
                yield replace(
                    one, model="gpt-4o-audio-preview-2025-06-03", tokens=tokens | sound, prices=AUDIO,
                    billed=billed,
                )  # fmt: skip
            case _:
                yield replace(
                    one, model="gpt-next-2026-02-20", tokens=tokens | cached, prices=UNKNOWN, billed=billed
                )


def _anthropic(rng: random.Random) -> Iterable[Call]:
    for at in _moments(rng, 40, dt.UTC):
        tokens = {
            "input": rng.randrange(50, 6000),
            "output": rng.randrange(5, 900),
            "cache_read": rng.randrange(0, 9000),
            "cache_write": rng.randrange(0, 900),
            "cache_write_1h": rng.choice((0, rng.randrange(1, 900))),
        }
        one = Call(at, "anthropic", "", rng.choice(("wrk_acme", "wrk_beta")), tokens, {})
        if rng.random() < 0.6:
            long = rng.random() < 0.2
            if long:
                tokens["input"] += 250_000
            yield replace(one, model="claude-sonnet-4-5-20250929", prices=SONNET_LONG if long else SONNET)
        else:
            yield replace(one, model="claude-haiku-4-5-20251001", prices=AGREED, list_prices=HAIKU)


def _mistral(rng: random.Random) -> Iterable[Call]:
    for at in _moments(rng, 30, LOS_ANGELES):
        large = rng.random() < 0.5
        tokens = {"input": rng.randrange(5000, 90_000), "output": rng.randrange(500, 9000)}
        yield Call(
            at, "mistral", "mistral-large-2512" if large else "mistral-small-2506", "-", tokens,
            LARGE if large else SMALL,
        )  # fmt: skip


def stored(month: Iterable[Call], prices: PriceBook) -> list[dict[str, object]]:
    """Our records of the calls that we saw, priced by the book as the write path does."""
    seen = [each for each in month if each.seen]
    requests = [_request(each) for each in seen]
    rows: list[dict[str, object]] = []
    for number, (each, request, priced) in enumerate(
        zip(seen, requests, prices.price(requests), strict=True)
    ):
        usage = request.usage
        rows.append(
            stored_call(
                number + 1,
                time=ns(each.at) + number,
                provider=each.provider,
                engagement=each.project.partition("_")[2] or None,
                request_model=request.request_model,
                response_model=request.response_model,
                service_tier=request.service_tier,
                reported_cost_usd=each.charge() if number % 2 else None,
                cost_usd=priced.cost_usd,
                price_source=priced.price_source,
                price_id=priced.price_id,
                unpriced_reason=priced.unpriced_reason,
                **{name: getattr(usage, name) for name in usage.__struct_fields__ if name != "total_tokens"},
            )
        )
    return rows


def _request(each: Call) -> PriceRequest:
    count = each.classes
    return PriceRequest(
        provider=each.provider,
        request_model=each.request_model or each.model,
        response_model=each.model if each.answered else None,
        at_ns=ns(each.at),
        service_tier=each.tier if each.recorded_tier == "" else each.recorded_tier,
        usage=Usage(
            input_tokens=sum(count.get(name, 0) for name in INPUTS),
            output_tokens=sum(count.get(name, 0) for name in OUTPUTS),
            cache_read_tokens=count.get("cache_read"),
            cache_write_tokens=count.get("cache_write", 0) + count.get("cache_write_1h", 0),
            cache_write_1h_tokens=count.get("cache_write_1h"),
            reasoning_tokens=count.get("reasoning"),
            input_audio_tokens=count.get("input_audio"),
            output_audio_tokens=count.get("output_audio"),
        ),
    )


def bill(
    month: Iterable[Call],
    provider: str,
    *,
    zone: dt.tzinfo = dt.UTC,
    dates: bool = False,
    money: Callable[[Decimal], Decimal],
    classes: Callable[[str], str | None],
) -> list[BillLine]:
    """Money by day, project, model, tier, length and class; `classes` says what the provider calls a class.

    With `dates` a day is written as its date alone, which reads as a day of UTC.
    """
    sums: dict[tuple[object, ...], Decimal] = {}
    counts: dict[tuple[object, ...], int] = {}
    for each in month:
        if each.provider != provider or not each.billed:
            continue
        day = each.at.astimezone(zone).date()
        for name, count in each.tokens.items():
            key = (day, each.project, each.model, each.tier, each.long, classes(name))
            sums[key] = sums.get(key, Decimal(0)) + price_of(each.prices, name) * count / MILLION
            counts[key] = counts.get(key, 0) + count
    return [
        _line(provider, zone, dates, key, amount_usd=money(amount), where=f"line {number}")
        for number, (key, amount) in enumerate(sums.items())
    ]


def usage(
    month: Iterable[Call],
    provider: str,
    *,
    zone: dt.tzinfo = dt.UTC,
    dates: bool = False,
    classes: Callable[[str], str | None],
    requests: bool,
) -> list[BillLine]:
    """Tokens by the same, and requests by day, project, model and tier."""
    counts: dict[tuple[object, ...], int] = {}
    made: dict[tuple[object, ...], int] = {}
    for each in month:
        if each.provider != provider or not each.billed:
            continue
        where = (each.at.astimezone(zone).date(), each.project, each.model, each.tier, each.long)
        made[(*where, None)] = made.get((*where, None), 0) + 1
        for name, count in each.tokens.items():
            counts[(*where, classes(name))] = counts.get((*where, classes(name)), 0) + count
    lines = [_line(provider, zone, dates, key, tokens=count, where="usage") for key, count in counts.items()]
    if requests:
        lines += [
            _line(provider, zone, dates, key, requests=count, where="usage") for key, count in made.items()
        ]
    return lines


def _line(
    provider: str, zone: dt.tzinfo, dates: bool, key: tuple[object, ...], **figures: object
) -> BillLine:
    day, project, model, tier, long, token_class = key
    assert isinstance(day, dt.date)
    since, until = (
        dt.datetime(each.year, each.month, each.day, tzinfo=dt.UTC if dates else zone)
        for each in (day, day + dt.timedelta(days=1))
    )
    return BillLine(
        provider=provider, since_ns=ns(since), until_ns=ns(until), model=model,  # type: ignore[arg-type]
        project=None if project == "-" else project, tier=tier, long_context=long,  # type: ignore[arg-type]
        token_class=token_class, **figures,  # type: ignore[arg-type]
    )  # fmt: skip


def openai_class(name: str) -> str:
    return {"reasoning": "output"}.get(name, name)


def anthropic_class(name: str) -> str:
    return name


def micro(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.000001"), rounding=ROUND_HALF_UP)


def finer(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.00000001"), rounding=ROUND_HALF_EVEN)


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)


def files(month: list[Call]) -> dict[str, list[BillLine]]:
    """What each provider exports, by the name of the file."""
    last = dt.datetime(2026, 3, 31, tzinfo=dt.UTC)
    charges = [
        BillLine(
            provider="mistral", since_ns=ns(last), until_ns=ns(last + dt.timedelta(days=1)), token_class=kind,
            item=item, amount_usd=Decimal(amount), where=item,
        )
        for kind, item, amount in (("credit", "promotional credit", "-25.00"), ("tax", "VAT", "3.21"))
    ]  # fmt: skip
    return {
        "openai-costs": bill(month, "openai", money=micro, classes=openai_class),
        "openai-usage": usage(month, "openai", classes=openai_class, requests=True),
        "anthropic-costs": bill(month, "anthropic", money=finer, classes=anthropic_class),
        "anthropic-usage": usage(month, "anthropic", classes=anthropic_class, requests=False),
        "csv": [
            *bill(month, "mistral", zone=LOS_ANGELES, dates=True, money=cents, classes=lambda name: None),
            *usage(
                month, "mistral", zone=LOS_ANGELES, dates=True, requests=True,
                classes=lambda name: "input_total" if name in INPUTS else "output",
            ),
            *charges,
        ],
    }  # fmt: skip


def exports(month: list[Call]) -> dict[str, bytes]:
    """The same month as the providers' own files, with every digit of the money; a plain table for the third,
    which here says in which zone its days are."""

    def of(provider: str) -> list[generated.Call]:
        return [exported(each) for each in month if each.provider == provider and each.billed]

    credit = generated.Extra(at_ns=ns(CHANGE), item="a promotional credit", usd=Decimal("-25"))
    return {
        "costs.json": generated.openai_costs(of("openai"), extras=[credit]),
        "usage.json": generated.openai_usage(of("openai")),
        "cost_report.json": generated.anthropic_costs(of("anthropic")),
        "usage_report.json": generated.anthropic_usage(of("anthropic")),
        "mistral.csv": generated.plain_csv(of("mistral"), zone=LOS_ANGELES.key),
    }


def exported(each: Call) -> generated.Call:
    return generated.Call(
        at_ns=ns(each.at),
        model=each.model,
        provider=each.provider,
        project=None if each.project == "-" else each.project,
        tier=each.tier,
        long_context=each.long,
        tokens=each.tokens,  # type: ignore[arg-type]
        usd={name: price_of(each.prices, name) * count / MILLION for name, count in each.tokens.items()},  # type: ignore[arg-type,misc]
    )
