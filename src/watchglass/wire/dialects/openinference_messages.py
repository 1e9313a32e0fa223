"""OpenInference's flattened messages: `llm.input_messages.N.message.…` and `llm.output_messages.N.message.…`.

(OpenInference semantic conventions, "LLM spans", `message.*`, `message_content.*` and `tool_call.*`;
embeddings' `embedding.embeddings.N.embedding.text`.)
"""

from __future__ import annotations

from watchglass.model import Attributes, Message, Value
from watchglass.wire.dialects.bodies import REDACTED
from watchglass.wire.dialects.messages import Messages, message, text_message
from watchglass.wire.dialects.parts import Part, parts_of, text_part, tool_call_part

_EMBEDDED = "embedding.embeddings."

_Row = dict[str, Value]

_OUTPUT_FROM = 1_000_000
_MOST_MESSAGES = 99_999
_MEMO_LIMIT = 50_000

_Slot = tuple[int, str, bool]
"""Number of the message (the output's count from `_OUTPUT_FROM`), field of it, whether it is content."""


def flattened_messages(attributes: Attributes) -> tuple[Messages, Messages, tuple[str, ...]]:
    """Input and output messages, and the attribute keys whose text they hold."""
    rows: dict[int, _Row] = {}
    keys: list[str] = []
    memo = _slots
    for key, value in attributes.items():
        try:
            slot = memo[key]
        except KeyError:
            slot = _remember(key)
        if slot is not None:
            number, field, is_content = slot
            try:
                rows[number][field] = value
            except KeyError:
                rows[number] = {field: value}
            if is_content:
                keys.append(key)
    if not rows:
        return (), (), ()
    asked: list[Message] = []
    answered: list[Message] = []
    for number in sorted(rows):
        side, role = (asked, "user") if number < _OUTPUT_FROM else (answered, "assistant")
        if (one := _message(rows[number], role)) is not None:
            side.append(one)
    return tuple(asked), tuple(answered), tuple(keys)


def embedded_texts(attributes: Attributes) -> tuple[Messages, tuple[str, ...]]:
    """The texts that were embedded, each as a user message."""
    made: list[Message] = []
    keys: list[str] = []
    for key, value in attributes.items():
        if key.startswith(_EMBEDDED) and key.endswith(".embedding.text") and isinstance(value, str):
            keys.append(key)
            if value != REDACTED and (one := text_message("user", value)) is not None:
                made.append(one)
    return tuple(made), tuple(keys)


def _remember(key: str) -> _Slot | None:
    slot = _resolve(key)
    if len(_slots) < _MEMO_LIMIT:
        _slots[key] = slot
    return slot


def _resolve(key: str) -> _Slot | None:
    """What an attribute key means here: a field of a message, or nothing."""
    for prefix, start in _PREFIXES:
        if key.startswith(prefix):
            number, _, field = key[len(prefix) :].partition(".")
            for wrapper in ("message.", "prompt.", "completion."):
                field = field.removeprefix(wrapper)
            if not field or not number.isascii() or not number.isdigit() or int(number) > _MOST_MESSAGES:
                return None
            return start + int(number), "content" if field == "text" else field, field.endswith(_CONTENT)
    return None


_PREFIXES = (
    ("llm.input_messages.", 0),
    ("llm.output_messages.", _OUTPUT_FROM),
    ("llm.prompts.", 0),
    ("llm.choices.", _OUTPUT_FROM),
)
"""Where messages stand, and text completions' prompts and choices."""

_CONTENT = ("content", "text", "arguments", "arguments_json", "url")

# Keys recur in every span: a memo of a pure function, not state.
_slots: dict[str, _Slot | None] = {}


def _message(row: _Row, role: str) -> Message | None:
    named = row.get("role")
    role = named if isinstance(named, str) and named else role
    content = row.get("content")
    if content == REDACTED:
        content = None
    if len(row) <= 2 and isinstance(content, str):
        return text_message("assistant" if role == "model" else role, content)
    if (identity := row.get("tool_call_id")) is not None:
        response: Value = content
        if response is None:
            response = [dict(part) for part in _contents(row)] or None
        parts: list[Value] = [{"type": "tool_call_response", "id": identity, "response": response}]
    else:
        parts = [] if content is None else parts_of(content)
        parts += _contents(row)
        asked_for = [part.get("id") for part in parts if isinstance(part, dict) and "id" in part]
        parts += [call for call in _tool_calls(row) if call["id"] is None or call["id"] not in asked_for]
    return message("assistant" if role == "model" else role, parts) if parts else None


def _contents(row: _Row) -> list[Part]:
    """`contents.N.message_content.{type,text,image.image.url}`; Anthropic's tool calls stand among them."""
    numbered: dict[int, _Row] = {}
    for key, value in row.items():
        if key.startswith("contents."):
            number, _, rest = key[9:].partition(".")
            if rest and number.isascii() and number.isdigit() and len(number) <= 5:
                numbered.setdefault(int(number), {})[rest] = value
    made: list[Part] = []
    for number in sorted(numbered):
        fields = numbered[number]
        if "tool_call.function.name" in fields:
            made.append(_tool_call(fields, ""))
        elif (written := fields.get("message_content.text")) is not None:
            if written != REDACTED:
                reasoning = fields.get("message_content.type") in (
                    "reasoning",
                    "thinking",
                )
                made.append({"type": "reasoning", "content": written} if reasoning else text_part(written))
        elif (url := fields.get("message_content.image.image.url")) is not None:
            made.append({"type": "uri", "modality": "image", "uri": url})
        else:
            made.append({key.removeprefix("message_content."): value for key, value in fields.items()})
    return made


def _tool_calls(row: _Row) -> list[Part]:
    calls: list[Part] = []
    number = 0
    while (prefix := f"tool_calls.{number}.") + "tool_call.function.name" in row:
        calls.append(_tool_call(row, prefix))
        number += 1
    if not calls and "function_call_name" in row:
        calls.append(tool_call_part(None, row["function_call_name"], row.get("function_call_arguments_json")))
    return calls


def _tool_call(fields: _Row, prefix: str) -> Part:
    return tool_call_part(
        fields.get(prefix + "tool_call.id"),
        fields.get(prefix + "tool_call.function.name"),
        fields.get(prefix + "tool_call.function.arguments"),
    )
