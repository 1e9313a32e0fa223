"""Prices that are set one by one: durable, on record, dated, and each tenant's for that tenant alone."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from typer.testing import CliRunner

from tests.new_store import prepared
from watchglass.clock import ManualClock
from watchglass.config import Settings
from watchglass.errors import BadRequest, ConfigError, NotFound
from watchglass.model import Usage
from watchglass.pricing.book import PriceRequest
from watchglass.pricing.rates import CLASSES
from watchglass.queries.reader import StoreReader
from watchglass.queries.scope import Scope
from watchglass.store import KeptPrices, Store, open_kept_prices, open_store
from watchglass.surfaces.access import Grant, granted
from watchglass.surfaces.api import routes
from watchglass.surfaces.api.prices import price_endpoints
from watchglass.surfaces.cli import make_app
from watchglass.surfaces.price_book import open_book
from watchglass.surfaces.price_desk import PriceDesk
from watchglass.surfaces.price_minding import look
from watchglass.surfaces.price_terms import terms_of

NOW_NS = 1_790_000_000 * 10**9
SET = {"provider": "acme", "model": "own", "input": "1", "output": "2"}


def desk_of(kept: KeptPrices, data: Path) -> PriceDesk:
    """A desk with a book of its own, as another process would have."""
    settings = Settings(data=str(data))
    return PriceDesk(settings, open_book(settings), kept, ManualClock(NOW_NS))


def put(desk: PriceDesk, by: str = "command line", **given: object) -> str:
    """Set one, and its id."""
    return desk.set(terms_of(SET | given)[0], by)[0].id


def cost(desk: PriceDesk, tenant: str | None = None, model: str = "own") -> Decimal | None:
    """Of a million input tokens."""
    request = PriceRequest(
        provider="acme",
        request_model=model,
        response_model=None,
        at_ns=NOW_NS,
        usage=Usage(10**6, 0),
        tenant=tenant,
    )
    return desk.book.price([request])[0].cost_usd


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(prepared(tmp_path / "data"), clock=ManualClock(NOW_NS)) as opened:
        yield opened


def test_a_price_holds_at_once_survives_and_is_on_record(tmp_path: Path) -> None:
    """Set, set otherwise, taken back: each is a line with who, when, what before and after."""
    with open_kept_prices(tmp_path, make=True, clock=ManualClock(NOW_NS)) as kept:
        id = put(desk_of(kept, tmp_path))
    with open_kept_prices(tmp_path, clock=ManualClock(NOW_NS)) as kept:
        desk = desk_of(kept, tmp_path)
        assert cost(desk) == 1
        assert put(desk, "k1", input="3") == id
        assert cost(desk) == 3
        assert not desk.set(terms_of(SET | {"input": "3"})[0])[1]
        desk.unset(id)
        assert cost(desk) is None
        lines = desk.changes()
        assert [(each.who, each.action, each.override) for each in lines] == [
            ("command line", "set", id),
            ("k1", "set", id),
            ("command line", "unset", id),
        ]
        assert (lines[0].before, lines[1].before) == (None, lines[0].after)
        with pytest.raises(NotFound, match="prices overrides"):
            desk.unset(id)


def test_another_process_sees_what_is_set_when_it_looks(tmp_path: Path) -> None:
    """A server's book follows a command that set a price beside it."""
    with open_kept_prices(tmp_path, make=True) as kept, open_kept_prices(tmp_path) as beside:
        server = desk_of(kept, tmp_path)
        put(desk_of(beside, tmp_path))
        assert cost(server) is None
        assert server.look() == "taken"
        assert (cost(server), server.look()) == (1, "same")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"input": "-1"}, "input is -1"),
        ({"input": "1e-19"}, "18 decimals"),
        ({"input": "NaN"}, "input is NaN"),
        ({"input": "1e12"}, "input is"),
        ({"percent": "15", "input": "1"}, "there is no 'input'"),
        ({"since": "tomorrow"}, "since is 'tomorrow'"),
        ({"since": "2026-02-01", "until": "2026-01-01"}, "never hold"),
        ({"model": ""}, "the model must be"),
        ({"tenant": "a\nb"}, "the tenant must be"),
        ({"colour": "red"}, "there is no 'colour'"),
        ({"above": [{"input_tokens": 9, "cache_write_1h": "-1"}]}, "cache_write_1h is -1"),
        ({"output": None, "above": [{"input_tokens": 9, "output": "1"}]}, "has none below; state output"),
    ],
)
def test_what_makes_no_price_is_refused(given: dict[str, Any], said: str, tmp_path: Path) -> None:
    """With the field and the value; nothing is kept of it."""
    with open_kept_prices(tmp_path, make=True) as kept:
        desk = desk_of(kept, tmp_path)
        with pytest.raises(BadRequest, match=said):
            put(desk, **given)
        assert desk.overrides() == desk.changes() == []


def test_the_command_line_sets_what_longer_requests_cost(tmp_path: Path) -> None:
    """`--above` with a price of each class is what such a request costs from then on."""
    names = ("input", "output", "cache-read", "cache-write", "cache-write-1h", "reasoning")
    names += ("input-audio", "output-audio")
    dearer = [word for at, name in enumerate(names, 2) for word in (f"--above-{name}", str(at))]
    done = CliRunner().invoke(
        make_app(),
        [
            "prices",
            "set",
            "acme",
            "own",
            "--input",
            "1",
            "--output",
            "1",
            "--above",
            "10",
            *dearer,
            "--data",
            str(tmp_path),
            "--json",
        ],
    )
    assert done.exit_code == 0, done.output
    with open_kept_prices(tmp_path) as kept:
        book = desk_of(kept, tmp_path).book
        asked = PriceRequest(
            provider="acme", request_model="own", response_model=None, at_ns=2**62, usage=Usage(1, 1)
        )  # fmt: skip
        rates = book.schedules(asked)[0][1].periods[0].rates
    ((threshold, prices),) = rates.above
    assert threshold == 10
    assert [rates.dollars(getattr(prices, each) * 10**6) for each in CLASSES] == list(range(2, 10))


def test_every_change_is_audited_once(store: Store, tmp_path: Path) -> None:
    """The audit table has who and what; a tenant's reader sees those of its own prices."""
    kept = KeptPrices(store.control, ManualClock(NOW_NS))
    desk = desk_of(kept, tmp_path / "data")
    put(desk, "k1")
    put(desk, "k2", tenant="t")
    for _ in range(2):
        look(desk, store.engine, store.control)
    asked = "SELECT event, key_id, reason FROM audit WHERE event = 'price_set' ORDER BY key_id"
    rows = [tuple(row) for row in StoreReader(store.engine).query(asked).rows()]
    assert [row[:2] for row in rows] == [("price_set", "k1"), ("price_set", "k2")]
    assert '"input":"1"' in str(rows[0][2])
    own = StoreReader(store.engine, scope=Scope(frozenset({"t"}))).query(asked)
    assert [row[1] for row in own.rows()] == ["k2"]


def test_a_tenants_price_is_hidden_from_every_other(store: Store, tmp_path: Path) -> None:
    """In the list, the model's page, the history, the log and the tables."""
    kept = KeptPrices(store.control, ManualClock(NOW_NS))
    desk = desk_of(kept, tmp_path / "data")
    put(desk, tenant="t", input="7")
    put(desk, input="8")
    look(desk, store.engine, store.control)
    app = Starlette(
        routes=routes(StoreReader(store.engine), others=price_endpoints(desk, clock=ManualClock(NOW_NS)))
    )

    def seen(path: str, tenant: str | None) -> str:
        with granted(Grant("k", "read", tenant)), TestClient(app) as client:
            return client.get(path).raise_for_status().text

    for path in ("/api/v1/prices?provider=acme", "/api/v1/prices/own?provider=acme"):
        assert '"input":"7"' in seen(path, "t")
        assert '"input":"7"' in seen(f"{path}&tenant=t", None)
        for other in ("u", None):
            assert '"input":"8"' in seen(path, other)
        assert '"7"' not in seen(f"{path}&tenant=t", "u")
    for path in ("overrides", "versions", "history/own?provider=acme&tenant=t"):
        assert '"7"' in seen(f"/api/v1/prices/{path}", "t")
        assert '"7"' in seen(f"/api/v1/prices/{path}", None)
        assert '"7"' not in seen(f"/api/v1/prices/{path}", "u")
    table = StoreReader(store.engine, scope=Scope(frozenset({"t"})))
    [[price]] = table.query("SELECT toString(input) FROM prices WHERE provider = 'acme'").rows()
    assert price == "8"


def test_over_http_a_price_is_set_and_taken_back(store: Store, tmp_path: Path) -> None:
    """Numbers in JSON are read as they are written, never as their nearest binary fraction."""
    desk = desk_of(KeptPrices(store.control, ManualClock(NOW_NS)), tmp_path / "data")
    app = Starlette(routes=routes(StoreReader(store.engine), others=price_endpoints(desk)))
    with granted(Grant("k9", "admin")), TestClient(app) as client:
        body = '{"provider": "acme", "model": "own", "input": 0.100000000000000005, "since": "2026-01-01"}'
        made = client.post("/api/v1/prices/overrides", content=body)
        assert made.status_code == 201
        [override] = made.json()["overrides"]
        assert (override["input"], override["changed_by"]) == ("0.100000000000000005", "k9")
        assert client.delete(f"/api/v1/prices/overrides/{override['id']}").status_code == 200
        assert client.get("/api/v1/prices/overrides").json() == {"overrides": []}
        [first, second] = client.get("/api/v1/prices/versions").json()["changes"]
        assert (first["before"], second["after"]) == (None, None)
        assert first["after"] == second["before"]


def test_the_file_in_the_data_directory_is_used_and_followed(store: Store, tmp_path: Path) -> None:
    """An edit holds when it was seen twice alike; a broken one keeps what was and is said once."""
    file = tmp_path / "data" / "prices.toml"
    entry = '[[price]]\nprovider = "acme"\nmodel = "own"\ninput = {}\n'
    file.write_text(entry.format("1"))
    desk = desk_of(KeptPrices(store.control, ManualClock(NOW_NS)), tmp_path / "data")
    assert cost(desk) == 1
    edits = [
        (entry.format("2.25"), Decimal("2.25")),
        ("[[price]]\nmodel = 1 # broken", Decimal("2.25")),
        ("", None),
    ]
    for text, expected in edits:
        file.write_text(text)
        for _ in range(3):
            look(desk, store.engine, store.control)
        assert cost(desk) == expected
    said = [(each.action, str(each.after)) for each in desk.changes()]
    assert [action for action, _ in said].count("file_refused") == 1
    assert any("prices.toml, price 1" in text for action, text in said if action == "file_refused")
    file.write_text("nonsense")
    with pytest.raises(ConfigError, match="not valid TOML"):
        desk_of(KeptPrices(store.control, ManualClock(NOW_NS)), tmp_path / "data")


def test_what_is_set_goes_before_the_file_and_the_file_before_what_is_imported(tmp_path: Path) -> None:
    """For the same model and time."""
    listed = (
        b"provider,model,cost_per_1k_input_tokens,cost_per_1k_output_tokens,effective_date\nacme,own,1,1,\n"
    )
    with open_kept_prices(tmp_path, make=True) as kept:
        desk_of(kept, tmp_path).take(listed, "ours.csv")
        assert cost(desk_of(kept, tmp_path)) == 1000
        (tmp_path / "prices.toml").write_text('[[price]]\nprovider = "acme"\nmodel = "own"\ninput = 5\n')
        desk = desk_of(kept, tmp_path)
        assert cost(desk) == 5
        put(desk, input="4")
        assert cost(desk) == 4
