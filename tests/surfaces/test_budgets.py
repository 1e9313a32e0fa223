"""Budgets over HTTP: held to whoever asks at once, shown to nobody else, and unmoved by strange input."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from tests.calm_zone import ZONE
from tests.otlp_bodies import START_NS, chat, request
from tests.surfaces.open_doors import OpenDoors, bearer
from watchglass.store import Wanted, open_keys
from watchglass.surfaces.cli import make_app

PATH = "/api/v1/budgets"
CALLERS = 64


class House:
    """The doors, keys of two tenants, and one of none."""

    def __init__(self, data: Path) -> None:
        self.doors = OpenDoors(data)
        self.http = self.doors.http
        self.keys: dict[str, str] = {}
        with open_keys(data) as keys:
            for name, wanted in {
                "admin": Wanted(role="admin"),
                "ingest": Wanted(role="ingest"),
                "read": Wanted(role="read"),
                "ingest@acme": Wanted(role="ingest", tenant="acme"),
                "read@acme": Wanted(role="read", tenant="acme"),
                "ingest@umbrella": Wanted(role="ingest", tenant="umbrella"),
            }.items():
                self.keys[name] = keys.create(wanted)[1]
        self.doors.until(lambda: self.doors.backend.access.keyed)

    def ask(self, key: str, method: str, path: str = "", **said: Any) -> httpx.Response:
        """Send JSON to a route below the budgets'."""
        body = said or None if method == "POST" else None
        return self.http.request(method, PATH + path, json=body, headers=bearer(self.keys[key]))

    def set(self, name: str, limit: str, **said: Any) -> None:
        """Make or change a budget."""
        made = self.ask("admin", "POST", name=name, limit_usd=limit, zone=ZONE, **said)
        assert made.status_code == 200, made.text

    def reserve(self, amount: str, key: str = "admin", **said: Any) -> dict[str, Any]:
        """The decision."""
        answer = self.ask(key, "POST", "/reserve", amount_usd=amount, **said)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def settle(self, reservation: str, key: str = "admin", **said: Any) -> httpx.Response:
        """What it cost."""
        return self.ask(key, "POST", "/settle", reservation=reservation, **said)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = House(tmp_path_factory.mktemp("budgets") / "data")
    yield made
    made.doors.stop()


def test_64_callers_at_once_never_pass_the_limit(house: House) -> None:
    """Of 256 wishes for 0.1 dollars, from 64 callers at once, exactly the 100 that fit are admitted."""
    house.set("rush", "10", kind="hard", scope={"feature": "rush"})
    admitted: list[str] = []
    gate = threading.Barrier(CALLERS)

    def call() -> None:
        with httpx.Client(base_url=str(house.http.base_url), headers=bearer(house.keys["ingest"])) as http:
            gate.wait(60)
            for _ in range(4):
                body = {"amount_usd": "0.1", "feature": "rush", "tenant": "t"}
                answer = http.post(f"{PATH}/reserve", json=body, timeout=60)
                assert answer.status_code == 200, answer.text
                if answer.json()["admitted"]:
                    admitted.append(answer.json()["reservation"])

    callers = [threading.Thread(target=call) for _ in range(CALLERS)]
    for each in callers:
        each.start()
    for each in callers:
        each.join()
    assert len(admitted) == len(set(admitted)) == 100
    held = house.ask("read", "GET", "/rush").json()["held"]
    assert (held["reserved_usd"], held["left_usd"]) == ("10", "0")
    for each in admitted:
        assert house.settle(each, actual_usd="0.05").json()["settled_now"]
    held = house.ask("read", "GET", "/rush").json()["held"]
    assert (held["reserved_usd"], held["settled_usd"], held["left_usd"]) == ("0", "5", "5")


def test_a_tenants_key_reserves_for_its_tenant_alone(house: House) -> None:
    """Without a tenant named it is the key's; another one is a 403, and what others reserved is not there."""
    house.set("acme-day", "5", kind="hard", period="day", scope={"tenant": "acme"})
    mine = house.reserve("1", "ingest@acme")
    assert [each["name"] for each in mine["budgets"]] == ["acme-day"]
    foreign = house.ask("ingest@umbrella", "POST", "/reserve", amount_usd="1", tenant="acme")
    assert foreign.status_code == 403 and "acme-day" not in foreign.text
    assert house.settle(mine["reservation"], "ingest@umbrella", actual_usd="0").status_code == 404
    assert house.settle(mine["reservation"], "ingest@acme", actual_usd="0").status_code == 200


def test_others_budgets_apply_and_are_not_shown(house: House) -> None:
    """A budget of all tenants refuses a tenant's reservation without its name or figures being told."""
    house.set("shared-secret", "1.777", kind="hard", scope={"feature": "shared"})
    refused = house.ask("ingest@acme", "POST", "/reserve", amount_usd="2", feature="shared")
    assert refused.json()["admitted"] is False and refused.json()["refused_by"] == []
    assert "777" not in refused.text and "shared-secret" not in refused.text
    assert "not your tenant's alone" in refused.json()["reason"]
    listed = house.ask("read@acme", "GET").json()["budgets"]
    assert {each["scope"].get("tenant") for each in listed} <= {"acme"}
    assert {
        each["scope"].get("tenant") for each in house.ask("read@acme", "GET", "/status").json()["budgets"]
    } <= {"acme"}
    assert house.ask("read@acme", "GET", "/shared-secret").status_code == 404
    assert house.ask("read", "GET", "/shared-secret").status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        *(
            b'{"amount_usd": %s}' % each
            for each in (b"-1", b'"NaN"', b'"Infinity"', b"1e400", b'"1e999999999"')
        ),
        *(
            b'{"amount_usd": %s}' % each
            for each in (b"1e-19", b"1000000000000", b"null", b"true", b"{}", b'""')
        ),
        *(
            b"",
            b"{",
            b"[]",
            b"\xff\xfe",
            b'{"amount_usd": 1, "strange": 1}',
            b'{"amount_usd": 1, "model": "m"}',
        ),
        b'{"amount_usd": 1, "ttl_s": 0}',
        b'{"amount_usd": 1, "ttl_s": 86401}',
        b'{"amount_usd": 1, "tenant": ""}',
        b'{"amount_usd": 1, "tenant": "a\\u0000"}',
        b'{"amount_usd": 1, "idempotency_key": "%s"}' % (b"k" * 201),
        b'{"model": "gpt-4o", "input_tokens": -1, "max_output_tokens": 1}',
        b'{"model": "gpt-4o", "input_tokens": 1}',
        b'{"model": "no such model at all", "input_tokens": 1, "max_output_tokens": 1}',
    ],
)
def test_strange_reservations_are_refused_with_a_sentence(house: House, body: bytes) -> None:
    """Whatever is no amount, no JSON or no price is a 400 that says what is wrong, and reserves nothing."""
    headers = bearer(house.keys["admin"])
    answer = house.http.post(f"{PATH}/reserve", content=body, headers=headers)
    assert answer.status_code == 400 and answer.json()["detail"], answer.text


def test_large_bodies_are_refused(house: House) -> None:
    """Ten megabytes are a 413, with and without saying so before."""
    headers = bearer(house.keys["admin"])
    for content in (b" " * 10_000_000, iter([b" " * 100_000] * 100)):
        for path in ("/reserve", "/settle", ""):
            answer = house.http.post(PATH + path, content=content, headers=headers)
            assert answer.status_code == 413, (path, answer.text)
            if not isinstance(content, bytes):
                break


@pytest.mark.parametrize(
    "said",
    [
        {"limit_usd": "0"},
        {"limit_usd": "-5"},
        {"limit_usd": "NaN"},
        {"name": "re serve"},
        {"name": "reserve"},
        {"kind": "firm"},
        {"period": "week"},
        {"zone": "Mars/Olympus"},
        {"zone": "../../etc/passwd"},
        {"scope": {"colour": "red"}},
        {"scope": {"tenant": ""}},
        {"warn": [0]},
        {"since": "never"},
        {"since": "2026-02-01", "until": "2026-01-01"},
    ],
)
def test_strange_budgets_are_refused(house: House, said: dict[str, Any]) -> None:
    """What makes no budget is a 400 that says where."""
    answer = house.ask("admin", "POST", **{"name": "x", "limit_usd": "1", **said})
    assert answer.status_code == 400 and answer.json()["detail"], answer.text


def test_what_a_budget_counts_stays(house: House) -> None:
    """Another limit is taken; another scope, period or kind is refused: what was counted would not be its."""
    house.set("fixed", "5", kind="hard", scope={"agent": "a"})
    house.set("fixed", "7", kind="hard", scope={"agent": "a"})
    assert house.ask("read", "GET", "/fixed").json()["limit_usd"] == "7"
    other = {"limit_usd": "7", "kind": "hard", "scope": {"agent": "b"}, "zone": ZONE}
    answer = house.ask("admin", "POST", name="fixed", **other)
    assert answer.status_code == 400 and answer.json()["where"] == "scope"


def test_a_model_is_reserved_at_its_price(house: House) -> None:
    """Tokens of a known model are reserved at what they may cost at most, to the last digit."""
    answer = house.ask(
        "admin",
        "POST",
        "/reserve",
        model="gpt-4o-mini",
        provider="openai",
        input_tokens=1000,
        max_output_tokens=100,
    )
    assert answer.json()["amount_usd"] == "0.00021"
    retry = {"model": "gpt-4o-mini", "input_tokens": 5, "max_output_tokens": 5, "idempotency_key": "m"}
    first, again = (house.ask("admin", "POST", "/reserve", **retry).json() for _ in range(2))
    assert first["reservation"] == again["reservation"]


def test_settled_by_a_recorded_call(house: House) -> None:
    """The id of a recorded call settles with what that call cost; one that is not there settles nothing."""
    sent = request(chat(77, 1, tenant="acme"))
    assert house.doors.export(sent, house.keys["ingest"]).status_code == 200
    made = house.reserve("1", tenant="acme")
    missing = house.settle(made["reservation"], call_id="nobody")
    assert missing.status_code == 404
    done = house.settle(made["reservation"], call_id=f"{77:032x}:{1:016x}")
    assert done.status_code == 200, done.text
    assert done.json()["actual_usd"] == "0.000021"


def test_recorded_calls_count_against_a_hard_budget(house: House) -> None:
    """A budget that is made in the middle of its period knows what was recorded in it before."""
    body = request(chat(78, 1, tenant="counted"))
    for group in body.resource_spans:
        for span in group.scope_spans[0].spans:
            span.start_time_unix_nano = time.time_ns()
            span.end_time_unix_nano = span.start_time_unix_nano + 1
    assert START_NS and house.doors.export(body, house.keys["ingest"]).status_code == 200
    house.set("counted", "0.00003", kind="hard", scope={"tenant": "counted"})
    assert house.reserve("0.00001", tenant="counted")["admitted"] is False
    assert house.reserve("0.000009", tenant="counted")["admitted"] is True
    shown = house.ask("read", "GET", "/counted").json()
    assert (shown["spent_usd"], shown["percent"], shown["calls"]) == ("0.000021", 70, 1)
    assert Decimal(shown["held"]["left_usd"]) == 0


def test_changes_are_in_the_audit_whoever_makes_them(house: House) -> None:
    """Setting over HTTP and removing by a command on the directory both make a row that says by whom."""
    house.set("audited", "3", scope={"tenant": "acme"})
    data = house.doors.settings.data
    removed = CliRunner().invoke(make_app(), ["budgets", "remove", "audited", "--data", data])
    assert removed.exit_code == 0, removed.output
    deadline = time.monotonic() + 60
    while True:
        rows = house.doors.query(
            "SELECT event, reason FROM audit WHERE route = '/api/v1/budgets/audited' ORDER BY time",
            house.keys["admin"],
        ).json()
        if len(rows) == 2:
            break
        assert time.monotonic() < deadline, rows
    assert [each["event"] for each in rows] == ["budget_set", "budget_removed"]
    assert rows[1]["reason"] == "audited, by command line"


def test_removing_a_tenant_removes_its_budgets(house: House) -> None:
    """Its budgets, what is reserved for it and what was told go with its rows; others' budgets stay."""
    for name, scope in {"initech": {"tenant": "initech"}, "wide": {"feature": "wide"}}.items():
        house.set(name, "5", kind="hard", scope=scope)
    made = house.reserve("1", tenant="initech", feature="wide")
    removed = house.http.delete("/api/v1/tenants/initech", headers=bearer(house.keys["admin"])).json()[
        "removed"
    ]
    assert (removed["budgets"], removed["reservations"]) == (1, 1)
    assert house.ask("read", "GET", "/initech").status_code == 404
    assert house.settle(made["reservation"], actual_usd="1").status_code == 404
    assert house.ask("read", "GET", "/wide").json()["held"]["left_usd"] == "4"
    assert house.reserve("9", tenant="initech")["budgets"] == []


def test_a_retry_of_a_settled_reservation_is_refused(house: House) -> None:
    """It says so, shows the reservation as it was made, and reserves nothing."""
    said = {"feature": "again", "idempotency_key": "again"}
    made = house.reserve("1.5", **said)
    assert house.settle(made["reservation"], actual_usd="0.5").status_code == 200
    again = house.reserve("1.5", **said)
    assert (again["admitted"], again["reservation"], again["state"]) == (
        False,
        made["reservation"],
        "settled",
    )
    assert again["amount_usd"] == "1.5" and "already" in again["reason"]


def test_on_the_command_line(tmp_path: Path) -> None:
    """`set`, `list` and `remove` work on a directory without a server, and say what is wrong with a limit."""

    def run(*arguments: str) -> Any:
        return CliRunner().invoke(make_app(), ["budgets", *arguments, "--data", str(tmp_path / "data")])

    made = run(
        "set", "acme", "--limit", "500", "--tenant", "acme", "--zone", "Europe/Berlin", "--of-key", "k"
    )
    assert made.exit_code == 0 and "soft, $500 a month for tenant acme, key k" in made.stdout, made.output
    [listed] = json.loads(run("list", "--json").stdout)["budgets"]
    assert (listed["zone"], listed["scope"]) == ("Europe/Berlin", {"tenant": "acme", "key": "k"})
    assert "Europe/Berlin" in run("list").stdout
    wrong = run("set", "other", "--limit", "much")
    assert wrong.exit_code != 0 and "limit_usd" in wrong.stderr
    assert "no calls" in run("status").stderr
    assert run("remove", "acme").exit_code == 0
    assert "There are no budgets" in run("list").stdout
