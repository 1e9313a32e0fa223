"""When two reports can be of one request: do their models, their tokens and their times agree?

Silence never disagrees; what is said by both must fit. Libraries say one and the same thing in
different words, so models agree without vendor prefix and date, and tokens agree across the two ways
of counting cached input and reasoning.
"""

from __future__ import annotations

import re
from functools import lru_cache

from watchglass.ingest.settling.nodes import CallNode
from watchglass.model import Usage

_DATED = re.compile(
    r"[-@:](\d{3,}[\d.-]*|latest|preview\S*|exp\S*|v\d+(:\d+)?)$|[-@:](\d{3,}[\d.-]*)-v\d+(:\d+)?$"
)
_REGION_AND_VENDOR = re.compile(r"^(?:[a-z]{2,}\.)+(?=[a-z])")


@lru_cache(maxsize=4096)
def model_stem(model: str) -> str:
    """A model's name without vendor, region and date: what all libraries call it.

    `us.anthropic.claude-3-5-haiku-20241022-v1:0`, `anthropic/claude-3-5-haiku-latest` and
    `claude-3-5-haiku` have one stem.
    """
    name = model.rsplit("/", 1)[-1].lower()
    name = _REGION_AND_VENDOR.sub("", name)
    return _DATED.sub("", name)


def model_stems(call: CallNode) -> set[str]:
    """The stems of the models that a report names."""
    return {model_stem(name) for name in (call.request_model, call.response_model) if name}


def kind_of_work(operation: str) -> str:
    """Requests of different kinds are different requests, whatever else they share."""
    lowered = operation.lower()
    for kind in ("embed", "rerank", "image", "transcri", "speech", "moderat"):
        if kind in lowered:
            return kind
    return "generate"


def same_tokens(one: Usage, other: Usage) -> bool:
    """Both said how many tokens of input or of output, and whatever both said is the same number."""
    input_fits = _same(one.input_tokens, other.input_tokens, _cached(one) or _cached(other))
    output_fits = _same(
        one.output_tokens, other.output_tokens, one.reasoning_tokens or other.reasoning_tokens or 0
    )
    return input_fits is not False and output_fits is not False and not (input_fits is output_fits is None)


def _same(one: int | None, other: int | None, apart: int) -> bool | None:
    """Equal, or apart by exactly what one of them leaves out; None where one is silent."""
    if one is None or other is None:
        return None
    return one == other or (apart > 0 and abs(one - other) == apart)


def _cached(usage: Usage) -> int:
    return (usage.cache_read_tokens or 0) + (usage.cache_write_tokens or 0)


def has_tokens(usage: Usage) -> bool:
    """Some tokens, more than none."""
    return bool(usage.input_tokens or usage.output_tokens)


def overlap_ns(start: int, end: int, other_start: int, other_end: int) -> int:
    """How long two spans of time were both going on; negative where there is a gap between them."""
    return min(end, other_end) - max(start, other_start)


def largely_overlap(start: int, end: int, other_start: int, other_end: int) -> bool:
    """Whether at least half of the shorter one was within the longer one."""
    shorter = min(end - start, other_end - other_start)
    return 2 * overlap_ns(start, end, other_start, other_end) >= shorter
