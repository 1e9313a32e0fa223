"""The engine's errors as ours: one place that knows its error codes."""

from __future__ import annotations

import re

from watchglass.errors import (
    Overloaded,
    QueryError,
    QueryLimit,
    QueryRefused,
    StoreBusy,
    StoreError,
    StoreFull,
    WatchglassError,
)

# Codes as in the engine's ErrorCodes.cpp; they never change their meaning.
_FULL = {243}  # NOT_ENOUGH_SPACE
_LIMIT = {
    158,  # TOO_MANY_ROWS
    159,  # TIMEOUT_EXCEEDED
    160,  # TOO_SLOW
    241,  # MEMORY_LIMIT_EXCEEDED
    307,  # TOO_MANY_BYTES
    396,  # TOO_MANY_ROWS_OR_BYTES
    167,  # TOO_DEEP_AST
    168,  # TOO_BIG_AST
    306,  # TOO_DEEP_RECURSION
}
_REFUSED = {
    164,
    291,
    392,
    497,
}  # READONLY, DATABASE_ACCESS_DENIED, QUERY_IS_PROHIBITED, ACCESS_DENIED
_CANCELLED = {236, 394}  # ABORTED, QUERY_WAS_CANCELLED
_LATER = {
    202,
    241,
    252,
    319,
}  # TOO_MANY_SIMULTANEOUS_QUERIES, memory, TOO_MANY_PARTS, UNKNOWN_STATUS
_BROKEN = {
    # The store's own trouble, not the question's: files that cannot be read or written or do not
    # add up (CHECKSUM_DOESNT_MATCH, CANNOT_READ…/WRITE…/OPEN/STAT, CORRUPTED_DATA, LOGICAL_ERROR …).
    *(
        33,
        40,
        49,
        74,
        75,
        76,
        87,
        88,
        89,
        90,
        96,
        107,
        198,
        226,
        228,
        228,
        231,
        246,
        272,
        273,
        283,
        440,
        479,
        565,
    ),
    *(1000, 1001, 1002),  # POCO_EXCEPTION, STD_EXCEPTION, UNKNOWN_EXCEPTION
}

_DAMAGED = {32, 33, 40, 246}
"""ATTEMPT_TO_READ_AFTER_EOF, CANNOT_READ_ALL_DATA, CHECKSUM_DOESNT_MATCH, CORRUPTED_DATA"""

_CODE = re.compile(r"Code: (\d+)\.")
_PREFIX = re.compile(r"(?:Code: \d+\. )?DB::\w*Exception: |Streaming insert \w+ failed: |default: ")
_TRAILER = re.compile(r"\s*\((?:version [^)]*|[A-Z][A-Z0-9_]+)\)\.?(?=\s|$)")
_PATH = re.compile(r"(?<![\w.])(?:/[\w.+@%~ -]*[\w.+@%~-]){2,}/?")


def read_fault(raw: str) -> WatchglassError:
    """The error for a failed statement, from the engine's own text."""
    code, text = _code(raw), clean(raw)
    if _is_full(code, raw):
        return _full()
    if code in _LIMIT:
        return QueryLimit(f"the question went over a limit: {text}; narrow it (time, filters, LIMIT)")
    if code in _REFUSED:
        return QueryRefused(f"a reader may not do this: {text}")
    if code in _CANCELLED:
        return StoreError("the question was stopped before it had an answer; ask again")
    if code in _DAMAGED:
        return StoreError(
            f"files of the store are damaged: {text.partition(':')[0]}; "
            "restore a backup into a new directory (`watchglass restore`)"
        )
    if code is None or code in _BROKEN:
        return StoreError(f"the store could not answer: {text}")
    return QueryError(text)


def write_fault(table: str, raw: str) -> WatchglassError:
    """The error for a failed insert, from the engine's own text."""
    code, text = _code(raw), clean(raw)
    if _is_full(code, raw):
        return _full()
    if code in _LATER:
        return Overloaded(
            f"the store cannot take more rows for {table} now: {text}; send again",
            retry_after_s=5,
        )
    return StoreError(f"rows for {table} were not written: {text}")


def open_fault(raw: str, *, locked: bool) -> WatchglassError:
    """The error for a store that does not open; `locked`: somebody has the engine's files open."""
    if locked:
        return StoreBusy("another process has this data directory open; stop it or ask it instead")
    if _is_full(_code(raw), raw):
        return _full()
    return StoreError(f"the store does not open: {clean(raw)}")


def clean(raw: str) -> str:
    """The engine's sentence without codes, versions, names of server files or its list of guesses.

    >>> clean("Code: 60. DB::Exception: Unknown table 'x'. (UNKNOWN_TABLE)")
    "Unknown table 'x'"
    """
    text = _PREFIX.sub("", _CODE.sub("", raw).strip())
    text = _TRAILER.sub("", text)
    text = text.split(". Expected one of:")[0].split("Stack trace:")[0]
    return _PATH.sub("<file>", text).strip().rstrip(".")


def _code(raw: str) -> int | None:
    found = _CODE.search(raw)
    return int(found.group(1)) if found else None


def _is_full(code: int | None, raw: str) -> bool:
    return code in _FULL or "No space left on device" in raw or "errno: 28" in raw or "errno: 122" in raw


def _full() -> StoreFull:
    return StoreFull("the disk that holds the data directory is full; make room, then send again")
