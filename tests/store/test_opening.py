"""Opening a data directory brings it up to date, from any state that a kill can leave."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from watchglass.clock import ManualClock
from watchglass.errors import StoreBusy, StoreError
from watchglass.store import Limits, footprint, migrate, open_store
from watchglass.store.control import Control


def tables(store: object) -> set[tuple[str, str]]:
    read = store.engine.execute(
        "SELECT database, name FROM system.tables WHERE database IN ('store', 'watchglass')"
    )
    return set(zip(read["database"].to_pylist(), read["name"].to_pylist(), strict=True))


def test_opening_twice_applies_nothing_twice(tmp_path: Path) -> None:
    """A second opening finds every step applied and the same tables."""
    with open_store(tmp_path / "data") as store:
        first, steps = tables(store), store.control.applied("engine")
    with open_store(tmp_path / "data") as store:
        assert tables(store) == first
        assert store.control.applied("engine") == steps
        assert set(steps) == {migration.number for migration in migrate.migrations("engine")}


@pytest.mark.parametrize("after", [1, 3, 6])
def test_a_kill_half_way_through_a_step_is_mended_by_opening_again(tmp_path: Path, after: int) -> None:
    """Killed between two statements of a migration, the next opening completes it."""
    script = (
        "import os, signal, sys, pathlib\n"
        "from watchglass.store import migrate, opening\n"
        "real, left = opening.ChdbEngine.execute, [int(sys.argv[2])]\n"
        "def execute(self, sql, *a, **k):\n"
        "    if left[0] == 0:\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "    left[0] -= 1\n"
        "    return real(self, sql, *a, **k)\n"
        "opening.ChdbEngine.execute = execute\n"
        "opening.open_store(pathlib.Path(sys.argv[1]))\n"
    )
    data = tmp_path / "data"
    done = subprocess.run([sys.executable, "-c", script, str(data), str(after)], check=False, timeout=240)
    assert done.returncode == -9
    with open_store(tmp_path / "other") as whole:
        expected = tables(whole)
    with open_store(data) as store:
        assert tables(store) == expected
        assert store.control.applied("engine")


def test_a_store_from_a_newer_watchglass_is_refused_untouched(tmp_path: Path) -> None:
    """A step number that this program does not know means: upgrade."""
    open_store(tmp_path / "data").close()
    with sqlite3.connect(tmp_path / "data" / "control.db") as db:
        db.execute("INSERT INTO migrations VALUES ('engine', 99, 'later', 'x', 0)")
    db.close()
    with pytest.raises(StoreError, match=r"newer watchglass \(schema 99; .*upgrade"):
        open_store(tmp_path / "data")


def test_a_step_that_is_not_what_was_applied_is_refused(tmp_path: Path) -> None:
    """History is not rewritten: another text under an applied number is an error."""
    known = [migrate.Migration(1, "tables", "CREATE x;")]
    with pytest.raises(StoreError, match=r"0001 \(tables\)"):
        migrate.pending(known, {1: "another"})
    assert migrate.pending(known, {1: known[0].checksum}) == []
    assert migrate.pending(known, {}) == known


def test_comments_and_layout_are_no_change_of_a_step() -> None:
    """The checksum is of the statements alone."""
    assert migrate.checksum("CREATE  x\n(a);  -- why\n") == migrate.checksum("-- other\nCREATE x (a);")
    assert migrate.checksum("CREATE x;") != migrate.checksum("CREATE y;")


def test_a_second_opening_names_the_first(tmp_path: Path) -> None:
    """Another process on an open directory gets the holder's name, not the engine's lock error."""
    script = (
        "import sys, pathlib\n"
        "from watchglass.errors import StoreBusy\n"
        "from watchglass.store import open_store\n"
        "try:\n"
        "    open_store(pathlib.Path(sys.argv[1]))\n"
        "except StoreBusy as error:\n"
        "    print(error)\n"
    )
    with open_store(tmp_path / "data", program="watchglass serve", address="http://127.0.0.1:4318"):
        done = subprocess.run(
            [sys.executable, "-c", script, str(tmp_path / "data")],
            capture_output=True, text=True, check=False, timeout=240,
        )  # fmt: skip
    assert f"held by watchglass serve (pid {os.getpid()}, http://127.0.0.1:4318)" in done.stdout


def test_a_failed_opening_lets_go_of_the_directory(tmp_path: Path) -> None:
    """After an error on the way nothing is held: the next try meets the same error, not a busy store."""
    open_store(tmp_path / "data").close()
    (tmp_path / "data" / "control.db").write_bytes(b"not a database at all" * 100)
    for _ in range(2):
        with pytest.raises(StoreError, match=r"control\.db") as caught:
            open_store(tmp_path / "data")
        assert not isinstance(caught.value, StoreBusy)


def test_versions_only_grow_even_when_the_clock_does_not(tmp_path: Path) -> None:
    """Each version is above the last, with a clock that stands still, and above earlier rows."""
    with open_store(tmp_path / "data") as store:
        store.engine.execute("INSERT INTO store.rejects (reason) VALUES ('x')")
        written = store.versions.next()
        assert store.versions.next() > written
    with open_store(tmp_path / "data", clock=ManualClock(5)) as store:
        first = store.versions.next()
        assert first > written
        assert store.versions.next() == first + 1


def test_control_facts_survive_and_are_private(tmp_path: Path) -> None:
    """What was put is there after reopening, and the file is its owner's alone."""
    control = Control(tmp_path / "control.db", ManualClock())
    control.put("a", "1")
    control.put("a", "2")
    control.close()
    control = Control(tmp_path / "control.db", ManualClock())
    assert (control.get("a"), control.get("b")) == ("2", None)
    assert (tmp_path / "control.db").stat().st_mode & 0o077 == 0
    control.close()


@pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="only Linux lets a process give such memory back"
)
def test_an_idle_store_is_small_and_goes_on_working(tmp_path: Path) -> None:
    """An open, idle store takes at most 150 MB once its pages were dropped, which does no harm."""
    script = (
        "import sys, pathlib\n"
        "from watchglass.store import open_store, footprint\n"
        "store = open_store(pathlib.Path(sys.argv[1]))\n"
        # The engine's own threads use pages again whenever they wake: with luck in between.
        "found = []\n"
        "for _ in range(20):\n"
        "    footprint.shrink()\n"
        "    found.append(footprint.resident_bytes())\n"
        "print(min(found))\n"
        "assert store.engine.execute('SELECT count() AS n FROM watchglass.calls')['n'].to_pylist() == [0]\n"
        "store.close()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "data")],
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) <= 150_000_000


def test_giving_memory_back_is_harmless_anywhere() -> None:
    """A map of memory that makes no sense offers nothing."""
    assert footprint._clean_regions("") == []
    text = (
        "7f0000000000-7f0001000000 r-xp 00000000 08:01 1   /lib/engine.so\nPrivate_Dirty:         0 kB\n"
        "7f0001000000-7f0002000000 r--p 00000000 08:01 1   /lib/engine.so\nPrivate_Dirty:         4 kB\n"
        "7f0002000000-7f0003000000 rw-p 00000000 08:01 1   /lib/engine.so\nPrivate_Dirty:         0 kB\n"
        "7f0003000000-7f0003001000 r-xp 00000000 08:01 1   /lib/engine.so\nPrivate_Dirty:         0 kB\n"
        "7f0004000000-7f0005000000 r-xp 00000000 00:00 0 \nPrivate_Dirty:         0 kB\n"
    )
    assert footprint._clean_regions(text) == [(0x7F0000000000, 0x7F0001000000)]


def test_questions_can_be_ended_and_nothing_else_is(tmp_path: Path) -> None:
    """`stop_questions` ends what readers have asked, and only that: the server's own statements go on."""
    outcome: list[str] = []
    with open_store(tmp_path / "data") as store:

        def ask() -> None:
            try:
                store.engine.execute(
                    "SELECT sum(sipHash64(number)) FROM system.numbers", limits=Limits(time_s=60)
                )
            except StoreError as error:
                outcome.append(str(error))

        thread = threading.Thread(target=ask)
        thread.start()
        marked = "SELECT countIf(Settings['log_comment'] = 'question') AS n FROM system.processes"
        while store.engine.execute(marked)["n"].to_pylist() != [1]:
            pass
        store.stop_questions()
        thread.join()
        assert store.engine.execute("SELECT 1").num_rows == 1
    assert outcome == ["the question was stopped before it had an answer; ask again"]
