"""The embedded engine: the common contract, and what only it can get wrong."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.store.engine_contract import TABLE, EngineContract
from watchglass.errors import StoreError
from watchglass.store.chdb import ChdbEngine
from watchglass.store.settings import SETTINGS, write_settings


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[ChdbEngine]:
    opened = ChdbEngine(tmp_path / "engine", write_settings(tmp_path / "engine.xml"))
    yield opened
    opened.close()


class TestChdb(EngineContract):
    """The embedded engine keeps the contract."""


def run(script: str, *args: object, **options: object) -> subprocess.CompletedProcess[str]:
    """A fresh interpreter that runs `script`; the engine can open one store in a process."""
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), *map(str, args)],
        capture_output=True, text=True, timeout=240, check=False, **options,
    )  # fmt: skip


def test_its_settings_are_in_force(engine: ChdbEngine) -> None:
    """The generated settings file is read: the driver would ignore a wrong one in silence."""
    read = engine.execute("SELECT name, value FROM system.server_settings").to_pydict()
    actual = dict(zip(read["name"], read["value"], strict=True))
    assert {name: actual[name] for name in SETTINGS} == {name: str(value) for name, value in SETTINGS.items()}


def test_a_missing_settings_file_is_an_error(tmp_path: Path) -> None:
    """A settings file that is not there is said, not ignored."""
    with pytest.raises(StoreError, match="settings file"):
        ChdbEngine(tmp_path / "engine", tmp_path / "nowhere.xml")


@pytest.mark.parametrize("name", ["with space", "per%cent", "a+b", "naïve", "a#b"])
def test_any_directory_name_works(tmp_path: Path, name: str) -> None:
    """Names that mean something in an address mean nothing here."""
    place = tmp_path / name
    place.mkdir()
    opened = ChdbEngine(place / "engine", write_settings(place / "engine.xml"))
    try:
        assert opened.execute(
            "SELECT value FROM system.server_settings WHERE name = 'mark_cache_size'"
        ).to_pydict() == {"value": [str(SETTINGS["mark_cache_size"])]}
        assert (place / "engine").is_dir()
    finally:
        opened.close()


@pytest.mark.parametrize("name", ["who?", "x&y"])
def test_a_directory_name_that_the_driver_cannot_take_is_refused(tmp_path: Path, name: str) -> None:
    """The two characters that the driver would read as options are refused in a sentence."""
    with pytest.raises(StoreError, match="in its name; choose another"):
        ChdbEngine(tmp_path / name)


def test_a_second_process_is_told_that_the_store_is_taken(engine: ChdbEngine, tmp_path: Path) -> None:
    """The engine's own lock, too, is a `StoreBusy` and not a stack of C++."""
    script = """
        import sys, pathlib
        from watchglass.store.chdb import ChdbEngine
        from watchglass.errors import StoreBusy
        try:
            ChdbEngine(pathlib.Path(sys.argv[1]))
        except StoreBusy as error:
            print("busy:", error)
    """
    assert engine.execute("SELECT 1").num_rows == 1
    assert run(script, tmp_path / "engine").stdout.startswith(
        "busy: another process has this data directory open"
    )


def test_a_forked_child_is_refused_at_once(engine: ChdbEngine) -> None:
    """A child made by fork gets an error, where the engine itself would hang for ever."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            engine.execute("SELECT 1")
        except StoreError as error:
            os.write(writer, str(error).encode())
        os._exit(0)
    os.close(writer)
    os.waitpid(child, 0)
    assert "forked" in os.read(reader, 4096).decode()
    os.close(reader)


def test_rows_survive_kill_9_right_after_insert(tmp_path: Path) -> None:
    """What `insert` returned for is there after the process is killed, and the store opens again."""
    script = f"""
        import os, sys, pathlib, signal
        sys.path.insert(0, {os.getcwd()!r})
        from tests.store.engine_contract import MAKE, TABLE, rows
        from watchglass.store.chdb import ChdbEngine
        engine = ChdbEngine(pathlib.Path(sys.argv[1]))
        for statement in MAKE:
            engine.execute(statement)
        for number in range(20):
            engine.insert(TABLE, [rows(*range(number * 50, number * 50 + 50))])
        os.kill(os.getpid(), signal.SIGKILL)
    """
    assert run(script, tmp_path / "engine").returncode == -9
    opened = ChdbEngine(tmp_path / "engine")
    try:
        assert opened.execute(f"SELECT uniqExact(id) AS n, count() AS m FROM {TABLE}").to_pylist() == [
            {"n": 1000, "m": 1000}
        ]
    finally:
        opened.close()


def test_an_insert_that_does_not_fit_is_store_full_and_the_next_that_fits_goes_in(tmp_path: Path) -> None:
    """A full disk is `StoreFull`; when there is room again the same engine takes rows again."""
    mount = tmp_path / "small"
    mount.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(mount)], capture_output=True, check=False
    )
    if made.returncode != 0:
        pytest.skip("mounting a small file system is not allowed here")
    script = f"""
        import os, sys, pathlib
        import pyarrow as pa
        sys.path.insert(0, {os.getcwd()!r})
        from tests.store.engine_contract import MAKE, TABLE, rows
        from watchglass.store.chdb import ChdbEngine
        from watchglass.errors import StoreFull
        mount = pathlib.Path(sys.argv[1])
        engine = ChdbEngine(mount / "engine")
        for statement in MAKE:
            engine.execute(statement)
        engine.insert(TABLE, [rows(1)])
        ballast = mount / "ballast"
        with ballast.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                pass
        batch = rows(*range(2, 50), text=None).set_column(
            1, "text", pa.array([os.urandom(20000).hex() for _ in range(48)])
        )
        try:
            engine.insert(TABLE, [batch])
        except StoreFull as error:
            print("full:", error)
        ballast.unlink()
        engine.insert(TABLE, [batch])
        print(engine.execute(f"SELECT count() AS n FROM {{TABLE}}").to_pylist())
        engine.close()
    """
    try:
        done = run(script, mount)
    finally:
        subprocess.run(["umount", str(mount)], check=True)
    assert done.stdout == (
        "full: the disk that holds the data directory is full; make room, then send again\n[{'n': 49}]\n"
    ), done.stderr


def test_leaving_without_close_while_a_thread_asks_is_no_crash(tmp_path: Path) -> None:
    """`close` at exit with a question under way ends the process with its own status, not with a signal."""
    script = """
        import sys, pathlib, threading
        from watchglass.store.chdb import ChdbEngine
        from watchglass.errors import StoreError
        engine = ChdbEngine(pathlib.Path(sys.argv[1]))
        def ask():
            try:
                engine.execute("SELECT sum(sipHash64(number)) FROM system.numbers")
            except StoreError:
                pass
        thread = threading.Thread(target=ask)
        thread.start()
        while not engine.execute("SELECT 1 FROM system.processes WHERE query LIKE '%m.numbers'").num_rows:
            pass
        engine.close()
        sys.exit(7)
    """
    done = run(script, tmp_path / "engine")
    assert done.returncode == 7, done.stderr
