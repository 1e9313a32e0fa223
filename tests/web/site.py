"""The server that the tests of the app share, with some of the demo in it."""

from __future__ import annotations

import time
from pathlib import Path

from tests.surfaces.open_doors import OpenDoors
from watchglass.surfaces.cli.demo import poster
from watchglass.surfaces.demo.plan import Window
from watchglass.surfaces.demo.sending import send_history
from watchglass.surfaces.http import web_app

SEED = 7
DAYS = 8
RATE = 0.15


class Site:
    """A server with the app on it."""

    def __init__(self, data: Path) -> None:
        # A search that stops short for want of time, or a question, is tested elsewhere.
        self.doors = OpenDoors(data, web_app=web_app.load(), query_time_s=600.0)
        self.http = self.doors.http
        self.url = f"http://127.0.0.1:{self.doors.port}"

    def send_demo(self, days: int = DAYS, rate: float = RATE) -> None:
        """The last days of the demo, as they are told just now."""
        window = Window(seed=SEED, now_ns=time.time_ns(), days=days, rate=rate)
        for _ in send_history(window, poster(self.url), time.sleep):
            pass
        self.settle()

    def settle(self) -> None:
        """Wait until what was sent is decided upon."""
        deadline = time.monotonic() + 600
        while self.http.get("/health").json()["dependencies"]["ingest"]["unsettled_traces"]:
            assert time.monotonic() < deadline

    def stop(self) -> None:
        """End it."""
        self.doors.stop()
