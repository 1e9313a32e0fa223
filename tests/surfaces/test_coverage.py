"""`watchglass coverage` on a project and a store, opened here and behind a server."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from tests.new_store import prepared
from tests.server_process import ServerProcess
from tests.stored_rows import call, insert
from watchglass.queries.sites import SitesQuestion
from watchglass.store import open_store
from watchglass.surfaces.cli import make_app
from watchglass.surfaces.cli.remote import RemoteReader

CODE = """
import litellm
from openai import OpenAI

client = OpenAI()


def ask(question):
    return litellm.completion(
        model="openai/gpt-4o-mini",
        messages=[{"role": "user", "content": question}],
    )


def tell(question):
    return client.responses.create(model="gpt-4o", input=question)


def rarely(question):
    return litellm.completion(model="openai/gpt-4o", messages=[])
"""
SINCE = ("--since", "2026-01-01", "--until", "2026-01-02")
Run = Callable[..., Result]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> str:
    place = tmp_path_factory.mktemp("coverage") / "data"
    known = {"tenant": "acme", "feature": "chat", "service": "web", "scope": "watchglass.litellm"}
    with open_store(prepared(place)) as store:
        insert(
            store.engine,
            "calls",
            [
                call(1, **known, cost_usd=Decimal("0.5"), code_file="/app/shop/llm.py", code_line=10),
                call(2, **known, cost_usd=Decimal("0.25"), code_file="/venv/lib/other.py", code_line=3),
            ],
        )
    return str(place)


@pytest.fixture
def run(data: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    (tmp_path / "src" / "shop").mkdir(parents=True)
    (tmp_path / "src" / "shop" / "llm.py").write_text(CODE, "utf-8")
    (tmp_path / "pyproject.toml").touch()
    monkeypatch.chdir(tmp_path)

    def running(*arguments: str) -> Result:
        asked = ["coverage", "src", *SINCE, "--data", data, *arguments]
        return CliRunner().invoke(make_app(), asked, catch_exceptions=False, env={"COLUMNS": "200"})

    return running


def test_three_lists(run: Run) -> None:
    """Seen with its money, never recorded, never seen, and what is on record from elsewhere."""
    found = json.loads(run("--json").stdout)
    assert (found["sites"], found["percent"], found["calls"], found["cost_usd"]) == (3, 33.3, 2, "0.75")
    (seen,) = found["seen"]
    assert (seen["path"], seen["line"], seen["cost_usd"]) == ("src/shop/llm.py", 9, "0.5")
    assert [(each["function"], each["cost_beside_usd"]) for each in found["unmonitored"]] == [("tell", "0.5")]
    assert [each["function"] for each in found["never_seen"]] == ["rarely"]
    assert [(each["file"], each["why"]) for each in found["elsewhere"]] == [("/venv/lib/other.py", "outside")]
    assert found["evidence"] == []


def test_for_people(run: Run) -> None:
    """A sentence, then the lists with the most urgent first; where a line moved to is said."""
    shown = run("--map", "/app=src").stdout
    assert shown.startswith("33.3% of the call sites were seen: 1 of 3, with 2 calls and $0.75")
    assert shown.index("Never recorded") < shown.index("Seen") < shown.index("Instrumented, never seen")
    assert "src/shop/llm.py:9" in shown and "$0.50" in shown


def test_for_a_pull_request(run: Run) -> None:
    """Markdown: the urgent list open, the others folded away."""
    shown = run("--markdown").stdout
    assert shown.startswith("### Calls to models: 33.3% of the call sites were seen")
    assert "**Never recorded** (1)" in shown and "<details><summary>Seen (1)</summary>" in shown
    assert "| src/shop/llm.py:9 | ask | 1 | $0.50 |" in shown


def test_a_bad_share_is_an_exit_code(run: Run) -> None:
    """--fail-under fails below it and not at it; what means nothing is refused."""
    assert run("--fail-under", "33.3").exit_code == 0
    assert run("--fail-under", "33.4").exit_code == 7
    assert run("--fail-under", "101").exit_code == 2
    assert run("--map", "src").exit_code == 2


def test_paths_without_code(run: Run) -> None:
    """A path that is not there is said; code without a call to a model has no share and fails nothing."""
    assert run("nowhere").exit_code == 3
    Path("src/shop/llm.py").write_text("x = 1\n")
    shown = run("--fail-under", "100")
    assert (shown.exit_code, "There is no call to a model in this code." in shown.stdout) == (0, True)


def test_a_server_answers_alike(data: str) -> None:
    """What a server says of the lines is what the store says."""
    server = ServerProcess(Path(data)).start()
    try:
        question = SitesQuestion(since_ns=0, until_ns=2**62)
        found = RemoteReader(server.url, timeout_s=30).sites(question).sites
        assert [(each.file, each.cost_usd) for each in found] == [
            ("/app/shop/llm.py", Decimal("0.5")),
            ("/venv/lib/other.py", Decimal("0.25")),
        ]
    finally:
        server.stop()
