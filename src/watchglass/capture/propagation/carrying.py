"""Taking the context along to code that runs elsewhere: another thread, another process, later.

Taken along are our context and OpenTelemetry's, and nothing else. A copy of all context variables would hand
the application's own (a database session, a decimal context) to threads that never had them.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

from opentelemetry import context as otel
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from watchglass.capture import boundary, context, scoped
from watchglass.capture.application_code import Line, here, started_at
from watchglass.capture.held import Held

P = ParamSpec("P")
T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])

_trace = TraceContextTextMapPropagator()


class Luggage:
    """The context where it was packed. `put_on` puts it in force where it is called, `take_off` undoes that.

    Pickled, OpenTelemetry's part is its `traceparent`: what else there is has no meaning in another process.
    """

    __slots__ = ("line", "ours", "theirs")

    def __init__(self, ours: context.Context, theirs: otel.Context, line: Line | None = None) -> None:
        self.ours = ours
        self.theirs = theirs
        self.line = line
        """The application's line that packed it: what a call says whose thread has no line of its own."""

    def put_on(self) -> tuple[object, Luggage]:
        """Put it in force; what is returned is for `take_off`."""
        before = otel.get_current()
        otel.attach(self.theirs)
        worn = Luggage(self.ours, before, started_at.get())
        started_at.set(self.line)
        return context.attach(self.ours), worn

    def __reduce__(self) -> tuple[Callable[..., Luggage], tuple[Any, ...]]:
        headers: dict[str, str] = {}
        _trace.inject(headers, self.theirs)
        return _unpacked, (self.ours.fields, headers, self.line and tuple(self.line))


def take_off(worn: tuple[object, Luggage]) -> None:
    """Undo a `put_on`."""
    token, before = worn
    # Not OpenTelemetry's `detach`: it logs an error where the token was made elsewhere.
    otel.attach(before.theirs)
    started_at.set(before.line)
    context.detach(token)


def _unpacked(
    fields: dict[str, str], headers: dict[str, str], line: tuple[str, int, str] | None = None
) -> Luggage:
    return Luggage(context.Context(fields), _trace.extract(headers, otel.Context()), line and Line(*line))


def packed() -> Luggage:
    """The context in force here, to be put on elsewhere."""
    return Luggage(context.current(), otel.get_current(), here(2))


class Carried:
    """A function with the context it is to run in. It can be pickled if the function can."""

    __slots__ = ("function", "luggage")

    def __init__(self, function: Callable[..., Any], luggage: Luggage) -> None:
        self.function = function
        self.luggage = luggage

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        """Call the function in its context."""
        worn = self.luggage.put_on()
        try:
            return self.function(*args, **kwargs)
        finally:
            take_off(worn)

    def __reduce__(self) -> tuple[type[Carried], tuple[Callable[..., Any], Luggage]]:
        return Carried, (self.function, self.luggage)

    def __repr__(self) -> str:
        return repr(self.function)


class Within(Held):
    """One run of a coroutine function or generator function with luggage."""

    __slots__ = ("_luggage",)

    def __init__(self, luggage: Luggage) -> None:
        super().__init__()
        self._luggage = luggage

    def begin(self) -> None:
        """Put it on; it is taken off when the run is left."""
        self._luggage.put_on()


_KINDS = (inspect.iscoroutinefunction, inspect.isgeneratorfunction, inspect.isasyncgenfunction)


def carry(function: F) -> F:
    """`function` with the context that is in force now, wherever and whenever it is called.

    For what `init` cannot see to: a queue of one's own, a callback of a C library, a pool of another
    package. Functions, coroutine functions and generator functions; plain functions can be pickled.
    """
    luggage = packed()
    if any(is_kind(function) for is_kind in _KINDS):
        return scoped.wrapped(function, lambda *_, **__: Within(luggage))
    return cast(F, Carried(function, luggage))


def carried(function: Any) -> Any:
    """What a patched method hands on in the place of `function`: itself, if anything is wrong."""
    return _carried(function) or function


@boundary.guarded("carry")
def _carried(function: Any) -> Any:
    return Carried(function, packed()) if callable(function) else function
