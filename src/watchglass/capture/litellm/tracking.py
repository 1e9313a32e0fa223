"""Puts the wrapped entry points in the place of LiteLLM's own, wherever LiteLLM keeps them, and back."""

from __future__ import annotations

import importlib
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from watchglass.capture import boundary

if TYPE_CHECKING:
    from collections.abc import Callable

_patched: list[tuple[Any, str, Any]] = []


def setup_litellm_tracking() -> None:
    """Record every call that goes through LiteLLM, which this imports; calling it again changes nothing.

    Starts watchglass with its settings if `watchglass.init` has not been called.
    """
    from watchglass.capture import recorder

    if not recorder.recording():
        importlib.import_module("watchglass.capture.runtime").init()
    if "litellm" not in sys.modules and find_spec("litellm") is None:
        boundary.once("litellm", "watchglass: litellm is not installed: there are no calls of it to record")
        return
    install()


def is_litellm_tracking_enabled() -> bool:
    """Whether calls through LiteLLM are recorded now; after `init` alone they are once it is imported."""
    from watchglass.capture import recorder

    return bool(_patched) and recorder.recording()


@boundary.guarded("litellm.install")
def install() -> None:
    """Wrap LiteLLM's entry points. Called when LiteLLM is imported; imports it otherwise."""
    if _patched:
        return
    import litellm

    from watchglass.capture import http_attempts
    from watchglass.capture.litellm.entry import OPERATIONS, grouped, tracked, tracked_async

    http_attempts.install()
    for base, operation in OPERATIONS.items():
        for name in (base, f"a{base}"):
            wrap = tracked_async if name != base or name == "anthropic_messages" else tracked
            for function in _functions(litellm, name):
                _replace(name, function, wrap(function, operation))
    if not _being_imported(litellm):
        _listen(litellm)
    router = importlib.import_module("litellm.router").Router
    _put(router, "async_function_with_fallbacks", grouped(router.async_function_with_fallbacks))


def uninstall() -> None:
    """Undo `install`."""
    from watchglass.capture import http_attempts

    if _patched:
        hooks = importlib.import_module("watchglass.capture.litellm.hooks")
        litellm: Any = importlib.import_module("litellm")
        litellm.callbacks = [
            each for each in litellm.callbacks if not isinstance(each, hooks.LLMUsageCallback)
        ]
    while _patched:
        owner, name, original = _patched.pop()
        setattr(owner, name, original)
    http_attempts.uninstall()


def _being_imported(litellm: Any) -> bool:
    """Whether LiteLLM's import is just ending: then nobody can have taken names from it before."""
    return bool(getattr(litellm.__spec__, "_initializing", False))


def _listen(litellm: Any) -> None:
    """Have LiteLLM's hooks report the calls of names that were imported before us."""
    from watchglass.capture.litellm.hooks import LLMUsageCallback

    if not any(isinstance(each, LLMUsageCallback) for each in litellm.callbacks):
        litellm.logging_callback_manager.add_litellm_callback(LLMUsageCallback())


def _functions(litellm: Any, name: str) -> list[Callable[..., Any]]:
    """The functions of this name: the public one, that of `litellm.main`, which LiteLLM's own retries and
    asynchronous functions look up, and Google's form, which is public in a package of its own."""
    main = importlib.import_module("litellm.main")
    google = sys.modules.get("litellm.google_genai.main")
    found = (getattr(litellm, name, None), main.__dict__.get(name), getattr(google, name, None))
    return list(dict.fromkeys(each for each in found if callable(each)))


def _replace(name: str, function: Callable[..., Any], wrapper: Callable[..., Any]) -> None:
    # `copy` is one step; making a list of it may collect garbage half-way, and let another thread import.
    for where, module in sys.modules.copy().items():
        theirs = where == "litellm" or where.startswith("litellm.")
        if theirs and getattr(module, "__dict__", {}).get(name) is function:
            _put(module, name, wrapper)


def _put(owner: Any, name: str, value: Any) -> None:
    _patched.append((owner, name, owner.__dict__[name]))
    setattr(owner, name, value)
