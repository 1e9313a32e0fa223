"""`watchglass spool`: what waits, whose it is, and how it gets to the server."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.capture.otlp_server import OtlpServer
from watchglass.capture.records import EventRecord, encode
from watchglass.capture.spool import Spool, owner, place, writing
from watchglass.surfaces.cli import make_app


def run(*arguments: str) -> Any:
    return CliRunner().invoke(make_app(), ["spool", *arguments])


@pytest.fixture
def server() -> Iterator[OtlpServer]:
    made = OtlpServer()
    yield made
    made.close()


def left_behind(root: Path, endpoint: str, key: str | None, records: int) -> Path:
    """A spool in which a process that is dead left records; its directory."""
    directory = place.directory(root, endpoint, key)
    place.describe(directory, endpoint)
    child = os.fork()
    if child == 0:
        writing.QUICK_S = writing._PATIENCE_S = 3600  # or, on a machine that stalls, records stay in memory
        spool = Spool(directory, about=b"\x80")
        for number in range(records):
            spool.append(encode(EventRecord("watchglass.step", number + 1, {"number": number})))
        os._exit(0)
    os.waitpid(child, 0)
    return directory


def test_status(tmp_path: Path) -> None:
    """`status` counts what waits, by process, dead or alive, and what was dropped."""
    directory = left_behind(tmp_path, "http://localhost:1", None, 7)
    mine = Spool(directory, about=b"\x80")
    mine.append(b"one")
    mine.drop("refused", 3)
    mine.tend()
    found = json.loads(run("status", "--json", "--spool-dir", str(tmp_path)).stdout)["spools"]
    assert [(each["endpoint"], each["waiting"], each["dropped"]) for each in found] == [
        ("http://localhost:1", 8, {"refused": 3})
    ]
    processes = [(each["alive"], each["waiting"]) for each in found[0]["processes"]]
    assert processes in ([(False, 7), (True, 1)], [(True, 7), (True, 1)])  # taken over by then
    shown = run("status", "--spool-dir", str(tmp_path))
    assert shown.exit_code == 0 and "http://localhost:1: 8 records wait" in shown.stdout
    assert str(os.getpid()) in shown.stdout and "3 (refused)" in shown.stdout
    mine.close()


def test_no_spool(tmp_path: Path) -> None:
    """Where no application has recorded anything, `status` says so (exit code 3), the others do nothing."""
    assert run("status", "--spool-dir", str(tmp_path / "none")).exit_code == 3
    assert run("flush", "--spool-dir", str(tmp_path / "none")).exit_code == 0
    assert run("verify", "--spool-dir", str(tmp_path / "none")).exit_code == 0


def test_flush(server: OtlpServer, tmp_path: Path) -> None:
    """`flush` delivers what a dead process left and leaves nothing."""
    directory = left_behind(tmp_path, server.url, None, 50)
    done = run("flush", "--spool-dir", str(tmp_path))
    assert done.exit_code == 0 and "50 records delivered" in done.stdout
    assert [each.path for each in server.taken] == ["/v1/logs"]
    assert owner.folders(directory) == []
    assert "No process" in run("flush", "--spool-dir", str(tmp_path)).stdout


def test_flush_with_a_key(server: OtlpServer, tmp_path: Path) -> None:
    """Records of a key are delivered with that key alone; without it `flush` says so, with exit code 4."""
    left_behind(tmp_path, server.url, "secret", 5)
    refused = run("flush", "--spool-dir", str(tmp_path))
    assert refused.exit_code == 4 and "--key" in refused.stderr
    assert not server.received
    assert run("flush", "--spool-dir", str(tmp_path), "--key", "secret").exit_code == 0
    assert server.taken[0].headers["authorization"] == "Bearer secret"


def test_flush_without_server(tmp_path: Path) -> None:
    """With the server away `flush` says how much still waits, with exit code 4."""
    left_behind(tmp_path, "http://127.0.0.1:9", None, 5)
    failed = run("flush", "--spool-dir", str(tmp_path))
    assert failed.exit_code == 4 and "5 records still wait" in failed.stderr


def test_verify(tmp_path: Path) -> None:
    """`verify` reads every record; one flipped byte is told of with its file, and gives exit code 1."""
    directory = left_behind(tmp_path, "http://localhost:1", None, 20)
    fine = run("verify", "--spool-dir", str(tmp_path))
    assert fine.exit_code == 0 and "20 records" in fine.stdout
    segment = owner.segments(owner.folders(directory)[0])[0]
    content = bytearray(segment.read_bytes())
    content[content.index(b"watchglass.step")] ^= 1
    segment.write_bytes(content)
    damaged = run("verify", "--spool-dir", str(tmp_path), "--json")
    assert damaged.exit_code == 1
    found = json.loads(damaged.stdout)
    assert found["intact"] == 19 and found["damage"][0]["segment"] == str(segment)
