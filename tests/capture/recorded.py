"""A sink for tests: what is recorded, as it would be read back from the spool."""

from __future__ import annotations

from watchglass.capture.records import EventRecord, Record, SpanRecord, decode


class Recorded:
    """Keeps all, in order."""

    def __init__(self) -> None:
        self.all: list[Record] = []
        self.payloads: list[bytes] = []

    def append(self, payload: bytes) -> bool:
        """See `Sink.append`."""
        self.payloads.append(payload)
        self.all.append(decode(payload))
        return True

    @property
    def events(self) -> list[EventRecord]:
        """What was told at once."""
        return [each for each in self.all if isinstance(each, EventRecord)]

    @property
    def spans(self) -> list[SpanRecord]:
        """What ended."""
        return [each for each in self.all if isinstance(each, SpanRecord)]

    def span(self) -> SpanRecord:
        """The only thing that ended."""
        (found,) = self.spans
        return found
