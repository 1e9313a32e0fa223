"""A function that is an execution: begun before it, ended or failed after it, whatever happens to our
part."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from watchglass.capture import boundary, recorder
from watchglass.capture.announced import Lent
from watchglass.capture.context import Context, current
from watchglass.capture.crewai import patches
from watchglass.capture.execution import Execution

FEATURE = "crewai"
"""The feature of what is done under a crew, unless the application names one."""

Begin = Callable[[Any, dict[str, Any]], "Execution | Lent | None"]
"""`(self, the arguments by name)`: the execution that this call is, or None if it is none."""

Said = Callable[[Any], object]
"""What a result says, as it is to be kept."""

_beneath: ContextVar[list[Execution] | None] = ContextVar("watchglass_crewai_beneath", default=None)


def context() -> Context:
    """For whom and what for, as what is done under a crew has it."""
    here = current()
    return here if "feature" in here.fields else here.with_fields(feature=FEATURE)


def opened() -> list[Execution]:
    """What was begun by events within the innermost wrapped function and has not ended, oldest first."""
    found = _beneath.get()
    if found is None:
        found = []
        _beneath.set(found)
    return found


def sync(begin: Begin, said: Said) -> Callable[[Any], Any]:
    """Make a wrapper for a method that returns when it is done."""

    def wrap(original: Any) -> Any:
        signature = inspect.signature(original)

        def wrapper(self: Any, *args: Any, **kwargs: Any) -> Any:
            running = _Running.begun(begin, signature, self, args, kwargs)
            if running is None:
                return original(self, *args, **kwargs)
            try:
                result = original(self, *args, **kwargs)
            except BaseException as error:
                running.failed(error)
                raise
            running.ended(said, result)
            return result

        return wrapper

    return wrap


def asynchronous(begin: Begin, said: Said) -> Callable[[Any], Any]:
    """Make a wrapper for a coroutine method."""

    def wrap(original: Any) -> Any:
        signature = inspect.signature(original)

        async def wrapper(self: Any, *args: Any, **kwargs: Any) -> Any:
            running = _Running.begun(begin, signature, self, args, kwargs)
            if running is None:
                return await original(self, *args, **kwargs)
            try:
                result = await original(self, *args, **kwargs)
            except BaseException as error:
                running.failed(error)
                raise
            running.ended(said, result)
            return result

        return wrapper

    return wrap


class _Running:
    """One call of a wrapped function."""

    __slots__ = ("beneath", "execution", "outer")

    def __init__(self, execution: Execution | Lent) -> None:
        self.execution = execution
        self.beneath: list[Execution] = []
        self.outer = _beneath.get()
        _beneath.set(self.beneath)
        execution.attach()

    @staticmethod
    @boundary.guarded("crewai.begin")
    def begun(
        begin: Begin, signature: inspect.Signature, self: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> _Running | None:
        """The execution that a call is, in force from now on."""
        if not recorder.recording():
            return None
        execution = begin(self, patches.arguments(signature, (self, *args), kwargs))
        return None if execution is None else _Running(execution)

    @boundary.guarded("crewai.end")
    def ended(self, said: Said, result: Any) -> None:
        """The function returned."""
        self._leave("it was left open when what it was part of ended")
        self.execution.end(output=said(result))

    @boundary.guarded("crewai.end")
    def failed(self, error: BaseException) -> None:
        """The function raised."""
        self._leave(error)
        self.execution.fail(error)

    def _leave(self, error: BaseException | str) -> None:
        """Close what its own end event never came for, innermost first, and put back what was in force."""
        for left in reversed(self.beneath):
            left.detach()
            if isinstance(error, str):
                left.fail("_OTHER", error)
            else:
                left.fail(error)
        self.beneath.clear()
        self.execution.detach()
        _beneath.set(self.outer)
