"""OpenInference's flattened messages: `llm.input_messages.N.message.…` and `llm.output_messages.N.message.…`.

(OpenInference semantic conventions, "LLM spans", `message.*`, `message_content.*` and `tool_call.*`;
embeddings' `embedding.embeddings.N.embedding.text`.)
"""

from __future__ import annotations

from watchglass.model import Attributes, Message, Value
from watchglass.wire.dialects.bodies import REDACTED
from watchglass.wire.dialects.messages import Messages, message, text_message
from watchglass.wire.dialects.parts import parts_of, text_part, tool_call_part

_INPUT = "llm.input_messages."
_OUTPUT = "llm.output_messages."
_EMBEDDED = "embedding.embeddings."
_FLAT = ("llm.prompts.", "llm.choices.")

_Rows = dict[int, dict[str, Value]]


def flattened_messages(
    attributes: Attributes,
) -> tuple[Messages, Messages, tuple[str, ...]]:
    """Input and output messages, and the attribute keys whose text they hold."""
    asked: _Rows = {}
    answered: _Rows = {}
    keys: list[str] = []
    for key, value in attributes.items():
        if key.startswith("llm."):
            if key.startswith(_INPUT):
                _collect(key, value, len(_INPUT), asked, keys)
            elif key.startswith(_OUTPUT):
                _collect(key, value, len(_OUTPUT), answered, keys)
            elif key.startswith(_FLAT) and key.endswith(
                (".prompt.text", ".completion.text")
            ):
                _collect_text(
                    key, value, asked if key.startswith(_FLAT[0]) else answered, keys
                )
    if not asked and not answered:
        return (), (), ()
    return _messages(asked, "user"), _messages(answered, "assistant"), tuple(keys)


def embedded_texts(attributes: Attributes) -> tuple[Messages, tuple[str, ...]]:
    """The texts that were embedded, each as a user message."""
    made: list[Message] = []
    keys: list[str] = []
    for key, value in attributes.items():
        if (
            key.startswith(_EMBEDDED)
            and key.endswith(".embedding.text")
            and isinstance(value, str)
        ):
            keys.append(key)
            if value != REDACTED and (one := text_message("user", value)) is not None:
                made.append(one)
    return tuple(made), tuple(keys)


def _collect(key: str, value: Value, start: int, rows: _Rows, keys: list[str]) -> None:
    number, _, rest = key[start:].partition(".message.")
    if not rest or not number.isascii() or not number.isdigit() or len(number) > 5:
        return
    index = int(number)
    row = rows.get(index)
    if row is None:
        row = rows[index] = {}
    row[rest] = value
    if rest.endswith(
        ("content", "text", "arguments", "arguments_json", "url", "output", "thinking")
    ):
        keys.append(key)


def _collect_text(key: str, value: Value, rows: _Rows, keys: list[str]) -> None:
    number = key.split(".", 3)[2]
    if number.isascii() and number.isdigit() and len(number) <= 5:
        rows.setdefault(int(number), {})["content"] = value
        keys.append(key)


def _messages(rows: _Rows, role: str) -> Messages:
    made = (_message(rows[number], role) for number in sorted(rows))
    return tuple(each for each in made if each is not None)


def _message(row: dict[str, Value], role: str) -> Message | None:
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
        parts: list[Value] = [
            {"type": "tool_call_response", "id": identity, "response": response}
        ]
    else:
        parts = [] if content is None else parts_of(content)
        parts += _contents(row)
        asked_for = {part.get("id") for part in parts if isinstance(part, dict)} - {
            None
        }
        parts += [call for call in _tool_calls(row) if call.get("id") not in asked_for]
    return message("assistant" if role == "model" else role, parts) if parts else None


def _contents(row: dict[str, Value]) -> list[dict[str, Value]]:
    """`contents.N.message_content.{type,text,image.image.url}`; Anthropic's tool calls stand among them."""
    numbered: _Rows = {}
    for key, value in row.items():
        if key.startswith("contents."):
            number, _, rest = key[9:].partition(".")
            if rest and number.isascii() and number.isdigit() and len(number) <= 5:
                numbered.setdefault(int(number), {})[rest] = value
    made: list[dict[str, Value]] = []
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
                made.append(
                    {"type": "reasoning", "content": written}
                    if reasoning
                    else text_part(written)
                )
        elif (url := fields.get("message_content.image.image.url")) is not None:
            made.append({"type": "uri", "modality": "image", "uri": url})
        else:
            made.append(
                {
                    key.removeprefix("message_content."): value
                    for key, value in fields.items()
                }
            )
    return made


def _tool_calls(row: dict[str, Value]) -> list[dict[str, Value]]:
    calls: list[dict[str, Value]] = []
    number = 0
    while (prefix := f"tool_calls.{number}.") + "tool_call.function.name" in row:
        calls.append(_tool_call(row, prefix))
        number += 1
    if not calls and "function_call_name" in row:
        calls.append(
            tool_call_part(
                None, row["function_call_name"], row.get("function_call_arguments_json")
            )
        )
    return calls


def _tool_call(fields: dict[str, Value], prefix: str) -> dict[str, Value]:
    return tool_call_part(
        fields.get(prefix + "tool_call.id"),
        fields.get(prefix + "tool_call.function.name"),
        fields.get(prefix + "tool_call.function.arguments"),
    )
