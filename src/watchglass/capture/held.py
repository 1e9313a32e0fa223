"""What one run of a function has in force, held from one of its steps to the next.

A generator that has something in force when it yields (a tenant, a task, a span) has it again when it goes
on, and whoever iterates it never has it.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import NamedTuple

from opentelemetry import context as otel

from watchglass.capture import context, scoped
from watchglass.capture.application_code import Line, started_at


class _InForce(NamedTuple):
    ours: context.Entry
    theirs: otel.Context
    line: Line | None


class Held(scoped.Scope):
    """A scope of our context, of OpenTelemetry's, and of the line that started it; `begin` puts in force what
    the run begins with."""

    __slots__ = ("_inner", "_outer")

    def __init__(self) -> None:
        self._inner: _InForce | None = None
        self._outer = _InForce(context.NOTHING, otel.Context(), None)

    @abstractmethod
    def begin(self) -> None:
        """What the run begins with; MUST NOT raise."""

    def enter(self) -> None:
        """Begin, or put back what was in force when it last left."""
        self._outer = _now()
        if self._inner is None:
            self.begin()
        else:
            _put_back(self._inner)

    def leave(self) -> None:
        """Hold what is in force, and put back the caller's."""
        self._inner = _now()
        _put_back(self._outer)


def _now() -> _InForce:
    return _InForce(context.in_force(), otel.get_current(), started_at.get())


def _put_back(held: _InForce) -> None:
    context.put_back(held.ours)
    # Not OpenTelemetry's `detach`: it logs an error where the token was made elsewhere.
    otel.attach(held.theirs)
    started_at.set(held.line)
