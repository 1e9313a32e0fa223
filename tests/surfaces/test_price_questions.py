"""Questions about the book: what differs and what that means, what is odd, what newer lists change."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from decimal import Decimal
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from tests.new_store import prepared
from tests.stored_rows import NOON_NS, call, insert
from watchglass.clock import ManualClock
from watchglass.config import Settings
from watchglass.errors import BadRequest, NotFound
from watchglass.queries.reader import StoreReader
from watchglass.store import KeptPrices, Store, open_store
from watchglass.surfaces.access import Grant, granted
from watchglass.surfaces.api import routes
from watchglass.surfaces.api.prices import price_endpoints
from watchglass.surfaces.price_book import open_book
from watchglass.surfaces.price_desk import PriceDesk
from watchglass.surfaces.price_questions import Asked, PriceQuestions, Side
from watchglass.surfaces.price_terms import terms_of

CLOCK = ManualClock(NOON_NS + 3600 * 10**9)
MILLION = {"input_tokens": 1_000_000, "output_tokens": 0, "provider": "acme", "request_model": "own"}
OLD = '[[price]]\nprovider = "acme"\nmodel = "own"\ninput = {}\nuntil = 2020-01-01\n'


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with open_store(prepared(tmp_path_factory.mktemp("asked") / "data"), clock=CLOCK) as opened:
        calls = [call(1, **MILLION, tenant="t"), call(2, **MILLION, tenant="u", cost_usd=Decimal(2))]
        insert(opened.engine, "calls", calls)
        yield opened


@pytest.fixture
def desk(store: Store) -> Iterator[PriceDesk]:
    settings = Settings(data=str(store.place.directory))
    made = PriceDesk(settings, open_book(settings), KeptPrices(store.control, CLOCK), CLOCK)
    yield made
    for each in made.overrides():
        made.unset(each.id)
    made.forget()


def questions(desk: PriceDesk, store: Store) -> PriceQuestions:
    """With the store that is open already."""
    return PriceQuestions(desk, lambda: nullcontext(store.engine), CLOCK)


def put(desk: PriceDesk, **given: object) -> None:
    """Set a price of the calls' own model, or a discount."""
    desk.set(terms_of({"provider": "acme", "model": "own", **given})[0])


def test_two_moments_are_compared_and_weighed_by_the_same_calls(desk: PriceDesk, store: Store) -> None:
    """The lists of 2019 and 2021 differ by one model, and by so many dollars for last month's calls."""
    put(desk, input="4", until="2020-01-01")
    put(desk, input="3", since="2020-01-01")
    found = questions(desk, store).diff(Asked(a=Side(at="2019-05-01"), b=Side(at="2021-05-01")))
    [change] = [each for each in found["changes"] if each["provider"] == "acme"]
    assert (change["kind"], change["change"]["input"]) == ("changed", "-25.00")
    assert (change["before"]["input"], change["after"]["input"]) == ("4", "3")
    total = found["spent"]["total"]
    assert (total["calls"], total["a_usd"], total["b_usd"], total["difference_usd"]) == (2, "8", "6", "-2")
    own = questions(desk, store).diff(Asked(a=Side(at="2019-05-01"), b=Side(at="2021-05-01"), tenant="t"))
    assert own["spent"]["total"]["a_usd"] == "4"


def test_a_file_is_compared_with_the_book(desk: PriceDesk, store: Store) -> None:
    """It stands in for the list that it is; the rest of the book stays."""
    put(desk, input="4", tenant="t")
    side = Side(name="mine.toml", content='[[price]]\nprovider = "acme"\nmodel = "own"\ninput = 7\n')
    found = questions(desk, store).diff(Asked(b=side))
    assert (found["added"], found["removed"], found["changed"]) == (1, 0, 0)
    assert found["spent"]["total"]["b_usd"] == "11"
    assert found["spent"]["total"]["a_unpriced"] == 1
    with pytest.raises(BadRequest, match=r"mine\.toml"):
        questions(desk, store).diff(Asked(b=Side(name="mine.toml", content="[[")))


def test_another_models_price_for_the_same_calls(desk: PriceDesk, store: Store) -> None:
    """By model and in all; for one tenant, its calls alone."""
    put(desk, model="small", input="0.5")
    found = questions(desk, store).what_if("small", provider="acme")
    assert (found["total"]["supposed_usd"], found["total"]["compared"]) == ("1", 1)
    assert found["total"]["difference_usd"] == "-1.5"
    assert questions(desk, store).what_if("small", provider="acme", tenant="u")["total"]["calls"] == 1
    with pytest.raises(BadRequest, match="nobody knows a price"):
        questions(desk, store).what_if("never-heard-of")


def test_what_is_odd_is_found_and_what_is_not_is_not(desk: PriceDesk, store: Store) -> None:
    """A pattern for nothing, a discount behind a price, two that clash, a gap; a sound book has none."""
    assert questions(desk, store).check()["problems"] == []
    put(desk, model="no-such-*", input="1")
    put(desk, percent="10", model="no-such-model-either")
    put(desk, input="1", since="2020-01-01", until="2021-01-01")
    put(desk, input="2", since="2020-01-01")
    put(desk, input="3", until="2019-01-01")
    put(desk, percent="5")
    kinds = [each["kind"] for each in questions(desk, store).check()["problems"]]
    assert sorted(set(kinds)) == ["gap", "matches_nothing", "never_holds", "overlap"]
    assert kinds.count("matches_nothing") == 2


def test_a_newer_list_is_taken_from_a_file_and_put_away(desk: PriceDesk, store: Store) -> None:
    """It holds at once, is on record, and what is no list changes nothing."""
    newer = (
        b'{"own": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 2e-06, '
        b'"output_cost_per_token": 2e-06}}'
    )
    assert desk.update(newer, "map.json") == "litellm"
    assert desk.show("own", NOON_NS, provider="openai").price_id == "litellm:openai/own@undated"
    for wrong in (b"{", b"[]", b"provider,model\n", b'{"providers": 1}'):
        with pytest.raises(BadRequest):
            desk.update(wrong, "wrong")
    assert desk.forget() == ["litellm-prices.json"]
    assert desk.show("own", NOON_NS, provider="openai").price_id is None
    assert [each.action for each in desk.changes()][-2:] == ["update", "update"]


def test_over_http_a_tenants_key_asks_for_its_own_calls(desk: PriceDesk, store: Store) -> None:
    """Whatever tenant it names; and the book as such is not its to check."""
    put(desk, input="5")
    asked = questions(desk, store)
    app = Starlette(
        routes=routes(StoreReader(store.engine), others=price_endpoints(desk, asked, clock=CLOCK))
    )
    with granted(Grant("k", "read", "t")), TestClient(app) as client:
        path = "/api/v1/prices/what-if?model=own&provider=acme&tenant=u"
        assert client.get(path).json()["total"]["calls"] == 1
        found = client.post("/api/v1/prices/diff", json={"tenant": "u", "a": {"at": "2021-01-01"}}).json()
        assert found["spent"]["total"]["calls"] == 1
        with pytest.raises(NotFound):
            client.get("/api/v1/prices/check")


def test_the_taken_list_is_in_the_data_directory(desk: PriceDesk, store: Store) -> None:
    """So it is there after a restart."""
    desk.update(b'{"m": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 1}}', "m.json")
    file = Path(store.place.directory) / "litellm-prices.json"
    assert file.is_file()
    assert open_book(Settings(data=str(store.place.directory))).layers.litellm == file.read_bytes()
