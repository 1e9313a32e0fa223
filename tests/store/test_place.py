"""A data directory is private, held by one process, and says who that is."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from watchglass.errors import StoreBusy, StoreError
from watchglass.store import Holder, Place, holder

ME = Holder("watchglass serve", os.getpid(), 1_730_000_000_000_000_000, "http://127.0.0.1:4318")


def test_it_is_made_for_its_owner_only(tmp_path: Path) -> None:
    """The directory, with its parents, is made with mode 0700."""
    place = Place(tmp_path / "a" / "b", ME)
    assert stat.S_IMODE(place.directory.stat().st_mode) == 0o700
    place.release()


def test_a_second_holder_is_told_who_has_it_and_what_to_do(tmp_path: Path) -> None:
    """One sentence names the directory, the program, its process id and its address."""
    place = Place(tmp_path / "data", ME)
    with pytest.raises(StoreBusy) as caught:
        Place(tmp_path / "data", Holder("watchglass usage", 1, 0))
    assert str(caught.value) == (
        f"the data directory {tmp_path / 'data'} is held by watchglass serve (pid {os.getpid()}, "
        "http://127.0.0.1:4318); ask it with --url http://127.0.0.1:4318, or choose another with --data"
    )
    place.release()


def test_the_address_can_be_told_later(tmp_path: Path) -> None:
    """A server that has found its port says so, and a shorter text leaves nothing of the longer one."""
    place = Place(tmp_path / "data", ME)
    assert holder(tmp_path / "data") == ME
    place.announce("http://[::1]:9")
    found = holder(tmp_path / "data")
    assert found is not None
    assert (found.pid, found.address) == (os.getpid(), "http://[::1]:9")
    place.release()


def test_nobody_holds_what_is_free_or_not_there(tmp_path: Path) -> None:
    """A released directory and one that never was have no holder, and release may be repeated."""
    assert holder(tmp_path / "never") is None
    place = Place(tmp_path / "data", ME)
    place.release()
    place.release()
    assert holder(tmp_path / "data") is None
    Place(tmp_path / "data", ME).release()


def test_a_killed_holder_leaves_the_directory_free(tmp_path: Path) -> None:
    """After kill -9 of its holder the directory can be taken at once, whatever the file still says."""
    script = (
        "import os, sys, signal, pathlib\n"
        "from watchglass.store import Holder, Place\n"
        "Place(pathlib.Path(sys.argv[1]), Holder('watchglass serve', os.getpid(), 0, 'http://127.0.0.1:1'))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path / "data")], check=False, timeout=240)
    assert done.returncode == -9
    assert b"127.0.0.1:1" in (tmp_path / "data" / "holder.json").read_bytes()
    assert holder(tmp_path / "data") is None
    Place(tmp_path / "data", ME).release()


def test_a_place_that_cannot_be_made_is_explained(tmp_path: Path) -> None:
    """A file in the way is a sentence with the path and the way out."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError, match=r"file.* cannot be made .*--data"):
        Place(tmp_path / "file", ME)
    with pytest.raises(StoreError, match=r"cannot be made"):
        Place(tmp_path / "file" / "below", ME)
