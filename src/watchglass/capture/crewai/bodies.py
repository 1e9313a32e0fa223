"""What a request to a model says and what its answer says, read from their JSON as it was sent.

Three forms: OpenAI's chat completions (which many others speak), OpenAI's responses, Anthropic's messages. A
streamed answer is put together into the whole that it would have been.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from watchglass.capture import content
from watchglass.capture.litellm.messages import asked as as_messages
from watchglass.capture.litellm.usages import note_usage
from watchglass.capture.records import Attributes
from watchglass.names import SERVICE_TIER

Json = dict[str, Any]

FORMS = ("/chat/completions", "/responses", "/messages")
"""By the end of the path that is asked."""

_SAMPLING = {
    "temperature": "gen_ai.request.temperature",
    "top_p": "gen_ai.request.top_p",
    "seed": "gen_ai.request.seed",
    "max_tokens": "gen_ai.request.max_tokens",
    "max_completion_tokens": "gen_ai.request.max_tokens",
    "max_output_tokens": "gen_ai.request.max_tokens",
}


def form(path: str) -> str | None:
    """Which form a path is asked in; None for what is no request to a model (counting tokens, files)."""
    return next((each for each in FORMS if path.endswith(each)), None)


def describe_request(body: Json, own: Attributes, feature: str | None) -> None:
    """Note how a model is asked, and what."""
    for name, key in _SAMPLING.items():
        value = body.get(name)
        if isinstance(value, int | float):
            own[key] = value
    if not content.wanted(feature):
        return
    system = body.get("system") or body.get("instructions")
    given = body.get("messages")
    given = body.get("input") if given is None else given
    said: list[Any] = [{"role": "user", "content": given}] if isinstance(given, str) else list(given or ())
    if system:
        said.insert(0, {"role": "system", "content": system})
    content.put(own, "gen_ai.input.messages", as_messages("chat", (), {"messages": said}), feature)


def describe_answer(whole: Json, own: Attributes, feature: str | None) -> None:
    """Note who answered, why it ended, what it took, and what was said."""
    for name, key in (("id", "gen_ai.response.id"), ("model", "gen_ai.response.model")):
        if isinstance(value := whole.get(name), str) and value:
            own[key] = value
    usage = whole.get("usage")
    tier = note_usage(usage, own) if isinstance(usage, dict) else None
    tier = whole.get("service_tier") or tier
    if isinstance(tier, str):
        own[SERVICE_TIER] = tier
    reasons = [each for each in _reasons(whole) if isinstance(each, str)]
    if reasons:
        own["gen_ai.response.finish_reasons"] = reasons
    if content.wanted(feature):
        answers = as_messages("chat", (), {"messages": _answers(whole)})
        if answers:
            content.put(own, "gen_ai.output.messages", answers, feature)


def _reasons(whole: Json) -> list[Any]:
    if "choices" in whole:
        return [each.get("finish_reason") for each in whole["choices"]]
    return [whole.get("stop_reason") or whole.get("status")]


def _answers(whole: Json) -> list[Any]:
    if "choices" in whole:
        return [each.get("message") or {} for each in whole["choices"]]
    if isinstance(output := whole.get("output"), list):
        return [each if "role" in each else {"role": "assistant", "content": [each]} for each in output]
    return [{"role": "assistant", "content": whole.get("content") or []}]


def has_token(event: Json) -> bool:
    """Whether an event of a stream brings something of the answer, and not only its head."""
    kind = event.get("type")
    if kind is not None:
        return str(kind).endswith("delta") and kind != "message_delta"
    deltas = (each.get("delta") or {} for each in event.get("choices") or ())
    return any(each.get("content") or each.get("tool_calls") for each in deltas)


def put_together(asked: str, events: list[Json]) -> Json:
    """The whole answer, as far as it came."""
    return _WHOLES[asked](events)


def _whole_chat(events: list[Json]) -> Json:
    whole: Json = {}
    choices: dict[int, Json] = {}
    for event in events:
        whole |= {key: value for key, value in event.items() if key != "choices" and value is not None}
        for each in event.get("choices") or ():
            choice = choices.setdefault(each.get("index") or 0, {"message": {"role": "assistant"}})
            _add(choice["message"], each.get("delta") or {})
            choice["finish_reason"] = each.get("finish_reason") or choice.get("finish_reason")
    return {**whole, "choices": [choices[index] for index in sorted(choices)]}


def _add(message: Json, delta: Json) -> None:
    if delta.get("content"):
        message["content"] = message.get("content", "") + delta["content"]
    for piece in delta.get("tool_calls") or ():
        calls = message.setdefault("tool_calls", [])
        index = piece.get("index", len(calls))
        while len(calls) <= index:
            calls.append({"function": {"name": "", "arguments": ""}})
        function = piece.get("function") or {}
        calls[index]["id"] = piece.get("id") or calls[index].get("id")
        for name in ("name", "arguments"):
            calls[index]["function"][name] += function.get(name) or ""


def _whole_response(events: list[Json]) -> Json:
    found: Json = {}
    for event in events:
        found = event.get("response") or found
    return found


def _whole_message(events: list[Json]) -> Json:
    whole: Json = {}
    blocks: dict[int, Json] = {}
    for event in events:
        match event.get("type"):
            case "message_start":
                whole = dict(event.get("message") or {})
            case "content_block_start":
                blocks[event["index"]] = dict(event.get("content_block") or {})
            case "content_block_delta":
                delta = event.get("delta") or {}
                block = blocks.setdefault(event["index"], {})
                for name in ("text", "thinking", "partial_json"):
                    if delta.get(name):
                        before = block.get(name)
                        block[name] = (before if isinstance(before, str) else "") + delta[name]
            case "message_delta":
                whole |= {key: each for key, each in (event.get("delta") or {}).items() if each is not None}
                said = (event.get("usage") or {}).items()
                whole["usage"] = {
                    **(whole.get("usage") or {}),
                    **{key: n for key, n in said if n is not None},
                }
            case _:
                pass
    whole["content"] = [blocks[index] for index in sorted(blocks)]
    return whole


_WHOLES: dict[str, Callable[[list[Json]], Json]] = {
    "/chat/completions": _whole_chat,
    "/responses": _whole_response,
    "/messages": _whole_message,
}
