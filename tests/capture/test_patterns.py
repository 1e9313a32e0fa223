"""The patterns guide is true: each of its programs runs as it stands, and records what the text says."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import litellm
import pytest
from starlette.testclient import TestClient

from tests.capture.provider import Provider
from tests.examples.running import ROOT, environment, run
from tests.queries.test_covering import row
from tests.server_process import ServerProcess
from watchglass.capture import boundary, content, propagation
from watchglass.capture.litellm import tracking
from watchglass.capture.service import multi_model_service
from watchglass.check import configuration, files, sites
from watchglass.check.codes import CODES
from watchglass.check.engine import Checker
from watchglass.queries.covering import cover
from watchglass.queries.sites import RecordedSites
from watchglass.testing import Recorder

GUIDE = (ROOT / "docs" / "patterns.md").read_text("utf-8")
BLOCKS = re.findall(r"^## ([^\n]+)\n((?:(?!^## ).)*)", GUIDE, re.M | re.S)
PROGRAMS = [
    (f"{heading}, {number}" if number else heading, code)
    for heading, text in BLOCKS
    for number, code in enumerate(re.findall(r"^```python\n(.*?)^```", text, re.M | re.S))
]
WRONG = [
    (heading, rule, code)
    for heading, text in BLOCKS
    for rule, code in re.findall(r"^```python wrong=(\w+)\n(.*?)^```", text, re.M | re.S)
]
OFF_THEIR_SITES = {
    "At once: tasks and threads": ["no_place", "no_place"],
    "At once: tasks and threads, 1": ["no_site"],
}
"""By program: calls without a call site. `to_thread` in `gather` runs in a task in which nobody's code is;
what is carried and called by another name is not seen in the code."""

CODE = ("code.file.path", "code.line.number", "code.function.name")
UNTRACKED = {"WG001", "WG003", "WG005"}
"""Rules whose wrong way is wrong in a project that has no `init` elsewhere."""

ELSEWHERE = {"CrewAI"}
"""Needs CrewAI's own environment: run by tests_crewai/test_example.py."""

WITHIN = [(heading, code) for heading, code in PROGRAMS if ".init" not in code and "initialize" not in code]
ALONE = [each for each in PROGRAMS if each not in WITHIN and each[0] not in ELSEWHERE]


def named(programs: list[tuple[str, str]]) -> list[Any]:
    return [pytest.param(*each, id=re.sub(r"\W+", "-", each[0].lower())) for each in programs]


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    with Provider() as started:
        monkeypatch.setenv("OPENAI_BASE_URL", f"{started.url}/v1")
        monkeypatch.setenv("OPENAI_API_KEY", "sk-test-0000000000000000")
        yield started


@pytest.fixture
def recorded(provider: Provider) -> Iterator[Recorder]:
    """What `init` does, but for delivery."""
    boundary.forget()
    before = content.use(content.policy("whole"))
    propagation.install()
    tracking.install()
    with Recorder() as made:
        yield made
    tracking.uninstall()
    propagation.uninstall()
    content.use(before)
    multi_model_service.configure({})
    litellm.callbacks = []
    assert not boundary.failures


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    started = ServerProcess(tmp_path_factory.mktemp("server") / "data").start()
    yield started
    assert started.stop() == 0, started.log()


def one_call(recorded: Recorder, _: ModuleType) -> None:
    (call,) = recorded.calls
    assert (call.tenant, call.engagement, call.feature) == ("acme", "spring", "greeting")


def per_call(recorded: Recorder, _: ModuleType) -> None:
    assert [(call.tenant, call.feature, call.flow) for call in recorded.calls] == [
        ("42", "summary", "f-1")
    ] * 2
    assert [call.attributes["watchglass.metadata.prompt_version"] for call in recorded.calls] == ["v7", "v7"]


def edge(recorded: Recorder, module: ModuleType) -> None:
    client = TestClient(module.app)
    for tenant in ("acme", "globex"):
        assert (
            client.get("/answer", params={"question": "?"}, headers={"x-client": tenant}).status_code == 200
        )
    assert [(call.tenant, call.feature) for call in recorded.calls] == [
        ("acme", "answer"),
        ("globex", "answer"),
    ]


def at_once(recorded: Recorder, _: ModuleType) -> None:
    assert [call.tenant for call in recorded.calls] == ["acme"] * 3 + ["globex"] * 3


def own_queue(recorded: Recorder, _: ModuleType) -> None:
    assert [call.tenant for call in recorded.calls] == ["acme"]


def own_agents(recorded: Recorder, _: ModuleType) -> None:
    assert [(step.kind, step.step) for step in recorded.steps] == [
        ("tool", "look_up"),
        ("agent", "librarian"),
        ("task", "find out"),
        ("flow", "research"),
    ]
    agent = recorded.steps[1]
    (call,) = recorded.calls
    assert (call.parent_id, call.agent, call.tenant) == (agent.span_id, "librarian", "acme")
    assert not any(step.failed for step in recorded.steps)


def failing(recorded: Recorder, _: ModuleType) -> None:
    assert [(step.step, step.error_type) for step in recorded.steps] == [
        ("import", "ValueError"),
        ("import, again", "MissingDate"),
    ]
    assert [each.attributes["watchglass.step.state"] for each in recorded.events] == ["running", "running"]


def callbacks(recorded: Recorder, _: ModuleType) -> None:
    (step,) = recorded.steps
    assert (step.step, step.tenant, step.flow, step.failed) == ("readiness", "1", "flow-7", False)
    states = [each.attributes["watchglass.step.state"] for each in recorded.events]
    assert states == ["starting", "running"]


def over_a_queue(recorded: Recorder, _: ModuleType) -> None:
    (flow,), (call,) = recorded.steps, recorded.calls
    assert (call.tenant, call.flow) == ("acme", "order-17")
    assert (call.trace_id, call.parent_id) == (flow.trace_id, flow.span_id)


def streams(recorded: Recorder, _: ModuleType) -> None:
    (call,) = recorded.calls
    assert call.output_tokens == 9


def retries(recorded: Recorder, _: ModuleType) -> None:
    assert [call.model for call in recorded.calls] == ["gpt-4o-mini"] * 2 + ["gpt-4.1-nano"]
    assert [call.failed for call in recorded.calls] == [True, True, False]
    first, second, third = recorded.calls
    assert second.attributes["watchglass.retry_of"] == f"{first.trace_id}:{first.span_id}"
    assert third.attributes["watchglass.fallback_of"] == f"{second.trace_id}:{second.span_id}"


def by_kind(recorded: Recorder, _: ModuleType) -> None:
    (call,) = recorded.calls
    assert (call.model, call.tenant, call.engagement, call.feature) == (
        "gpt-4o-mini",
        "1",
        "2",
        "field_mapping",
    )


def scores(recorded: Recorder, _: ModuleType) -> None:
    (step,) = recorded.steps
    polite, grounded, invoked = [each for each in recorded.events if each.name != "watchglass.step"]
    assert polite.attributes["gen_ai.evaluation.score.label"] == "true"
    assert (grounded.span_id, grounded.attributes["gen_ai.response.id"]) == (step.span_id, "resp-000001")
    assert invoked.agent == "clerk"


def interrupts(recorded: Recorder, _: ModuleType) -> None:
    told = [each for each in recorded.events if each.name == "watchglass.interrupt"]
    assert [each.attributes["watchglass.interrupt.status"] for each in told] == ["requested", "answered"]


def own_tests(recorded: Recorder, module: ModuleType) -> None:
    module.test_each_answer_is_for_its_tenant(recorded)


def logs(recorded: Recorder, _: ModuleType) -> None:
    (call,) = recorded.calls
    assert call.model == "gpt-4o-mini"


EXPECTED: dict[str, Callable[[Recorder, ModuleType], None]] = {
    "One call": one_call,
    "What only one call knows": per_call,
    "The edge of a request": edge,
    "At once: tasks and threads": at_once,
    "At once: tasks and threads, 1": own_queue,
    "Agents and tasks of your own": own_agents,
    "A task that fails": failing,
    "Tasks told by callbacks": callbacks,
    "A flow over several services": over_a_queue,
    "Streams": streams,
    "Retries and fallbacks": retries,
    "A model by kind of task": by_kind,
    "Scores": scores,
    "Waiting for a person": interrupts,
    "Logs": logs,
    "Tests": own_tests,
}
STORED: dict[str, list[tuple[str | None, str]]] = {
    "Start-up": [(None, "gpt-4o-mini")],
    "Start-up, 1": [],
    "Several worker processes": [("acme", "gpt-4o-mini")] * 3,
    "A client that nobody instruments": [("acme", "gpt-4o-mini")],
    "Budgets": [("acme", "gpt-4o-mini")],
}
"""By program that calls `init`: tenant and model of each call that a server has in the end."""


def test_each_program_has_an_expectation() -> None:
    """No program of the guide runs without anybody looking at what it recorded."""
    assert {heading for heading, _ in PROGRAMS} == {*EXPECTED, *STORED, *ELSEWHERE}


def checked(code: str, folder: Path, *, instrumented: bool) -> set[str]:
    """The rules by which the checker finds something in a program."""
    (folder / "pattern.py").write_text(code, encoding="utf-8")
    said = f"[tool.watchglass.check]\ninstrumented = {str(instrumented).lower()}\n"
    (folder / "pyproject.toml").write_text(said, encoding="utf-8")
    settings = configuration.load(str(folder), CODES)
    checker = Checker(settings)
    return {
        each.rule for file in files.find([str(folder)], settings) for each in checker.check(file).findings
    }


def test_right_ways_pass_the_checker(tmp_path: Path) -> None:
    """No program that the guide shows as right has a finding, in a project set up as the guide says."""
    assert len(PROGRAMS) > 20
    found = {heading: checked(code, tmp_path, instrumented=True) for heading, code in PROGRAMS}
    assert not any(found.values()), found


def test_wrong_ways_are_caught(tmp_path: Path) -> None:
    """Every program that the guide shows as wrong is found by the rule that it names, and by no other."""
    found = [checked(code, tmp_path, instrumented=rule not in UNTRACKED) for _, rule, code in WRONG]
    assert found == [{rule} for _, rule, _ in WRONG]
    assert {rule for _, rule, _ in WRONG} >= {code for code, on in CODES.items() if on}
    assert all(code.startswith(f"# {rule}: ") for _, rule, code in WRONG)


@pytest.mark.parametrize("heading, code", named(WITHIN))
def test_a_pattern(heading: str, code: str, recorded: Recorder, provider: Provider, tmp_path: Path) -> None:
    """The program records what the guide says."""
    if heading == "Retries and fallbacks":
        provider.fail(500, 500, model="gpt-4o-mini")
    file = tmp_path / "pattern.py"
    file.write_text(code, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("pattern", file)
    assert spec is not None and spec.loader is not None
    module = sys.modules["pattern"] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
        EXPECTED[heading](recorded, module)
        assert off_their_sites(file, recorded) == OFF_THEIR_SITES.get(heading, [])
    finally:
        del sys.modules["pattern"]


def off_their_sites(file: Path, recorded: Recorder) -> list[str]:
    """Why coverage finds no call site of a recorded line in the program as it stands, by call."""
    code = sites.find([str(file)])
    places = [[call.attributes.get(name) for name in CODE] for call in recorded.calls]
    rows = [row(line, function, file=path) for path, line, function in places]
    said = cover(code.sites, RecordedSites(since="", until="", sites=rows), files=code.files)
    assert all(site.matched == "line" for site in said.seen)
    return [each.why for each in said.elsewhere]


@pytest.mark.parametrize("heading, code", named(ALONE))
def test_a_pattern_with_init(
    heading: str, code: str, server: ServerProcess, provider: Provider, tmp_path: Path
) -> None:
    """The program, in a process of its own, sends a server what the guide says."""
    file = tmp_path / "pattern.py"
    file.write_text(code, encoding="utf-8")
    before = {row["call_id"] for row in stored(server)}
    run(file, env=environment(tmp_path, server, provider))
    new = [row for row in stored(server) if row["call_id"] not in before]
    assert [(row["tenant"], row["request_model"]) for row in new] == STORED[heading]


def stored(server: ServerProcess) -> list[dict[str, Any]]:
    """The counted calls that the server has, as soon as all is settled."""
    server.settle()
    return server.query("SELECT call_id, tenant, request_model FROM calls WHERE counted")
