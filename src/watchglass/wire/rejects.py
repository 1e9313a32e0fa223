"""What is refused of an otherwise good batch, and why, in the sender's own terms."""

from __future__ import annotations

import msgspec

LATEST_NS = 2**63 - 1
"""The last moment that 64 signed bits of nanoseconds can name: 2262-04-11."""


class Reject(msgspec.Struct, frozen=True):
    """One refused item. `where` is a path into the body; ids are hex, '' where unreadable."""

    where: str
    reason: str
    trace_id: str = ""
    span_id: str = ""


class SpanRefused(Exception):
    """Raised while reading one item; caught by the loop over its batch."""

    @classmethod
    def id(cls, field: str, given: str, size: int) -> SpanRefused:
        """An id of the wrong length, or all zeros."""
        shown = given[:40] or "empty"
        return cls(f"{field} must be {size} bytes ({size * 2} hex digits), not all zero; it is {shown!r}")

    @classmethod
    def time(cls, start_ns: int, end_ns: int) -> SpanRefused:
        """A time that is missing or that 64 bits of nanoseconds cannot hold."""
        return cls(
            "startTimeUnixNano must be nanoseconds since 1970, above 0 and not after the year 2262, and"
            f" endTimeUnixNano not after it either; they are {start_ns} and {end_ns}"
        )
