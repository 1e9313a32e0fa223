"""`watchglass backup` and `restore` as a person runs them, beside a server that takes requests."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.surfaces.test_house import PROTOBUF, House, open_house, request
from tests.waiting import until

__all__ = ["open_house"]

RUN = "import sys; from watchglass.surfaces.cli import main; sys.argv[0] = 'watchglass'; main()"


def watchglass(*arguments: object) -> subprocess.CompletedProcess[str]:
    """The program, to its end."""
    command = [sys.executable, "-c", RUN, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)


def send(house: House, first: int, count: int) -> int:
    """The status of an export."""
    return house.http.post("/v1/traces", content=request(first, count), headers=PROTOBUF).status_code


def snapshots(data: Path) -> list[Path]:
    """Those that there are in a data directory."""
    return [each for each in (data / "engine" / "shadow").glob("snapshot*") if each.is_dir()]


def test_backup_beside_a_running_server_and_back(open_house: Callable[..., House], tmp_path: Path) -> None:
    """What was acknowledged before is in it, though more comes meanwhile; it restores and serves."""
    data, folder = tmp_path / "data", tmp_path / "backups"
    house = open_house(data)
    assert send(house, 0, 1000) == 200
    ended = threading.Event()

    def keep_sending() -> None:
        first = 10_000
        while not ended.is_set():
            send(house, first, 5)
            first += 5

    sender = threading.Thread(target=keep_sending)
    sender.start()
    try:
        first = watchglass("backup", folder, "--url", house.url, "--json")
        second = watchglass("backup", folder, "--url", house.url, "--json", "--keep", "1")
    finally:
        ended.set()
        sender.join()
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert json.loads(first.stdout)["rows"]["calls"] >= 1000
    assert json.loads(second.stdout)["removed"] == [json.loads(first.stdout)["backup"]]
    assert watchglass("backup", folder, "--verify").returncode == 0
    restored = watchglass("restore", folder, "--data", tmp_path / "back")
    assert restored.returncode == 0, restored.stderr
    back = open_house(tmp_path / "back")
    found = back.http.post(
        "/api/v1/query",
        json={"sql": "SELECT uniqExact(span_id) AS n FROM calls WHERE span_id <= '00000000000003e8'"},
    )
    assert found.json()[0]["n"] == 1000
    assert send(back, 50_000, 5) == 200


def test_who_hangs_up_takes_the_snapshot_along(open_house: Callable[..., House], tmp_path: Path) -> None:
    """A snapshot is there while its asker is connected, and gone when it is not, however it went."""
    house = open_house(tmp_path / "data")
    with house.http.stream("POST", "/api/v1/backup") as answer:
        lines = answer.iter_lines()  # held, for it hangs up when it is let go
        folder = Path(json.loads(next(lines))["snapshot"])
        assert snapshots(tmp_path / "data") == [folder]
    until(lambda: not snapshots(tmp_path / "data"))


@pytest.mark.long
def test_a_server_that_stops_ends_a_snapshot_in_order(
    open_house: Callable[..., House], tmp_path: Path
) -> None:
    """SIGTERM while somebody makes a backup is a stop like any other."""
    house = open_house(tmp_path / "data")
    with house.http.stream("POST", "/api/v1/backup") as answer:
        lines = answer.iter_lines()
        next(lines)
        code, err = house.stop()
    assert (code, "Traceback" in err) == (0, False)
    assert snapshots(tmp_path / "data") == []


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("backup", "b", "--verify"), 3, "is no backup of watchglass"),
        (("restore", "b", "--data", "d"), 3, "is no backup of watchglass"),
        (("backup", "b", "--data", "nowhere"), 3, "there is no store in nowhere"),
        (("backup", "b", "--url", "http://127.0.0.1:9"), 4, "no server answers"),
    ],
)
def test_what_cannot_be_done_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], code: int, sentence: str
) -> None:
    """Nothing to read, nothing to back up, nobody to ask: said in one line, with its exit code."""
    monkeypatch.chdir(tmp_path)
    done = watchglass(*arguments)
    assert (done.returncode, sentence in done.stderr) == (code, True), done.stderr
    assert len(done.stderr.splitlines()) == 1
