"""What was asked and answered, as OpenTelemetry's GenAI messages: `[{"role", "parts": [{"type", …}]}]`.

Plain values only, so that they can be written as JSON. Content blocks of other shapes stay as they are: the
server reads every provider's. (OpenTelemetry semantic conventions, gen-ai-input-messages.json.)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from watchglass.capture.litellm.fields import fields_of

_PLACES = {"embeddings": "input", "moderation": "input", "speech": "input", "rerank": "query"}
"""Where the functions that take no messages have their text."""


def asked(operation: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any] | None:
    """The messages of a request; None where it has none."""
    if "messages" in kwargs or (operation == "chat" and len(args) > 1 and isinstance(args[1], list)):
        given = kwargs["messages"] if "messages" in kwargs else args[1]
        return [_message(each) for each in given] if isinstance(given, list) else None
    text = kwargs.get(_PLACES.get(operation, "prompt"))
    if text is None:
        text = kwargs.get("input", kwargs.get("prompt"))
    if text is None and len(args) > 1:
        text = args[1]
    if isinstance(text, str):
        return [_text_message("user", text)]
    if isinstance(text, list):
        return [
            _message(each) if isinstance(each, dict) else _text_message("user", str(each))
            for each in cast("list[Any]", text)
        ]
    return None


def answered(answer: Mapping[str, Any]) -> list[Any] | None:
    """The messages of an answer, by its fields; None where it has none (embeddings, images)."""
    if isinstance(choices := answer.get("choices"), list):
        return [_choice(fields_of(each)) for each in cast("list[Any]", choices)]
    if isinstance(text := answer.get("text"), str):  # a transcription
        return [_text_message("assistant", text)]
    if isinstance(output := answer.get("output"), list):  # the responses API
        return [_plain(each) for each in cast("list[Any]", output)]
    if isinstance(blocks := answer.get("content"), list):  # Anthropic's messages API
        return [_message({"role": "assistant", "content": blocks})]
    return None


def finish_reasons(answer: Mapping[str, Any]) -> list[Any] | None:
    """Why each choice of an answer ended."""
    choices = answer.get("choices")
    if isinstance(choices, list):
        reasons = [fields_of(each).get("finish_reason") for each in cast("list[Any]", choices)]
        return [reason for reason in reasons if isinstance(reason, str)]
    reason = answer.get("stop_reason") or answer.get("status")
    return [reason] if isinstance(reason, str) else None


def _text_message(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "parts": [{"type": "text", "content": text}]}


def _choice(choice: Mapping[str, Any]) -> dict[str, Any]:
    message = choice.get("message")
    text = choice.get("text") or ""  # a text completion's
    said = _text_message("assistant", text) if message is None else _message(message)
    reason = choice.get("finish_reason")
    if isinstance(reason, str):
        said["finish_reason"] = reason
    return said


def _message(message: Any) -> dict[str, Any]:
    get = fields_of(message).get
    role = get("role")
    content, calls = get("content"), get("tool_calls")
    parts: list[Any] = []
    thought = get("reasoning_content")
    if isinstance(thought, str) and thought:
        parts.append({"type": "reasoning", "content": thought})
    if role == "tool":
        parts.append({"type": "tool_call_response", "id": get("tool_call_id"), "response": _plain(content)})
    elif isinstance(content, str):
        if content or not calls:
            parts.append({"type": "text", "content": content})
    elif isinstance(content, list):
        parts.extend(_part(each) for each in cast("list[Any]", content))
    if isinstance(calls, list):
        parts.extend(_tool_call(each) for each in cast("list[Any]", calls))
    said: dict[str, Any] = {"role": role if isinstance(role, str) else "user", "parts": parts}
    name = get("name")
    if isinstance(name, str):
        said["name"] = name
    return said


def _part(block: Any) -> Any:
    if isinstance(block, str):
        return {"type": "text", "content": block}
    plain = _plain(block)
    if isinstance(plain, dict) and isinstance(text := cast("dict[str, Any]", plain).get("text"), str):
        return {"type": "text", "content": text}
    return plain


def _tool_call(call: Any) -> dict[str, Any]:
    get = fields_of(call).get
    of = fields_of(get("function") or call).get
    return {"type": "tool_call", "id": get("id"), "name": of("name"), "arguments": of("arguments")}


def _plain(value: Any) -> Any:
    """A value that JSON can say; what it cannot is its type's name, never its inside."""
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, list | tuple):
        return [_plain(each) for each in cast("list[Any]", value)]
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in cast("dict[Any, Any]", value).items()}
    dump = getattr(value, "model_dump", None)
    if dump is not None:
        return _plain(dump(exclude_none=True))
    return f"<{type(value).__name__}>"
