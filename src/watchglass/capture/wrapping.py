"""Functions of every sort as executions: plain, `async`, generators and `async` generators.

A generator's execution begins with its first item and ends when it is exhausted, closed or collected. It is
in force only while the generator runs: between two items the caller's own is.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncGenerator, Callable, Generator
from typing import Any, TypeVar

from watchglass.capture import boundary
from watchglass.capture.execution import Execution

F = TypeVar("F", bound=Callable[..., Any])

Begin = Callable[[str | None, object], Execution]
"""(name of the function, its arguments) → the execution of one call."""


def wrapped(function: F, begin: Begin) -> F:
    """`function`, each call of it an execution."""
    inner: Any = function
    if isinstance(inner, staticmethod | classmethod):
        return type(inner)(wrapped(inner.__func__, begin))  # pyright: ignore[reportUnknownMemberType, reportReturnType]
    called = _Called(inner, begin)
    if inspect.isasyncgenfunction(inner):
        made = _async_generator(inner, called)
    elif inspect.iscoroutinefunction(inner) or inspect.iscoroutinefunction(inner.__call__):
        made = _async(inner, called)
    elif inspect.isgeneratorfunction(inner):
        made = _generator(inner, called)
    else:
        made = _plain(inner, called)
    return functools.wraps(inner)(made)  # pyright: ignore[reportReturnType] - the same parameters and result


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


def _plain(function: Callable[..., Any], called: _Called) -> Callable[..., Any]:
    def run(*args: Any, **kwargs: Any) -> Any:
        step = called(args, kwargs).attach()
        try:
            result = function(*args, **kwargs)
        except BaseException as error:
            step.detach()
            step.fail(error)
            raise
        step.detach()
        step.end(result)
        return result

    return run


def _async(function: Callable[..., Any], called: _Called) -> Callable[..., Any]:
    async def run(*args: Any, **kwargs: Any) -> Any:
        step = called(args, kwargs).attach()
        try:
            result = await function(*args, **kwargs)
        except BaseException as error:
            step.detach()
            step.fail(error)
            raise
        step.detach()
        step.end(result)
        return result

    return run


def _generator(function: Callable[..., Any], called: _Called) -> Callable[..., Any]:
    def run(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        inner = function(*args, **kwargs)
        step = called(args, kwargs)
        advance: Callable[[Any], Any] = inner.send
        value: Any = None
        while True:
            step.attach()
            try:
                item = advance(value)
            except StopIteration as stop:
                step.end(stop.value)
                return stop.value
            except BaseException as error:
                step.leave(error)
                raise
            finally:
                step.detach()
            try:
                value, advance = (yield item), inner.send
            except GeneratorExit:
                _closed(step, inner.close)
                raise
            except BaseException as error:  # noqa: BLE001 - the consumer's, thrown into the generator
                value, advance = error, inner.throw

    return run


def _closed(step: Execution, close: Callable[[], None]) -> None:
    """The consumer has had enough, which is no failure, unless the generator makes one of it."""
    step.attach()
    try:
        close()
    except BaseException as error:
        step.fail(error)
        raise
    finally:
        step.detach()
    step.end()


def _async_generator(function: Callable[..., Any], called: _Called) -> Callable[..., Any]:
    async def run(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        inner = function(*args, **kwargs)
        step = called(args, kwargs)
        _end_with_frame = _Collected(step)
        advance: Callable[[Any], Any] = inner.asend
        value: Any = None
        while True:
            step.attach()
            try:
                item = await advance(value)
            except StopAsyncIteration:
                step.end()
                return
            except BaseException as error:
                step.leave(error)
                raise
            finally:
                step.detach()
            try:
                value, advance = (yield item), inner.asend
            except GeneratorExit:
                await _async_closed(step, inner.aclose)
                raise
            except BaseException as error:  # noqa: BLE001 - the consumer's, thrown into the generator
                value, advance = error, inner.athrow

    return run


async def _async_closed(step: Execution, close: Callable[[], Any]) -> None:
    step.attach()
    try:
        await close()
    except BaseException as error:
        step.fail(error)
        raise
    finally:
        step.detach()
    step.end()


class _Collected:
    """Ends a step with the frame that holds this: where no event loop is left to close its generator."""

    __slots__ = ("_step",)

    def __init__(self, step: Execution) -> None:
        self._step = step

    def __del__(self) -> None:
        self._step.end()
