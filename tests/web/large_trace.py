"""A trace of thousands of spans as OTLP: a crew with tasks, steps, calls, tools and requests below them."""

from __future__ import annotations

import json
import random
from typing import Any

SECOND_NS = 10**9
AGENTS = ("researcher", "analyst", "writer")
STACK = 'Traceback (most recent call last):\n  File "app/tools.py", line 41, in fetch\nTimeoutError: too slow'
Span = dict[str, Any]


def large_trace(spans: int, begin_ns: int, *, tenant: str = "large", seed: int = 7) -> tuple[str, list[Span]]:
    """Its id and the bodies that tell of it, a thousand spans each."""
    trace = _Large(spans, begin_ns, random.Random(seed))
    resource = {"service.name": "market-study", "watchglass.tenant": tenant}
    bodies = [
        {
            "resourceSpans": [
                {
                    "resource": {"attributes": _attributes(resource)},
                    "scopeSpans": [{"scope": {"name": "large"}, "spans": trace.spans[at : at + 1000]}],
                }
            ]
        }
        for at in range(0, len(trace.spans), 1000)
    ]
    return trace.trace_id, bodies


class _Large:
    def __init__(self, spans: int, begin_ns: int, rnd: random.Random) -> None:
        self.trace_id = rnd.randbytes(16).hex()
        self.spans: list[Span] = []
        self._rnd = rnd
        length = SECOND_NS * spans // 5
        root = self._add("", "crew: quarterly market study", begin_ns, length)
        task, at = 0, begin_ns
        while len(self.spans) < spans:
            self._task(root, task, at, 20 * SECOND_NS)
            task, at = task + 1, at + 4 * SECOND_NS

    def _task(self, root: str, number: int, begin_ns: int, length: int) -> None:
        agent = AGENTS[number % len(AGENTS)]
        facts = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": agent}
        task = self._add(root, f"task {number}: study market {number}", begin_ns, length, facts)
        for turn in range(8):
            part = length // 8
            at = begin_ns + turn * part
            step = self._add(task, f"step {turn}", at, part)
            self._add(step, "chat gpt-4.1", at + 10**7, part // 2, self._call(agent, number, turn))
            failed = self._rnd.random() < 0.01
            facts = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "search_web"}
            self._add(
                step, "execute_tool search_web", at + part // 2 + 2 * 10**7, part // 3, facts, failed=failed
            )
            for page in range(3):
                self._add(step, f"GET /search?page={page}", at + part // 2 + page * 5 * 10**7, 4 * 10**7)

    def _call(self, agent: str, number: int, turn: int) -> dict[str, Any]:
        asked = [_message("system", "You are a careful researcher.")] + [
            _message("assistant" if at % 2 else "user", f"Turn {at}: how large is market {number}?")
            for at in range(turn + 1)
        ]
        return {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "gpt-4.1",
            "gen_ai.response.model": "gpt-4.1-2025-04-14",
            "gen_ai.usage.input_tokens": 1000 + 200 * turn,
            "gen_ai.usage.output_tokens": 120 + turn,
            "gen_ai.agent.name": agent,
            "gen_ai.conversation.id": "large-study",
            "gen_ai.input.messages": json.dumps(asked),
            "gen_ai.output.messages": json.dumps([_message("assistant", f"About **{number * 7} million**.")]),
        }

    def _add(
        self,
        parent: str,
        name: str,
        begin_ns: int,
        length: int,
        facts: dict[str, Any] | None = None,
        *,
        failed: bool = False,
    ) -> str:
        span_id = self._rnd.randbytes(8).hex()
        span: Span = {
            "traceId": self.trace_id,
            "spanId": span_id,
            "parentSpanId": parent,
            "name": name,
            "startTimeUnixNano": str(begin_ns),
            "endTimeUnixNano": str(begin_ns + length),
            "attributes": _attributes(facts or {}),
        }
        if failed:
            span["status"] = {"code": 2, "message": "the search was too slow"}
            said = {"exception.type": "TimeoutError", "exception.stacktrace": STACK}
            span["events"] = [
                {
                    "name": "exception",
                    "timeUnixNano": str(begin_ns + length),
                    "attributes": _attributes(said),
                }
            ]
        self.spans.append(span)
        return span_id


def _message(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "parts": [{"type": "text", "content": text}]}


def _attributes(values: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"key": key, "value": {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value}}
        for key, value in values.items()
    ]
