"""Functions of every sort as executions: plain, `async`, generators and `async` generators.

A generator's execution begins with its first item and ends when it is exhausted, closed or collected. It, and
what the generator has in force itself, is in force only while the generator runs: between two items the
caller's own is.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from watchglass.capture import boundary, scoped
from watchglass.capture.execution import Execution
from watchglass.capture.held import Held

F = TypeVar("F", bound=Callable[..., Any])

Begin = Callable[[str | None, object], Execution]
"""(name of the function, its arguments) → the execution of one call."""


def wrapped(function: F, begin: Begin) -> F:
    """`function`, each call of it an execution."""
    given: Any = function
    called = _Called(given.__func__ if isinstance(given, staticmethod | classmethod) else given, begin)
    return scoped.wrapped(function, lambda *args, **kwargs: _Run(called(args, kwargs)))


class _Run(Held):
    """One call, in force while its code runs."""

    __slots__ = ("_step",)

    def __init__(self, step: Execution) -> None:
        super().__init__()
        self._step = step

    def begin(self) -> None:
        """The execution's own context, and its span."""
        self._step.attach()

    def done(self, result: object) -> None:
        """Its result is the output."""
        self._step.end(result)

    def failed(self, error: BaseException) -> None:
        """The error is recorded with it."""
        self._step.fail(error)

    def __del__(self) -> None:
        """Its generator is gone: one that is `async` has nobody to close it where no event loop is left."""
        self._step.end()


class _Called:
    """Begins the execution of a call, with its arguments by name."""

    __slots__ = ("_begin", "_name", "_positional")

    def __init__(self, function: Callable[..., Any], begin: Begin) -> None:
        self._begin = begin
        self._name: str | None = getattr(function, "__name__", None)
        self._positional = _positional(function) or ()

    def __call__(self, args: tuple[object, ...], kwargs: dict[str, object]) -> Execution:
        names = self._positional
        given = {**dict(zip(names, args, strict=False)), **kwargs}
        given.pop("self", None)
        given.pop("cls", None)
        if len(args) > len(names):
            given["args"] = args[len(names) :]
        return self._begin(self._name, given or None)


@boundary.guarded("steps.signature")
def _positional(function: Callable[..., Any]) -> tuple[str, ...]:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # some functions written in C have none
        return ()
    return tuple(each.name for each in parameters if each.kind <= each.POSITIONAL_OR_KEYWORD)
