"""What watchglass itself has warned of in a test.

`caplog` has more: asyncio says of a task of any earlier test that it was destroyed, whenever that is
collected, a library's own threads go on after the test that made them, and the level is what some other test
has set.
"""

from __future__ import annotations

import logging

import pytest


def ours(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    """Warnings and worse of our loggers, in order."""
    return [
        each
        for each in caplog.records
        if each.name.partition(".")[0] == "watchglass" and each.levelno >= logging.WARNING
    ]
