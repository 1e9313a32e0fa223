"""Overview and costs over HTTP: the page's whole answer, its file, and what a bound key sees of both."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.otlp_bodies import chat, request
from tests.surfaces.open_doors import OpenDoors, bearer
from watchglass.clock import SystemClock
from watchglass.store import Wanted, open_keys
from watchglass.store.control import Control
from watchglass.store.kept_targets import TargetStore


class House:
    """Doors with a call of two tenants, a budget of each, and keys for all of it and for one of them."""

    def __init__(self, data: Path) -> None:
        self.doors = OpenDoors(data)
        with open_keys(data) as keys:
            self.admin = keys.create(Wanted(role="admin"))[1]
            self.read = keys.create(Wanted(role="read"))[1]
            self.bound = keys.create(Wanted(role="read", tenant="acme"))[1]
        self.doors.until(lambda: self.doors.backend.access.keyed)
        for number, tenant in enumerate(("acme", "umbrella"), 1):
            body = request(chat(number, 1, tenant=tenant, watchglass__feature="=1+1"))
            assert self.doors.export(body, self.admin).status_code == 200
            budget = {"name": f"of-{tenant}", "limit_usd": "0.000001", "scope": {"tenant": tenant}}
            made = self.doors.http.post("/api/v1/budgets", json=budget, headers=bearer(self.admin))
            assert made.status_code == 200

    def get(self, path: str, key: str, **params: Any) -> Any:
        answer = self.doors.http.get(path, params={"since": "20000d", **params}, headers=bearer(key))
        assert answer.status_code == 200, answer.text
        return answer


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = House(tmp_path_factory.mktemp("pages") / "data")
    yield made
    made.doors.stop()


def test_the_page_is_what_usage_says(house: House) -> None:
    """Overview, costs and usage say the same spend, as the same text."""
    said = house.get("/api/v1/usage", house.read, by="").json()["totals"]
    seen = house.get("/api/v1/overview", house.read).json()
    paid = house.get("/api/v1/costs", house.read, by="tenant,model").json()
    assert said["calls"] == seen["now"]["calls"] == paid["totals"]["calls"] == 2
    assert said["cost_usd"] == seen["now"]["cost_usd"] == paid["totals"]["cost_usd"]
    assert {each["names"][0] for each in paid["groups"]} == {"acme", "umbrella"}


def test_the_file_adds_up(house: House) -> None:
    """The export has every group, and the total in its last line is their sum."""
    answer = house.get("/api/v1/costs", house.read, by="tenant", format="csv")
    assert answer.headers["content-disposition"].startswith('attachment; filename="costs-by-tenant-')
    *groups, total = csv.DictReader(io.StringIO(answer.text))
    assert [each["row"] for each in groups] == ["group", "group"]
    assert total["row"] == "total"
    assert sum(Decimal(each["cost_usd"]) for each in groups) == Decimal(total["cost_usd"])


def test_a_name_in_the_file_is_no_formula(house: House) -> None:
    """A name that a spreadsheet would run is marked as text in the file, and is as sent in the answer."""
    file = house.get("/api/v1/costs", house.read, by="feature", format="csv").text
    assert [row["feature"] for row in csv.DictReader(io.StringIO(file))] == ["'=1+1", ""]
    (group,) = house.get("/api/v1/costs", house.read, by="feature").json()["groups"]
    assert group["names"] == ["=1+1"]


def test_a_bound_key_sees_its_tenant_alone(house: House) -> None:
    """Neither figures, nor groups, nor budgets of another tenant reach a bound key, on any of the answers."""
    for path in ("/api/v1/overview", "/api/v1/costs", "/api/v1/costs/units"):
        assert "umbrella" not in house.get(path, house.bound).text
    seen = house.get("/api/v1/overview", house.bound).json()
    assert seen["now"]["calls"] == 1
    paid = house.get("/api/v1/costs", house.bound).json()
    assert [each["name"] for each in paid["budgets"]] == ["of-acme"]


def test_budgets_of_what_is_looked_at(house: House) -> None:
    """A filter by tenant leaves the budgets that count this tenant's calls."""
    found = house.get("/api/v1/costs", house.read, tenant="umbrella").json()
    assert [each["name"] for each in found["budgets"]] == ["of-umbrella"]


@pytest.mark.parametrize(
    "query", ["by=colour", "format=pdf", "bucket=fortnight", "sort=cost", "since=1h&until=2h"]
)
def test_what_means_nothing_is_refused(house: House, query: str) -> None:
    """A parameter that cannot be heeded is a 400 that says what can be written instead."""
    answer = house.doors.http.get(f"/api/v1/costs?{query}", headers=bearer(house.read))
    assert answer.status_code == 400
    assert answer.json()["detail"]


def test_targets_are_chosen_by_an_admin(house: House) -> None:
    """Who has an admin key chooses targets, one by one, or none for a figure; Overview is held against them
    at once and after a restart, the audit says who chose what, and what means nothing is refused by name."""
    http, admin = house.doors.http, bearer(house.admin)
    first = house.get("/api/v1/targets", house.read).json()
    assert first["changed"] is None
    chosen = {"calls.p95_ns": "1", "calls.cost_usd": "0.000000001", "tasks.p99_ns": None}
    made = http.put("/api/v1/targets", json={"targets": chosen}, headers=admin)
    assert made.status_code == 200, made.text
    assert open_kept(house) == chosen
    seen = house.get("/api/v1/overview", house.read).json()["targets"]
    by_name = {f"{each['of']}.{each['figure']}": each for each in seen}
    assert by_name["calls.p95_ns"]["met"] is by_name["calls.cost_usd"]["met"] is False
    assert by_name["tasks.p99_ns"]["value"] is by_name["tasks.p99_ns"]["met"] is None
    assert by_name["calls.error_share"]["value"] == "0.02"
    for wrong, told in (
        ({"calls.p96_ns": "1"}, "there is no target 'calls.p96_ns'"),
        ({"calls.error_share": "2"}, "a share above 0 and up to 1"),
        ({"calls.p95_ns": "NaN"}, "a time above 0"),
        ({"calls.cost_usd": "1e99"}, "US dollars a day"),
    ):
        answer = http.put("/api/v1/targets", json={"targets": wrong}, headers=admin)
        assert answer.status_code == 400
        assert told in answer.text
    refused = http.put("/api/v1/targets", json={"targets": chosen}, headers=bearer(house.read))
    assert refused.status_code == 403
    assert http.delete("/api/v1/targets", headers=admin).status_code == 200
    assert house.get("/api/v1/targets", house.read).json()["targets"] == first["targets"]
    assert http.get("/health", headers=admin).json()["audit"]["targets_changed"] == 2


def open_kept(house: House) -> Any:
    """What another process reads of the targets."""
    with closing(Control(Path(house.doors.settings.data) / "control.db", SystemClock())) as control:
        return TargetStore(control, SystemClock()).read().values
