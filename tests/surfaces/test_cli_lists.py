"""The lists and the doctor on the command line, from a store and through a server, say the same."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from tests.new_store import prepared
from tests.server_process import ServerProcess
from tests.stored_rows import NOON_NS, call, insert, span
from watchglass.doctor.contract import Window
from watchglass.errors import QueryError
from watchglass.queries.lists.question import ListQuestion
from watchglass.queries.lists.subjects import LISTED
from watchglass.store import open_store
from watchglass.surfaces.cli import make_app
from watchglass.surfaces.cli.remote import RemoteReader

SINCE = ("--since", "2026-01-01")
Run = Callable[..., Result]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> str:
    place = tmp_path_factory.mktemp("cli-lists") / "data"
    with open_store(prepared(place)) as store:
        said: dict[str, Any] = {"tenant": "acme", "agent": "writer", "session": "s1", "flow": "f1"}
        insert(store.engine, "spans", [span(1, name="root \x1b[31m", service="web")])
        insert(
            store.engine,
            "calls",
            [
                call(1, **said, cost_usd=Decimal("0.25"), request_model="m", input_tokens=1200),
                call(2, **said, success=False, error_type="Boom", unpriced_reason="unknown_model"),
                call(3, **said, counted=False, not_counted_reason="duplicate"),
            ],
        )
        task = {"kind": "task", "name": "write", "status": "failed", "agent": "writer", "flow": "f1"}
        ids = {"task_id": "t", "trace_id": f"{1:032x}", "span_id": f"{1:016x}", "tenant": "acme"}
        insert(store.engine, "tasks", [{**task, **ids, "time": NOON_NS, "version": 1}])
    return str(place)


@pytest.fixture
def run(data: str) -> Run:
    def running(*arguments: str) -> Result:
        # Off a terminal help is cut to 80 columns, and its options with it.
        return CliRunner().invoke(
            make_app(), [*arguments, "--data", data], catch_exceptions=False, env={"COLUMNS": "200"}
        )

    return running


def test_calls(run: Run) -> None:
    """Newest first, costs exact, failures by their type; what does not count only when asked for."""
    shown = run("calls", *SINCE)
    lines = [line.split() for line in shown.stdout.splitlines() if "─" not in line and line.strip()]
    assert shown.exit_code == 0
    assert "Boom" in lines[1] and "0.25" in lines[2] and "1,200" in lines[2]
    assert "(duplicate)" not in shown.stdout
    assert "(duplicate)" in run("calls", *SINCE, "--not-counted").stdout
    assert "No calls" in run("calls", *SINCE, "--agent", "nobody").stdout


def test_one_call(run: Run) -> None:
    """What is known of it, a line each, and nothing of what is not."""
    shown = run("call", f"{1:032x}:{1:016x}")
    lines = [line.split() for line in shown.stdout.splitlines()]
    assert ["cost_usd", "0.25"] in lines and ["agent", "writer"] in lines
    assert "error_type" not in shown.stdout
    assert run("call", "nothing").exit_code == 3


def test_smallest_figures(run: Run) -> None:
    """What cost or took less is left out."""
    assert "No calls" in run("calls", *SINCE, "--min-cost", "0.26").stdout
    assert "0.25" in run("calls", *SINCE, "--min-cost", "0.25", "--min-duration", "1000").stdout
    assert run("calls", "--min-cost", "much").exit_code == 2


def test_every_reader_takes_a_key(run: Run) -> None:
    """Each command that asks a server can show it a key."""
    for command in (
        "usage",
        "calls",
        "tasks",
        "traces",
        "flows",
        "sessions",
        "trace",
        "call",
        "query",
        "doctor",
    ):
        assert "--key" in run(command, "--help").stdout, command


def test_json_is_the_page_of_the_api(run: Run) -> None:
    """A page with its cursor; with --all one row a line."""
    page = json.loads(run("calls", *SINCE, "--limit", "1", "--json").stdout)
    assert [row["error_type"] for row in page["rows"]] == ["Boom"]
    rest = json.loads(run("calls", *SINCE, "--limit", "1", "--cursor", page["next"], "--json").stdout)
    assert [row["cost_usd"] for row in rest["rows"]] == ["0.25"]
    assert rest["next"] is None
    lines = run("calls", *SINCE, "--limit", "1", "--all", "--json").stdout.splitlines()
    assert [json.loads(line)["success"] for line in lines] == [False, True]


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("tasks", "--status", "failed"), "write"),
        (("traces",), "root �[31m"),
        (("flows", "--status", ""), "f1"),
        (("sessions", "--agent", "writer"), "s1"),
    ],
)
def test_the_other_lists(run: Run, command: tuple[str, ...], said: str) -> None:
    """Each shows its rows, and control characters from spans do not reach the terminal."""
    shown = run(*command, *SINCE)
    assert shown.exit_code == 0
    assert said in shown.stdout and "\x1b" not in shown.stdout


def test_doctor(run: Run) -> None:
    """What is wrong, with its evidence and a command; --fail-on makes it an exit code."""
    shown = run("doctor", *SINCE)
    assert shown.exit_code == 0
    assert "1 call without a price: unknown_model." in shown.stdout
    assert "$ watchglass prices set PROVIDER MODEL" in shown.stdout
    assert run("doctor", *SINCE, "--fail-on", "error").exit_code == 7
    assert run("doctor", "--since", "1h", "--until", "30m", "--fail-on", "error").exit_code == 7
    assert run("doctor", *SINCE, "--fail-on", "colour").exit_code == 2
    document = json.loads(run("doctor", *SINCE, "--json").stdout)
    assert {each["finding"] for each in document["diagnoses"]} >= {"unpriced", "unknown_provider"}


@pytest.fixture(scope="module")
def remote(data: str) -> Iterator[RemoteReader]:
    server = ServerProcess(Path(data)).start()
    yield RemoteReader(server.url, timeout_s=30)
    server.stop()


@pytest.mark.parametrize("subject", ["calls", "tasks", "traces", "flows", "sessions"])
def test_a_server_answers_alike(remote: RemoteReader, subject: Any) -> None:
    """Rows from a server are the very records that a store gives."""
    rows = remote.page(ListQuestion(subject=subject), NOON_NS).rows
    assert rows and all(isinstance(row, LISTED[subject].row) for row in rows)
    with pytest.raises(QueryError, match="cursor"):
        remote.page(ListQuestion(subject=subject, cursor="x"), NOON_NS)


def test_the_doctor_asks_a_server(remote: RemoteReader) -> None:
    """A server is asked for the whole examination: what it finds of its own directory is in it."""
    found = remote.doctor(Window(NOON_NS, NOON_NS + 10**12))
    assert not found.failed
    assert {each.finding for each in found.diagnoses} >= {"unpriced", "unknown_provider"}
    assert found.diagnoses[0].evidence.columns
