"""What spans, calls, logs and metrics have in common as rows: their resource, their attributes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec

from watchglass.ingest.content import LONG_TEXT_BYTES, Contents
from watchglass.model import CONTEXT_FIELDS, Attributes, Context, Event, Link, Resource, Span, Value
from watchglass.wire.context import process_identity, resource_context, service
from watchglass.wire.values import to_json

FRESH_VERSION = 1
"""Version of a row as it first came. Settling and repricing write the clock's nanoseconds, so a
retried export never undoes what they decided."""

SPAN_COLUMNS = (
    *("trace_id", "span_id", "parent_span_id", "name", "kind", "start_time", "duration_ns"),
    *("status", "status_message", "service", "scope", "scope_version", "tenant"),
    *("own_context", "resource_context", "process", "attributes", "attribute_types", "content_keys"),
    *("events", "links", "resource", "trace_state", "flags", "owner", "version"),
)

TYPE_LETTERS: dict[type, str] = {bool: "b", int: "i", float: "d", bytes: "y"}


class ResourceFacts(msgspec.Struct, frozen=True, gc=False):
    """What every span of one resource shares, worked out once."""

    service: str | None
    process: str
    context: Context
    context_map: Mapping[str, str]
    json: str
    owner: str = ""
    """The tenant that the writer's key is bound to; '' for none."""
    other_tenant: str | None = None
    """Whom the resource names instead of the owner: what does not name the owner itself is refused."""

    @classmethod
    def of(cls, resource: Resource, owner: str = "") -> ResourceFacts:
        """Read a resource. What an owner sends is its own: the context's tenant is the owner.

        With that every span of it inherits the owner at last, whatever settling finds above it.
        """
        context, other = resource_context(resource), None
        if owner:
            other = context.tenant if context.tenant != owner else None
            context = msgspec.structs.replace(context, tenant=owner)
        return cls(
            service(resource),
            process_identity(resource),
            context,
            context_map(context),
            to_json(storable(resource.attributes)),
            owner,
            other,
        )

    def intruded(self, own_tenant: str | None) -> str | None:
        """The tenant that an item of this resource names (itself, else by the resource) and may not."""
        named = own_tenant or self.other_tenant
        return named if self.owner and named is not None and named != self.owner else None


class ResourceCache:
    """Facts by resource object, for the length of one body (objects are shared by their spans)."""

    def __init__(self, owner: str = "") -> None:
        self._owner = owner
        self._facts: dict[int, ResourceFacts] = {}

    def facts(self, resource: Resource) -> ResourceFacts:
        """The facts of a resource that stays alive as long as this cache."""
        found = self._facts.get(id(resource))
        if found is None:
            found = self._facts[id(resource)] = ResourceFacts.of(resource, self._owner)
        return found


@lru_cache(4096)
def context_map(context: Context) -> Mapping[str, str]:
    """The fields of a context that are known. Remembered: the spans of a tenant say the same again."""
    return {name: value for name in CONTEXT_FIELDS if (value := getattr(context, name)) is not None}


_NO_CONTEXT = Context()


@lru_cache(4096)
def effective(own: Context, inherited: Context) -> Context:
    """Each value of `own`, else that of `inherited`."""
    if own == _NO_CONTEXT:
        return inherited
    return Context(
        *[
            mine if mine is not None else theirs
            for mine, theirs in zip(
                msgspec.structs.astuple(own), msgspec.structs.astuple(inherited), strict=True
            )
        ]
    )


def storable(value: Any) -> Any:
    """A value that JSON can hold: NaN, infinities and numbers past 64 bits become text."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, list):
        return [storable(each) for each in value]
    if isinstance(value, dict):
        return {key: storable(each) for key, each in value.items()}
    return value


def attribute_columns(
    attributes: Attributes, skip: frozenset[str], tenant: str | None, time_ns: int, contents: Contents
) -> tuple[dict[str, str], dict[str, str]]:
    """(values as text, type letters of those that were no text), without the keys in `skip`."""
    texts: dict[str, str] = {}
    types: dict[str, str] = {}
    for key, value in attributes.items():
        if type(value) is str:
            if key in skip:
                continue
            texts[key] = value if len(value) < LONG_TEXT_BYTES else contents.reference(tenant, value, time_ns)
        elif key not in skip:
            types[key] = TYPE_LETTERS.get(type(value), "j")
            texts[key] = as_text(value, tenant, time_ns, contents)
    return texts, types


def as_text(value: Value, tenant: str | None, time_ns: int, contents: Contents) -> str:
    """A value that is no text, as text: JSON, but bytes in hex."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    text = value.hex() if isinstance(value, bytes) else to_json(storable(value))
    return text if len(text) < LONG_TEXT_BYTES else contents.reference(tenant, text, time_ns)


def duration_ns(span: Span) -> int | None:
    """How long it took; unknown where the end is missing or before the start."""
    return span.end_ns - span.start_ns if span.end_ns >= span.start_ns else None


def events_json(events: list[Event]) -> str:
    """Span events as JSON."""
    return to_json(
        [
            {"name": each.name, "time_ns": each.time_ns, "attributes": storable(each.attributes)}
            for each in events
        ]
    )


def links_json(links: list[Link]) -> str:
    """Span links as JSON."""
    return to_json(
        [
            {"trace_id": each.trace_id, "span_id": each.span_id, "attributes": storable(each.attributes)}
            for each in links
        ]
    )
