"""A streamed answer put together from its pieces: LiteLLM's `ModelResponseStream`, OpenAI's chunks,
Anthropic's events as bytes."""

from __future__ import annotations

import json
from typing import Any


def has_token(piece: Any) -> bool:
    """Whether a piece brings something of the answer, and not only its head."""
    if isinstance(piece, bytes):
        return b"content_block_delta" in piece
    choices = getattr(piece, "choices", None)
    if choices is None:
        kind = getattr(piece, "type", None)  # an event of the responses API
        return kind is None or str(getattr(kind, "value", kind)).endswith(".delta")
    for choice in choices:
        delta = getattr(choice, "delta", None)
        if delta is None:
            if getattr(choice, "text", None):
                return True
        elif delta.content or getattr(delta, "tool_calls", None) or getattr(delta, "reasoning_content", None):
            return True
    return False


def events_of(chunks: list[bytes]) -> list[dict[str, Any]]:
    """The server-sent events of an answer that is handed on as bytes; one that broke off is none."""
    events: list[dict[str, Any]] = []
    for line in b"".join(chunks).splitlines():
        if line.startswith(b"data:"):
            try:
                event = json.loads(line[5:])
            except ValueError:
                continue
            if isinstance(event, dict):
                events.append(event)
    return events


def finish_reason(chunks: list[Any]) -> str | None:
    """Why the answer ended, as far as it came."""
    for chunk in reversed(chunks):
        for choice in getattr(chunk, "choices", None) or ():
            reason = getattr(choice, "finish_reason", None)
            if isinstance(reason, str):
                return reason
    return None


def last_usage(chunks: list[Any]) -> Any:
    """The last usage that came along with the pieces; it repeats what earlier ones said."""
    for chunk in reversed(chunks):
        usage = getattr(chunk, "usage", None)
        if usage is not None and (
            getattr(usage, "prompt_tokens", 0) or getattr(usage, "completion_tokens", 0)
        ):
            return usage
    return None


def put_together(chunks: list[Any]) -> list[Any]:
    """The answer's messages, one a choice."""
    choices: dict[int, _Choice] = {}
    for chunk in chunks:
        for choice in getattr(chunk, "choices", None) or ():
            index = getattr(choice, "index", 0) or 0
            if index not in choices:
                choices[index] = _Choice()
            choices[index].add(choice)
    return [choices[index].message() for index in sorted(choices)]


class _Choice:
    def __init__(self) -> None:
        self.texts: list[str] = []
        self.thoughts: list[str] = []
        self.tools: dict[int, dict[str, Any]] = {}
        self.reason: str | None = None

    def add(self, choice: Any) -> None:
        delta = getattr(choice, "delta", None)
        self.reason = getattr(choice, "finish_reason", None) or self.reason
        if delta is None:
            return
        if isinstance(delta.content, str):
            self.texts.append(delta.content)
        thought = getattr(delta, "reasoning_content", None)
        if isinstance(thought, str):
            self.thoughts.append(thought)
        for call in getattr(delta, "tool_calls", None) or ():
            place = getattr(call, "index", 0) or 0
            tool = self.tools.setdefault(
                place, {"type": "tool_call", "id": None, "name": None, "arguments": ""}
            )
            tool["id"] = tool["id"] or getattr(call, "id", None)
            function = getattr(call, "function", None)
            tool["name"] = tool["name"] or getattr(function, "name", None)
            tool["arguments"] += getattr(function, "arguments", None) or ""

    def message(self) -> dict[str, Any]:
        parts: list[Any] = []
        if self.thoughts:
            parts.append({"type": "reasoning", "content": "".join(self.thoughts)})
        if self.texts and (text := "".join(self.texts)):
            parts.append({"type": "text", "content": text})
        parts.extend(self.tools[place] for place in sorted(self.tools))
        said: dict[str, Any] = {"role": "assistant", "parts": parts}
        if self.reason:
            said["finish_reason"] = self.reason
        return said
