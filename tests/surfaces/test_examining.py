"""What the doctor says of the directory that holds the tables, opened here and behind a server."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.new_store import prepared
from tests.stored_rows import call, insert
from watchglass.clock import ManualClock
from watchglass.config import Settings
from watchglass.doctor.contract import Diagnosis, Window
from watchglass.queries.reader import StoreReader
from watchglass.store import Control, Space, Store, control_file, open_store
from watchglass.store.damage import damage
from watchglass.surfaces.cli import make_app
from watchglass.surfaces.examining import of_the_house

MIB = 1 << 20


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """One for each test: some of them harm it."""
    with open_store(prepared(tmp_path / "data")) as opened:
        yield opened


def found(store: Store, free_bytes: int) -> list[Diagnosis]:
    """With so much free on the disk, of which 100 MiB are kept."""
    space = Space(store.place.directory, 100 * MIB, free=lambda _: free_bytes)
    findings = of_the_house(Settings(), store.engine, space, ManualClock(0))
    ask = StoreReader(store.engine).query
    return [each for finding in findings() for each in finding.examine(ask, Window(0, 1))]


def test_a_healthy_house(store: Store) -> None:
    """A directory as this program made it, with room, is nothing to speak of."""
    assert found(store, 1000 * MIB) == []


def test_disk_low(store: Store) -> None:
    """A warning while there is little room, an error once nothing is taken in."""
    (warning,), (error,) = found(store, 399 * MIB), found(store, 99 * MIB)
    assert (warning.finding, warning.severity, error.severity) == ("disk_low", "warning", "error")
    assert list(error.evidence.rows) == [[99 * MIB, 100 * MIB]]
    assert "nothing that is sent is taken in" in error.symptom


def test_tables_that_are_missing(store: Store) -> None:
    """A table that is gone and a column that is gone are both named."""
    store.engine.execute("DROP TABLE watchglass.audit")
    store.engine.execute("ALTER TABLE store.rejects DROP COLUMN source")
    (wrong,) = found(store, 1000 * MIB)
    assert (wrong.finding, wrong.severity) == ("wrong_schema", "error")
    assert sorted(map(tuple, wrong.evidence.rows)) == [
        ("store.rejects", "source"),
        ("watchglass.audit", None),
    ]


def test_a_directory_of_a_newer_program(tmp_path: Path) -> None:
    """A store that cannot be opened for its version is a finding too, with both versions and an exit code."""
    data = tmp_path / "data"
    (data / "engine").mkdir(parents=True)
    Control(control_file(data), ManualClock(0)).close()
    with sqlite3.connect(control_file(data)) as control:
        control.execute("INSERT INTO migrations VALUES ('engine', 9000, 'later', 'x', 1)")
    asked = ("doctor", "--data", str(data), "--json", "--fail-on", "error")
    shown = CliRunner().invoke(make_app(), asked, catch_exceptions=False)
    assert shown.exit_code == 7
    (said,) = json.loads(shown.stdout)["diagnoses"]
    assert (said["finding"], said["evidence"]["rows"][0][0]) == ("wrong_schema", 9000)
    assert "newer watchglass" in said["symptom"]


def test_files_that_were_damaged(store: Store) -> None:
    """What the engine puts aside when it loads a table, because its files are cut short, is told of."""
    insert(store.engine, "calls", [call(1)])
    store.engine.execute("DETACH TABLE store.calls")
    for file in (store.place.directory / "engine").rglob("*.bin"):
        os.truncate(file, 10)
    store.engine.execute("ATTACH TABLE store.calls")
    assert damage(store.engine)[0][:2] == ("store.calls", 1)
    damaged = next(each for each in found(store, 1000 * MIB) if each.finding == "damaged")
    assert (damaged.severity, damaged.evidence.rows[0][0]) == ("error", "store.calls")
