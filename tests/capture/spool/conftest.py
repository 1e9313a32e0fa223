"""A machine that may stall, and a spool that waits for it."""

from __future__ import annotations

import pytest

from watchglass.capture.spool import writing


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Records wait for a file for as long as that takes. By itself a spool keeps them in memory after a
    second, where `kill -9` loses them: right for an application, and chance for a test on a busy disk."""
    monkeypatch.setattr(writing, "QUICK_S", 3600)
    monkeypatch.setattr(writing, "_PATIENCE_S", 3600)
