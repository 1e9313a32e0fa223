"""The user's own price lists: kept with the data, used from then on, and seen by readers as tables."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from tests.new_store import prepared
from watchglass.clock import SystemClock
from watchglass.config import Settings
from watchglass.errors import BadRequest, ConfigError
from watchglass.model import Usage
from watchglass.pricing.book import PriceBook, PriceRequest
from watchglass.pricing.listed import ListedPrice
from watchglass.pricing.listing import timelines
from watchglass.queries.reader import StoreReader
from watchglass.queries.scope import Scope
from watchglass.store import KeptPrices, Store, open_kept_prices, open_store
from watchglass.surfaces.price_book import open_book
from watchglass.surfaces.price_desk import PriceDesk

HEAD = "provider,model,cost_per_1k_input_tokens,cost_per_1k_output_tokens,effective_date\n"
OURS = (HEAD + "acme,own,0.0001,0.0002,2026-01-01\nacme,own,0.0003,0.0004,2026-03-01\n").encode()
FEBRUARY_NS, APRIL_NS = 1_769_904_000 * 10**9, 1_775_001_600 * 10**9


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with open_store(prepared(tmp_path_factory.mktemp("desk") / "data")) as opened:
        yield opened


def desk_of(kept: KeptPrices) -> tuple[PriceDesk, PriceBook]:
    """A desk with a book of its own, as another process would have."""
    book = open_book(Settings())
    return PriceDesk(Settings(), book, kept, SystemClock()), book


def cost(book: PriceBook, at_ns: int) -> Decimal | None:
    """Of a million tokens of the user's own model."""
    request = PriceRequest(
        provider="acme", request_model="own", response_model=None, at_ns=at_ns, usage=Usage(10**6, 0)
    )
    return book.price([request])[0].cost_usd


def test_an_import_is_kept_used_and_harmless_to_repeat(tmp_path: Path) -> None:
    """Prices hold from their day, survive the process, and change nothing when they come again."""
    with open_kept_prices(tmp_path / "data", make=True) as kept:
        desk, book = desk_of(kept)
        assert cost(book, APRIL_NS) is None
        assert desk.take(OURS, "ours.csv")[0].added == 2
        assert (cost(book, FEBRUARY_NS), cost(book, APRIL_NS)) == (Decimal("0.1"), Decimal("0.3"))
    with open_kept_prices(tmp_path / "data") as kept:
        desk, book = desk_of(kept)
        assert cost(book, APRIL_NS) == Decimal("0.3")
        before = kept.edition()
        assert desk.take(OURS.replace(b"0.0001", b"0.00010"), "again.csv")[0].unchanged == 2
        assert kept.edition() == before
        assert desk.take(OURS.replace(b"0.0003", b"0.0005"), "new.csv")[0].changed == 1
        assert cost(book, APRIL_NS) == Decimal("0.5")


def test_another_process_sees_an_import_when_it_looks(tmp_path: Path) -> None:
    """A server's book follows what a command imported beside it; without a change nothing happens."""
    with open_kept_prices(tmp_path / "data", make=True) as kept:
        server, book = desk_of(kept)
        with open_kept_prices(tmp_path / "data") as other:
            desk_of(other)[0].take(OURS, "ours.csv")
        assert cost(book, APRIL_NS) is None
        assert server.look() == "taken"
        assert cost(book, APRIL_NS) == Decimal("0.3")
        assert server.look() == "same"


def test_a_list_that_is_none_changes_nothing(tmp_path: Path) -> None:
    """Bytes that are no text are refused with the byte that is none."""
    with open_kept_prices(tmp_path / "data", make=True) as kept:
        with pytest.raises(BadRequest, match="byte 3"):
            desk_of(kept)[0].take(b"abc\xff", "x.csv")
        assert kept.imported.prices() == ()


def test_the_book_is_a_table_that_everybody_may_read(store: Store) -> None:
    """The mirrored prices are those of the book, once each, also for a reader of one tenant."""
    kept = KeptPrices(store.control, SystemClock())
    desk, book = desk_of(kept)
    assert desk.mirror(store.engine, store.control)
    assert not desk.mirror(store.engine, store.control)
    desk.take(OURS, "ours.csv")
    assert desk.mirror(store.engine, store.control)
    mine = StoreReader(store.engine, scope=Scope(frozenset({"somebody"})))
    asked = """
        SELECT toString(cost_per_1k_input_tokens) AS price, toString(effective_date) AS day, source
        FROM llm_model_pricing WHERE provider = 'acme' ORDER BY effective_date
    """
    assert [tuple(row) for row in mine.query(asked).rows()] == [
        ("0.0001", "2026-01-01", "override"),
        ("0.0003", "2026-03-01", "override"),
    ]
    counted = mine.query(
        "SELECT count() AS n, uniqExact(tuple(provider, model, tier, daily, since)) AS u FROM prices"
    )
    [[n, unique]] = [tuple(row) for row in counted.rows()]
    assert n == unique == len(list(timelines(book)))


def test_what_is_shown_is_what_a_call_is_priced_by(tmp_path: Path) -> None:
    """The list, the model's page and the price of a call agree at any moment, prices by the hour included."""
    with open_kept_prices(tmp_path / "data", make=True) as kept:
        desk, book = desk_of(kept)
        desk.take(OURS, "ours.csv")
        for at_ns in (FEBRUARY_NS, APRIL_NS):
            [row] = desk.list(at_ns, provider="ACME", model="ow*")
            shown = desk.show("own", at_ns, provider="acme")
            assert shown.unpriced_reason is None
            assert shown.price_id == row.price_id
            assert row.prices["input"] == cost(book, at_ns)
        assert desk.show("own", 0, provider="acme").unpriced_reason == "no_price_at_date"
        night = 1_741_392_468 * 10**9  # 2025-03-08T00:07:48Z
        assert (desk.show("deepseek-reasoner", night).price_id or "").endswith("~16:30-00:30")
        assert desk.show("qwen-2.5-coder-32b-instruct", night).elsewhere


def test_a_list_that_cannot_be_used_is_tried_again_at_the_next_look(tmp_path: Path) -> None:
    """What was edited meanwhile is not lost by it, and the fault is one that who looks expects."""
    settings = Settings(data=str(tmp_path))
    with open_kept_prices(tmp_path, make=True) as kept:
        book = open_book(settings)
        desk = PriceDesk(settings, book, kept, SystemClock())
        (tmp_path / "genai-prices.json").write_text("{}")
        (tmp_path / "prices.toml").write_text('[[price]]\nprovider = "acme"\nmodel = "own"\ninput = 2\n')
        assert desk.look() == "same"
        for _ in range(2):
            with pytest.raises(ConfigError, match="genai-prices"):
                desk.look()
        (tmp_path / "genai-prices.json").unlink()
        assert desk.look() == "taken"
        assert cost(book, APRIL_NS) == Decimal(2)
        assert desk.look() == "same"


def test_the_log_is_shown_by_its_end(tmp_path: Path) -> None:
    """However long it is; one tenant's lines are not crowded out by everybody's."""
    with open_kept_prices(tmp_path, make=True) as kept:
        kept.overrides.set(ListedPrice(provider="acme", model="own", input=Decimal(1), tenant="t"))
        for number in range(5):
            kept.overrides.note("sources", str(number))
        assert [each.after for each in kept.overrides.latest(most=2)] == ["3", "4"]
        assert [each.tenant for each in kept.overrides.latest("t", most=2)] == ["t"]
