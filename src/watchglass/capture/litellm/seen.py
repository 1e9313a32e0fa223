"""Which of LiteLLM's call ids the wrapped entry points record, so that its hooks record none again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from watchglass.names import CALL_ID

if TYPE_CHECKING:
    from watchglass.capture.calls import Call

_RECENT = 16_384
"""Hooks run at once or a little later; nothing waits for so many calls."""

_open: dict[str, int] = {}
_recent: dict[str, None] = {}


def open_call(call_id: str) -> None:
    """A wrapped entry point is at work on this call; it may be entered several times at once."""
    _open[call_id] = _open.get(call_id, 0) + 1


def close_call(call: Call) -> None:
    """The wrapped entry point has recorded it."""
    call_id = str(call.attributes.get(CALL_ID, ""))
    left = _open.pop(call_id, 1) - 1
    if left > 0:
        _open[call_id] = left
    _recent[call_id] = None
    _bound(_recent)


def is_recorded(call_id: str) -> bool:
    """Whether a wrapped entry point records this call."""
    return call_id in _open or call_id in _recent


_reported: dict[str, None] = {}


def report(event: str) -> bool:
    """Whether this is the first report of an event; hooks may be installed twice, and fire twice."""
    if event in _reported:
        return False
    _reported[event] = None
    _bound(_reported)
    return True


def _bound(events: dict[str, None]) -> None:
    while len(events) > _RECENT:
        try:
            del events[next(iter(events))]
        except (KeyError, RuntimeError, StopIteration):
            return  # another thread is at it
