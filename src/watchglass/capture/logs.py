"""Every line of the application's log says for whom it was: trace, tenant, engagement, feature, flow …

Standard `logging` gets attributes on every record (`%(tenant)s` in a format, keys in JSON), None where there
is nothing to say, since a format that names an attribute which is not there is an error. structlog gets keys,
and none for what is unknown. What the application says itself is never overwritten.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import MutableMapping
from typing import Any

from opentelemetry import trace

from watchglass.capture import boundary, context

FIELDS = ("tenant", "engagement", "feature", "flow", "session", "user")


def correlation() -> dict[str, str]:
    """What is known here: `trace_id` and `span_id` in hex, and the fields of the context."""
    found: dict[str, str] = {}
    span = trace.get_current_span().get_span_context()
    if span.is_valid:
        found["trace_id"] = trace.format_trace_id(span.trace_id)
        found["span_id"] = trace.format_span_id(span.span_id)
    fields = context.current().fields
    for name in FIELDS:
        if name in fields:
            found[name] = fields[name]
    return found


NAMES = ("trace_id", "span_id", *FIELDS)


@boundary.guarded("logs")
def _complete(record: logging.LogRecord) -> None:
    said, found = vars(record), correlation()
    for name in NAMES:
        if name not in said:
            said[name] = found.get(name)


class ContextFilter(logging.Filter):
    """For a handler of one's own, without `install`: completes each record that passes, and lets all pass."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Complete the record."""
        _complete(record)
        return True


_original = logging.Logger.makeRecord


def install() -> None:
    """Complete every record of every logger; again changes nothing.

    Not by a record factory: `logging` refuses `extra={"tenant": …}` with a KeyError, raised into the
    application, where the factory has set `tenant` before.
    """
    global _original
    if getattr(logging.Logger.makeRecord, "watchglass", False):
        return
    original = _original = logging.Logger.makeRecord

    @functools.wraps(original)
    def make(self: logging.Logger, *args: Any, **kwargs: Any) -> logging.LogRecord:
        record = original(self, *args, **kwargs)
        _complete(record)
        return record

    make.watchglass = True  # pyright: ignore[reportAttributeAccessIssue,reportFunctionMemberAccess]  # a mark of ours
    logging.Logger.makeRecord = make


def uninstall() -> None:
    """Undo `install`, unless somebody else has put something on top. For tests: where a format names our
    attributes, lines logged without them are errors."""
    if getattr(logging.Logger.makeRecord, "watchglass", False):
        logging.Logger.makeRecord = _original


def structlog_processor(
    logger: Any, method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """For structlog's `processors`, before the renderer: adds `trace_id`, `tenant` and so on, where
    they are known and the event does not say them itself."""
    _add(event)
    return event


@boundary.guarded("logs.structlog")
def _add(event: MutableMapping[str, Any]) -> None:
    for name, value in correlation().items():
        if name not in event:
            event[name] = value
