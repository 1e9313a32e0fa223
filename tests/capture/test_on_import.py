"""Hooks after an import."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
from pathlib import Path

import pytest

from watchglass.capture.on_import import call_after


def test_a_hook_is_called_once_the_module_has_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not before the import, not twice, and when it is called the module is whole and knows its file."""
    (tmp_path / "awaited_module.py").write_text("value = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    seen: list[int] = []
    call_after("awaited_module", lambda: seen.append(sys.modules["awaited_module"].value))
    assert seen == []
    module = importlib.import_module("awaited_module")
    assert seen == [1]
    importlib.reload(module)
    assert seen == [1]
    assert inspect.getsource(module) == "value = 1\n"
    assert type(module.__spec__.loader).__module__.startswith("_frozen_importlib")  # type: ignore[union-attr] - it has a spec


def test_a_module_that_is_there_needs_no_waiting() -> None:
    """For a module that was imported before, the hook is called at once."""
    seen: list[str] = []
    call_after("json", lambda: seen.append("json"))
    assert seen == ["json"]


def test_a_module_that_is_nowhere_is_still_not_found() -> None:
    """Waiting for a module that does not exist changes nothing about its import's failure."""
    call_after("no_such_module_anywhere", lambda: None)
    for _ in range(2):
        with pytest.raises(ModuleNotFoundError, match="no_such_module_anywhere"):
            importlib.import_module("no_such_module_anywhere")


def test_a_module_that_fails_can_be_imported_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An import that raises shows the application its own error; the hook waits for one that does not."""
    (tmp_path / "failing_module.py").write_text("raise ValueError('mine')\n")
    monkeypatch.syspath_prepend(tmp_path)
    seen: list[int] = []
    call_after("failing_module", lambda: seen.append(1))
    with pytest.raises(ValueError, match="mine"):
        importlib.import_module("failing_module")
    assert seen == []
    (tmp_path / "failing_module.py").write_text("mended = True\n")
    importlib.invalidate_caches()
    importlib.import_module("failing_module")
    assert seen == [1]


def test_to_ask_for_a_module_is_not_to_import_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`find_spec`, by which applications ask whether a library is installed, leaves the hooks waiting."""
    (tmp_path / "asked_module.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    seen: list[int] = []
    call_after("asked_module", lambda: seen.append(1))
    assert importlib.util.find_spec("asked_module") is not None
    assert importlib.util.find_spec("asked_module") is not None
    assert seen == []
    importlib.import_module("asked_module")
    assert seen == [1]
