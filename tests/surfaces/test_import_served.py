"""`watchglass import` to a server, and `POST /api/v1/import` as any client sends it."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from tests.server_process import ServerProcess
from watchglass.surfaces.cli import make_app

ROWS = [{"time": 1735689600 + n // 3, "request_model": "gpt-4o", "input_tokens": 5} for n in range(9)]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    running = ServerProcess(tmp_path_factory.mktemp("served") / "data").start()
    yield running
    if running.alive:
        running.stop()


@pytest.fixture(autouse=True)
def own_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def command(*arguments: str) -> Result:
    return CliRunner().invoke(make_app(), ["import", *arguments], catch_exceptions=False)


def lines(*rows: object) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def post(server: ServerProcess, body: bytes, **options: Any) -> dict[str, Any]:
    answer = server.http.post("/api/v1/import", content=body, **options)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_command_sends_what_is_then_there_once(server: ServerProcess) -> None:
    """A file sent twice, and its rows as a body of CSV, are each call once; equal rows are told apart."""
    Path("a.jsonl").write_bytes(lines(*({**row, "tenant": "once"} for row in ROWS), {"time": "never"}))
    for new, known in ((9, 0), (0, 9)):
        done = command("a.jsonl", "--url", server.url, "--json")
        assert done.exit_code == 6
        tally = json.loads(done.stdout)["a.jsonl"]
        assert (tally["rows"], tally["new"], tally["known"], tally["rejected"]) == (10, new, known, 1)
        assert "a.jsonl:10: time is 'never'" in done.stderr
    text = "tenant,time,model,prompt_tokens\n" + "".join(f"once,{r['time']},gpt-4o,5\n" for r in ROWS)
    assert post(server, text.encode())["known"] == 9
    assert server.figures("SELECT count() AS n FROM usage WHERE tenant = 'once'") == {"n": 9}
    rejects = server.query("SELECT where, reason FROM rejects WHERE where LIKE 'a.jsonl%'")
    assert [each["where"] for each in rejects] == ["a.jsonl:10"]


def test_a_body_may_be_packed_and_says_what_was_refused(server: ServerProcess) -> None:
    """gzip is read, bad rows are named by their line in the body, and what cannot be read at all is a 400."""
    body = gzip.compress(lines(ROWS[0] | {"tenant": "packed"}, {"time": 1, "input_tokens": -1}))
    answer = post(server, body, headers={"content-encoding": "gzip"}, params={"name": "b"})
    assert (answer["new"], [each["line"] for each in answer["rejects"]]) == (1, [2])
    for bad, params in ((b"a,b\n1,2\n", {}), (b"[{}]", {}), (b"{}", {"map": "x"}), (b"{}", {"formt": "csv"})):
        refused = server.http.post("/api/v1/import", content=bad, params=params)
        assert (refused.status_code, refused.headers["content-type"]) == (400, "application/problem+json")


def test_a_small_body_of_very_many_lines_is_too_large(server: ServerProcess) -> None:
    """Packed line ends would become gigabytes of refusals: such a body is refused whole."""
    body = gzip.compress(b"x\n" * 3_000_000)
    answer = server.http.post(
        "/api/v1/import?format=jsonl", content=body, headers={"content-encoding": "gzip"}
    )
    assert answer.status_code == 413
    assert "send fewer in a body" in answer.json()["detail"]


def test_a_directory_that_a_server_holds_is_left_to_it(server: ServerProcess) -> None:
    """--data on it says whom to ask; one that is only configured is imported into through the server."""
    Path("c.jsonl").write_bytes(lines(ROWS[0] | {"tenant": "held"}))
    done = command("c.jsonl", "--data", str(server.data))
    assert done.exit_code == 4
    assert server.url in done.stderr
    environment = {"WATCHGLASS_DATA": str(server.data)}
    done = CliRunner().invoke(make_app(), ["import", "c.jsonl"], catch_exceptions=False, env=environment)
    assert (done.exit_code, "1 new" in done.stdout) == (0, True)


START_NS = 1_767_225_600_000_000_000


def report(server: ServerProcess, trace: str, span: str, start_ns: int) -> None:
    """A span of one call, as a library sends it."""
    facts = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o"}
    attributes = [{"key": key, "value": {"stringValue": value}} for key, value in facts.items()]
    attributes.append({"key": "gen_ai.usage.input_tokens", "value": {"intValue": "7"}})
    times = {"startTimeUnixNano": str(start_ns), "endTimeUnixNano": str(start_ns + 10**9)}
    told = {"traceId": trace, "spanId": span, "name": "chat", "attributes": attributes, **times}
    sent = server.http.post("/v1/traces", json={"resourceSpans": [{"scopeSpans": [{"spans": [told]}]}]})
    assert sent.status_code == 200


@pytest.mark.parametrize("hours", [0, 2])
@pytest.mark.parametrize("first", ["span", "import"])
def test_a_call_that_a_span_reports_too_counts_once(server: ServerProcess, first: str, hours: int) -> None:
    """Whichever comes first and whatever hour each names, the span's own row is the one that counts."""
    trace, span = f"{ord(first[0]) * 1000 + hours:032x}", "eee19b7ec3c1b174"
    row = {"time_ns": START_NS + hours * 3600 * 10**9, "trace_id": trace, "span_id": span, "model": "gpt-4o"}
    if first == "span":
        report(server, trace, span, START_NS)
        assert post(server, lines(row))["known"] == 1
    else:
        assert post(server, lines(row))["new"] == 1
        report(server, trace, span, START_NS)
    server.settle()
    assert post(server, lines(row))["known"] == 1
    asked = (
        f"SELECT call_id, input_tokens AS n, dialect != 'import' AS s FROM usage WHERE trace_id = '{trace}'"
    )
    assert server.query(asked) == [{"call_id": f"{trace}:{span}", "n": 7, "s": 1}]


def test_a_key_bound_to_a_tenant_imports_as_that_tenant(tmp_path: Path) -> None:
    """Rows without a tenant get the key's, rows of another are refused by line, and readers' keys may not."""
    server = ServerProcess(tmp_path / "keyed")
    keys: dict[str, str] = {}
    for role in ("ingest", "read"):
        arguments = [
            "keys",
            "create",
            "--role",
            role,
            "--tenant",
            "acme",
            "--data",
            str(server.data),
            "--json",
        ]
        keys[role] = json.loads(CliRunner().invoke(make_app(), arguments, catch_exceptions=False).stdout)[
            "key"
        ]
    server.start()
    try:
        Path("d.jsonl").write_bytes(
            lines(ROWS[0], ROWS[1] | {"tenant": "acme"}, ROWS[2] | {"tenant": "other"})
        )
        assert command("d.jsonl", "--url", server.url).exit_code == 5
        assert command("d.jsonl", "--url", server.url, "--key", keys["read"]).exit_code == 5
        done = command("d.jsonl", "--url", server.url, "--key", keys["ingest"])
        assert done.exit_code == 6, done.stderr
        assert "d.jsonl:3: tenant is 'other': this key writes as 'acme' only" in done.stderr
        server.http.headers["authorization"] = f"Bearer {keys['read']}"
        assert server.query("SELECT tenant, count() AS n FROM calls GROUP BY tenant") == [
            {"tenant": "acme", "n": 2}
        ]
    finally:
        server.stop()
