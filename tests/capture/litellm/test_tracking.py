"""`setup_litellm_tracking` where there is nothing to track."""

from __future__ import annotations

import importlib.util
import sys
from importlib.machinery import ModuleSpec

import pytest

import watchglass
from tests.our_log import ours
from watchglass.capture import boundary
from watchglass.capture.litellm import tracking
from watchglass.testing import Recorder


def test_without_litellm_it_says_so_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Where LiteLLM is not installed the application goes on, tracking is off, and one line says why."""
    found = importlib.util.find_spec

    def find_spec(name: str, package: str | None = None) -> ModuleSpec | None:
        return None if name == "litellm" else found(name, package)

    monkeypatch.delitem(sys.modules, "litellm")
    monkeypatch.setattr(tracking, "find_spec", find_spec)
    boundary.forget()
    with Recorder():
        watchglass.setup_litellm_tracking()
        watchglass.setup_litellm_tracking()
        assert not watchglass.is_litellm_tracking_enabled()
    assert [each.getMessage() for each in ours(caplog)] == [
        "watchglass: litellm is not installed: there are no calls of it to record"
    ]
    assert not boundary.failures
