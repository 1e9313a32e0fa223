"""Whether LiteLLM's entry points are still ours, and who got hold of them before us."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any

from watchglass.capture.checks.finding import Finding

OUR_CODE = "watchglass.capture."


def overwritten() -> list[Finding]:
    """Entry points that we wrapped and that something else has put another function in the place of."""
    lost = [
        f"{_name(owner)}.{name} is {_described(_now(owner, name))}"
        for owner, name, _ in _wrapped()
        if not _is_ours(_now(owner, name))
    ]
    if not lost:
        return []
    return [
        Finding(
            "entry_points_replaced",
            "LiteLLM's entry points were replaced after watchglass wrapped them: such calls are missed.",
            lost[:10],
            "Call watchglass.init() after whatever replaces them, or have that call the function it found.",
        )
    ]


def imported_before() -> list[Finding]:
    """Modules that hold LiteLLM's own functions, because they imported the names before `init`."""
    originals = {id(original): name for _, name, original in _wrapped() if callable(original)}
    held: list[str] = []
    seen: set[int] = set()
    for where, module in sorted(sys.modules.copy().items()):
        # One module may have several names, as the main one of a process that others are spawned from.
        if where.split(".")[0] in {"litellm", "watchglass"} or id(module) in seen:
            continue
        seen.add(id(module))
        for name, value in list(getattr(module, "__dict__", {}).items()):
            if id(value) in originals:
                held.append(f"{where}.{name}")
    if not held:
        return []
    return [
        Finding(
            "imported_before_init",
            "Some modules imported LiteLLM's functions before watchglass.init(): their calls are recorded by "
            "LiteLLM's hooks alone, later and elsewhere, and may be lost if the process is killed.",
            held[:20],
            "Call watchglass.init() first, or write litellm.completion(…) instead of importing the name.",
        )
    ]


def callback_removed() -> list[Finding]:
    """LiteLLM's callbacks without ours, where names that were imported before `init` depend on it."""
    litellm = sys.modules.get("litellm")
    if litellm is None or not imported_before():
        return []
    hooks = sys.modules.get("watchglass.capture.litellm.hooks")
    lists = ("callbacks", "success_callback", "_async_success_callback")  # it moves them at the first call
    here = [each for name in lists for each in getattr(litellm, name, None) or []]
    if hooks is not None and any(isinstance(each, hooks.LLMUsageCallback) for each in here):
        return []
    return [
        Finding(
            "callback_removed",
            "LiteLLM's callbacks are without LLMUsageCallback, perhaps because the list was assigned "
            "anew: calls by names that were imported before init are not on record.",
            [f"litellm.callbacks = {[_described(each) for each in getattr(litellm, 'callbacks', [])]}"],
            "Append to litellm.callbacks instead of assigning it: it must hold LLMUsageCallback().",
        )
    ]


def _wrapped() -> list[tuple[Any, str, Any]]:
    """What `capture.litellm` has wrapped: whose attribute, which, and what it was."""
    tracking = sys.modules.get("watchglass.capture.litellm.tracking")
    return list(getattr(tracking, "_patched", ()))


def _now(owner: Any, name: str) -> Any:
    return getattr(owner, name, None)


def _is_ours(function: Callable[..., Any] | None) -> bool:
    """Whether our wrapper is this function, or within what others have wrapped around it."""
    for _ in range(20):
        if function is None:
            return False
        while isinstance(function, functools.partial):
            function = function.func
        if str(getattr(function, "__globals__", {}).get("__name__", "")).startswith(OUR_CODE):
            return True
        function = getattr(function, "__wrapped__", None)
    return False


def _name(owner: Any) -> str:
    return getattr(owner, "__name__", type(owner).__name__)


def _described(value: Any) -> str:
    module = getattr(value, "__globals__", {}).get("__name__") or getattr(value, "__module__", None)
    name = getattr(value, "__qualname__", None) or type(value).__name__
    return f"{module}.{name}" if module and not isinstance(value, str) else repr(value)
