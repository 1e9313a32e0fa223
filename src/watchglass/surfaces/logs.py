"""What the server writes about itself, one line an event, as key=value or JSON, to stderr.

Never a body, a header or a parameter of a request: those hold prompts and keys.
"""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime
from typing import Literal, TextIO, TypeAlias

import msgspec

LogFormat: TypeAlias = Literal["text", "json"]

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}
_BARE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:/+")


def fields(record: logging.LogRecord) -> dict[str, object]:
    """What a line says: time, level, logger, message, then what the caller gave as `extra`."""
    line: dict[str, object] = {
        "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname.lower(),
        "logger": record.name,
        "message": record.getMessage(),
    }
    line.update((key, value) for key, value in vars(record).items() if key not in _STANDARD)
    if record.exc_info and record.exc_info[1] is not None:
        line["error"] = f"{type(record.exc_info[1]).__name__}: {record.exc_info[1]}"[:500]
        line["traceback"] = logging.Formatter().formatException(record.exc_info)
    return line


class KeyValueFormatter(logging.Formatter):
    """`time=… level=… message="…"`; quoted as JSON wherever a value is more than a word, so one line each."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record."""
        return " ".join(f"{key}={_value(value)}" for key, value in fields(record).items())


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record."""
        return msgspec.json.encode(fields(record), enc_hook=str).decode()


def configure(level: str = "info", form: LogFormat = "text", stream: TextIO | None = None) -> None:
    """Send all logging of this process to `stream` (stderr), from `level` up."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter() if form == "json" else KeyValueFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # The web server's own news repeat what `serve` says, and warn of each malformed request.
    logging.getLogger("uvicorn").setLevel(max(logging.ERROR, root.level))


def _value(value: object) -> str:
    text = str(value)
    return text if text and _BARE.issuperset(text) else msgspec.json.encode(text).decode()
