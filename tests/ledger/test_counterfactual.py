"""What calls would have cost otherwise: exact, compared only where both are known, reasons counted."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.new_store import prepared
from tests.stored_rows import NOON_NS, call, insert
from watchglass.ledger.counterfactual import spent, spent_by, total
from watchglass.ledger.window import Window
from watchglass.model import Usage
from watchglass.pricing.book import Layers, PriceBook, PriceRequest
from watchglass.pricing.listed import ListedPrice
from watchglass.pricing.source import DAY_NS
from watchglass.pricing.suppositions import SupposedBook, Supposition
from watchglass.store import Store, open_store

OLD = ListedPrice(provider="acme", model="a", input=Decimal(10), output=Decimal(10), until_ns=NOON_NS)
NEW = ListedPrice(provider="acme", model="a", input=Decimal(4), output=Decimal(8), since_ns=NOON_NS)
NIGHT = ListedPrice(
    provider="acme", model="a", input=Decimal(1), output=Decimal(1), since_ns=NOON_NS, daily=(0, 3600 * 10**9)
)
OTHER = ListedPrice(provider="globex", model="b", input=Decimal(1), output=Decimal(3))
LATER = ListedPrice(
    provider="globex", model="c", input=Decimal(1), output=Decimal(3), since_ns=NOON_NS + 9 * DAY_NS
)
LAYERS = Layers(overrides=(OLD, NEW, NIGHT, OTHER, LATER))
WINDOW = Window(since_ns=NOON_NS - DAY_NS, until_ns=NOON_NS + DAY_NS)
MILLION = {"input_tokens": 1_000_000, "output_tokens": 0, "provider": "acme", "request_model": "a"}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with open_store(prepared(tmp_path_factory.mktemp("supposed") / "data")) as opened:
        rows = [
            call(1, **MILLION, tenant="t", cost_usd=Decimal(4)),
            call(2, **MILLION, cost_usd=Decimal("4.5")),
            call(3, **MILLION, unpriced_reason="unknown_model"),
            call(4, provider="acme", request_model="a", cost_usd=Decimal(1)),
            call(5, **MILLION, cost_usd=Decimal(9), counted=False),
        ]
        insert(opened.engine, "calls", rows)
        yield opened


def test_another_models_price_is_compared_where_both_are_known(store: Store) -> None:
    """Two of four calls have a cost and counts: only for them a saving is told, and the rest has a reason."""
    book = SupposedBook(LAYERS, Supposition(provider="globex", model="b"))
    [row] = spent(store.engine, book, WINDOW)
    assert (row.provider, row.model, row.calls, row.without_cost) == ("acme", "a", 4, 1)
    assert (row.cost_usd, row.supposed_usd) == (Decimal("9.5"), 3)
    assert row.unpriced == {"tokens_missing": 1}
    assert (row.compared, row.difference_usd) == (2, Decimal("-6.5"))
    assert total([row]).difference_usd == row.difference_usd


def test_a_tenants_window_has_its_calls_alone(store: Store) -> None:
    """A filter of the window holds here too."""
    book = SupposedBook(LAYERS, Supposition(at_ns=NOON_NS - 1))
    [row] = spent(store.engine, book, Window(filters={"tenant": ("t",)}))
    assert (row.calls, row.supposed_usd) == (1, 10)


@given(
    st.integers(-2 * DAY_NS, 2 * DAY_NS),
    st.integers(-2 * DAY_NS, 2 * DAY_NS),
    st.sampled_from(["a", "b", "c", "no"]),
)
def test_a_supposition_is_the_book_asked_at_that_time_for_that_model(
    call_at: int, supposed: int, model: str
) -> None:
    """At the supposed day and the call's hour, the supposed model costs what the book says it does."""
    at_ns = NOON_NS + supposed
    provider = "globex" if model in "bc" else "acme"
    given = {"usage": Usage(7, 5), "response_model": None}
    asked = PriceRequest(provider="acme", request_model="x", at_ns=NOON_NS + call_at, **given)
    book = SupposedBook(LAYERS, Supposition(at_ns=at_ns, provider=provider, model=model))
    assert copy_of(book).price([asked]) == book.price([asked])
    found = book.price([asked])[0]
    held = [each for each in LAYERS.overrides if each.model == model and holds(each, at_ns)]
    if not held:
        assert found.unpriced_reason == ("unknown_model" if model == "no" else "no_price_at_date")
        return
    at_night = (NOON_NS + call_at) % DAY_NS < 3600 * 10**9
    price = next((each for each in held if each.daily and at_night), None) or next(
        e for e in held if not e.daily
    )
    assert found.cost_usd == (7 * price.input + 5 * (price.output or 0)) / 10**6


def copy_of(book: PriceBook) -> PriceBook:
    """A copy, as whoever prices a window takes one."""
    return book.copied()


def holds(price: ListedPrice, at_ns: int) -> bool:
    """Whether its days hold that moment."""
    begun = price.since_ns is None or price.since_ns <= at_ns
    return begun and (price.until_ns is None or at_ns < price.until_ns)


def test_two_books_are_asked_about_the_same_calls(store: Store) -> None:
    """What comes while they are asked is in neither or in both; each says what it says by itself."""
    books = [PriceBook(LAYERS), PriceBook((OTHER,))]
    apart = [spent(store.engine, book, WINDOW) for book in books]
    late = call(9, **MILLION, cost_usd=Decimal(1), time=NOON_NS + 1)

    class Late:
        """An engine into which a call comes before each statement that reads prices."""

        execute_count = 0

        def execute(self, sql: str, *args: object, **given: object) -> object:
            if "new_cost_usd" in sql:
                insert(store.engine, "calls", [late | {"call_id": f"late-{self.execute_count}"}])
                self.execute_count += 1
            return store.engine.execute(sql, *args, **given)  # type: ignore[arg-type]  # handed on

        def __getattr__(self, name: str) -> object:
            return getattr(store.engine, name)

    assert spent_by(store.engine, books, WINDOW) == apart
    found = spent_by(Late(), books, WINDOW)  # type: ignore[arg-type]  # an engine in all that is asked
    assert [sum(each.calls for each in rows) for rows in found] == [5, 5]
    store.engine.execute("DELETE FROM store.calls WHERE call_id LIKE 'late-%'")
