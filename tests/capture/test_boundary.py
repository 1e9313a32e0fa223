"""The SDK's one boundary."""

from __future__ import annotations

import logging

import pytest

from tests.capture.recorded import Recorded
from watchglass.capture import boundary, recorder
from watchglass.capture.records import EventRecord, Record


@pytest.fixture(autouse=True)
def _nothing_told() -> None:
    boundary.forget()


class Failing(logging.Handler):
    """A handler of the application's that cannot."""

    def emit(self, record: logging.LogRecord) -> None:
        raise RuntimeError("handler")


def test_a_handler_that_raises_is_not_let_out() -> None:
    """What we log goes nowhere when the application's handler fails, and nothing comes out of it."""
    handler = Failing()
    boundary.log.addHandler(handler)
    try:
        assert boundary.guarded("place")(lambda: 1 // 0)() is None
    finally:
        boundary.log.removeHandler(handler)
    assert boundary.failures["place"] == 1


def test_a_fault_of_an_observer_costs_no_record() -> None:
    """A record is kept although what observes it raises; the fault is counted."""

    def observe(_record: Record) -> None:
        raise RuntimeError("observer")

    sink = Recorded()
    recorder.install(sink, observe)
    try:
        recorder.record(EventRecord("happened", 1, {}))
    finally:
        recorder.install(None)
    assert [each.name for each in sink.events] == ["happened"]
    assert boundary.failures["record.observe"] == 1
