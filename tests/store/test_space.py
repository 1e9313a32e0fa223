"""Room on the disk: intake stops before there is none, and begins again when there is."""

from __future__ import annotations

from pathlib import Path

import pytest

from watchglass.errors import StoreFull
from watchglass.store.space import Space, free_bytes

MIB = 1 << 20


def test_below_the_floor_nothing_is_taken_in_and_the_reason_names_the_setting() -> None:
    """Intake is refused with what is free, what must be, and the setting that says so."""
    space = Space(Path("nowhere"), 100 * MIB, free=lambda _: 99 * MIB)
    with pytest.raises(StoreFull, match=r"99 MiB are free .* 100 MiB \(setting free_bytes\)"):
        space.check()
    assert space.look().state == "low"


def test_intake_begins_again_a_little_above_the_floor() -> None:
    """What was refused is taken in again above the floor and an eighth, so that it does not flicker."""
    free = [0]
    space = Space(Path("nowhere"), 80 * MIB, free=lambda _: free[0] * MIB)
    states: list[str] = []
    for now in (81, 80, 79, 81, 89, 90, 81, 79):
        free[0] = now
        states.append(space.look().state)
    assert states == ["ok", "ok", "low", "low", "low", "ok", "ok", "low"]


def test_a_floor_of_nothing_refuses_nothing() -> None:
    """With the setting at 0 only the disk itself says no."""
    space = Space(Path("nowhere"), 0, free=lambda _: 0)
    space.check()
    assert space.look().reason is None


def test_a_real_disk_is_asked(tmp_path: Path) -> None:
    """The figure is that of the disk which the directory is on."""
    assert free_bytes(tmp_path) > 0
