"""Calls of CrewAI's own client of Bedrock, which has an HTTP library of its own, against a local server."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from crewai import LLM

from tests_crewai.conftest import Recorded
from tests_crewai.crews import agent, crew, task

USAGE = {"inputTokens": 50, "outputTokens": 7, "totalTokens": 97, "cacheReadInputTokens": 40}


@pytest.fixture
def bedrock(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Answers Converse; the list is of the statuses to answer with, 200 when it is empty."""
    statuses: list[int] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            status = statuses.pop(0) if statuses else 200
            said = {"role": "assistant", "content": [{"text": "Final Answer: sunny"}]}
            body: dict[str, Any] = {"output": {"message": said}, "stopReason": "end_turn", "usage": USAGE}
            raw = json.dumps(body if status == 200 else {"message": "not allowed"}).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    address = f"http://127.0.0.1:{server.server_address[1]}"
    monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", address)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "none")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "none")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    yield statuses
    server.shutdown()
    server.server_close()


def test_an_answer_of_bedrock_is_a_call_with_all_its_input(bedrock: list[int], recorded: Recorded) -> None:
    """One call below the agent; what was read from the cache, which Bedrock counts apart, is input, too."""
    llm = LLM(model="bedrock/anthropic.claude-3-5-sonnet-20240620-v1:0")
    crew(task(agent(llm))).kickoff()
    (call,) = recorded.calls
    assert call.status == 0
    assert recorded.above(call) is recorded.of("invoke_agent")[0]
    assert call.context["watchglass.feature"] == "crewai"
    assert call.attributes["gen_ai.provider.name"] == "bedrock"
    assert call.attributes["gen_ai.usage.input_tokens"] == 90
    assert call.attributes["gen_ai.usage.cache_read.input_tokens"] == 40
    assert call.attributes["gen_ai.usage.output_tokens"] == 7


def test_a_refusal_of_bedrock_is_a_failed_call(bedrock: list[int], recorded: Recorded) -> None:
    """It was sent, it has the error's type, and no tokens."""
    bedrock.extend([403] * 5)
    llm = LLM(model="bedrock/anthropic.claude-3-5-sonnet-20240620-v1:0")
    with pytest.raises(Exception, match="not allowed"):
        llm.call("weather?")
    (call,) = recorded.calls
    assert call.status == 2
    assert call.attributes["watchglass.request_sent"] is True
    assert "gen_ai.usage.input_tokens" not in call.attributes
