"""Content blocks of every provider, as parts of the OpenTelemetry GenAI message schema.

The schema (semantic conventions for generative AI, `gen-ai-input-messages.json`) knows the part types
`text`, `reasoning`, `tool_call`, `tool_call_response`, `blob`, `uri` and `file`. Providers say the same in
shapes of their own; a block that is none of the known ones stays as it is: nothing is dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from watchglass.model import Value
from watchglass.wire.values import json_value

Part: TypeAlias = "dict[str, Value]"


def parts_of(content: Value) -> list[Value]:
    """The parts of a message's content: a text, a block, a list of them, or JSON text of such a list."""
    if isinstance(content, str):
        return _parts_of_text(content)
    if isinstance(content, dict):
        return [part_of(content)]
    if isinstance(content, list):
        return [part for item in content for part in _parts_of_item(item)]
    return [] if content is None else [text_part(str(content))]


def text_part(content: Value) -> Part:
    """A part that is plain text."""
    return {"type": "text", "content": content}


def tool_call_part(identity: Value, name: Value, arguments: Value) -> Part:
    """A part that asks for a tool; arguments given as JSON text are decoded."""
    decoded = json_value(arguments)
    return {
        "type": "tool_call",
        "id": identity,
        "name": name,
        "arguments": arguments if decoded is None else decoded,
    }


def tool_calls_parts(calls: Value) -> list[Value]:
    """OpenAI's `tool_calls` (`{id, function: {name, arguments}}`), or flat (`{id, name, arguments}`)."""
    if isinstance(calls, str):
        calls = json_value(calls)
    if not isinstance(calls, list):
        return []
    parts: list[Value] = []
    for call in calls:
        if isinstance(call, dict):
            function = call.get("function")
            named = function if isinstance(function, dict) else call
            arguments = named.get("arguments", named.get("args"))
            parts.append(tool_call_part(call.get("id"), named.get("name"), arguments))
    return parts


def part_of(block: Mapping[str, Value]) -> Value:
    """One content block as a part."""
    kind = block.get("type")
    if isinstance(kind, str):
        make = _BY_TYPE.get(kind)
        return make(block) if make is not None else dict(block)
    for key, convert in _BY_KEY.items():
        if key in block:
            return convert(block)
    return dict(block)


def _parts_of_text(content: str) -> list[Value]:
    if content.startswith(("[{", '{"')):
        blocks = json_value(content)
        listed: list[Value] = blocks if isinstance(blocks, list) else [blocks]
        if listed and all(_is_block(each) for each in listed):
            return parts_of(listed)
    return [text_part(content)]


def _parts_of_item(item: Value) -> list[Value]:
    if isinstance(item, dict):
        return [part_of(item)]
    return [] if item is None else [text_part(item if isinstance(item, str) else str(item))]


def _is_block(value: Value) -> bool:
    if not isinstance(value, dict):
        return False
    if "type" not in value:
        return len(value) <= 3 and not _BY_KEY.keys().isdisjoint(value)
    kind = value["type"]
    return isinstance(kind, str) and kind in _BLOCK_TYPES


# OpenAI (chat completions, responses) and Anthropic (messages) name their blocks by `type`.


def _text(block: Mapping[str, Value]) -> Value:
    return text_part(block["content"] if "content" in block else block.get("text"))


def _tool_use(block: Mapping[str, Value]) -> Value:
    return tool_call_part(block.get("id"), block.get("name"), block.get("input"))


def _tool_result(block: Mapping[str, Value]) -> Value:
    return _response(block.get("tool_use_id"), block.get("content"))


def _thinking(block: Mapping[str, Value]) -> Value:
    return {"type": "reasoning", "content": block.get("thinking")}


def _function_call_item(block: Mapping[str, Value]) -> Value:
    return tool_call_part(block.get("call_id") or block.get("id"), block.get("name"), block.get("arguments"))


def _function_output_item(block: Mapping[str, Value]) -> Value:
    return _response(block.get("call_id"), block.get("output"))


def _response(identity: Value, response: Value) -> Part:
    return {"type": "tool_call_response", "id": identity, "response": response}


# Bedrock (Converse) and Gemini name their blocks by the key that is there.


def _converse_tool_use(block: Mapping[str, Value]) -> Value:
    use = block["toolUse"]
    if not isinstance(use, dict):
        return dict(block)
    return tool_call_part(use.get("toolUseId"), use.get("name"), use.get("input"))


def _converse_tool_result(block: Mapping[str, Value]) -> Value:
    result = block["toolResult"]
    return (
        _response(result.get("toolUseId"), result.get("content")) if isinstance(result, dict) else dict(block)
    )


def _converse_reasoning(block: Mapping[str, Value]) -> Value:
    content = block["reasoningContent"]
    inner = content.get("reasoningText") if isinstance(content, dict) else content
    return {"type": "reasoning", "content": inner.get("text") if isinstance(inner, dict) else inner}


def _gemini_call(block: Mapping[str, Value]) -> Value:
    call = block.get("function_call", block.get("functionCall"))
    if not isinstance(call, dict):
        return dict(block)
    return tool_call_part(call.get("id"), call.get("name"), call.get("args"))


def _gemini_response(block: Mapping[str, Value]) -> Value:
    answer = block.get("function_response", block.get("functionResponse"))
    if not isinstance(answer, dict):
        return dict(block)
    return _response(answer.get("id") or answer.get("name"), answer.get("response"))


def _bare_text(block: Mapping[str, Value]) -> Value:
    if block.get("thought") is True:
        return {"type": "reasoning", "content": block["text"]}
    return text_part(block["text"])


_BY_TYPE: dict[str, Callable[[Mapping[str, Value]], Value]] = {
    "text": _text,
    "input_text": _text,
    "output_text": _text,
    "tool_use": _tool_use,
    "tool_result": _tool_result,
    "thinking": _thinking,
    "function_call": _function_call_item,
    "function_call_output": _function_output_item,
}

_BLOCK_TYPES = frozenset(
    {
        *_BY_TYPE,
        *("reasoning", "tool_call", "tool_call_response", "blob", "uri", "file"),
        *("image_url", "input_image", "input_audio", "image", "document", "redacted_thinking", "refusal"),
    }
)

_BY_KEY: dict[str, Callable[[Mapping[str, Value]], Value]] = {
    "toolUse": _converse_tool_use,
    "toolResult": _converse_tool_result,
    "reasoningContent": _converse_reasoning,
    "function_call": _gemini_call,
    "functionCall": _gemini_call,
    "function_response": _gemini_response,
    "functionResponse": _gemini_response,
    "text": _bare_text,
}
