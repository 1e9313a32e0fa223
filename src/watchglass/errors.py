"""Every exception watchglass raises on purpose, in one tree.

    WatchglassError
    ├── BadRequest            the sender's fault: never resend as it is (HTTP 400)
    │   ├── TooLarge              over a size limit (HTTP 413)
    │   └── UnsupportedMedia      a content type or encoding nobody reads (HTTP 415)
    ├── Refused               understood, and not allowed (HTTP 403)
    │   └── Unauthenticated       no key, or none that works (HTTP 401)
    ├── Conflict              not in the present state of what it is about (HTTP 409)
    ├── Overloaded            not now: resend later (HTTP 503 with Retry-After)
    │   └── TooMany               this sender, beyond what its key allows (HTTP 429 with Retry-After)
    ├── StoreError            the engine said no
    │   ├── StoreBusy             another process holds the data directory
    │   ├── StoreFull             the disk is full
    │   └── WrongSchema           the data directory is of another version
    ├── QueryError            a reader's question cannot be answered
    │   ├── NotFound              what was named is not there (HTTP 404)
    │   ├── QueryRefused          outside the fence
    │   └── QueryLimit            over a limit of time, memory or rows
    ├── Unreachable           no server answers where one was expected
    └── ConfigError           a setting has a value that means nothing

A message says what happened, shows the value, and says what to do next.
"""

from __future__ import annotations


class WatchglassError(Exception):
    """Base of all of them."""


class BadRequest(WatchglassError):
    """The request is malformed; `where` points into it (`resourceSpans[0].scopeSpans[2]…`, `byte 118`)."""

    def __init__(self, message: str, *, where: str | None = None) -> None:
        super().__init__(message)
        self.where = where


class TooLarge(BadRequest):
    """The body is larger than the limit, measured after decompression."""


class UnsupportedMedia(BadRequest):
    """The content type or content encoding is none that this server reads."""


class Refused(WatchglassError):
    """The caller may not do this."""


class Unauthenticated(Refused):
    """Nothing says who is asking: there is no key, or none that works."""


class Conflict(WatchglassError):
    """It cannot be done in the present state: something is running, or has happened since."""


class Overloaded(WatchglassError):
    """The server cannot take this now; `retry_after_s` is when to try again, in seconds."""

    def __init__(self, message: str, *, retry_after_s: int = 1) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class TooMany(Overloaded):
    """The caller is beyond what its key allows; others are served."""


class StoreError(WatchglassError):
    """The storage engine refused or failed."""


class StoreBusy(StoreError):
    """Another process holds the data directory."""


class StoreFull(StoreError):
    """There is no room left on the disk."""


class WrongSchema(StoreError):
    """The data directory is of another version; `directory` and `program` are the last steps of each."""

    def __init__(self, message: str, *, directory: int, program: int) -> None:
        super().__init__(message)
        self.directory = directory
        self.program = program


class QueryError(WatchglassError):
    """The question cannot be answered as asked."""


class NotFound(QueryError):
    """Nothing that the reader can see has that name or id."""


class QueryRefused(QueryError):
    """The question reaches outside what a reader may see."""


class QueryLimit(QueryError):
    """The question went over a limit of time, memory or rows."""


class Unreachable(WatchglassError):
    """No server answers at the address that was asked."""


class ConfigError(WatchglassError):
    """A setting has a value that cannot be used."""
