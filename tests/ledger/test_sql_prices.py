"""Prices reckoned inside the engine are those of `PriceBook.price`, to the last digit and to the reason."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping, Sequence
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.new_store import prepared
from tests.stored_rows import NOON_NS, call, insert
from watchglass.errors import QueryError
from watchglass.ledger.sql_prices import sql_prices
from watchglass.ledger.window import Window
from watchglass.model import Usage
from watchglass.pricing.book import Layers, PriceBook, PriceRequest
from watchglass.pricing.discounts import Discount
from watchglass.pricing.listed import AboveInput, ListedPrice
from watchglass.pricing.provider import detect
from watchglass.store import Store, open_store

HOUR_NS = 3600 * 10**9
DAY_NS = 24 * HOUR_NS
MIDNIGHT_NS = NOON_NS - 12 * HOUR_NS
MOST = 2**63 - 1
TOKENS = (
    *("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "cache_write_1h_tokens"),
    *("reasoning_tokens", "input_audio_tokens", "output_audio_tokens"),
)
NEW = {
    "new_cost_usd": "cost_usd",
    "new_price_source": "price_source",
    "new_price_id": "price_id",
    "new_unpriced_reason": "unpriced_reason",
    "new_provider": "provider",
    "new_provider_source": "provider_source",
}
Row = Mapping[str, Any]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Generator[Store]:
    """One store for all examples; each leaves it empty."""
    with open_store(prepared(tmp_path_factory.mktemp("prices") / "data")) as opened:
        yield opened


def by_book(book: PriceBook, row: Row, *, detected: bool = False) -> dict[str, Any]:
    """What ingest would give this row."""
    provider, found_by = row.get("provider"), row.get("provider_source")
    if detected and found_by != "hidden_params":
        provider, found_by = detect(
            label=row.get("provider_label"),
            server_address=row.get("server_address"),
            request_model=row.get("request_model"),
            response_model=row.get("response_model"),
        )
    request = PriceRequest(
        provider=provider,
        request_model=row.get("request_model"),
        response_model=row.get("response_model"),
        at_ns=row["time"],
        usage=Usage(**{name: row.get(name) for name in TOKENS}),
        service_tier=row.get("service_tier"),
        success=row["success"],
        tenant=row.get("tenant"),
    )
    priced = book.price([request])[0] if row["kind"] == "call" else None
    return {
        "new_cost_usd": priced and priced.cost_usd,
        "new_price_source": priced and priced.price_source,
        "new_price_id": priced and priced.price_id,
        "new_unpriced_reason": priced and priced.unpriced_reason,
        "new_provider": provider,
        "new_provider_source": found_by,
    }


def expected(book: PriceBook, rows: Iterable[Row], *, detected: bool = False) -> dict[str, dict[str, Any]]:
    """By call id, with `changed`; a cost that the column cannot hold leaves the row as it is."""
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        new = by_book(book, row, detected=detected)
        if new["new_cost_usd"] is not None and new["new_cost_usd"] >= 10**20:
            kept = {name: row.get(old) for name, old in NEW.items()}
            new = kept | {name: new[name] for name in ("new_provider", "new_provider_source")}
        changed = any(new[name] != row.get(old) for name, old in NEW.items())
        found[row["call_id"]] = {**new, "changed": int(changed)}
    return found


def by_engine(
    store: Store, book: PriceBook, window: Window | None = None, *, detected: bool = False
) -> dict[str, dict[str, Any]]:
    """The same from the store."""
    with sql_prices(store.engine, book, window or Window(), detect_provider=detected) as priced:
        rows = store.engine.execute(*priced.source(["call_id"])).to_pylist()
    return {row.pop("call_id"): row for row in rows}


def stored(store: Store, rows: Sequence[Row]) -> None:
    """These calls and no others."""
    store.engine.execute("TRUNCATE TABLE store.calls")
    insert(store.engine, "calls", rows)


def dollars(decimals: int = 18, most: int = 10**22) -> st.SearchStrategy[Decimal]:
    """Prices a million tokens: everyday ones, and any that a book takes."""
    everyday = st.sampled_from(["0", "0.075", "2.5", "10", "15.0000000000001", "0.000000000000000001"])
    return everyday.map(Decimal) | st.integers(0, most).map(lambda units: Decimal(units).scaleb(-decimals))


BOUNDS = (MIDNIGHT_NS, NOON_NS, NOON_NS + DAY_NS, -DAY_NS, 0, 5 * 10**18)
THRESHOLDS = (0, 1000, 200_000, MOST)
COUNTS = (0, 1, 7, 999, 1000, 1001, 200_000, 200_001, MOST, MOST - 1, -1, -(2**63), 4 * 10**18)
MODELS = ("m", "m-2", "free", "gpt-4o", "")


@st.composite
def listed(draw: st.DrawFn) -> ListedPrice:
    """One override: with or without classes, tiers, steps, an interval and a daily window."""
    since, until = draw(st.none() | st.sampled_from(BOUNDS)), draw(st.none() | st.sampled_from(BOUNDS))
    if since is not None and until is not None and since > until:
        since, until = until, since
    classes = draw(
        st.fixed_dictionaries(
            {},
            optional={
                name: dollars()
                for name in (
                    *("output", "cache_read", "cache_write", "cache_write_1h"),
                    *("reasoning", "input_audio", "output_audio"),
                )
            },
        )
    )
    above = draw(
        st.lists(
            st.builds(
                AboveInput,
                input_tokens=st.sampled_from(THRESHOLDS),
                input=st.none() | dollars(),
                output=st.none() | dollars(),
                cache_read=st.none() | dollars(),
                cache_write_1h=st.none() | dollars(),
                input_audio=st.none() | dollars(),
            ),
            max_size=2,
        )
    )
    return ListedPrice(
        provider=draw(st.sampled_from(["acme", "acme", "*"])),
        model=draw(st.sampled_from(["m", "m-2", "m*", "*"])),
        tier=draw(st.sampled_from([None, None, "batch", "flex"])),
        tenant=draw(st.sampled_from([None, None, "t1"])),
        input=draw(dollars()),
        since_ns=since,
        until_ns=until,
        daily=draw(st.none() | st.sampled_from([(HOUR_NS, 23 * HOUR_NS), (23 * HOUR_NS, HOUR_NS)])),
        above=tuple(above),
        **classes,
    )


@st.composite
def discount(draw: st.DrawFn) -> Discount:
    """Percent off, of one tenant's or everybody's."""
    return Discount(
        provider=draw(st.sampled_from(["acme", "openai", "*"])),
        percent=Decimal(draw(st.integers(1, 1_000_000))).scaleb(-4),
        tenant=draw(st.sampled_from([None, "t2"])),
        since_ns=draw(st.none() | st.sampled_from(BOUNDS)),
    )


BOOKS = st.builds(
    lambda overrides, facts, discounts: PriceBook(
        Layers(tuple(overrides), tuple(facts), discounts=tuple(discounts))
    ),
    st.lists(listed(), max_size=4),
    st.lists(listed(), max_size=3),
    st.lists(discount(), max_size=2),
)


def moment(rnd: Random) -> int:
    """At, just before or just after what a book may turn on; or an hour's edge near noon."""
    if rnd.random() < 0.5:
        return rnd.choice(BOUNDS) + rnd.choice((-1, 0, 1))
    edges = (0, 1, HOUR_NS - 1, HOUR_NS, 23 * HOUR_NS - 1, 23 * HOUR_NS, DAY_NS - 1)
    return MIDNIGHT_NS + rnd.randint(-2, 2) * DAY_NS + rnd.choice(edges)


def count(rnd: Random) -> int | None:
    """What a column of tokens can hold."""
    kind = rnd.random()
    if kind < 0.35:
        return None
    if kind < 0.6:
        return rnd.choice(COUNTS)
    return rnd.randint(0, 5000) if kind < 0.9 else rnd.randint(-(2**63), MOST)


def calls_of(rnd: Random, number: int) -> list[dict[str, Any]]:
    """Calls that say whatever a row can say; some of them are priced already, rightly or not."""
    return [
        call(
            each,
            provider=rnd.choice(["acme", "acme", "openai", None, ""]),
            response_model=rnd.choice([None, *MODELS]),
            request_model=rnd.choice([None, *MODELS]),
            service_tier=rnd.choice([None, None, "default", "batch", "Flex ", "odd"]),
            tenant=rnd.choice([None, "t1", "t2", "t3", ""]),
            success=rnd.random() < 0.5,
            kind=rnd.choice(["call"] * 5 + ["aggregate"]),
            time=moment(rnd),
            cost_usd=rnd.choice([None, Decimal(0), Decimal(1).scaleb(-18)]),
            unpriced_reason=rnd.choice([None, "unknown_model", "tokens_missing", "tier_unknown"]),
            **{name: count(rnd) for name in TOKENS},
        )
        for each in range(number)
    ]


@settings(max_examples=4, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(book=BOOKS, seed=st.integers(0, 2**32))
def test_the_engine_prices_as_the_book_does(store: Store, book: PriceBook, seed: int) -> None:
    """Whatever the book and the calls are, cost, source, id, reason and what has changed are the same."""
    rows = calls_of(Random(seed), 600)
    stored(store, rows)
    assert by_engine(store, book) == expected(book, rows)


def test_ordinary_costs_are_reckoned_in_64_bits_and_exact(store: Store) -> None:
    """Where all counts are a call's, the short way gives what the book gives, at steps and for parts too."""
    book = PriceBook(
        [
            ListedPrice(
                provider="acme",
                model="m*",
                input=Decimal("2.5"),
                output=Decimal(10),
                cache_read=Decimal("0.25"),
                reasoning=Decimal(12),
                above=(AboveInput(input_tokens=1000, input=Decimal(5)),),
            )
        ]
    )
    rnd = Random(1)
    rows = [
        {**row, **{name: None if rnd.random() < 0.4 else rnd.randint(-2, 1200) for name in TOKENS}}
        for row in calls_of(rnd, 400)
    ]
    stored(store, rows)
    with sql_prices(store.engine, book, Window()) as priced:
        assert "if(p_fits" not in priced.source([])[0]
    assert by_engine(store, book) == expected(book, rows)


def test_every_price_that_is_shipped_is_reckoned_alike(store: Store) -> None:
    """Models of the package's whole book, in every tier, with every class used."""
    book = PriceBook()
    named = [(entry.provider, entry.model, entry.tier) for entry in book.sources[-1].entries()]
    rnd = Random(2)
    rows = [
        call(
            number,
            provider=provider,
            response_model=model,
            service_tier=tier,
            time=NOON_NS - rnd.randint(0, 700) * DAY_NS // 3,
            **{
                name: None if rnd.random() < 0.3 else rnd.randint(0, 10 ** rnd.randint(1, 7))
                for name in TOKENS
            },
        )
        for number, (provider, model, tier) in enumerate(rnd.sample(named, 600))
    ]
    stored(store, rows)
    found = by_engine(store, book)
    assert found == expected(book, rows)
    assert sum(row["new_cost_usd"] is not None for row in found.values()) > 200


def test_a_row_that_has_its_price_is_not_changed(store: Store) -> None:
    """What the book said is what it says: written back, nothing is changed, not even other kinds."""
    book = PriceBook([ListedPrice(provider="acme", model="m*", input=Decimal("1.1"), output=Decimal(3))])
    rows = calls_of(Random(3), 200)
    new = expected(book, rows)
    priced = [{**row, **{old: new[row["call_id"]][name] for name, old in NEW.items()}} for row in rows]
    stored(store, priced)
    assert {row["changed"] for row in by_engine(store, book).values()} == {0}


def test_an_override_edited_in_place_changes_its_rows(store: Store) -> None:
    """The same price id with another amount is another price."""
    rows = [call(1, provider="acme", response_model="m", input_tokens=10, output_tokens=1)]
    before, after = (
        PriceBook([ListedPrice(provider="acme", model="m", input=Decimal(price), output=Decimal(1))])
        for price in ("1", "2")
    )
    new = expected(before, rows)[rows[0]["call_id"]]
    stored(store, [{**rows[0], **{old: new[name] for name, old in NEW.items()}}])
    assert [row["changed"] for row in by_engine(store, before).values()] == [0]
    assert [row["changed"] for row in by_engine(store, after).values()] == [1]


def test_the_order_of_arrival_does_not_matter(store: Store) -> None:
    """Rows that came in another order, and some of them twice with an older version, are priced the same."""
    book = PriceBook([ListedPrice(provider="acme", model="*", input=Decimal(1), output=Decimal(2))])
    rows = calls_of(Random(4), 100)
    older = [{**row, "version": 0, "input_tokens": 5, "provider": "openai"} for row in rows[::3]]
    stored(store, rows)
    first = by_engine(store, book)
    stored(store, rows[50:])
    insert(store.engine, "calls", rows[:50][::-1])
    insert(store.engine, "calls", older)
    assert by_engine(store, book) == first == expected(book, rows)


def test_providers_are_detected_anew_where_that_is_asked(store: Store) -> None:
    """A call whose provider was not known gets the one that ingest would find now, and its price."""
    rnd = Random(5)
    rows = [
        call(
            number,
            provider=rnd.choice([None, "acme"]),
            provider_source=rnd.choice([None, "hidden_params", "label"]),
            provider_label=rnd.choice([None, "openai", "azure_ai", "litellm"]),
            server_address=rnd.choice([None, "api.anthropic.com", "proxy.example.com", "127.0.0.1:11434"]),
            request_model=rnd.choice([None, "gpt-4o", "anthropic/claude-3-5-sonnet-20241022", "qwen3:8b"]),
            response_model=rnd.choice([None, "gpt-4o-2024-08-06"]),
            kind=rnd.choice(["call", "call", "aggregate"]),
            input_tokens=100,
            output_tokens=7,
        )
        for number in range(300)
    ]
    stored(store, rows)
    book = PriceBook([ListedPrice(provider="acme", model="*", input=Decimal(1), output=Decimal(2))])
    assert by_engine(store, book, detected=True) == expected(book, rows, detected=True)
    assert by_engine(store, book) == expected(book, rows)


@pytest.mark.parametrize(
    ("window", "those"),
    [
        (Window(since_ns=NOON_NS + 10 * 10**9), lambda row: row["time"] >= NOON_NS + 10 * 10**9),
        (Window(until_ns=NOON_NS + 10 * 10**9), lambda row: row["time"] < NOON_NS + 10 * 10**9),
        (Window(filters={"provider": ("acme", "")}), lambda row: row["provider"] in ("acme", None)),
        (Window(filters={"model": ("m", "x"), "tenant": ("t1",)}), lambda row: row["tenant"] == "t1"),
        (Window(filters={"tenant": ("nobody",)}), lambda row: False),
    ],
)
def test_a_window_holds_its_calls_and_no_others(store: Store, window: Window, those: Any) -> None:
    """Times are half open, filters are usage's, and an empty window is no fault."""
    book = PriceBook(
        [ListedPrice(provider="acme", model="*", input=Decimal(1), since_ns=NOON_NS + 15 * 10**9)]
    )
    rows = [
        call(n, provider=(None, "acme", "x")[n % 3], response_model="m", tenant=f"t{n % 2}", input_tokens=n)
        for n in range(30)
    ]
    stored(store, rows)
    assert by_engine(store, book, window) == expected(book, filter(those, rows))


def test_an_impossible_window_is_named() -> None:
    """A filter that does not exist and a window that ends before it begins are refused with their names."""
    with pytest.raises(QueryError, match="'colour'"):
        Window(filters={"colour": ("red",)}).check()
    with pytest.raises(QueryError, match="is after until"):
        Window(since_ns=2, until_ns=1).check()


def test_many_names_are_looked_up_as_few_are(store: Store) -> None:
    """Thousands of models, and so many sets of names that their numbers leave 64 bits, change no answer."""
    book = PriceBook([ListedPrice(provider="acme", model="m-1*", input=Decimal(1), output=Decimal(2))])
    rows = [
        call(
            n,
            provider=("acme", f"p-{n}")[n % 2],
            response_model=f"m-{n}",
            request_model=f"r-{n}",
            service_tier=f"tier-{n}" if n % 3 == 0 else None,
            provider_label=f"label-{n}",
            server_address=f"host-{n}.example.com",
            provider_source="hidden_params",
            input_tokens=n,
            output_tokens=1,
        )
        for n in range(3000)
    ]
    stored(store, rows)
    assert by_engine(store, book) == expected(book, rows)
    assert by_engine(store, book, detected=True) == expected(book, rows, detected=True)


def test_names_that_came_after_the_book_was_asked_are_kept(store: Store) -> None:
    """A row that nobody asked about is left as it is, and so is one with more tokens than were there."""
    book = PriceBook([ListedPrice(provider="acme", model="*", input=Decimal(1), output=Decimal(2))])
    stored(store, [call(1, provider="acme", response_model="m", input_tokens=1, output_tokens=1)])
    late = [
        call(2, provider="acme", response_model="late", input_tokens=1, output_tokens=1, price_id="old"),
        call(3, provider="acme", response_model="m", input_tokens=MOST, output_tokens=1, price_id="old"),
    ]
    with sql_prices(store.engine, book, Window()) as priced:
        insert(store.engine, "calls", late)
        sql, params = priced.source(["call_id"], ["new_price_id", "new_cost_usd", "changed"])
        found = {row.pop("call_id"): row for row in store.engine.execute(sql, params).to_pylist()}
    for row in late:
        assert found[row["call_id"]] == {"new_price_id": "old", "new_cost_usd": None, "changed": 0}


def test_nothing_is_left_in_the_store(store: Store) -> None:
    """Neither a use that ends nor one that fails leaves a table, and the next use drops a dead process's."""
    engine = store.engine
    engine.execute("CREATE TABLE store.priced_by_dead_1_rows (place UInt64, next UInt32) ENGINE = Memory")
    engine.execute(
        "CREATE DICTIONARY store.priced_by_dead_1 (place UInt64, next UInt32) PRIMARY KEY place"
        " SOURCE(CLICKHOUSE(DB 'store' TABLE 'priced_by_dead_1_rows')) LAYOUT(FLAT()) LIFETIME(0)"
    )
    stored(store, [call(1)])
    with pytest.raises(KeyError), sql_prices(engine, PriceBook(), Window()):
        raise KeyError
    left = engine.execute("SELECT count() AS n FROM system.tables WHERE startsWith(name, 'priced_by_')")
    assert left["n"][0].as_py() == 0


def test_half_a_unit_is_rounded_to_even(store: Store) -> None:
    """A price of half the smallest unit a token: odd counts end in a tie, each to its even neighbour."""
    price = ListedPrice(provider="acme", model="m", input=Decimal("0.0000000000005"), output=Decimal(0))
    rows = [
        call(n, provider="acme", response_model="m", input_tokens=n, output_tokens=0) for n in range(1, 9)
    ]
    stored(store, rows)
    found = by_engine(store, PriceBook([price]))
    assert found == expected(PriceBook([price]), rows)
    units = [int(found[row["call_id"]]["new_cost_usd"].scaleb(18)) for row in rows]
    assert units == [0, 1, 2, 2, 2, 3, 4, 4]
