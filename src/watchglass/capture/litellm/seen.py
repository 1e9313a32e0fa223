"""Which of LiteLLM's call ids the wrapped entry points record, so that its hooks record none again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from watchglass.names import CALL_ID

if TYPE_CHECKING:
    from watchglass.capture.calls import Call

_RECENT = 8_192
"""Hooks run at once or a little later; nothing waits for as many calls as two of these."""


class _Recent:
    """Remembers the last few thousand of what it was told, in two generations: forgetting costs nothing."""

    def __init__(self) -> None:
        self._new: set[str] = set()
        self._old: set[str] = set()

    def add(self, key: str) -> None:
        self._new.add(key)
        if len(self._new) > _RECENT:
            self._old, self._new = self._new, set()

    def __contains__(self, key: str) -> bool:
        return key in self._new or key in self._old


_open: dict[str, int] = {}
_recent = _Recent()
_reported = _Recent()


def open_call(call_id: str) -> None:
    """A wrapped entry point is at work on this call; it may be entered several times at once."""
    _open[call_id] = _open.get(call_id, 0) + 1


def close_call(call: Call) -> None:
    """The wrapped entry point has recorded it."""
    call_id = str(call.attributes.get(CALL_ID, ""))
    left = _open.pop(call_id, 1) - 1
    if left > 0:
        _open[call_id] = left
    _recent.add(call_id)


def is_recorded(call_id: str) -> bool:
    """Whether a wrapped entry point records this call."""
    return call_id in _open or call_id in _recent


def report(event: str) -> bool:
    """Whether this is the first report of an event; hooks may be installed twice, and fire twice."""
    if event in _reported:
        return False
    _reported.add(event)
    return True
