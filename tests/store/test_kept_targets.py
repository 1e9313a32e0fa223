"""Targets that a team chose are kept, each beside the others."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from watchglass.clock import ManualClock
from watchglass.store.control import Control
from watchglass.store.kept_targets import KeptTargets, TargetStore


@pytest.fixture
def control(tmp_path: Path) -> Iterator[Control]:
    opened = Control(tmp_path / "control.db", ManualClock(5))
    yield opened
    opened.close()


def test_a_target_stays_beside_others(control: Control) -> None:
    """What is chosen later adds to what was chosen before, until all of it is put back."""
    store = TargetStore(control, ManualClock(5))
    store.change({"a": "1", "b": "2"}, "ann")
    before, now = store.change({"b": None}, "bob")
    assert (before.by, now) == ("ann", KeptTargets({"a": "1", "b": None}, 5, "bob"))
    assert TargetStore(control, ManualClock(9)).read() == now
    store.reset("ann")
    assert store.read().values == {}


def test_changes_at_once_are_all_kept(control: Control) -> None:
    """Of eight changes that begin together none is lost."""
    store, together = TargetStore(control, ManualClock(5)), threading.Barrier(8)

    def change(number: int) -> None:
        together.wait()
        store.change({str(number): "1"}, "ann")

    threads = [threading.Thread(target=change, args=(number,)) for number in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(store.read().values) == [str(number) for number in range(8)]
