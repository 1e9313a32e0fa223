"""Messages that came as log records: which prompt or answer a record holds, if it holds any.

The GenAI conventions up to 1.36 send each message as an event of its own, those from 1.37 on one event
with all of them; LiteLLM's callback sends plain records that name their event in an attribute.
"""

from __future__ import annotations

from watchglass.model import LogRecord, Message, Value
from watchglass.wire.dialects.messages import named_event_messages, provider_message
from watchglass.wire.values import first_text

Messages = tuple[Message, ...]


def messages_of(record: LogRecord) -> tuple[Messages, Messages]:
    """(input, output) messages in the record; both empty for a record that is about something else."""
    name = record.event_name or first_text(record.attributes, "event.name", "event_name") or ""
    if not name.startswith("gen_ai."):
        return (), ()
    if name == "gen_ai.content.prompt" and isinstance(record.body, dict):
        return _one(record.body, "user"), ()
    if name == "gen_ai.content.completion" and isinstance(record.body, dict):
        return (), _one(_answer(record.body), "assistant")
    body = _answer(record.body) if name == "gen_ai.choice" and isinstance(record.body, dict) else record.body
    return named_event_messages(name, record.attributes, body)


def _one(body: Value, role: str) -> Messages:
    made = provider_message(body, role)
    return () if made is None else (made,)


def _answer(body: dict[str, Value]) -> dict[str, Value]:
    """The message of a choice; OpenLLMetry puts the tool calls beside it, not into it."""
    inner = body.get("message")
    if not isinstance(inner, dict):
        return body
    calls = body.get("tool_calls")
    return inner if calls is None else {"tool_calls": calls, **inner}
