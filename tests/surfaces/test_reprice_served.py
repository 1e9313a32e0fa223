"""Repricing by a running server, over HTTP and the command line, also one that is killed in the middle."""

from __future__ import annotations

import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.ledger.repricing_house import priced_call
from tests.new_store import prepared
from tests.server_process import ServerProcess
from tests.stored_rows import insert
from watchglass.store import open_store

HEAD = "provider,model,cost_per_1k_input_tokens,cost_per_1k_output_tokens,effective_date\n"
PRICES = HEAD + "openai,model-a,0.003,0,\n"
PATH = "/api/v1/reprices"
MONTHS, EACH = 12, 100


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    """1,200 calls without a price over 12 months: a run has 12 chunks."""
    with open_store(prepared(tmp_path / "data")) as store:
        rows = [
            priced_call(month * 31 * 24 * 3600 + number, tokens=month * EACH + number + 1, tenant="acme")
            for month in range(MONTHS)
            for number in range(EACH)
        ]
        insert(store.engine, "calls", rows)
    made = ServerProcess(tmp_path / "data").start()
    yield made
    if made.alive:
        made.stop()


def until(server: ServerProcess, run: str, fact: Any, within_s: float = 120) -> dict[str, Any]:
    """Ask for a run until something is true of it."""
    deadline = time.monotonic() + within_s
    while not fact(found := server.http.get(f"{PATH}/{run}").json()):
        assert time.monotonic() < deadline, found
        time.sleep(0.05)
    return found


def costs(server: ServerProcess) -> dict[str, Any]:
    """What readers see."""
    return server.figures(
        "SELECT count() AS n, toString(sum(cost_usd)) AS usd,"
        " countIf(isNull(cost_usd)) AS unpriced FROM usage"
    )


@pytest.mark.long
def test_a_killed_run_is_gone_on_with_and_taken_back(server: ServerProcess) -> None:
    """`kill -9` in the middle, resumed: each row is repriced once, totals are exact, so is taking back."""
    assert server.http.post("/api/v1/prices", content=PRICES).status_code == 200
    started = server.http.post(PATH, json={"why": "a price came late"})
    assert (started.status_code, started.json()["chunks"]) == (202, MONTHS)
    run = started.json()["id"]
    until(server, run, lambda found: found["chunks_done"] >= 2)
    server.kill()
    server.start()
    stopped = server.http.get(f"{PATH}/{run}").json()
    assert stopped["state"] == "interrupted", stopped
    noted = server.figures(f"SELECT count() AS n FROM repricings WHERE run = '{run}'")
    priced = server.figures(f"SELECT count() AS n FROM calls WHERE price_run = '{run}'")
    assert int(noted["n"]) == int(priced["n"]) == stopped["changed"] < MONTHS * EACH
    server.command("reprice", "resume", run)
    tokens = sum(range(1, MONTHS * EACH + 1))
    total = Decimal(tokens) * Decimal("0.000003")
    done = server.http.get(f"{PATH}/{run}").json()
    assert (done["state"], done["changed"], Decimal(done["after_usd"])) == ("done", MONTHS * EACH, total)
    assert (Decimal(costs(server)["usd"]), int(costs(server)["unpriced"])) == (total, 0)
    assert Decimal(server.command("usage")["totals"]["cost_usd"]) == total
    assert server.command("reprice", "--yes")["changed"] == 0
    undone = server.command("reprice", "undo", run)
    assert (undone["changed"], undone["left"]["rows"]) == (MONTHS * EACH, 0)
    assert int(costs(server)["unpriced"]) == MONTHS * EACH


def test_requests_that_make_no_sense_are_told_so(server: ServerProcess) -> None:
    """With what to do instead; none of them begins a run."""
    http = server.http
    for body, status, said in (
        ({"since": "whenever"}, 400, "is no time"),
        ({"filters": {"colour": ["red"]}}, 400, "cannot be filtered by 'colour'"),
        ({"colour": "red"}, 400, "colour"),
        ({"why": "x" * 1001}, 400, "may have 1000"),
        ({"why": "x" * 200_000}, 413, "no more than"),
    ):
        answer = http.post(PATH, json=body)
        assert (answer.status_code, said in answer.json()["detail"]) == (status, True), answer.text
    assert http.get(f"{PATH}/r9").status_code == http.post(f"{PATH}/last/undo").status_code == 404
    assert http.get(f"{PATH}/r9", params={"left": "many"}).status_code == 400
    assert http.post(PATH, json={"dry_run": True}).json()["changed"] == 0
    assert http.get(PATH).json() == {"runs": []}
