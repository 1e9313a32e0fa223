"""Spans made by hand, in the shape of the libraries' own."""

from __future__ import annotations

from typing import Any

from watchglass.model import Described, Event, Resource, Scope, Span
from watchglass.wire.dialects import describe

START = 1_700_000_000_000_000_000
CLIENT = 3
INTERNAL = 1


def span(
    attributes: dict[str, Any],
    *,
    scope: str = "some.library",
    name: str = "chat",
    kind: int = CLIENT,
    status: int = 0,
    message: str = "",
    events: tuple[tuple[str, int, dict[str, Any]], ...] = (),
    parent: str = "",
) -> Span:
    """One span that took a second; events are (name, nanoseconds after the start, attributes)."""
    return Span(
        trace_id="0" * 31 + "1",
        span_id="0" * 15 + "2",
        parent_span_id=parent,
        name=name,
        kind=kind,
        start_ns=START,
        end_ns=START + 1_000_000_000,
        status=status,
        status_message=message,
        attributes=attributes,
        events=[Event(each, START + after, about) for each, after, about in events],
        links=[],
        scope=Scope(scope),
        resource=Resource({}),
    )


def described(attributes: dict[str, Any], **about: Any) -> Described:
    """What is made of a span, which must be something."""
    found = describe(span(attributes, **about))
    assert found is not None
    return found


def tokens(found: Described) -> tuple[int | None, int | None, int | None, int | None, int | None]:
    """Input, output, cache read, cache write and reasoning tokens."""
    usage = found.usage
    return (
        usage.input_tokens,
        usage.output_tokens,
        usage.cache_read_tokens,
        usage.cache_write_tokens,
        usage.reasoning_tokens,
    )
