"""`watchglass reprice` on a data directory: the teams' case, and everything else that people type."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from tests.new_store import prepared
from tests.stored_rows import NOON_NS, call, insert
from watchglass.store import open_store
from watchglass.surfaces.cli import make_app

LLAMA, GEMMA = "meta-llama/Llama-4-Maverick-17B-128E-Instruct-FP8", "google/gemma-3-4b-it"
MISTRAL = "mistralai/Mistral-Small-3.2-24B-Instruct-2506"
THEIR_PRICES = f"""\
provider,model,cost_per_1k_input_tokens,cost_per_1k_output_tokens,effective_date
deepinfra,{LLAMA},0.0001,0.0002,2025-01-01
deepinfra,{GEMMA},0.00005,0.00010,2025-01-01
deepinfra,{MISTRAL},0.00005,0.00010,2025-01-01
"""
ALL, BROKEN = 1646, 1571
RATES = {LLAMA: (100, 200), GEMMA: (50, 100), MISTRAL: (50, 100)}
"""Billionths of a dollar a token."""

Run = Callable[..., Any]

_EVERYTHING = "SELECT * EXCEPT version FROM store.calls FINAL ORDER BY call_id"


def model_of(number: int) -> str:
    """Theirs in turn."""
    return (LLAMA, GEMMA, MISTRAL)[number % 3]


def cost_of(number: int) -> Decimal:
    """By their price list."""
    into, out = RATES[model_of(number)]
    return Decimal((1000 + number) * into + number % 300 * out).scaleb(-9)


def their_call(number: int) -> dict[str, Any]:
    """As it was stored before anybody knew who serves such names: no provider, no cost."""
    model = model_of(number)
    whole = {
        "time": NOON_NS + number * 60 * 10**9, "tenant": f"client-{number % 4}", "request_model": model,
        "input_tokens": 1000 + number, "output_tokens": number % 300, "provider_label": None,
    }  # fmt: skip
    if number < BROKEN:
        return call(number, **whole, provider=None, provider_source=None, unpriced_reason="unknown_provider")
    known = {"provider": "deepinfra", "provider_source": "model_prefix", "price_source": "override"}
    return call(number, **whole, **known, cost_usd=cost_of(number), price_id=f"deepinfra/{model}")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Their 1,646 calls."""
    with open_store(prepared(tmp_path / "data")) as store:
        insert(store.engine, "calls", [their_call(number) for number in range(ALL)])
    return tmp_path / "data"


@pytest.fixture
def run(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command on that directory; with `--json` its answer."""
    monkeypatch.chdir(tmp_path)

    def running(*words: str, code: int = 0) -> Any:
        found: Result = CliRunner().invoke(make_app(), [*words, "--data", str(data)], catch_exceptions=False)
        assert found.exit_code == code, found.output
        return json.loads(found.stdout) if "--json" in words else found.output

    return running


def everything(data: Path) -> list[dict[str, Any]]:
    """Each call as the store has it, whichever version of its row that is."""
    with open_store(data) as store:
        return store.engine.execute(_EVERYTHING).to_pylist()


def test_the_teams_case_is_mended_by_one_command(run: Run, data: Path, tmp_path: Path) -> None:
    """1,571 of 1,646 without provider and cost: all priced at once, nothing a second time, all undone."""
    (tmp_path / "theirs.csv").write_text(THEIR_PRICES)
    run("prices", "import", "theirs.csv")
    before = everything(data)
    priced = {row["call_id"]: row["price_id"] for row in before[BROKEN:]}
    assert len(priced) == ALL - BROKEN

    seen = run("reprice", "--detect-provider", "--dry-run", "--json")
    assert (seen["looked"], seen["changed"]) == (ALL, seen["totals"]["rows"])
    assert next((each["name"], each["rows"]) for each in seen["by_kind"]) == ("priced", BROKEN)
    assert everything(data) == before

    done = run("reprice", "--detect-provider", "--why", "names with a slash", "--yes", "--json")
    after = everything(data)
    assert done["state"] == "done"
    assert {(row["provider"], row["unpriced_reason"]) for row in after} == {("deepinfra", None)}
    total = sum(cost_of(number) for number in range(ALL))
    assert sum(row["cost_usd"] for row in after) == total
    usage = run("usage", "--by", "tenant", "--json")
    assert Decimal(usage["totals"]["cost_usd"]) == total
    assert done["difference_usd"] == seen["totals"]["difference_usd"]

    again = run("backfill", "--detect-provider", "--yes", "--json")
    assert (again["looked"], again["changed"], again["state"]) == (ALL, 0, "done")
    assert everything(data) == after

    undone = run("reprice", "undo", done["id"], "--json")
    assert (undone["changed"], undone["left"]["rows"]) == (done["changed"], 0)
    assert everything(data) == before
    states = {each["id"]: (each["kind"], each["state"]) for each in run("reprice", "list", "--json")["runs"]}
    assert states[done["id"]] == ("reprice", "undone")
    assert states[undone["id"]] == ("undo", "done")


def test_people_see_tables(run: Run, tmp_path: Path) -> None:
    """Looking, doing, listing, showing and taking back say what there is in words."""
    (tmp_path / "theirs.csv").write_text(THEIR_PRICES)
    run("prices", "import", "theirs.csv")
    assert "Nothing was written." in run("reprice", "--detect-provider", "--dry-run", "--tenant", "client-0")
    done = run("reprice", "--detect-provider", "--yes", "--tenant", "client-0", "--why", "a try")
    assert "client-0" in done
    listed = run("reprice", "list")
    assert "a try" in listed
    assert "command line" in listed
    assert "r1 (reprice): done" in run("reprice", "show", "r1")
    assert "r2 (undo r1): done" in run("reprice", "undo", "last")


def test_mistakes_are_told(run: Run) -> None:
    """A run that is not there, a filter that means nothing, a run that cannot be gone on with."""
    assert "no run 'r7'" in run("reprice", "show", "r7", code=3)
    assert "no run that changed something to take back" in run("reprice", "undo", "last", code=3)
    assert "cannot be filtered by 'colour'" in run("reprice", "--filter", "colour=red", "--dry-run", code=2)
    assert "write DIMENSION=VALUE" in run("reprice", "--filter", "red", "--dry-run", code=2)
    assert "after until" in run("reprice", "--since", "2026-02-01", "--until", "2026-01-01", "--yes", code=2)
    run("reprice", "--yes")
    assert "r1 is done" in run("reprice", "resume", "r1", code=1)
