"""One request to a provider, and all the spans that report it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from watchglass.ingest.settling.agreement import has_tokens, kind_of_work, model_stems
from watchglass.ingest.settling.nodes import CallNode
from watchglass.model import NO_USAGE, Usage

_CLASSES = (
    "cache_read_tokens",
    "cache_write_tokens",
    "cache_write_1h_tokens",
    "reasoning_tokens",
    "input_audio_tokens",
    "output_audio_tokens",
)


class Request:
    """A request as it is being pieced together. Grows by `absorb` and never shrinks."""

    __slots__ = (
        *("asked", "end_ns", "id", "into", "layers", "members", "process", "response_ids"),
        *("scopes", "start_ns", "stems", "usage", "work"),
    )

    def __init__(self, call: CallNode) -> None:
        self.id = call.call_id
        self.into: Request | None = None
        """Which request this one turned out to be."""
        self.members: list[CallNode] = [call]
        self.layers: dict[str, tuple[str, int]] = {call.call_id: (call.call_id, 0)}
        """Of each member: which nest of spans it is in, and how far out in it."""
        self.process = call.process
        self.start_ns = call.start_ns
        self.end_ns = max(call.start_ns, call.end_ns)
        self.scopes: frozenset[str] = frozenset((call.scope,))
        self.response_ids: frozenset[str] = (
            frozenset((call.response_id,)) if call.response_id else frozenset()
        )
        self.stems = model_stems(call)
        self.usage: Usage = call.usage if call.usage.known else NO_USAGE
        self.asked: frozenset[str] = frozenset(call.input_messages[-1:])
        """The last message of the prompt, as each report that has it has it."""
        self.work = kind_of_work(call.operation)

    def absorb(self, other: Request, *, around: bool = False) -> None:
        """`other` is a report of this very request; `around` it if its span encloses this one's."""
        other.into = self
        if around:
            level = len(self.layers)
            self.layers.update(dict.fromkeys(other.layers, (self.id, level)))
        else:
            self.layers.update(other.layers)
        self.members += other.members
        self.start_ns = min(self.start_ns, other.start_ns)
        self.end_ns = max(self.end_ns, other.end_ns)
        self.scopes |= other.scopes
        self.response_ids |= other.response_ids
        self.stems |= other.stems
        self.asked |= other.asked
        if knowledge(other.usage) > knowledge(self.usage):
            self.usage = other.usage

    def resolved(self) -> Request:
        """The request that this one is part of in the end."""
        found = self
        while found.into is not None:
            found = found.into
        return found

    @property
    def succeeded(self) -> bool:
        """Whether any report says so: an outer layer may fail where the provider did not."""
        return any(member.success for member in self.members if member.kind == "call")

    @property
    def known(self) -> bool:
        """Whether any report has tokens."""
        return has_tokens(self.usage)

    def encloses(self, member: CallNode, other: CallNode) -> bool:
        """Whether the span of `member` is around that of `other`."""
        nest, level = self.layers[member.call_id]
        other_nest, other_level = self.layers[other.call_id]
        return nest == other_nest and level > other_level

    def models_agree(self, other: Request) -> bool:
        """They name a common model, or one of them names none."""
        return not self.stems or not other.stems or not self.stems.isdisjoint(other.stems)

    def head(self) -> CallNode:
        """The report that knows most: the one that counts. The nearest to the wire among equals."""
        return max((member for member in self.members if member.kind == "call"), key=_telling)

    def combined(self) -> CallNode:
        """The head, with what only the others knew."""
        if len(self.members) == 1:
            return self.members[0]
        head = self.head()
        others = sorted((member for member in self.members if member is not head), key=_telling, reverse=True)
        return _filled(head, others)


def knowledge(usage: Usage) -> tuple[int, int, int]:
    """How much a usage says: totals, then classes, then the larger classes."""
    classes = [getattr(usage, name) for name in _CLASSES]
    return (
        (usage.input_tokens is not None) + (usage.output_tokens is not None),
        sum(value is not None for value in classes),
        sum(value or 0 for value in classes),
    )


def _telling(call: CallNode) -> tuple[object, ...]:
    usage = call.usage
    return (
        has_tokens(usage),
        _coherent(usage),
        *knowledge(usage),
        call.response_id is not None,
        call.response_model is not None,
        call.start_ns,
        call.call_id,
    )


def _coherent(usage: Usage) -> bool:
    """No part is larger than its total: a library that leaves cached tokens out of the input says less."""
    cached = (usage.cache_read_tokens or 0) + (usage.cache_write_tokens or 0)
    return cached <= (usage.input_tokens or cached) and (usage.reasoning_tokens or 0) <= (
        usage.output_tokens or usage.reasoning_tokens or 0
    )


_FILLED = (
    *(
        "provider_label",
        "server_address",
        "request_model",
        "response_model",
        "response_id",
        "reported_cost_usd",
    ),
    *("service_tier", "ttft_ns", "streaming", "finish_reasons", "input_messages", "output_messages"),
)


def _filled(head: CallNode, others: Sequence[CallNode]) -> CallNode:
    changes: dict[str, object] = {}
    for name in _FILLED:
        if getattr(head, name) in (None, ()):
            said: list[object] = [
                value for each in others if (value := getattr(each, name)) not in (None, ())
            ]
            if said:
                changes[name] = said[0]
    if not head.success and head.error_type is None:
        for failed in others:
            if failed.error_type is not None:
                changes["error_type"] = failed.error_type
                changes["error_message"] = head.error_message or failed.error_message
                break
    usage = head.usage
    for other in others:
        usage = completed(usage, other.usage)
    if usage is not head.usage:
        changes["usage"] = usage
    return msgspec.structs.replace(head, **changes) if changes else head


_SPLITS = {
    "cache_read_tokens": "input_tokens",
    "cache_write_tokens": "input_tokens",
    "cache_write_1h_tokens": "cache_write_tokens",
    "input_audio_tokens": "input_tokens",
    "reasoning_tokens": "output_tokens",
    "output_audio_tokens": "output_tokens",
}
"""Each class, and the total that it splits."""


def completed(usage: Usage, other: Usage) -> Usage:
    """`usage`, with what only `other` says; how a total splits is taken over only where the totals agree."""
    if not other.known:
        return usage
    if not usage.known:
        return other
    changes: dict[str, int] = {}
    for name in ("input_tokens", "output_tokens"):
        if getattr(usage, name) is None and (value := getattr(other, name)) is not None:
            changes[name] = value
    for name, total in _SPLITS.items():
        value = getattr(other, name)
        if getattr(usage, name) is None and value is not None:
            mine = changes.get(total, getattr(usage, total))
            if mine is not None and mine == getattr(other, total):
                changes[name] = value
    return msgspec.structs.replace(usage, **changes) if changes else usage
