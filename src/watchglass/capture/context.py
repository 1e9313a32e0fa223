"""For whom and what for: set once at the edge of a request, on every record below it.

A `Context` is immutable and prepares its attributes once, so that a call only refers to them. It travels in a
`ContextVar`: across `await`, `asyncio.gather` and `asyncio.to_thread` by itself.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar, Token

ATTRIBUTES: dict[str, str] = {
    "tenant": "watchglass.tenant",
    "engagement": "watchglass.engagement",
    "feature": "watchglass.feature",
    "flow": "watchglass.flow.id",
    "flow_type": "watchglass.flow.type",
    "phase": "watchglass.flow.phase",
    "task": "watchglass.task",
    "task_id": "watchglass.task.id",
    "agent": "gen_ai.agent.name",
    "session": "session.id",
    "user": "user.id",
}
"""The attribute by which each field of a context is recorded."""

ALIASES: dict[str, str] = {
    "client_account_id": "tenant",
    "engagement_id": "engagement",
    "feature_context": "feature",
    "flow_id": "flow",
    "session_id": "session",
    "user_id": "user",
}
"""The teams' names of the same fields."""


class Context:
    """Who and what for. `attributes` is what goes on records; treat it as frozen."""

    __slots__ = ("attributes", "fields")

    def __init__(self, fields: dict[str, str]) -> None:
        self.fields = fields
        self.attributes = {ATTRIBUTES[name]: value for name, value in fields.items()}

    def with_fields(self, **fields: object) -> Context:
        """This context with some fields set; None takes a field away. Unknown names raise `TypeError`."""
        merged = dict(self.fields)
        for name, value in fields.items():
            known = ALIASES.get(name, name)
            if known not in ATTRIBUTES:
                raise TypeError(f"context has no field {name!r}; it has {', '.join(ATTRIBUTES)}")
            if value is None:
                merged.pop(known, None)
            else:
                merged[known] = str(value)
        return Context(merged)


EMPTY = Context({})

_current: ContextVar[Context] = ContextVar("watchglass_context", default=EMPTY)


def current() -> Context:
    """The context in force here."""
    return _current.get()


def attach(context: Context) -> Token[Context]:
    """Put a context in force; undo with `detach`."""
    return _current.set(context)


def detach(token: Token[Context]) -> None:
    """Undo an `attach`, also from another task or thread (then nothing is undone)."""
    try:
        _current.reset(token)
    except ValueError:
        return


@contextmanager
def context(**fields: object) -> Generator[Context]:
    """Everything recorded within is for this tenant, engagement, feature, flow, session, user …"""
    token = attach(current().with_fields(**fields))
    try:
        yield _current.get()
    finally:
        detach(token)
