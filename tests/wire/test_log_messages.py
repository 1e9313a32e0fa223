"""Messages in log records: every library's way of sending a prompt or an answer as an event."""

from __future__ import annotations

import pytest

from watchglass.model import Attributes, LogRecord, Resource, Scope, Value
from watchglass.wire.log_messages import messages_of
from watchglass.wire.values import json_value

CALL = {"id": "c1", "type": "function", "function": {"name": "get_order", "arguments": '{"order_id": 1}'}}
CALL_PART = {"type": "tool_call", "id": "c1", "name": "get_order", "arguments": {"order_id": 1}}


def record(name: str, body: Value = None, **attributes: Value) -> LogRecord:
    """A log record of this event name."""
    return LogRecord("a" * 32, "b" * 16, 1, 1, 9, "INFO", name, body, attributes, Scope(), Resource({}))


def said(record: LogRecord) -> tuple[list[tuple[str, Value]], list[tuple[str, Value]]]:
    """Role and parts of the input and output messages."""
    asked, answered = (
        [(each.role, dict(json_value(each.content))["parts"]) for each in side]
        for side in messages_of(record)
    )
    return asked, answered


@pytest.mark.parametrize("role", ["system", "user", "assistant", "tool"])
def test_an_event_for_each_message(role: str) -> None:
    """The conventions up to 1.36 send an event a message, its role in the event's name."""
    parts = [{"type": "text", "content": "hello"}]
    assert said(record(f"gen_ai.{role}.message", {"content": "hello"})) == ([(role, parts)], [])


def test_a_choice_is_an_answer() -> None:
    """`gen_ai.choice` holds the answer, its finish reason left out so that equal answers are equal."""
    body: Value = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "yes"}}
    assert said(record("gen_ai.choice", body)) == ([], [("assistant", [{"type": "text", "content": "yes"}])])


@pytest.mark.parametrize(
    "body",
    [
        {"message": {"content": None, "tool_calls": [CALL]}},
        {"message": {"content": None}, "tool_calls": [CALL]},
    ],
)
def test_a_choice_of_tool_calls(body: Value) -> None:
    """Tool calls stand in the message, or beside it (OpenLLMetry)."""
    assert said(record("gen_ai.choice", body)) == ([], [("assistant", [CALL_PART])])


def test_one_event_with_all_messages() -> None:
    """The conventions from 1.37 on send one event with what a span would have."""
    asked = [{"role": "user", "parts": [{"type": "text", "content": "q"}]}]
    answered = [{"role": "assistant", "parts": [{"type": "text", "content": "a"}], "finish_reason": "stop"}]
    details = record(
        "gen_ai.client.inference.operation.details",
        **{"gen_ai.input.messages": asked, "gen_ai.output.messages": answered},
    )
    assert said(details) == (
        [("user", [{"type": "text", "content": "q"}])],
        [("assistant", [{"type": "text", "content": "a"}])],
    )


def test_an_event_that_is_named_in_an_attribute() -> None:
    """LiteLLM's callback sends plain records; `event_name` is an attribute."""
    prompt = record("", {"role": "system", "content": "be brief"}, event_name="gen_ai.content.prompt")
    assert said(prompt) == ([("system", [{"type": "text", "content": "be brief"}])], [])
    answer: Attributes = {"event_name": "gen_ai.content.completion"}
    body: Value = {"index": 0, "message": {"role": "assistant", "content": "yes"}}
    assert said(record("", body, **answer)) == ([], [("assistant", [{"type": "text", "content": "yes"}])])


@pytest.mark.parametrize("body", [None, {}, {"index": 0, "message": {"role": "assistant"}}])
def test_a_choice_without_content_is_no_message(body: Value) -> None:
    """Where content was not captured there is nothing to keep."""
    assert messages_of(record("gen_ai.choice", body)) == ((), ())


@pytest.mark.parametrize(
    "name", ["gen_ai.choice", "gen_ai.user.message", "gen_ai.content.prompt", "gen_ai.x"]
)
@pytest.mark.parametrize("body", [7, [1], {"message": 3}, {"content": {"a": 1}}, {"tool_calls": "x"}, "text"])
def test_no_body_is_too_odd(name: str, body: Value) -> None:
    """Whatever a record holds, reading it raises nothing."""
    asked, answered = messages_of(record(name, body))
    assert len(asked) + len(answered) <= 1


def test_other_records_hold_no_messages() -> None:
    """A web server's log line is not a prompt."""
    assert messages_of(record("", "order 1 asked for", tenant="acme")) == ((), ())
    assert messages_of(record("exception", {"content": "x"})) == ((), ())
