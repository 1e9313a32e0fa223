"""Messages out of whole request and answer bodies, where a library keeps no message attributes.

Request bodies of OpenAI (chat, completions, responses, embeddings), Anthropic, Gemini and Bedrock,
LangChain's serialized messages, and lists of messages; answers of the same. All end in the canonical
shape of `messages.py`.
"""

from __future__ import annotations

from watchglass.model import Message, Value
from watchglass.wire.dialects.answers import decoded
from watchglass.wire.dialects.messages import (
    Messages,
    instructions,
    message,
    provider_message,
    provider_messages,
    text_message,
)
from watchglass.wire.dialects.parts import tool_calls_parts
from watchglass.wire.values import dig

REDACTED = "__REDACTED__"
"""What OpenInference and others write in place of content that they were told to hide."""

_LANGCHAIN_ROLES = {
    "human": "user",
    "HumanMessageChunk": "user",
    "ai": "assistant",
    "AIMessageChunk": "assistant",
    "system": "system",
    "tool": "tool",
    "function": "tool",
    "chat": "user",
    "developer": "developer",
}


def request_messages(value: Value) -> Messages:
    """The messages that a request body asks with; a bare text is one user message."""
    value = decoded(value)
    if isinstance(value, str):
        return () if value in ("", REDACTED) else _some(text_message("user", value))
    if isinstance(value, list):
        return _listed(value, "user")
    if not isinstance(value, dict):
        return ()
    return (*_instructions(value), *_asked(value))


def answer_messages(value: Value) -> Messages:
    """The messages that an answer body gives; a bare text is one assistant message."""
    value = decoded(value)
    if isinstance(value, str):
        return () if value in ("", REDACTED) else _some(text_message("assistant", value))
    if isinstance(value, list):
        if value and all(isinstance(call, dict) and "function" in call for call in value):
            return _some(message("assistant", tool_calls_parts(value)))  # CrewAI hands the bare calls on
        return _listed(value, "assistant")
    if not isinstance(value, dict):
        return ()
    if isinstance(choices := value.get("choices"), list):
        return tuple(each for choice in choices if (each := _choice(choice)) is not None)
    if isinstance(candidates := value.get("candidates"), list):
        contents = (dig(candidate, "content") for candidate in candidates)
        return tuple(each for one in contents if (each := provider_message(one, "assistant")) is not None)
    if isinstance(generations := value.get("generations"), list):
        return _generations(generations)
    if isinstance(output := value.get("output"), list):
        return _listed(output, "assistant")
    inner = dig(value.get("output"), "message") or value.get("message")
    return _some(_message(inner if isinstance(inner, dict) else value, "assistant"))


def _instructions(body: dict[str, Value]) -> Messages:
    for key in ("system", "instructions", "system_instruction", "systemInstruction"):
        told = body.get(key)
        if told:
            inner = dig(told, "parts")
            return instructions(told if inner is None else inner)
    return ()


def _asked(body: dict[str, Value]) -> Messages:
    for key in ("messages", "contents", "input", "prompt", "prompts", "texts", "query"):
        asked = body.get(key)
        if asked is None:
            continue
        return _listed(asked, "user") if isinstance(asked, list) else provider_messages(asked)
    return _some(_message(body, "user")) if body.keys() & {"content", "role"} else ()


def _listed(items: list[Value], role: str) -> Messages:
    """Messages in a list; LangChain nests one list per prompt."""
    if items and isinstance(items[0], list):
        return tuple(each for inner in items if isinstance(inner, list) for each in _listed(inner, role))
    return tuple(each for item in items if (each := _message(item, role)) is not None)


def _message(item: Value, role: str) -> Message | None:
    if not isinstance(item, dict):
        return provider_message(item, role) if isinstance(item, str) else None
    if isinstance(inner := item.get("kwargs", item.get("data")), dict) and "content" in inner:
        item = inner
    if "role" not in item and (named := _LANGCHAIN_ROLES.get(str(item.get("type")))) is not None:
        item = {key: held for key, held in item.items() if key not in ("type", "id")}
        item["role"] = named
    return provider_message(item, role)


def _choice(choice: Value) -> Message | None:
    if not isinstance(choice, dict):
        return None
    if isinstance(inner := choice.get("message"), dict):
        return provider_message(inner, "assistant")
    written = choice.get("text")
    return text_message("assistant", written) if isinstance(written, str) else None


def _generations(generations: list[Value]) -> Messages:
    flat = [one for each in generations for one in (each if isinstance(each, list) else [each])]
    made: list[Message | None] = []
    for one in flat:
        inner = dig(one, "message")
        written = dig(one, "text")
        if isinstance(inner, dict):
            made.append(_message(inner, "assistant"))
        elif isinstance(written, str):
            made.append(text_message("assistant", written))
    return tuple(each for each in made if each is not None)


def _some(one: Message | None) -> Messages:
    return () if one is None else (one,)
