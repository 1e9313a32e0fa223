"""Fields of LiteLLM's answers, which are pydantic models, dictionaries or plain objects.

A field that a pydantic model does not have costs microseconds to ask for (it raises inside), and most of what
may be there is not: so the model's own dictionaries are read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

_NONE: dict[str, Any] = {}


def fields_of(value: Any) -> Mapping[str, Any]:
    """What a value holds, by name; empty for what holds nothing."""
    if value is None:
        return _NONE
    if isinstance(value, dict):
        return cast("dict[str, Any]", value)
    try:
        own: dict[str, Any] = value.__dict__
        extra: dict[str, Any] | None = value.__pydantic_extra__
    except AttributeError:
        return getattr(value, "__dict__", _NONE)
    return {**own, **extra} if extra else own
