"""Messages out of attributes and span events, in one canonical text each, so that equal ones hash equal.

Three generations of the conventions and OpenLLMetry's indexed attributes are read here; every dialect
may use these readers. Content is taken from the canonical JSON of `{"parts": [...], "role": ...}`:
what only describes the choice (`finish_reason`, `index`) is left out, so that an answer and its
repetition in the next request's history are one message.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

import msgspec

from watchglass.model import Attributes, Event, Message, Value
from watchglass.wire.dialects.parts import parts_of, text_part, tool_call_part, tool_calls_parts
from watchglass.wire.values import json_value, to_json

Messages = tuple[Message, ...]
Found = tuple[Messages, tuple[str, ...]]
"""Messages, and the attribute keys whose text they hold."""

NOTHING: Found = ((), ())

_ROLES = frozenset({"system", "user", "assistant", "tool", "developer", "function"})


def message(role: str, parts: list[Value]) -> Message | None:
    """A message of these parts; None where they cannot be written down as JSON."""
    try:
        return Message(role, to_json({"parts": parts, "role": role}))
    except (RecursionError, UnicodeEncodeError, OverflowError):
        return None


def text_message(role: str, content: str) -> Message | None:
    """A message of one text, or of the blocks that the text spells out as JSON."""
    return message(role, parts_of(content))


def provider_message(value: Value, role: str) -> Message | None:
    """One message in any provider's shape (`parts`, `content`, `tool_calls`); `role` where it names none."""
    if isinstance(value, str):
        return text_message(role, value)
    if not isinstance(value, dict):
        return None
    named = value.get("role")
    role = named if isinstance(named, str) and named else role
    parts = value.get("parts")
    if not isinstance(parts, list):
        return message(role, _parts_of_message(value))
    for part in parts:
        if not isinstance(part, dict) or "type" not in part:  # not the conventions' shape but Gemini's
            parts = parts_of(parts)
            break
    return message("assistant" if role == "model" else role, parts)


class _TextPart(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    content: str
    type: Literal["text"]


class _TextMessage(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    parts: list[_TextPart]
    role: str
    finish_reason: str | None = None


class _Canonical(msgspec.Struct, frozen=True, gc=False):
    parts: list[_TextPart]
    role: str


_decode_text_messages = msgspec.json.Decoder(list[_TextMessage]).decode
_encode = msgspec.json.Encoder().encode


def _text_messages(value: str) -> Messages | None:
    """The commonest shape, the conventions' own with nothing but text, read and written as typed records.

    Gives what the general way gives, at half its cost; None where there is anything else in it.
    """
    if not value.startswith("["):
        return None
    try:
        found = _decode_text_messages(value)
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        return None
    if not all(each.role and each.role != "model" for each in found):
        return None
    return tuple(Message(each.role, _encode(_Canonical(each.parts, each.role)).decode()) for each in found)


def provider_messages(value: Value, role: str = "user") -> Messages:
    """A list of messages as it came or as JSON text; a text that is no JSON is one message."""
    if isinstance(value, str):
        if (plain := _text_messages(value)) is not None:
            return plain
        decoded = json_value(value)
        if not isinstance(decoded, list | dict):
            return _some(text_message(role, value)) if value.strip() else ()
        value = decoded
    if isinstance(value, dict):
        inner = value.get("messages")
        return (
            provider_messages(inner, role)
            if isinstance(inner, list)
            else _some(provider_message(value, role))
        )
    if not isinstance(value, list):
        return ()
    return tuple(each for item in value if (each := provider_message(item, role)) is not None)


def instructions(value: Value) -> Messages:
    """`gen_ai.system_instructions`: a list of parts as JSON text, or plain text, as one system message."""
    decoded = json_value(value) if isinstance(value, str) else value
    parts = parts_of(decoded if isinstance(decoded, list) else value)
    return _some(message("system", parts)) if parts else ()


def convention_messages(attributes: Attributes) -> tuple[Messages, Messages, tuple[str, ...]]:
    """Input, output and content keys of the OpenTelemetry GenAI conventions from 1.37 on.

    `gen_ai.input.messages`, `gen_ai.output.messages`, `gen_ai.system_instructions`: JSON text, or
    structured values where the exporter can send them.
    """
    asked, answered, keys = (), (), ()
    value = attributes.get("gen_ai.input.messages")
    if value is not None and (asked := provider_messages(value)):
        keys = ("gen_ai.input.messages",)
    value = attributes.get("gen_ai.system_instructions")
    if value is not None and (told := instructions(value)):
        keys = (*keys, "gen_ai.system_instructions")
        # Some libraries repeat the instructions as the first message of the input.
        asked = asked if asked[:1] == told else (*told, *asked)
    value = attributes.get("gen_ai.output.messages")
    if value is not None and (answered := provider_messages(value, "assistant")):
        keys = (*keys, "gen_ai.output.messages")
    return asked, answered, keys


def indexed_messages(attributes: Attributes, prefix: str, role: str) -> Found:
    """OpenLLMetry's `<prefix>.N.role`, `.content`, `.tool_calls.M.name`; `prefix` e.g. `gen_ai.prompt`."""
    rows: dict[int, dict[str, Value]] = {}
    keys: list[str] = []
    for key in [each for each in attributes if each.startswith(prefix)]:
        place = _places.get(key) or _place(key)
        if place is not None and place[0] == prefix:
            _, number, rest, is_text = place
            rows.setdefault(number, {})[rest] = attributes[key]
            if is_text:
                keys.append(key)
    if not rows:
        return NOTHING
    made = (_indexed(rows[number], role) for number in sorted(rows))
    return tuple(each for each in made if each is not None), tuple(keys)


def event_messages(events: Iterable[Event]) -> tuple[Messages, Messages]:
    """Input and output messages from span events, of every generation that put them there."""
    asked: list[Message] = []
    answered: list[Message] = []
    for event in events:
        name = event.name
        if name.startswith("gen_ai."):
            more_asked, more_answered = named_event_messages(name, event.attributes, None)
            asked += more_asked
            answered += more_answered
    return tuple(asked), tuple(answered)


def named_event_messages(name: str, attributes: Attributes, body: Value) -> tuple[Messages, Messages]:
    """Input and output messages of one event, be it of a span or a log record (then with a body).

    - `gen_ai.<role>.message`, `gen_ai.choice` (conventions 1.27 to 1.36): content in the body, in the
      attribute `gen_ai.event.content` (Azure), or in the attributes `content` and `message` (Strands);
    - `gen_ai.content.prompt`, `gen_ai.content.completion` (before 1.27);
    - `gen_ai.client.inference.operation.details` (from 1.37): the attributes of a span.
    """
    if name == "gen_ai.client.inference.operation.details":
        source = body if isinstance(body, dict) and body else attributes
        asked, answered, _ = convention_messages(source)
        return asked, answered
    if name == "gen_ai.content.prompt":
        return provider_messages(attributes.get("gen_ai.prompt")), ()
    if name == "gen_ai.content.completion":
        return (), provider_messages(attributes.get("gen_ai.completion"), "assistant")
    if name == "gen_ai.choice":
        return (), _some(_event_message(attributes, body, "assistant"))
    role = name.removeprefix("gen_ai.").removesuffix(".message")
    return (_some(_event_message(attributes, body, role)), ()) if role in _ROLES else ((), ())


_Place = tuple[str, int, str, bool]
"""Prefix, number of the message, the rest of the key, and whether its value is the message's text."""

_INDEXED = re.compile(r"([a-z_.]+)\.(\d{1,5})\.(.+)", re.DOTALL)
_MOST_PLACES = 4_096
_places: dict[str, _Place] = {}  # a memo: the same few hundred keys come with every span


def _place(key: str) -> _Place | None:
    found = _INDEXED.fullmatch(key)
    if found is None:
        return None
    prefix, number, rest = found.groups()
    place = prefix, int(number), rest, rest.endswith(("content", "arguments", "reasoning"))
    if len(_places) < _MOST_PLACES:
        _places[key] = place
    return place


def _event_message(attributes: Attributes, body: Value, role: str) -> Message | None:
    value = body
    if not isinstance(body, dict | str) or not body:
        value = attributes.get("gen_ai.event.content")
        value = dict(attributes) if value is None else value
    if isinstance(value, str):
        decoded = json_value(value)
        value = decoded if isinstance(decoded, dict) else value
    if isinstance(value, dict):
        inner = value.get("message")
        if isinstance(inner, dict):
            return provider_message(inner, role)
        if inner is not None:
            return message(role, parts_of(inner))
        if not value.keys() & {"content", "tool_calls", "parts"}:
            return None  # content was not captured
    return provider_message(value, role)


def _parts_of_message(value: dict[str, Value]) -> list[Value]:
    """Parts of a message in OpenAI's, Anthropic's or Bedrock's shape, or of an item of OpenAI's responses."""
    if value.get("type") in ("function_call", "function_call_output"):
        return parts_of(value)
    content = value.get("content")
    identity = value.get("tool_call_id") or (value.get("id") if value.get("role") == "tool" else None)
    if identity is not None:
        return [{"type": "tool_call_response", "id": identity, "response": content}]
    return [*parts_of(content), *tool_calls_parts(value.get("tool_calls"))]


def _indexed(row: dict[str, Value], role: str) -> Message | None:
    named = row.get("role")
    role = named if isinstance(named, str) and named else role
    content = row.get("content")
    if (identity := row.get("tool_call_id")) is not None:
        parts: list[Value] = [{"type": "tool_call_response", "id": identity, "response": content}]
    else:
        parts = parts_of(content) if content not in (None, "") else []
    if (reasoning := row.get("reasoning", row.get("reasoning_content"))) not in (None, ""):
        parts.insert(0, {"type": "reasoning", "content": reasoning})
    if "function_call.name" in row:
        parts.append(tool_call_part(None, row["function_call.name"], row.get("function_call.arguments")))
    number = 0
    while (name := row.get(f"tool_calls.{number}.name")) is not None:
        arguments = row.get(f"tool_calls.{number}.arguments")
        parts.append(tool_call_part(row.get(f"tool_calls.{number}.id"), name, arguments))
        number += 1
    return message(role, parts) if parts else None


def _some(one: Message | None) -> Messages:
    return () if one is None else (one,)


__all__ = [
    "convention_messages",
    "event_messages",
    "indexed_messages",
    "instructions",
    "message",
    "named_event_messages",
    "provider_message",
    "provider_messages",
    "text_message",
    "text_part",
]
