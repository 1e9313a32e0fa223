"""Functions put in the place of others, and how they are put back."""

from __future__ import annotations

import functools
import importlib
import inspect
import sys
from collections.abc import Callable, Iterable
from types import FunctionType
from typing import Any

_replaced: list[tuple[Any, str, Any]] = []
_allowed = False
_INHERITED = object()


def allow() -> None:
    """Wrap modules as they are imported."""
    global _allowed
    _allowed = True


def allowed() -> bool:
    """Whether modules are to be wrapped."""
    return _allowed


def wrap_again(wrap: Callable[[str], object], names: Iterable[str]) -> None:
    """Wrap those modules that are imported and were put back."""
    if _replaced:
        return
    for name in names:
        if name in sys.modules:
            wrap(name)


def replace(owner: Any, name: str, make: Callable[[Any], Any]) -> None:
    """Put `make(original)` in the place of `owner.name`, its own or inherited.

    Where there is no such function (another version of the library) nothing is done: the rest goes on.
    """
    own = vars(owner).get(name, _INHERITED)
    original = getattr(owner, name, None) if own is _INHERITED else own
    if original is None:
        return
    # `isinstance` would not do: wrapt's wrappers pretend to be what they wrap.
    made = make(original if type(original) is FunctionType else _unbound(original))
    functools.update_wrapper(made, original)
    setattr(owner, name, made)
    _replaced.append((owner, name, own))


def _unbound(descriptor: Any) -> Any:
    """Another library's wrapper as a function that takes `self`: called past its own binding, it would not
    know whose method it is."""

    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        return descriptor.__get__(self, type(self))(*args, **kwargs)

    return functools.update_wrapper(call, descriptor)


def undo() -> None:
    """Put everything back, and wrap nothing more."""
    global _allowed
    _allowed = False
    while _replaced:
        owner, name, own = _replaced.pop()
        if own is _INHERITED:
            delattr(owner, name)
        else:
            setattr(owner, name, own)


def resolve(path: str) -> Callable[..., Any]:
    """The function `module:name`."""
    module, _, name = path.partition(":")
    return getattr(importlib.import_module(module), name)


def arguments(signature: inspect.Signature, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """What a call gives to each parameter, by name, as far as it gives anything."""
    return dict(signature.bind_partial(*args, **kwargs).arguments)
