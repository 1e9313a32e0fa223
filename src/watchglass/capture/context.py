"""For whom and what for: set once at the edge of a request, on every record below it.

A `Context` is immutable and prepares its attributes once, so that a call only refers to them. It travels in a
`ContextVar`: across `await`, `asyncio.gather` and `asyncio.to_thread` by itself; to threads, processes and
other services by `capture.propagation`.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from enum import Enum
from typing import Any, TypedDict, TypeVar, Unpack

from watchglass.capture import boundary, scoped
from watchglass.capture.credentials import scrub_value

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

_NAMES = {name: (name, ATTRIBUTES[name]) for name in ATTRIBUTES} | {
    alias: (name, ATTRIBUTES[name]) for alias, name in ALIASES.items()
}
"""Field and attribute by any name of a field."""

OF_A_TENANT = tuple(name for name in ATTRIBUTES if name not in ("tenant", "feature", "agent"))
"""What belongs to one tenant and stays behind when another's work begins. Feature and agent name code."""

MAX_VALUE = 1024
"""Longest value of a field, in characters. A longer one is left out: cut short, two tenants might be one."""

_MAX_DEPTH = 64
"""How many entries remember what was in force before them; see `Entry`."""

F = TypeVar("F", bound=Callable[..., Any])


class Fields(TypedDict, total=False):
    """What can be said of a context: text, or anything that `str` makes an id of (a number, a UUID).

    None and "" take a field away.
    """

    tenant: object
    engagement: object
    feature: object
    flow: object
    flow_type: object
    phase: object
    task: object
    task_id: object
    agent: object
    session: object
    user: object
    client_account_id: object
    engagement_id: object
    feature_context: object
    flow_id: object
    session_id: object
    user_id: object


class Context:
    """Who and what for. `attributes` is what goes on records; treat it as frozen."""

    __slots__ = ("attributes", "fields")

    def __init__(self, fields: dict[str, str], attributes: dict[str, str] | None = None) -> None:
        self.fields = fields
        if attributes is None:
            attributes = {ATTRIBUTES[name]: value for name, value in fields.items()}
        self.attributes = attributes

    def with_fields(self, **fields: object) -> Context:
        """This context with some fields set; None takes one away; what is no field is said once and ignored.

        Another tenant takes along nothing that belongs to the one before (`OF_A_TENANT`).
        """
        return _Said(fields).upon(self)

    def __reduce__(self) -> tuple[type[Context], tuple[dict[str, str]]]:
        return Context, (self.fields,)

    def __repr__(self) -> str:
        return f"Context({self.fields})"


EMPTY = Context({})


class Entry:
    """One entering of a context: what is in force, and what was before.

    Not `Token`s of the `ContextVar`, which insist on being undone where they were made and in order. A
    generator left half-way, or a scope entered in one task and left in another, does neither. The chain is
    cut at a depth, since a task that starts its successor from within its context would make it endless.
    """

    __slots__ = ("context", "depth", "outer", "owner")

    def __init__(self, context: Context, outer: Entry | None, owner: object) -> None:
        self.context = context
        self.owner = owner
        if outer is None:
            self.depth = 0
        elif outer.depth < _MAX_DEPTH:
            self.depth = outer.depth + 1
        else:
            outer = Entry(outer.context, None, outer.owner)
            self.depth = 1
        self.outer = outer


NOTHING = Entry(EMPTY, None, None)

_entry: ContextVar[Entry] = ContextVar("watchglass_context", default=NOTHING)


def current() -> Context:
    """The context in force here."""
    return _entry.get().context


def in_force() -> Entry:
    """What is in force here with all that it stands on, for `put_back`."""
    return _entry.get()


def put_back(entry: Entry) -> None:
    """Put in force what was, in this thread and task or another."""
    _entry.set(entry)


def attach(context: Context) -> object:
    """Put a context in force; undo by giving `detach` what this returns."""
    token = object()
    _entry.set(Entry(context, _entry.get(), token))
    return token


def detach(token: object) -> None:
    """Undo an `attach` and all that came after it; where it is not in force, nothing is undone."""
    entry: Entry | None = _entry.get()
    while entry is not None:
        if entry.owner is token:
            _entry.set(entry.outer or NOTHING)
            return
        entry = entry.outer


class _Said:
    """What one `context` says: fields and attributes to set, and fields to take away."""

    __slots__ = ("attributes", "fields", "gone")

    def __init__(self, said: dict[str, Any] | Fields) -> None:
        fields: dict[str, str] = {}
        attributes: dict[str, str] = {}
        gone: list[str] = []
        for name, value in said.items():
            if name not in _NAMES:
                _unknown(name)
                continue
            field, attribute = _NAMES[name]
            # Nearly every value is a short text of ASCII, which needs no call of a function.
            text = value if type(value) is str and value.isascii() else _text(field, value)
            if text and len(text) <= MAX_VALUE and scrub_value(text) is text:
                fields[field] = attributes[attribute] = text
            else:
                gone.append(field)
                if text:
                    _left_out(field, text)
        self.fields, self.attributes, self.gone = fields, attributes, gone

    def upon(self, outer: Context) -> Context:
        """The context that it makes of one."""
        fields, attributes, gone = outer.fields, outer.attributes, self.gone
        before = fields.get("tenant")
        if before is not None and (self.fields.get("tenant", before) != before or "tenant" in gone):
            gone = (*OF_A_TENANT, *gone)
        made, described = fields | self.fields, attributes | self.attributes
        for field in gone:
            if field not in self.fields:
                made.pop(field, None)
                described.pop(ATTRIBUTES[field], None)
        return Context(made, described)


_misnamed: set[str] = set()


def _unknown(name: str) -> None:
    """Say it once; of names from outside (`context(**payload)`) there may be any number, of any size."""
    name = name[:40]
    if name in _misnamed or len(_misnamed) >= 20:
        return
    _misnamed.add(name)
    from difflib import get_close_matches  # seldom needed, and as dear to load as the rest of this module

    near = get_close_matches(name, [*ATTRIBUTES, *ALIASES], 1)
    boundary.once(
        f"context.{name}",
        "watchglass: a context has no field %r and goes on without it; %s",
        name,
        f"did you mean {near[0]!r}?" if near else f"it has {', '.join(ATTRIBUTES)}",
    )


def _left_out(field: str, text: str) -> None:
    """Not cut or masked: two tenants might then be one."""
    if len(text) <= MAX_VALUE:
        boundary.once(
            f"context.{field}.secret",
            "watchglass: %s looks like a credential and is left out of the context; give an id",
            field,
        )
        return
    boundary.once(
        f"context.{field}.long",
        "watchglass: %s of %d characters is left out of the context; the limit is %d",
        field,
        len(text),
        MAX_VALUE,
    )


@boundary.guarded("context.value")
def _text(field: str, value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, Enum):
        value = value.value
    text = value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)
    # A lone surrogate cannot be encoded, and would cost every record under this context.
    return text.encode("utf-8", "backslashreplace").decode() or None


class context:
    """Everything recorded within is for this tenant, engagement, feature, flow, session, user …

    `with`, `async with`, or a decorator of a function, coroutine function or (async) generator function.
    Fields that are not named are inherited; where the tenant changes, only feature and agent are. Nothing
    here raises: a field that does not exist is named once in the log, and type checkers see it.

    A plain `with` in a generator is in force in whoever iterates it too while the generator waits, as any
    context variable is, and `contextlib.contextmanager` relies on that; a decorated generator function is
    in its context exactly while its own code runs, in whichever thread or task that is.
    """

    __slots__ = ("_said",)

    def __init__(self, **fields: Unpack[Fields]) -> None:
        self._said = _Said(fields)

    def __enter__(self) -> Context:
        outer = _entry.get()
        entered = self._said.upon(outer.context)
        _entry.set(Entry(entered, outer, self))
        return entered

    def __exit__(self, *error: object) -> None:
        entry = _entry.get()
        if entry.owner is self and entry.outer is not None:  # nearly always: the way that costs least
            _entry.set(entry.outer)
        else:
            detach(self)

    async def __aenter__(self) -> Context:
        return self.__enter__()

    async def __aexit__(self, *error: object) -> None:
        self.__exit__()

    def __call__(self, function: F) -> F:
        """`function` as it was, always run in this context."""
        return scoped.wrapped(function, lambda *_, **__: _Scope(self))


class _Scope(scoped.Scope):
    """One run of a decorated function. A generator steps into it and out of it again at each `yield`."""

    __slots__ = ("_inner", "_outer", "_scope")

    def __init__(self, scope: context) -> None:
        self._scope = scope
        self._inner: Entry | None = None
        self._outer = NOTHING

    def enter(self) -> None:
        self._outer = _entry.get()
        if self._inner is None:
            self._scope.__enter__()
        else:
            _entry.set(self._inner)

    def leave(self) -> None:
        self._inner = _entry.get()
        _entry.set(self._outer)


__all__ = [
    "ALIASES",
    "ATTRIBUTES",
    "EMPTY",
    "NOTHING",
    "Context",
    "Entry",
    "Fields",
    "attach",
    "context",
    "current",
    "detach",
    "in_force",
    "put_back",
]
