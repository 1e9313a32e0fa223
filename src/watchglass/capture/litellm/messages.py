"""What was asked and answered, as OpenTelemetry's GenAI messages: `[{"role", "parts": [{"type", …}]}]`.

Plain values only, so that they can be written as JSON. Content blocks of other shapes stay as they are: the
server reads every provider's. (OpenTelemetry semantic conventions, gen-ai-input-messages.json.)
"""

from __future__ import annotations

from typing import Any, cast

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


def answered(answer: Any, choices: Any) -> list[Any] | None:
    """The messages of an answer; None where it has none (embeddings, images)."""
    if isinstance(choices, list):
        return [_choice(each) for each in cast("list[Any]", choices)]
    text = getattr(answer, "text", None)  # a transcription
    if isinstance(text, str):
        return [_text_message("assistant", text)]
    output = getattr(answer, "output", None)  # the responses API
    if isinstance(output, list):
        return [_plain(each) for each in cast("list[Any]", output)]
    if isinstance(answer, dict) and isinstance(blocks := cast("dict[str, Any]", answer).get("content"), list):
        return [_message({"role": "assistant", "content": blocks})]  # Anthropic's messages API
    return None


def finish_reasons(answer: Any, choices: Any) -> list[Any] | None:
    """Why each choice of an answer ended."""
    if isinstance(choices, list):
        reasons = [getattr(each, "finish_reason", None) for each in cast("list[Any]", choices)]
        return [reason for reason in reasons if isinstance(reason, str)]
    stop = answer.get("stop_reason") if isinstance(answer, dict) else None
    status = getattr(answer, "status", None)
    reason = stop or status
    return [reason] if isinstance(reason, str) else None


def _text_message(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "parts": [{"type": "text", "content": text}]}


def _choice(choice: Any) -> dict[str, Any]:
    message = getattr(choice, "message", None)
    if message is None:  # a text completion's
        said = _text_message("assistant", getattr(choice, "text", None) or "")
    else:
        said = _message(message)
    reason = getattr(choice, "finish_reason", None)
    if isinstance(reason, str):
        said["finish_reason"] = reason
    return said


def _message(message: Any) -> dict[str, Any]:
    get = message.get if isinstance(message, dict) else lambda name: getattr(message, name, None)
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
    get = call.get if isinstance(call, dict) else lambda name: getattr(call, name, None)
    function = get("function") or call
    of = function.get if isinstance(function, dict) else lambda name: getattr(function, name, None)
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
