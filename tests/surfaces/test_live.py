"""Following what comes in, through the real house: at once, when something comes, and within the scope."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.surfaces.open_doors import OpenDoors
from watchglass.surfaces.api import live as live_api
from watchglass.surfaces.api.live import Live

PATH = "/api/v1/live"


@pytest.fixture
def doors(tmp_path: Path) -> Iterator[OpenDoors]:
    """For each test: one of them stops what the others ask, and a process has one engine at a time."""
    opened = OpenDoors(tmp_path / "data")
    yield opened
    opened.stop()


def body(number: int, tenant: str) -> dict[str, Any]:
    now = time.time_ns()
    span = {
        "traceId": f"{number:032x}",
        "spanId": f"{number:016x}",
        "name": "arriving",
        "startTimeUnixNano": str(now),
        "endTimeUnixNano": str(now + 5),
    }
    about = {"attributes": [{"key": "watchglass.tenant", "value": {"stringValue": tenant}}]}
    return {"resourceSpans": [{"resource": about, "scopeSpans": [{"spans": [span]}]}]}


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits does so for an hour: a test in which nobody is told fails, however slow the machine is."""
    monkeypatch.setattr(live_api, "WAIT_S", 3600)


def test_a_follower_is_told_of_what_comes(doors: OpenDoors) -> None:
    """The question waits until a trace has come, and is answered with it."""
    first = doors.http.get(PATH).json()
    answers: list[dict[str, Any]] = []

    def follow() -> None:
        answers.append(doors.http.get(PATH, params={"after": first["cursor"]}).json())

    following = threading.Thread(target=follow)
    following.start()
    with httpx.Client(base_url=doors.http.base_url, timeout=60) as sender:
        assert sender.post("/v1/traces", json=body(1, "acme")).status_code == 200
    following.join(60)
    assert answers[0]["cursor"] != first["cursor"]
    assert [row["name"] for row in answers[0]["traces"]] == ["arriving"]


def test_nothing_new_is_an_answer_too(doors: OpenDoors) -> None:
    """After the time that was asked for the same cursor comes back; a time that is none is refused."""
    seen = doors.http.get(PATH).json()
    assert doors.http.get(PATH, params={"after": seen["cursor"], "wait": "0.2"}).json() == seen
    assert doors.http.get(PATH, params={"after": seen["cursor"], "wait": "soon"}).status_code == 400


def test_who_waits_is_answered_when_the_server_stops() -> None:
    """A pause that has begun ends at once, and says not to go on."""

    async def stopped() -> bool:
        live = Live()
        pausing = asyncio.create_task(live.pause())
        await asyncio.sleep(0)
        live.stop()
        return await pausing

    assert asyncio.run(stopped()) is False


def test_nobody_waits_for_a_server_that_stops(doors: OpenDoors) -> None:
    """Who asks to be told is then answered at once, not after the whole wait."""
    seen = doors.http.get(PATH).json()
    doors.backend.stop_questions()
    assert doors.http.get(PATH, params={"after": seen["cursor"]}).json() == seen
