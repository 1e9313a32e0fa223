"""What the server writes about itself."""

from __future__ import annotations

import json
import logging
import sys

from watchglass.surfaces.logs import JsonFormatter, KeyValueFormatter


def record(message: str, **extra: object) -> logging.LogRecord:
    made = logging.LogRecord("watchglass.x", logging.INFO, "f.py", 1, message, None, None)
    vars(made).update(created=0.0, **extra)
    return made


def test_lines_are_key_value_pairs() -> None:
    """A word stands bare, anything else is quoted, and what the caller adds comes last."""
    line = KeyValueFormatter().format(record("two words", request_id="a-1", path='/"x"\n'))
    assert line == (
        "time=1970-01-01T00:00:00.000+00:00 level=info logger=watchglass.x "
        'message="two words" request_id=a-1 path="/\\"x\\"\\n"'
    )


def test_an_exception_stays_on_one_line() -> None:
    """A traceback is quoted, so that one event is one line, and no line can be forged."""
    try:
        raise ValueError("bad\nlevel=error")
    except ValueError:
        made = record("mistake")
        made.exc_info = sys.exc_info()
    line = KeyValueFormatter().format(made)
    assert "\n" not in line
    assert 'error="ValueError: bad\\nlevel=error"' in line


def test_json_lines_hold_the_same() -> None:
    """The JSON form has the same fields, whatever their types."""
    line = json.loads(JsonFormatter().format(record("x", port=1, other=object)))
    assert (line["message"], line["port"], line["other"]) == ("x", 1, str(object))
