"""What pages ask of the server in one request, over the real house: agents, prices, keys, settings."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from tests.surfaces.open_doors import OpenDoors, bearer
from watchglass.queries.agents.agent import AgentReport
from watchglass.queries.agents.flows import FlowsReport
from watchglass.queries.agents.report import AgentsReport
from watchglass.store import Wanted, open_keys
from watchglass.surfaces.api.keys import KeysShown
from watchglass.surfaces.api.price_page import PricePage
from watchglass.surfaces.api.settings import ServerState

LINES = "\n".join(
    msgspec.json.encode(row).decode()
    for row in (
        {"time": "2026-01-01T12:00:00Z", "provider": "openai", "model": "gpt-4o-mini", "tenant": "acme",
         "agent": "writer", "input_tokens": 1000, "output_tokens": 100, "call_id": "1"},
        {"time": "2026-01-01T12:00:01Z", "provider": "openai", "model": "own-7b", "tenant": "acme",
         "agent": "a/b ü", "input_tokens": 1000, "output_tokens": 100, "call_id": "2"},
        {"time": "2026-01-01T12:00:02Z", "provider": "openai", "model": "gpt-4o-mini", "tenant": "umbrella",
         "agent": "spy", "input_tokens": 7, "output_tokens": 1, "call_id": "3"},
    )
)  # fmt: skip
WINDOW = {"since": "2026-01-01", "until": "2026-01-02"}


class House:
    """The house with calls in it, an admin's key and a tenant's."""

    def __init__(self, doors: OpenDoors, admin: str, acme: str) -> None:
        self.doors, self.admin, self.acme = doors, admin, acme

    def get(self, path: str, key: str | None = None, /, **params: Any) -> Any:
        found = self.doors.http.get(path, params=params, headers=bearer(key or self.admin))
        return found.json() | {"status": found.status_code}

    def read(self, path: str, kind: type[Any], key: str | None = None, /, **params: Any) -> Any:
        """The answer as the type that the endpoint is documented with."""
        found = self.get(path, key, **params)
        assert found.pop("status") == 200, found
        return msgspec.convert(found, kind)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    data = tmp_path_factory.mktemp("pages") / "data"
    with open_keys(data, make=True) as keys:
        _, admin = keys.create(Wanted(role="admin"))
        _, acme = keys.create(Wanted(role="read", tenant="acme"))
    doors = OpenDoors(data, retention_calls="20000d")
    try:
        sent = doors.http.post("/api/v1/import?format=jsonl", content=LINES, headers=bearer(admin))
        assert sent.status_code == 200, sent.text
        yield House(doors, admin, acme)
    finally:
        doors.stop()


def test_agents_answer_as_documented(house: House) -> None:
    """Agents, flow types and one agent, whatever its name, answer what the API's description says."""
    report = house.read("/api/v1/agents", AgentsReport, **WINDOW)
    assert {row.agent for row in report.agents} == {"writer", "a/b ü", "spy"}
    total = house.get("/api/v1/usage", by="agent", **WINDOW)["totals"]["cost_usd"]
    assert report.totals.spent.cost_usd == Decimal(total)
    assert house.read("/api/v1/flow-types", FlowsReport, **WINDOW).totals.spent.calls == 3
    one = house.read("/api/v1/agents/a%2Fb %C3%BC", AgentReport, **WINDOW)
    assert (one.agent, one.now.spent.unpriced) == ("a/b ü", {"unknown_model": 1})


def test_agents_of_a_tenant(house: House) -> None:
    """A tenant's key sees its own agents; of another's there is none of the name."""
    report = house.read("/api/v1/agents", AgentsReport, house.acme, **WINDOW)
    assert {row.agent for row in report.agents} == {"writer", "a/b ü"}
    assert house.get("/api/v1/agents/spy", house.acme, **WINDOW)["status"] == 404
    assert house.get("/api/v1/agents", tennant="x")["status"] == 400


def test_the_price_page(house: House) -> None:
    """Models that were called stand beside their price, or the reason why there is none."""
    page = house.read("/api/v1/price-book", PricePage, model="gpt-4o-mini", limit=2, **WINDOW)
    used = {each.model: each for each in page.used}
    assert used["gpt-4o-mini"].price.input == "0.15"
    assert (used["own-7b"].price, used["own-7b"].reason) == (None, "unknown_model")
    assert page.unpriced == {"unknown_model": 1}
    assert len(page.prices) <= 2 <= page.found < page.models
    assert all("gpt-4o-mini" in each.model for each in page.prices)
    assert sum(each.models for each in page.sources) == page.models


def test_a_set_price_is_on_the_page(house: House) -> None:
    """A price that is set is listed as it can be set again; a tenant's key sees its own and nobody else's."""
    terms = {
        "provider": "openai",
        "model": "own-7b",
        "input": "0.1",
        "tenant": "umbrella",
        "source": "contract",
    }
    made = house.doors.http.post("/api/v1/prices/overrides", json=terms, headers=bearer(house.admin))
    assert made.status_code == 201
    (found,) = house.read("/api/v1/price-book", PricePage, **WINDOW).overrides
    assert (found.model, found.input, found.tenant, found.source) == ("own-7b", "0.1", "umbrella", "contract")
    assert house.read("/api/v1/price-book", PricePage, house.acme, **WINDOW).overrides == []
    foreign = house.read("/api/v1/price-book", PricePage, house.acme, **WINDOW)
    assert sum(each.calls for each in foreign.used) == foreign.calls == 2
    assert house.get("/api/v1/price-book", limit="many")["status"] == 400


def test_keys_answer_as_documented(house: House) -> None:
    """The list of keys says all that is known of each, and never a secret."""
    found = house.read("/api/v1/keys", KeysShown)
    assert {(key.role, key.tenant, key.revoked) for key in found.keys} == {
        ("admin", None, None),
        ("read", "acme", None),
    }
    assert house.admin not in str(house.get("/api/v1/keys"))


def test_a_new_key_works_at_once(house: House) -> None:
    """A key that was just made opens the door, one that was just revoked does not: nobody has to wait."""
    for _ in range(3):
        made = house.doors.http.post(
            "/api/v1/keys", json={"role": "read"}, headers=bearer(house.admin)
        ).json()
        assert house.get("/api/v1/usage", made["key"])["status"] == 200
        house.doors.http.delete(f"/api/v1/keys/{made['id']}?forget=true", headers=bearer(house.admin))
        assert house.get("/api/v1/usage", made["key"])["status"] == 401


def test_what_the_server_runs_with(house: House) -> None:
    """Settings say their value and where it is from, tables how long they are kept; no key is among them."""
    state = house.read("/api/v1/settings", ServerState)
    settings = {each.name: each for each in state.settings}
    assert (settings["retention_calls"].value, settings["retention_calls"].source) == ("20000d", "flag")
    assert settings["query_rows"].source == "default"
    assert "key" not in settings
    tables = {each.table: each for each in state.tables}
    assert tables["calls"].rows == 3
    assert (tables["calls"].kept_by, tables["calls"].kept_ns) == ("retention_calls", 20_000 * 86_400 * 10**9)
    assert state.room_bytes >= sum(each.bytes for each in state.tables)
    assert house.get("/api/v1/settings", house.acme)["status"] == 403
