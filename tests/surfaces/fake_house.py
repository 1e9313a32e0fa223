"""`serve` over a fake receiver, as a program of its own: signals, ports and exit codes are real.

Arguments: the HTTP port, the gRPC port, the host, and how long a request takes in seconds
(`forever` for never). Prints what it does when it closes.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fake_receiver import FakeReceiver

from watchglass.config import Settings
from watchglass.errors import StoreBusy, WatchglassError
from watchglass.ingest.receiver import Encoding, Outcome, Signal
from watchglass.surfaces import serve as serving
from watchglass.surfaces.backend import Backend


class SlowReceiver(FakeReceiver):
    """Says when a request has come, and takes its time to store it."""

    def __init__(self, takes: str) -> None:
        super().__init__()
        self.takes = takes

    async def receive(
        self, signal: Signal, body: bytes, encoding: Encoding, tenant: str | None = None
    ) -> Outcome:
        print("received", flush=True)
        if self.takes == "forever":
            await asyncio.Event().wait()
        await asyncio.sleep(float(self.takes))
        return await super().receive(signal, body, encoding, tenant)


def main(port: str, grpc_port: str, host: str, takes: str) -> int:
    receiver = SlowReceiver(takes)

    @asynccontextmanager
    async def open_backend(settings: Settings, address: str) -> AsyncIterator[Backend]:
        if takes == "busy":
            raise StoreBusy("The data directory is held by process 1: stop it.")
        yield Backend(receiver)
        print(f"closed after {len(receiver.received)}", flush=True)

    # Or a slow machine decides whether a request ends within the drain, and the drain before the last resort.
    serving.STOP_S = 300
    serving.DRAIN_S = 0.2 if takes == "forever" else 60
    settings = Settings(data="nowhere", host=host, port=int(port), grpc_port=int(grpc_port))
    try:
        return serving.serve(settings, open_backend)
    except WatchglassError as error:
        print(f"watchglass: {type(error).__name__}: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
