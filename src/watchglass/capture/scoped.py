"""Functions that run within something: one wrapper for functions, coroutine functions and generators.

A generator is within only while its own code runs. Python gives a generator its caller's context variables
(PEP 568, which would have changed that, is deferred), so each step enters and leaves by itself.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from typing import Any, Protocol, TypeVar, cast

F = TypeVar("F", bound=Callable[..., Any])


class Scope(Protocol):
    """One run of a function. `enter` and `leave` alternate and MUST NOT raise; `enter` MUST put back in force
    what was when `leave` was last called. Thread and task may differ from step to step."""

    def enter(self) -> None:
        """Before the function's code runs, first or again."""
        ...

    def leave(self) -> None:
        """When it has returned, raised or yielded."""
        ...


def wrapped(function: F, scope: Callable[..., Scope]) -> F:
    """`function` with each of its runs in a new `scope(*args, **kwargs)`; of the kind that it was."""
    if isinstance(function, staticmethod | classmethod):
        return cast(F, type(function)(wrapped(function.__func__, scope)))
    if inspect.isclass(function):
        raise TypeError(f"{function.__name__} is a class; decorate its methods")
    if inspect.isasyncgenfunction(function):
        made = _async_generator(function, scope)
    elif inspect.isgeneratorfunction(function):
        made = _generator(function, scope)
    elif inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__):
        made = _coroutine(function, scope)
    else:
        made = _function(function, scope)
    return cast(F, functools.wraps(function)(made))


def _function(function: Callable[..., Any], scope: Callable[..., Scope]) -> Callable[..., Any]:
    def run(*args: Any, **kwargs: Any) -> Any:
        within = scope(*args, **kwargs)
        within.enter()
        try:
            return function(*args, **kwargs)
        finally:
            within.leave()

    return run


def _coroutine(function: Callable[..., Awaitable[Any]], scope: Callable[..., Scope]) -> Callable[..., Any]:
    async def run(*args: Any, **kwargs: Any) -> Any:
        within = scope(*args, **kwargs)
        within.enter()
        try:
            return await function(*args, **kwargs)
        finally:
            within.leave()

    return run


class _Steps(Generator[Any, Any, Any]):
    """A generator each of whose steps is within the scope."""

    def __init__(self, steps: Generator[Any, Any, Any], within: Scope) -> None:
        self._steps = steps
        self._within = within

    def send(self, value: Any, /) -> Any:
        self._within.enter()
        try:
            return self._steps.send(value)
        finally:
            self._within.leave()

    def throw(self, *error: Any) -> Any:
        self._within.enter()
        try:
            return self._steps.throw(*error)
        finally:
            self._within.leave()

    def close(self) -> None:
        self._within.enter()
        try:
            self._steps.close()
        finally:
            self._within.leave()


def _generator(
    function: Callable[..., Generator[Any, Any, Any]], scope: Callable[..., Scope]
) -> Callable[..., Any]:
    def run(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        return (yield from _Steps(function(*args, **kwargs), scope(*args, **kwargs)))

    return run


def _async_generator(
    function: Callable[..., AsyncGenerator[Any, Any]], scope: Callable[..., Scope]
) -> Callable[..., Any]:
    async def run(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        within, steps = scope(*args, **kwargs), function(*args, **kwargs)
        value: Any = None
        error: BaseException | None = None
        while True:
            within.enter()
            try:
                item = await (steps.asend(value) if error is None else steps.athrow(error))
            except StopAsyncIteration:
                return
            finally:
                within.leave()
            value, error = None, None
            try:
                value = yield item
            except GeneratorExit:
                within.enter()
                try:
                    await steps.aclose()
                finally:
                    within.leave()
                raise
            except BaseException as thrown:  # noqa: BLE001 - thrown in to the generator, whose it is to handle
                error = thrown

    return run
