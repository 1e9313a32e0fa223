"""`reconcile` by every door: the command with a directory and with a server, and the API itself."""

from __future__ import annotations

import csv
import io
import json
from base64 import b64encode
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.new_store import prepared
from tests.stored_rows import NOON_NS, call, insert
from tests.surfaces.open_doors import OpenDoors, bearer
from watchglass.store import Wanted, open_keys, open_store
from watchglass.surfaces.cli import make_app

DAY = 1_767_225_600
"""2026-01-01T00:00:00Z"""

USAGE = {"input_tokens": 1000, "output_tokens": 100}


def costs(*amounts: tuple[str, float], day: int = DAY) -> bytes:
    """A page of OpenAI's costs; amounts are by line item."""
    results = [
        {
            "object": "organization.costs.result",
            "amount": {"value": value, "currency": "usd"},
            "line_item": item,
            "project_id": "proj_acme",
        }
        for item, value in amounts
    ]
    bucket = {"object": "bucket", "start_time": day, "end_time": day + 86_400, "results": results}
    return json.dumps({"object": "page", "data": [bucket], "has_more": False, "next_page": None}).encode()


AGREEING = costs(("gpt-own, input", 0.003), ("gpt-own, output", 0.001))
DEARER = costs(("gpt-own, input", 0.003), ("gpt-own, output", 0.0517))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A store with one call of a model whose price is the user's."""
    (tmp_path / "prices.csv").write_text(
        "provider,model,cost_per_1k_input_tokens,cost_per_1k_output_tokens,effective_date\n"
        "openai,gpt-own,0.003,0.01,\n"
    )
    where = tmp_path / "data"
    with open_store(prepared(where)) as store:
        row = call(
            1, provider="openai", request_model="gpt-own", response_model="gpt-own", tenant="acme",
            cost_usd=Decimal("0.004"), reported_cost_usd=Decimal("0.0041"), price_source="override",
            price_id="override:openai/gpt-own", **USAGE,
        )  # fmt: skip
        insert(store.engine, "calls", [row])
    assert row["time"] // 10**9 // 86_400 * 86_400 == DAY
    assert NOON_NS
    run("prices", "import", str(tmp_path / "prices.csv"), "--data", str(where))
    return where


def run(*args: str, code: int = 0) -> str:
    result = CliRunner().invoke(make_app(), [*args])
    assert result.exit_code == code, result.output
    return result.stdout


def file(tmp_path: Path, name: str, content: bytes) -> str:
    (tmp_path / name).write_bytes(content)
    return str(tmp_path / name)


def test_a_directory_is_reconciled_without_a_server(data: Path, tmp_path: Path) -> None:
    """The command keeps the file, shows both sides, and shows them again without it."""
    bill = file(tmp_path, "costs.json", AGREEING)
    report = json.loads(run("reconcile", bill, "--data", str(data), "--json"))
    assert report["totals"]["billed_usd"] == report["totals"]["computed_usd"] == "0.004"
    assert report["totals"]["reported_usd"] == "0.0041"
    assert report["totals"]["unexplained_apart_usd"] == "0"
    assert [each["known"] for each in report["files"]] == [False]
    again = json.loads(run("reconcile", bill, "--data", str(data), "--json"))
    assert [each["known"] for each in again["files"]] == [True]
    last = json.loads(run("reconcile", "--data", str(data), "--json"))
    assert last["totals"] == again["totals"] == report["totals"]


def test_what_is_unexplained_fails_who_asked_for_that(data: Path, tmp_path: Path) -> None:
    """An amount that nothing explains is the headline, and `--fail-over` makes it an exit code."""
    bill = file(tmp_path, "costs.json", DEARER)
    shown = run("reconcile", bill, "--data", str(data))
    assert "unexplained" in shown and "0.0507" in shown
    run("reconcile", "--data", str(data), "--fail-over", "0.05", code=7)
    run("reconcile", "--data", str(data), "--fail-over", "0.06")
    run("reconcile", "--data", str(data), "--fail-over", "much", code=2)


def test_a_newer_file_replaces_the_older_and_both_are_kept(data: Path, tmp_path: Path) -> None:
    """The bill of a day that comes again counts as it came last; the table has both, and says so."""
    run("reconcile", file(tmp_path, "early.json", DEARER), "--data", str(data))
    report = json.loads(
        run("reconcile", file(tmp_path, "late.json", AGREEING), "--data", str(data), "--json")
    )
    assert report["totals"]["billed_usd"] == "0.004"
    sql = (
        "SELECT file, superseded, count() AS n, sum(amount_usd) AS usd FROM bills GROUP BY ALL ORDER BY file"
    )
    rows = json.loads(run("query", sql, "--data", str(data), "--json"))
    assert rows == [
        {"file": "early.json", "superseded": True, "n": 2, "usd": "0.0547"},
        {"file": "late.json", "superseded": False, "n": 2, "usd": "0.004"},
    ]


def test_every_form_of_the_report_adds_up_to_the_same(data: Path, tmp_path: Path) -> None:
    """CSV's lines and its classes each add up to the totals; Markdown has the headline."""
    run("reconcile", file(tmp_path, "costs.json", DEARER), "--data", str(data))
    totals = json.loads(run("reconcile", "--data", str(data), "--json"))["totals"]
    rows = list(csv.DictReader(io.StringIO(run("reconcile", "--data", str(data), "--csv"))))
    for level in ("line", "class"):
        for name in ("billed_usd", "computed_usd", "difference_usd", "unexplained_usd"):
            of_level = [Decimal(row[name]) for row in rows if row["level"] == level]
            assert sum(of_level) == Decimal(totals[name]), (level, name)
    assert f"**Unexplained: {totals['unexplained_apart_usd']}" in run(
        "reconcile", "--data", str(data), "--markdown"
    )


def test_a_line_item_in_new_words_is_unexplained(data: Path, tmp_path: Path) -> None:
    """If OpenAI names the items of a model in another way, the bill is not said to agree: calls that seem
    unbilled do not pay for a charge that nobody understands."""
    bill = file(tmp_path, "costs.json", costs(("gpt-own text tokens: input", 0.003), ("Storage", 0.5)))
    totals = json.loads(run("reconcile", bill, "--data", str(data), "--json"))["totals"]
    assert totals["hints_usd"] == {"unread_item": "0.003"}
    assert totals["explained_usd"] == {"not_billed": "-0.004", "other_charge": "0.5"}
    assert totals["unexplained_usd"] == totals["unexplained_apart_usd"] == "0.003"
    run("reconcile", "--data", str(data), "--fail-over", "0.001", code=7)


def test_pages_in_files_of_their_own_are_a_whole_bill(data: Path, tmp_path: Path) -> None:
    """A page that says that there is more is no warning where the next one is given with it."""
    first = json.loads(AGREEING) | {"has_more": True, "next_page": "abc"}
    pages = [
        file(tmp_path, "1.json", json.dumps(first).encode()),
        file(tmp_path, "2.json", costs(("gpt-own, input", 0.003), day=DAY + 86_400)),
    ]
    alone = file(tmp_path, "alone.json", json.dumps(first | {"object": "the page"}).encode())
    both = json.loads(run("reconcile", *pages, "--data", str(data), "--json"))
    assert [each["refused"] for each in both["files"]] == [[], []]
    [kept] = json.loads(run("reconcile", alone, "--data", str(data), "--json"))["files"]
    assert "has_more" in kept["refused"][0]["reason"]


def test_the_headline_is_the_first_line(data: Path, tmp_path: Path) -> None:
    """What is unexplained, of what was billed, comes before all else."""
    shown = run("reconcile", file(tmp_path, "dear.json", DEARER), "--data", str(data))
    assert shown.startswith("Unexplained: 0.0507 of 0.0547 US dollars billed (92.69 %).")
    shown = run("reconcile", file(tmp_path, "costs.json", AGREEING), "--data", str(data))
    assert shown.startswith("Unexplained: 0 of 0.004 US dollars billed.")


def test_what_cannot_be_compared_is_refused_with_what_to_do(data: Path, tmp_path: Path) -> None:
    """No bill yet, a zone or project that is none, a file of no known format: each says so."""
    for args, said in (
        ((), "watchglass reconcile FILE"),
        (("--zone", "Atlantis"), "no time zone"),
        (("--project-by", "mood"), "metadata.KEY"),
        ((file(tmp_path, "x.txt", b"hello"),), "of no format"),
    ):
        result = CliRunner().invoke(make_app(), ["reconcile", *args, "--data", str(data)])
        assert result.exit_code == 2 and said in result.output, (args, result.output)


@pytest.fixture
def doors(data: Path) -> Iterator[OpenDoors]:
    opened = OpenDoors(data)
    yield opened
    opened.stop()


def test_a_server_answers_the_same(doors: OpenDoors, data: Path, tmp_path: Path) -> None:
    """The command against a server sends the files there, and gets the report that the API gives."""
    url = f"http://127.0.0.1:{doors.port}"
    bill = file(tmp_path, "costs.json", AGREEING)
    report = json.loads(run("reconcile", bill, "--url", url, "--json"))
    assert report["totals"]["billed_usd"] == report["totals"]["computed_usd"] == "0.004"
    last: dict[str, Any] = doors.http.get("/api/v1/reconciliations").json()
    assert last["totals"] == report["totals"]
    assert json.loads(run("reconcile", "--url", url, "--json"))["lines"] == report["lines"]
    assert doors.http.post("/api/v1/reconciliations", content=b"{").status_code == 400
    assert doors.http.post("/api/v1/reconciliations", json={"moon": 1}).status_code == 400


def test_a_key_that_is_bound_to_a_tenant_sees_no_bill(doors: OpenDoors, data: Path) -> None:
    """A bill belongs to no tenant: a bound key finds no reconciliation, and its table is empty."""
    with open_keys(data) as keys:
        admin = keys.create(Wanted(name="admin", role="admin"))[1]
        bound = keys.create(Wanted(name="acme", role="read", tenant="acme"))[1]
    body = {"files": [{"name": "costs.json", "content": b64encode(AGREEING).decode()}]}
    path = "/api/v1/reconciliations"
    doors.until(lambda: doors.backend.access.keyed)
    assert doors.http.post(path, json=body, headers=bearer(bound)).status_code == 403
    assert doors.http.post(path, json=body, headers=bearer(admin)).status_code == 200
    assert doors.http.get(path, headers=bearer(bound)).status_code == 404
    counted = "SELECT count() AS n FROM bills"
    assert doors.query(counted, bound).json() == [{"n": 0}]
    assert doors.query(counted, admin).json() == [{"n": 2}]
