"""Functions that run within something: one wrapper for functions, coroutine functions and generators.

A generator is within only while its own code runs. Python gives a generator its caller's context variables
(PEP 568, which would have changed that, is deferred), so each step enters and leaves by itself.
"""

from __future__ import annotations

import functools
import inspect
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from typing import Any, TypeVar, cast

F = TypeVar("F", bound=Callable[..., Any])


class Scope(ABC):
    """One run of a function. `enter` and `leave` alternate; `enter` MUST put back in force what was when
    `leave` was last called. Thread and task may differ from step to step. None of its methods may raise."""

    __slots__ = ()

    @abstractmethod
    def enter(self) -> None:
        """Before the function's code runs, first or again."""

    @abstractmethod
    def leave(self) -> None:
        """When it has returned, raised or yielded."""

    def done(self, result: object) -> None:  # noqa: B027 - not each scope wants to know
        """It has returned, after the last `leave`; a generator that its consumer closed, with None."""

    def failed(self, error: BaseException) -> None:  # noqa: B027 - likewise
        """It has raised, after the last `leave`."""


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
            result = function(*args, **kwargs)
        except BaseException as error:
            within.leave()
            within.failed(error)
            raise
        within.leave()
        within.done(result)
        return result

    return run


def _coroutine(function: Callable[..., Awaitable[Any]], scope: Callable[..., Scope]) -> Callable[..., Any]:
    async def run(*args: Any, **kwargs: Any) -> Any:
        within = scope(*args, **kwargs)
        within.enter()
        try:
            result = await function(*args, **kwargs)
        except BaseException as error:
            within.leave()
            within.failed(error)
            raise
        within.leave()
        within.done(result)
        return result

    return run


class _Steps(Generator[Any, Any, Any]):
    """A generator each of whose steps is within the scope."""

    def __init__(self, steps: Generator[Any, Any, Any], within: Scope) -> None:
        self._steps = steps
        self._within = within

    def send(self, value: Any, /) -> Any:
        return self._step(self._steps.send, value)

    def throw(self, *error: Any) -> Any:
        return self._step(self._steps.throw, *error)

    def close(self) -> None:
        self._within.enter()
        try:
            self._steps.close()
        except BaseException as error:
            self._within.leave()
            self._within.failed(error)
            raise
        self._within.leave()
        self._within.done(None)

    def _step(self, advance: Callable[..., Any], *given: Any) -> Any:
        self._within.enter()
        try:
            item = advance(*given)
        except BaseException as error:
            self._within.leave()
            _over(self._within, error)
            raise
        self._within.leave()
        return item


def _over(within: Scope, error: BaseException) -> None:
    """A generator is over: exhausted, closed by its consumer, or by an error."""
    if isinstance(error, StopIteration):
        within.done(error.value)
    elif isinstance(error, StopAsyncIteration | GeneratorExit):
        within.done(None)
    else:
        within.failed(error)


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
        steps, within = function(*args, **kwargs), scope(*args, **kwargs)
        advance: Callable[[Any], Awaitable[Any]] = steps.asend
        value: Any = None
        while True:
            try:
                item = await _step(within, advance(value))
            except StopAsyncIteration:
                return
            try:
                value, advance = (yield item), steps.asend
            except GeneratorExit:
                await _closed(within, steps)
                raise
            except BaseException as error:  # noqa: BLE001 - thrown in to the generator, whose it is to handle
                value, advance = error, steps.athrow

    return run


async def _step(within: Scope, advancing: Awaitable[Any]) -> Any:
    within.enter()
    try:
        item = await advancing
    except BaseException as error:
        within.leave()
        _over(within, error)
        raise
    within.leave()
    return item


async def _closed(within: Scope, steps: AsyncGenerator[Any, Any]) -> None:
    within.enter()
    try:
        await steps.aclose()
    except BaseException as error:
        within.leave()
        within.failed(error)
        raise
    within.leave()
    within.done(None)
