"""`kill -9` while budgets are reserved and settled: what was acknowledged is there, no limit is passed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import httpx
import pytest

from tests.calm_zone import ZONE
from tests.server_process import ServerProcess

CALLERS = 8
AMOUNT, ACTUAL = Decimal("0.01"), Decimal("0.004")
LIMIT = Decimal(3)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    """A server over an empty directory, with a hard budget."""
    made = ServerProcess(tmp_path / "data").start()
    budget = {"name": "held", "limit_usd": str(LIMIT), "kind": "hard", "scope": {"tenant": "acme"}}
    budget["zone"] = ZONE
    assert made.http.post("/api/v1/budgets", json=budget).status_code == 200
    yield made
    if made.alive:
        made.stop()


@dataclass
class Known:
    """What the callers of all rounds know."""

    reserved: set[str] = field(default_factory=set)
    settled: set[str] = field(default_factory=set)
    unsure_reserves: int = 0
    unsure_settles: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)
    enough: threading.Event = field(default_factory=threading.Event)


def call_until_it_dies(url: str, known: Known, enough: int) -> None:
    """Reserve, and settle every other reservation, until nobody answers."""
    with httpx.Client(base_url=url, timeout=60) as http:
        settles = False
        while True:
            try:
                answer = http.post(
                    "/api/v1/budgets/reserve", json={"amount_usd": str(AMOUNT), "tenant": "acme"}
                )
            except httpx.TransportError:
                with known.lock:
                    known.unsure_reserves += 1
                return
            assert answer.status_code == 200, answer.text
            if (id := answer.json()["reservation"]) is None:  # the limit: no more will be reserved
                known.enough.set()
                return
            with known.lock:
                known.reserved.add(id)
                if len(known.reserved) >= enough:
                    known.enough.set()
            settles = not settles
            if settles:
                try:
                    done = http.post(
                        "/api/v1/budgets/settle", json={"reservation": id, "actual_usd": str(ACTUAL)}
                    )
                except httpx.TransportError:
                    with known.lock:
                        known.unsure_settles.add(id)
                    return
                assert done.status_code == 200, done.text
                with known.lock:
                    known.settled.add(id)


def kill_under_load(server: ServerProcess, known: Known, enough: int) -> None:
    """Kill it in the middle, and start it again."""
    known.enough.clear()
    callers = [
        threading.Thread(target=call_until_it_dies, args=(server.url, known, enough)) for _ in range(CALLERS)
    ]
    for each in callers:
        each.start()
    assert known.enough.wait(120)
    server.kill()
    for each in callers:
        each.join()
    server.start()


@pytest.mark.parametrize("kills", [2, pytest.param(6, marks=pytest.mark.long)])
def test_every_acknowledged_reservation_survives_kill_9(server: ServerProcess, kills: int) -> None:
    """After each of several kills, what is reserved and settled is what was acknowledged, and maybe what was
    under way; each reservation is still there to be settled, once."""
    known = Known()
    for number in range(1, kills + 1):
        kill_under_load(server, known, 60 * number)
        held = server.http.get("/api/v1/budgets/held").json()["held"]
        settled, unsettled = Decimal(held["settled_usd"]) / ACTUAL, Decimal(held["reserved_usd"]) / AMOUNT
        assert len(known.settled) <= settled <= len(known.settled | known.unsure_settles)
        assert len(known.reserved) <= settled + unsettled <= len(known.reserved) + known.unsure_reserves
        assert Decimal(held["settled_usd"]) + Decimal(held["reserved_usd"]) <= LIMIT
    for id in known.reserved:
        again = server.http.post(
            "/api/v1/budgets/settle", json={"reservation": id, "actual_usd": str(ACTUAL)}
        ).json()
        assert again["actual_usd"] == "0.004"
        assert id in known.unsure_settles or again["settled_now"] is (id not in known.settled)
