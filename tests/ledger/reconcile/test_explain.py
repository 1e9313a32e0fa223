"""Whatever two sides say, what explains their difference and what does not add up to it exactly."""

from __future__ import annotations

from decimal import Decimal

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from watchglass.ledger.reconcile.build import rounding_bound
from watchglass.ledger.reconcile.days import HOUR_NS
from watchglass.ledger.reconcile.doubts import doubt_names, one_sided
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
        ListedPrice(provider="acme", model="half", input=Decimal(1), output=Decimal(4), tier="batch"),
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


def called(count: int, *, model: str = "m", day: int = 95, price: str = "2", **more: object) -> Cell:
    """A day's calls with input alone, at two dollars a million tokens unless they have no price."""
    known = Decimal(price) / 1_000_000 if price else None
    atom = Atom(
        tier=None, long=False, token_class="input", tokens=count, price=known,
        cost=count * (known or Decimal(0)), price_id="own" if known else None,
        names=Names(model, model),
    )  # fmt: skip
    columns: dict[str, object] = {
        "key": CellKey(day * DAY_NS, (day + 1) * DAY_NS, "acme", None, model),
        "day": str(day),
        "names": (Names(model, model),),
        "told": told(tiers=False, long=False, classes=["input", "output"]),
        "ours": Ours(calls=3, cost=atom.cost) if count else Ours(),
        "atoms": (atom,) if count else (),
    }
    return Cell(**{**columns, **more})  # type: ignore[arg-type]


def charged(**amounts: str) -> dict[SlotKey, Money]:
    return {
        SlotKey(None, False, name): Money(Decimal(usd), Decimal("0.005")) for name, usd in amounts.items()
    }


def test_a_constant_error_of_the_provider_is_unexplained() -> None:
    """A tenth too much on each of ten days is a price that no list has: a hint, and all of it unexplained."""
    days = [called(10**6, day=90 + n, money=charged(input="2.2")) for n in range(10)]
    whole = totals(explained(days))
    assert whole.explained == {}
    assert whole.hints == {"price_implied": Decimal(2)}
    assert whole.unexplained == whole.unexplained_apart == whole.difference == 2


def test_a_bill_for_calls_without_a_price_is_unexplained() -> None:
    """Whatever is billed for tokens that the book has no price of is a hint at their price, and no more."""
    found = called(10**6, model="new", price="", money=charged(input="70"))
    whole = totals(explained([found]))
    assert (whole.explained, whole.hints) == ({}, {"price_unknown": Decimal(70)})
    assert whole.unexplained_apart == 70


def test_a_class_that_the_bill_lacks_is_not_called_unbilled_while_others_are_billed() -> None:
    """Two dollars of input that are nowhere on a bill which has output of the same calls stay unexplained."""
    [found] = explained([called(10**6, money=charged(output="5"))])
    assert found.explanations == () and found.unexplained == 3
    [nothing] = explained([called(10**6, money={})])
    assert [each.kind for each in nothing.explanations] == ["not_billed"]


def test_tokens_of_no_known_price_are_not_unseen_while_calls_are_recorded() -> None:
    """Output on the bill that has no price here is unexplained: calls of the model are there."""
    counts = {SlotKey(None, False, "input"): 10**6, SlotKey(None, False, "output"): 10}
    one = called(
        10**6, model="new", money=charged(input="2", output="9"), tokens=counts,
        tokens_told=told(tiers=False, long=False, classes=["input", "output"]),
    )  # fmt: skip
    [found] = explained([one])
    assert found.explanations == () and found.unexplained == 9


def test_calls_at_a_price_that_the_book_forgot_are_not_said_to_have_none() -> None:
    """They have a cost; what is billed otherwise stays unexplained; half of an exchange is no cause."""
    half, apart = Names("half", "half"), told(tiers=True, long=False, classes=["input"])
    gone = Atom(tier=None, long=False, token_class="input", tokens=10**6, price_id="old", names=half)
    rest = Atom(
        tier=None, long=False, token_class="unsplit", tokens=0, cost=Decimal(2), price_id="old", names=half
    )
    one = called(
        0, model="half", money={SlotKey(None, False, "all"): Money(Decimal("2.5"), Decimal("0.005"))},
        told=told(tiers=False, long=False, classes=()), ours=Ours(calls=3, cost=Decimal(2)),
        atoms=(gone, rest), tokens_told=apart,
        tokens={SlotKey(None, False, "input"): 500_000, SlotKey("batch", False, "input"): 500_000},
    )  # fmt: skip
    known = msgspec.structs.replace(
        one, names=(NAMES,), atoms=tuple(msgspec.structs.replace(each, names=NAMES) for each in one.atoms)
    )
    for each in explained([one, known]):
        assert (each.explanations, each.hints, each.unexplained) == ((), (), Decimal("0.5"))
    [found] = explained([one])
    assert "old, which the book has no longer" in found.classes[0].note


def test_a_model_under_two_names_is_not_explained_away() -> None:
    """A model only on the bill beside one only here may be the same: what is billed for it is unexplained."""
    bill = called(0, model="GPT own", money=charged(input="5"))
    ours = called(10**6, money={})
    examined = [(each, examine(each, QUOTES)) for each in (bill, ours)]
    slots = [slot for _, those in examined for slot in those]
    said = doubt_names(slots)
    assert said is not None and "GPT own" in said and " m" in said
    whole = totals(line(cell, [slot.outcome() for slot in those]) for cell, those in examined)
    assert whole.hints == {"other_name": Decimal(5)} and whole.unexplained == 5
    assert whole.explained == {"not_billed": Decimal(-2)}
    assert doubt_names([slot for slot in slots if slot.cell is bill]) is None


def test_many_roundings_the_same_way_are_said() -> None:
    """A hundred days that are each 0.004 dollars too much are within a digit each, and not by chance."""
    cells_ = [called(10**6, day=n, money=charged(input="2.004")) for n in range(100)]
    slots = [slot for each in cells_ for slot in examine(each, QUOTES)]
    said = one_sided(slots)
    assert said is not None and "up together by 0.4 dollars" in said
    assert one_sided(slots[:10]) is None


def test_a_rounding_is_half_a_digit_and_many_are_not_all_the_same_way() -> None:
    """One amount is off by half of its last digit; ten thousand together by chance, not by fifty dollars."""
    cent = Decimal("0.01")
    assert rounding_bound(1, cent) == Decimal("0.005")
    assert rounding_bound(12, cent) == Decimal("0.06")
    assert rounding_bound(10_000, cent) < 2


def test_what_two_sides_tell_apart_is_what_both_do() -> None:
    """Money by class and tokens by the whole input meet at the whole input."""
    money = told(tiers=True, long=False, classes=["input", "cache_read", "output"])
    both = joined(money, told(tiers=False, long=False, classes=["input_total", "output"]))
    assert both.slot("batch", True, "cache_write_1h") == SlotKey(None, False, "input_total")
    assert both.slot("batch", True, "reasoning") == SlotKey(None, False, "output")
