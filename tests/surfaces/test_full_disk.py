"""A server on a disk that fills up: says so, loses nothing, ends in order, goes on when there is room."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.surfaces.test_house import PROTOBUF, House, open_house, request
from tests.waiting import until

__all__ = ["open_house"]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 96 MiB of its own."""
    mount = tmp_path / "small"
    mount.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=96m", "tmpfs", str(mount)]
    if subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("mounting a small file system is not allowed here")
    yield mount
    subprocess.run(["umount", "-l", str(mount)], check=True)


def fill(house: House, mount: Path) -> Path:
    """A file that takes what is left, to the last byte, once the server has nothing to settle any more: what
    it removes after that would be room."""
    until(lambda: not house.http.get("/health").json()["dependencies"]["ingest"]["unsettled_traces"])
    ballast = mount / "ballast"
    with ballast.open("ab", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError:
            pass
    return ballast


def send(house: House, first: int, count: int) -> tuple[int, str | None]:
    """The answer's status and when to send again."""
    answer = house.http.post("/v1/traces", content=request(first, count), headers=PROTOBUF)
    return answer.status_code, answer.headers.get("retry-after")


def until_taken(house: House, first: int, count: int) -> None:
    """Send as a client does, until it is acknowledged."""
    until(lambda: send(house, first, count)[0] == 200)


def test_below_the_floor_senders_wait_and_health_says_why(
    open_house: Callable[..., House], small_disk: Path
) -> None:
    """Below the floor: 503 with Retry-After, and the reason on /health and /ready; reading goes on."""
    house = open_house(small_disk / "data", "--free-bytes", str(16 << 20))
    assert send(house, 0, 5) == (200, None)
    assert house.http.get("/health").json()["dependencies"]["store"]["state"] == "ok"
    ballast = fill(house, small_disk)
    assert send(house, 5, 5) == (503, "30")
    health = house.http.get("/health")
    store = health.json()["dependencies"]["store"]
    assert (health.status_code, store["state"], store["floor_bytes"]) == (503, "low", 16 << 20)
    assert store["free_bytes"] < 16 << 20 and "free_bytes" in store["reason"]
    ready = house.http.get("/ready")
    assert (ready.status_code, ready.json()) == (503, {"ready": False, "reason": store["reason"]})
    told = house.http.get("/api/v1/doctor").json()["diagnoses"]
    assert "disk_low" in {each["finding"] for each in told}
    assert house.count() == 5
    ballast.unlink()
    assert send(house, 5, 5) == (200, None)
    assert house.http.get("/ready").json() == {"ready": True}
    assert house.count() == 10


def test_a_disk_that_is_full_to_the_last_byte_loses_nothing(
    open_house: Callable[..., House], small_disk: Path
) -> None:
    """Without a floor the engine refuses; what was acknowledged stays, and the rest is taken later."""
    house = open_house(small_disk / "data", "--free-bytes", "0")
    assert send(house, 0, 5) == (200, None)
    ballast = fill(house, small_disk)
    assert send(house, 5, 2000) == (503, "30")
    assert house.http.get("/health").status_code == 503
    assert house.count() == 5
    ballast.unlink()
    until_taken(house, 5, 2000)
    assert house.count() == 2005
    assert house.http.get("/health").status_code == 200


def test_a_server_on_a_full_disk_ends_in_order(open_house: Callable[..., House], small_disk: Path) -> None:
    """SIGTERM on a full disk is exit code 0 as of any other stop, and the store opens again."""
    house = open_house(small_disk / "data", "--free-bytes", "0")
    assert send(house, 0, 5) == (200, None)
    ballast = fill(house, small_disk)
    assert send(house, 5, 2000)[0] == 503
    code, err = house.stop(signal.SIGTERM)
    assert (code, "Traceback" in err) == (0, False)
    ballast.unlink()
    again = open_house(small_disk / "data", "--free-bytes", "0")
    assert again.count() == 5
    assert send(again, 5, 2000) == (200, None)
    assert again.count() == 2005


@pytest.mark.long
def test_budgets_on_a_full_disk(open_house: Callable[..., House], small_disk: Path) -> None:
    """A reservation that cannot be written is a 503 and takes no room; all that was admitted is held to."""

    def reserve(house: House) -> int:
        said = {"amount_usd": "0.01", "tenant": "acme"}
        answer = house.http.post("/api/v1/budgets/reserve", json=said)
        if answer.status_code == 200:
            assert answer.json()["admitted"]
            return 1
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "30"), answer.text
        return 0

    house = open_house(small_disk / "data", "--free-bytes", "0")
    budget = {"name": "held", "limit_usd": "100", "kind": "hard", "scope": {"tenant": "acme"}}
    assert house.http.post("/api/v1/budgets", json=budget).status_code == 200
    admitted = reserve(house)
    ballast = fill(house, small_disk)
    while reserve(house):  # what the log of the database has room for in itself
        admitted += 1
        assert admitted < 5000
    assert reserve(house) == 0
    ballast.unlink()
    until(lambda: reserve(house))
    admitted += 1
    held = house.http.get("/api/v1/budgets/held").json()["held"]
    assert held["reserved_usd"] == f"{admitted / 100:g}"
    house.stop(signal.SIGKILL)
    again = open_house(small_disk / "data", "--free-bytes", "0")
    assert again.http.get("/api/v1/budgets/held").json()["held"] == held
