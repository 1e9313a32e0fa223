"""Costs by class of tokens add up to the costs that calls were stored with, whatever was counted."""

from __future__ import annotations

import random
from decimal import Decimal
from pathlib import Path

from tests.new_store import prepared
from tests.stored_rows import NOON_NS, call, insert
from watchglass.ledger.reconcile.days import apart
from watchglass.ledger.reconcile.figures import Names
from watchglass.ledger.reconcile.ours import Question, gather, models, thresholds
from watchglass.ledger.reconcile.quotes import Quotes
from watchglass.ledger.reconcile.split import Group, atoms
from watchglass.ledger.reconcile.told import UNSPLIT
from watchglass.model import Usage
from watchglass.pricing.book import PriceBook, PriceRequest
from watchglass.pricing.listed import AboveInput, ListedPrice
from watchglass.pricing.rates import CLASSES
from watchglass.store import open_store

FIELDS = (
    *("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "cache_write_1h_tokens"),
    *("reasoning_tokens", "input_audio_tokens", "output_audio_tokens"),
)
BOOK = PriceBook(
    [
        ListedPrice(
            provider="acme", model="m", input=Decimal("2.5"), output=Decimal(10), cache_read=Decimal("1.25"),
            cache_write=Decimal("3.125"), cache_write_1h=Decimal("5"), reasoning=Decimal("11"),
            input_audio=Decimal("40"), output_audio=Decimal("80.000000000001"),
            above=(
                AboveInput(input_tokens=1000, input=Decimal("5"), output=Decimal("15")),
                AboveInput(input_tokens=5000, input=Decimal("6")),
            ),
        ),
        ListedPrice(provider="acme", model="plain", input=Decimal("0.1"), output=Decimal("0.3")),
    ]
)  # fmt: skip


def some_usage(rng: random.Random) -> Usage:
    """Honest counts, and such as no honest sender has: negative ones, parts above wholes, none at all."""

    def count() -> int | None:
        return rng.choice((None, 0, rng.randrange(-500, 9000), rng.randrange(0, 900), 1000, 1001))

    return Usage(**{name: count() for name in FIELDS})


def test_classes_add_up_to_what_calls_cost(tmp_path: Path) -> None:
    """For any counts, the engine's sums by class times the book's prices are the stored costs, exactly."""
    rng = random.Random(11)
    requests = [
        PriceRequest(
            provider="acme", request_model=rng.choice(("m", "m", "plain", "unknown")), response_model=None,
            at_ns=NOON_NS, usage=some_usage(rng),
        )
        for _ in range(3000)
    ]  # fmt: skip
    rows = [
        call(
            number, time=NOON_NS + number, provider="acme", request_model=request.request_model,
            cost_usd=priced.cost_usd, price_id=priced.price_id, unpriced_reason=priced.unpriced_reason,
            **{name: getattr(request.usage, name) for name in FIELDS},
        )
        for number, (request, priced) in enumerate(zip(requests, BOOK.price(requests), strict=True))
    ]  # fmt: skip
    quotes = Quotes(BOOK, "acme")
    with open_store(prepared(tmp_path / "data")) as store:
        insert(store.engine, "calls", rows)
        days = apart([], (NOON_NS, NOON_NS + 10**9))
        question = Question(provider="acme", days=days)
        steps = thresholds(models(store.engine, question), quotes)
        groups = [each.group for each in gather(store.engine, question, steps)]
    assert steps == [1000, 5000]
    found = [(group, atoms(group, quotes)) for group in groups]
    assert sum(group.calls for group in groups) == len(rows)
    assert not [atom for _, parts in found for atom in parts if atom.token_class == UNSPLIT]
    for group, parts in found:
        assert sum((atom.cost for atom in parts), Decimal(0)) == group.cost
    costs = [row["cost_usd"] for row in rows if row["cost_usd"] is not None]
    assert len(costs) > 500
    assert sum((group.cost for group in groups), Decimal(0)) == sum(costs, Decimal(0))


def test_a_cost_of_a_price_that_is_gone_is_not_split() -> None:
    """What the book's prices do not account for is a part of its own, so that the sum still holds."""
    group = Group(
        names=Names("m", "m"), tier=None, above=0, price_id="override:acme/m@2020-01-01T00:00:00Z",
        unpriced=None, calls=1, uncounted_calls=0, tokens=dict.fromkeys(CLASSES, 0) | {"input": 10},
        cost=Decimal("0.5"), reported=None, reported_calls=0, cost_of_reported=Decimal(0),
    )  # fmt: skip
    parts = atoms(group, Quotes(BOOK, "acme"))
    assert [(atom.token_class, atom.cost) for atom in parts] == [("input", 0), (UNSPLIT, Decimal("0.5"))]
