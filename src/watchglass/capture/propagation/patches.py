"""Methods of the standard library that carry the context: replaced once, put back on request."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

_replaced: dict[tuple[type, str], tuple[Callable[..., Any], Callable[..., Any]]] = {}


def replace(owner: type, name: str, make: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    """Let `make(original)` stand where `owner.name` was; a second time changes nothing."""
    if (owner, name) in _replaced:
        return
    original = getattr(owner, name)
    replacement = functools.wraps(original)(make(original))
    _replaced[owner, name] = (original, replacement)
    setattr(owner, name, replacement)


def restore() -> None:
    """Put back all that was replaced. What somebody else has replaced since then stays as they have it: it
    calls ours, which goes on to carry the context."""
    for (owner, name), (original, replacement) in list(_replaced.items()):
        if getattr(owner, name) is replacement:
            setattr(owner, name, original)
            del _replaced[owner, name]
