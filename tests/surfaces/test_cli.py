"""The command line over a real store: by itself with --data, and through a server with --url."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import pytest
import uvicorn
from click.testing import Result
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from typer.testing import CliRunner

from tests.new_store import prepared
from tests.stored_rows import call, insert, span
from watchglass import config
from watchglass.errors import WatchglassError
from watchglass.queries.reader import StoreReader
from watchglass.store import Store, open_store
from watchglass.surfaces.api import routes
from watchglass.surfaces.cli import COMMANDS, make_app
from watchglass.surfaces.cli.tables import clean, fitted, show
from watchglass.surfaces.http.problems import problem_for

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def nothing_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings of the machine's own reach the tests."""
    for name in [name for name in os.environ if name.startswith(config.PREFIX)]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))


@pytest.fixture
def run() -> Run:
    def running(*arguments: str, input: str | None = None, env: dict[str, str] | None = None) -> Result:
        return CliRunner().invoke(make_app(), list(arguments), catch_exceptions=False, input=input, env=env)

    return running


def fill(store: Store) -> None:
    acme = {"tenant": "acme", "request_model": "m"}
    unattributed = {"kind": "aggregate", "counted": False, "not_counted_reason": "unattributed"}
    insert(store.engine, "spans", [span(1, trace_id=TRACE, name="crew")])
    insert(store.engine, "spans", [span(2, trace_id=TRACE, name="\x1b[31mchat", parent_span_id=f"{1:016x}")])
    insert(
        store.engine,
        "calls",
        [
            call(
                2,
                trace_id=TRACE,
                parent_span_id=f"{1:016x}",
                **acme,
                input_tokens=5,
                cost_usd=Decimal("0.0000012"),
            ),
            call(3, tenant="umbrella", request_model="m", input_tokens=1_000_000, cost_usd=Decimal("2.5")),
            call(4, **acme, unpriced_reason="unknown_model", success=False, error_type="Boom"),
            call(5, tenant="acme", input_tokens=9, **unattributed),
        ],
    )


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A store that nobody has open."""
    place = tmp_path_factory.mktemp("cli") / "data"
    with open_store(prepared(place)) as store:
        fill(store)
    return str(place)


def table_rows(text: str) -> list[list[str]]:
    """The cells of a printed table."""
    return [re.split(r"\s{2,}", line.strip()) for line in text.splitlines() if line.strip(" ─")]


def test_usage_table(run: Run, data: str) -> None:
    """Rows by what they cost, exact, with totals, and what is not known or not attributed said below."""
    shown = run("usage", "--by", "tenant", "--data", data)
    rows = table_rows(shown.stdout)
    assert shown.exit_code == 0
    assert rows[0][:3] == ["tenant", "calls", "failed"]
    assert rows[1][:4] == ["umbrella", "1", "0", "1,000,000"]
    assert rows[2][:4] == ["acme", "2", "1", "5"]
    assert rows[3][:4] == ["total", "3", "1", "1,000,005"]
    assert [row[8] for row in rows[1:4]] == ["2.5000000", "0.0000012", "2.5000012"]
    assert "Of 1 calls nobody said how many tokens they used." in shown.stdout
    assert "Without a price: 1 unknown_model." in shown.stdout
    assert "Unattributed usage" in shown.stdout


def test_usage_json(run: Run, data: str) -> None:
    """The same as a document, money as text."""
    found = json.loads(run("usage", "--by", "tenant,model", "--data", data, "--json").stdout)
    assert found["by"] == ["tenant", "model"]
    assert [(row["tenant"], row["model"], row["cost_usd"]) for row in found["rows"]] == [
        ("umbrella", "m", "2.5"),
        ("acme", "m", "0.0000012"),
    ]
    assert found["totals"]["cost_usd"] == "2.5000012"
    assert found["unattributed"]["totals"]["input_tokens"] == 9


def test_usage_filters(run: Run, data: str) -> None:
    """--tenant and --filter tenant= are the same, given twice they mean either, and times are half open."""

    def calls(*options: str) -> int:
        return json.loads(run("usage", "--data", data, "--json", *options).stdout)["totals"]["calls"]

    assert calls("--tenant", "acme") == calls("--filter", "tenant=acme") == 2
    assert calls("--tenant", "acme", "--tenant", "umbrella") == 3
    assert calls("--since", "2026-01-01T12:00:03Z", "--until", "2026-01-01T12:00:04Z") == 1
    assert calls("--since", "1h") == 0
    assert "No calls" in run("usage", "--data", data, "--tenant", "nobody").stdout


def test_trace_tree(run: Run, data: str) -> None:
    """Spans under their parents with sums; control characters from spans do not reach the terminal."""
    shown = run("trace", TRACE[:10].upper(), "--data", data)
    assert shown.exit_code == 0
    assert "\x1b" not in shown.stdout
    crew, chat = table_rows(shown.stdout)[2:4]
    assert crew[0] == "crew"
    assert chat[0] == "\ufffd[31mchat"
    assert "0.0000012" in chat
    assert (
        json.loads(run("trace", TRACE, "--data", data, "--json").stdout)["totals"]["cost_usd"] == "0.0000012"
    )


def test_query_forms(run: Run, data: str, tmp_path: Path) -> None:
    """A table for people (NULL is –), an array of objects, CSV; from an argument, a file or stdin."""
    sql = "SELECT tenant, cost_usd, time FROM calls WHERE counted ORDER BY time DESC LIMIT 1"
    assert table_rows(run("query", sql, "--data", data).stdout)[1:] == [
        ["acme", "–", "2026-01-01T12:00:04.000000000Z"],
        ["1 row"],
    ]
    expected = [{"tenant": "acme", "cost_usd": None, "time": "2026-01-01T12:00:04.000000000Z"}]
    assert json.loads(run("query", sql, "--data", data, "--json").stdout) == expected
    (tmp_path / "q.sql").write_text(sql)
    assert json.loads(run("query", "--file", "q.sql", "--data", data, "--json").stdout) == expected
    assert json.loads(run("query", "-", "--data", data, "--json", input=sql).stdout) == expected
    read = list(csv.DictReader(io.StringIO(run("query", sql, "--data", data, "--csv").stdout)))
    assert read == [{"tenant": "acme", "cost_usd": "", "time": "2026-01-01T12:00:04.000000000Z"}]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["query", "SELECT * FROM system.tables"], 5, "not open to readers"),
        (["query", "SELECT number FROM numbers(2000000)"], 5, "limit"),
        (["query", "SELECT nothing FROM calls"], 2, "no column nothing"),
        (["query"], 2, "the question is missing"),
        (["query", "SELECT 1", "--file", "x"], 2, "twice"),
        (["query", "--file", "nowhere.sql"], 2, "cannot be read"),
        (["query", "SELECT 1", "--json", "--csv"], 2, "one of them"),
        (["trace", "f" * 32], 3, "there is no trace"),
        (["trace", "x"], 2, "no trace id"),
        (["usage", "--by", "colour"], 2, "cannot be grouped by 'colour'"),
        (["usage", "--filter", "colour=red"], 2, "colour"),
        (["usage", "--since", "soon"], 2, "'soon' is no time"),
        (["usage", "--url", "http://127.0.0.1:4318"], 2, "--url and --data"),
    ],
)
def test_failures(run: Run, data: str, arguments: list[str], code: int, message: str) -> None:
    """One sentence on stderr, nothing on stdout, and an exit code that says what kind it is."""
    failed = run(*arguments, "--data", data)
    assert (failed.exit_code, failed.stdout) == (code, "")
    assert failed.stderr.startswith("watchglass: ")
    assert message in failed.stderr
    assert failed.stderr.count("\n") == 1


def test_no_store_there(run: Run, tmp_path: Path) -> None:
    """A mistyped directory is said to hold no store, and none is made there."""
    failed = run("query", "SELECT 1", "--data", str(tmp_path / "typo"))
    assert failed.exit_code == 3
    assert "there is no store in" in failed.stderr
    assert not (tmp_path / "typo").exists()


def test_no_server_there(run: Run) -> None:
    """A refused connection suggests how to go on."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        failed = run("query", "SELECT 1", "--url", f"http://127.0.0.1:{nobody.getsockname()[1]}")
    assert failed.exit_code == 4
    assert "no server answers at" in failed.stderr
    assert "--data DIR" in failed.stderr


@pytest.mark.parametrize("url", ["ftp://x", "http://", "http://x:99999", "http://[::1", "http://x:y"])
def test_no_address(run: Run, url: str) -> None:
    """What is no address is said to be none."""
    failed = run("query", "SELECT 1", "--url", url)
    assert failed.exit_code == 2
    assert "is no address" in failed.stderr


async def _on_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, WatchglassError)
    answer = problem_for(error)
    return Response(answer.body, answer.status, media_type=answer.media_type.decode())


@contextmanager
def serving(store: Store, listening: socket.socket) -> Iterator[None]:
    """The API over a store, on a socket."""
    other = Route("/other/{rest:path}", lambda _: PlainTextResponse("not here", 404))
    app = Starlette(
        routes=[*routes(StoreReader(store.engine)), other], exception_handlers={WatchglassError: _on_error}
    )
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
    listening.listen()  # connections wait from here on, however long the server takes to start
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(60)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """A store that a server holds: its address and directory."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        with open_store(prepared(tmp_path / "data"), program="watchglass serve", address=address) as store:
            fill(store)
            with serving(store, listening):
                yield address, str(tmp_path / "data")


QUESTIONS: Sequence[Sequence[str]] = [
    ["usage"],
    ["usage", "--json", "--by", "tenant,hour,agent"],
    ["usage", "--json", "--tenant", "acme", "--since", "2026-01-01", "--until", "2026-01-02T00:00:00.5Z"],
    ["usage", "--by", "", "--provider", ""],
    ["trace", TRACE],
    ["trace", TRACE[:6], "--json"],
    ["trace", "f" * 32],
    ["query", "SELECT * FROM calls ORDER BY call_id", "--json"],
    [
        "query",
        "SELECT toStartOfDay(time) AS day, sum(cost_usd) AS usd, any(metadata) AS m FROM calls GROUP BY day",
    ],
    ["query", "SELECT * FROM spans WHERE 0", "--csv"],
    ["query", "SELECT 1 AS a, 'é' AS b, NULL AS c, [1, 2] AS d, 1.5 AS e", "--csv"],
    ["query", "SHOW TABLES"],
    ["query", "DESCRIBE calls", "--json"],
    ["query", "SELECT * FROM system.one"],
    ["query", "SELECT costs FROM calls"],
    ["query", "SELECT number FROM numbers(2000000)"],
]


def test_the_same_answers_both_ways(run: Run, data: str) -> None:
    """What a server answers is what the store itself answers, errors and exit codes included."""
    local = [run(*question, "--data", data) for question in QUESTIONS]
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        with open_store(Path(data)) as store, serving(store, listening):
            remote = [run(*question, "--url", address) for question in QUESTIONS]
    for question, here, there in zip(QUESTIONS, local, remote, strict=True):
        assert (there.exit_code, there.stdout, there.stderr) == (here.exit_code, here.stdout, here.stderr), (
            question
        )


def test_a_held_directory_names_its_holder(run: Run, served: tuple[str, str]) -> None:
    """--data with a server holding it says who and where to ask."""
    address, data = served
    failed = run("usage", "--data", data)
    assert failed.exit_code == 4
    assert address in failed.stderr
    assert "watchglass serve" in failed.stderr


def test_a_directory_in_the_environment_leads_to_its_server(
    run: Run, served: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With only WATCHGLASS_DATA set, the server that holds it is asked; without one the store is opened."""
    _, data = served
    monkeypatch.setenv("WATCHGLASS_DATA", data)
    assert json.loads(run("query", "SELECT count() AS n FROM calls", "--json").stdout) == [{"n": 4}]


def test_what_is_no_watchglass(run: Run, served: tuple[str, str]) -> None:
    """Another program at the address is recognised as such."""
    failed = run("usage", "--url", f"{served[0]}/other")
    assert failed.exit_code == 4
    assert "is no watchglass" in failed.stderr


def test_options_from_the_environment_and_the_file(
    run: Run, data: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every option can be a WATCHGLASS_ variable or stand in watchglass.toml; the flag wins."""
    (tmp_path / "watchglass.toml").write_text(
        f"data = '{data}'\njson = true\nby = ['agent']\nfilter = ['tenant=acme']"
    )
    found = json.loads(run("usage").stdout)
    assert (found["by"], found["totals"]["calls"]) == (["agent"], 2)
    monkeypatch.setenv("WATCHGLASS_BY", "tenant,day")
    assert json.loads(run("usage").stdout)["by"] == ["tenant", "day"]
    assert json.loads(run("usage", "--by", "model").stdout)["by"] == ["model"]


def test_a_wrong_setting_is_named(run: Run, tmp_path: Path) -> None:
    """A mistake in the file is found before anything is asked."""
    (tmp_path / "watchglass.toml").write_text("prot = 1")
    failed = run("usage")
    assert failed.exit_code == 2
    assert "watchglass.toml:1" in failed.stderr


def test_settings_lists_every_setting(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each with its value here and where that comes from."""
    monkeypatch.setenv("WATCHGLASS_PORT", "5000")
    found = {row["name"]: row for row in json.loads(run("settings", "--json").stdout)}
    assert set(found) == set(config.Settings.__struct_fields__)
    assert (found["port"]["value"], found["port"]["source"]) == (5000, "environment")
    assert "5000" in run("settings").stdout


def test_help_and_version(run: Run) -> None:
    """Every command explains itself, and every setting has its option somewhere."""
    assert re.fullmatch(r"watchglass \d+\.\d+\.\d+\n", run("--version").stdout)
    texts = [run(command.__name__, "--help", env={"COLUMNS": "400"}).stdout for command in COMMANDS]
    together = "".join(texts)
    for row in config.table():
        assert row.env in together, row.name


def test_help_is_quick() -> None:
    """--help imports neither the engine nor Arrow nor a web framework."""
    code = (
        "import sys; from watchglass.surfaces.cli import make_app; make_app(); "
        "heavy = {'chdb', 'pyarrow', 'starlette', 'uvicorn', 'grpc', 'pandas', 'genai_prices'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=240
    )
    assert done.stdout.strip() == "[]"


def test_a_closed_pipe_is_no_error(data: str) -> None:
    """`watchglass query … | head -1` ends quietly."""
    code = "import sys; from watchglass.surfaces.cli import main; main()"
    command = [sys.executable, "-c", code, "query", "SELECT * FROM numbers(900000)", "--csv", "--data", data]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == b"number\r\n"
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == 0


@pytest.mark.parametrize(
    ("width", "shown"),
    [(200, ["name", "a", "b", "calls"]), (22, ["name", "b", "calls"]), (5, ["name", "calls"])],
)
def test_a_narrow_terminal_does_without_details(width: int, shown: list[str]) -> None:
    """Columns that matter less go first, one by one, until the rest fits or nothing more may go."""
    columns = [("name", False), ("a", True), ("b", True), ("calls", True)]
    made = fitted(columns, [["x", "123456", "1", "2"]], droppable=("a", "b"), width=width)
    assert [str(column.header) for column in made.columns] == shown


@pytest.mark.parametrize("first", ["x", "x\ny"])
def test_rows_are_laid_out_alike_at_once_and_one_by_one(
    first: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Off a terminal a list is laid out at once, and with a line break in a cell row by row: each figure
    stands under its head, at the end of its column."""
    show(fitted([("name", False), ("calls", True)], [[first, "1"], ["", "12,345"], ["名", "–"]]))
    lines = capsys.readouterr().out.splitlines()
    [head] = [line for line in lines if "calls" in line]
    [figure] = [line for line in lines if "12,345" in line]
    [wide] = [line for line in lines if "名" in line]
    assert head.rstrip().endswith("calls") and len(head.rstrip()) == len(figure.rstrip())
    assert len(wide.rstrip()) + 1 == len(figure.rstrip())  # its name is two columns wide


def test_strangers_text_is_harmless() -> None:
    """Escape sequences and other control characters are shown as marks."""
    assert clean("a\x1b]0;x\x07\x9bb\u202e") == "a\ufffd]0;x\ufffd\ufffdb\ufffd"
