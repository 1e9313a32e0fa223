"""`examples/crew.py` as a user runs it: a process of its own, the provider's ledger, and a server's post
box."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.capture.otlp_server import OtlpServer
from tests_crewai.conftest import ToolProvider

EXAMPLE = Path(__file__).parent.parent / "examples" / "crew.py"


def value(span: Span, key: str) -> str | int | None:
    """An attribute of a span."""
    for each in span.attributes:
        if each.key == key:
            return each.value.int_value or each.value.string_value
    return None


def spans_of(server: OtlpServer) -> list[Span]:
    """Every span that was posted."""
    bodies = [each.body for each in server.taken if each.path == "/v1/traces"]
    return [
        span
        for body in bodies
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


def test_the_example_delivers_every_request_and_task(provider: ToolProvider, tmp_path: Path) -> None:
    """Run to its end, it has delivered each request of the ledger with its tokens, for the client and the
    engagement, and both tasks with their agents; the key is nowhere in what was sent."""
    server = OtlpServer()
    environment = {
        **os.environ,
        "WATCHGLASS_ENDPOINT": server.url,
        "WATCHGLASS_SPOOL_DIR": str(tmp_path / "spool"),
        "WATCHGLASS_EXIT_S": "20",
        "OPENAI_API_KEY": "sk-example-secret",
    }
    command = [sys.executable, str(EXAMPLE), "--base-url", f"{provider.url}/v1", "--city", "Oslo"]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=180, check=False)
    server.close()
    assert ran.returncode == 0, ran.stderr
    assert provider.default.text in ran.stdout
    spans = spans_of(server)
    calls = [each for each in spans if value(each, "gen_ai.operation.name") == "chat"]
    assert {str(value(each, "gen_ai.response.id")) for each in calls} == {
        each.response_id for each in provider.ledger
    }
    assert len(calls) == len(provider.ledger) == 3
    for key, told in (("input_tokens", "input_tokens"), ("output_tokens", "output_tokens")):
        total = sum(int(value(each, f"gen_ai.usage.{key}") or 0) for each in calls)
        assert total == sum(getattr(each, told) for each in provider.ledger)
    for each in calls:
        assert value(each, "watchglass.tenant") == "acme"
        assert value(each, "watchglass.engagement") == "spring-edition"
        assert value(each, "watchglass.feature") == "crewai"
    tasks = [each for each in spans if value(each, "gen_ai.operation.name") == "execute_task"]
    assert {(value(each, "gen_ai.task.name"), value(each, "gen_ai.agent.name")) for each in tasks} == {
        ("look", "Reporter"),
        ("write", "Editor"),
    }
    assert not any(b"sk-example-secret" in each.body for each in server.received)


PATTERN = re.compile(r"^## CrewAI\n.*?^```python\n(.*?)^```", re.M | re.S)


def test_the_pattern_in_the_guide(provider: ToolProvider, tmp_path: Path) -> None:
    """The program under "CrewAI" in docs/patterns.md runs as it stands; its request is one call."""
    guide = EXAMPLE.parent.parent / "docs" / "patterns.md"
    found = PATTERN.search(guide.read_text("utf-8"))
    assert found is not None
    program = tmp_path / "pattern.py"
    program.write_text(found[1], encoding="utf-8")
    server = OtlpServer()
    environment = {
        **os.environ,
        "WATCHGLASS_ENDPOINT": server.url,
        "WATCHGLASS_SPOOL_DIR": str(tmp_path / "spool"),
        "WATCHGLASS_EXIT_S": "20",
        "OPENAI_BASE_URL": f"{provider.url}/v1",
    }
    command = [sys.executable, str(program)]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=180, check=False)
    server.close()
    assert ran.returncode == 0, ran.stderr
    calls = [each for each in spans_of(server) if value(each, "gen_ai.operation.name") == "chat"]
    assert [value(each, "gen_ai.response.id") for each in calls] == [
        each.response_id for each in provider.ledger
    ]
    assert len(calls) == 1
    assert (value(calls[0], "watchglass.tenant"), value(calls[0], "watchglass.feature")) == ("acme", "crewai")
