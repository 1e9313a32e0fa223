"""Whatever two sides say, what explains their difference and what does not add up to it exactly."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from watchglass.ledger.reconcile.days import HOUR_NS
from watchglass.ledger.reconcile.explain import examine
from watchglass.ledger.reconcile.figures import KINDS, Atom, Cell, CellKey, Money, Names, Ours
from watchglass.ledger.reconcile.implied import explain_implied, simplest
from watchglass.ledger.reconcile.ledger import Line, line, totals
from watchglass.ledger.reconcile.quotes import Quotes, price_of
from watchglass.ledger.reconcile.told import SlotKey, joined, told
from watchglass.pricing.book import PriceBook
from watchglass.pricing.listed import ListedPrice

DAY_NS = 24 * HOUR_NS
NAMES = Names("m", "m")
BOOK = PriceBook(
    [
        ListedPrice(
            provider="acme", model="m", input=Decimal(2), output=Decimal(8), cache_read=Decimal("0.5")
        ),
        ListedPrice(provider="acme", model="m", input=Decimal(1), output=Decimal(4), tier="batch"),
        ListedPrice(
            provider="acme", model="m", input=Decimal(3), output=Decimal(9), cache_read=Decimal("0.5"),
            since_ns=100 * DAY_NS,
        ),
    ]
)  # fmt: skip
QUOTES = Quotes(BOOK, "acme")
CLASSES = ("input", "cache_read", "output")
COUNTS = st.integers(min_value=0, max_value=10**7)


@st.composite
def cells(draw: st.DrawFn) -> Cell:
    day = draw(st.integers(min_value=90, max_value=110))
    named = draw(st.sampled_from([("all",), ("input_total", "output"), CLASSES]))
    counted = draw(st.sampled_from([None, ("all",), ("input_total", "output"), CLASSES]))
    tiers = draw(st.booleans())
    tokens_told = None if counted is None else told(tiers=tiers, long=False, classes=counted)
    money_told = joined(told(tiers=tiers, long=False, classes=named), tokens_told)
    atoms: list[Atom] = []
    for token_class in CLASSES:
        for tier in (None, "batch"):
            [rates] = QUOTES.in_force([NAMES], tier, day * DAY_NS, (day + 1) * DAY_NS)
            tokens, price = draw(COUNTS), price_of(rates, token_class, long=False)
            if draw(st.booleans()) and price is not None:
                atoms.append(
                    Atom(
                        tier=tier, long=False, token_class=token_class, tokens=tokens, price=price,
                        cost=tokens * price, price_id=rates.price_id, names=NAMES,
                    )
                )  # fmt: skip
    amounts = st.decimals(min_value=-1, max_value=100, places=draw(st.integers(2, 9)))
    slots = {money_told.slot(tier, False, each) for tier in (None, "batch") for each in named}
    money = {slot: Money(draw(amounts), Decimal("0.01")) for slot in slots if draw(st.booleans())}
    tokens = None
    if tokens_told is not None:
        tokens = {
            tokens_told.slot(tier, False, each): draw(COUNTS)
            for tier in (None, "batch") for each in counted or () if draw(st.booleans())
        }  # fmt: skip
    return Cell(
        key=CellKey(day * DAY_NS, (day + 1) * DAY_NS, "acme", None, "m"), day=str(day), names=(NAMES,),
        ours=Ours(
            calls=draw(st.integers(0, 9)) if atoms else 0, cost=sum((each.cost for each in atoms), Decimal(0))
        ),
        atoms=tuple(atoms), told=money_told, money=money, floor=Decimal("0.01"), tokens_told=tokens_told,
        tokens=tokens, requests=draw(st.none() | st.integers(0, 9)),
    )  # fmt: skip


def explained(found: list[Cell]) -> list[Line]:
    examined = [(each, examine(each, QUOTES)) for each in found]
    explain_implied(slot for _, slots in examined for slot in slots)
    return [line(cell, [slot.outcome() for slot in slots]) for cell, slots in examined]


@settings(max_examples=300)
@given(st.lists(cells(), max_size=6))
def test_causes_and_the_rest_are_the_difference(found: list[Cell]) -> None:
    """Of each class, each line and the whole: billed less computed = explanations + unexplained, exactly."""
    lines = explained(found)
    for each in lines:
        amounts = [explanation.amount_usd for explanation in each.explanations]
        assert each.difference == sum(amounts, Decimal(0)) + each.unexplained
        assert {explanation.kind for explanation in each.explanations} <= set(KINDS)
        for one in each.classes:
            assert one.billed is not None
            of_class = sum((explanation.amount_usd for explanation in one.explanations), Decimal(0))
            assert one.billed - one.computed == of_class + one.unexplained
    whole = totals(lines)
    assert whole.difference == sum(whole.explained.values(), Decimal(0)) + whole.unexplained
    assert whole.difference == whole.billed - whole.compared


@given(st.lists(cells(), max_size=4))
def test_rounding_is_never_more_than_the_bills_digits(found: list[Cell]) -> None:
    """What is called rounding is within the last digit of the bill."""
    for each in explained(found):
        for one in each.classes:
            for explanation in one.explanations:
                assert explanation.kind != "rounding" or abs(explanation.amount_usd) <= Decimal("0.01")


@given(st.decimals(min_value=0, max_value=50, places=6), st.decimals(min_value=0, max_value=1, places=9))
def test_the_simplest_price_is_in_its_span(low: Decimal, width: Decimal) -> None:
    """The number with the fewest decimals lies where it was looked for, ends included."""
    found = simplest(low, low + width)
    assert low <= found <= low + width


def test_what_two_sides_tell_apart_is_what_both_do() -> None:
    """Money by class and tokens by the whole input meet at the whole input."""
    money = told(tiers=True, long=False, classes=["input", "cache_read", "output"])
    both = joined(money, told(tiers=False, long=False, classes=["input_total", "output"]))
    assert both.slot("batch", True, "cache_write_1h") == SlotKey(None, False, "input_total")
    assert both.slot("batch", True, "reasoning") == SlotKey(None, False, "output")
