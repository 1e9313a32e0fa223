"""A `Receiver` for tests: keeps what it gets, and answers what it was told to."""

from __future__ import annotations

import asyncio

from watchglass.ingest.receiver import Encoding, Outcome, Signal


class FakeReceiver:
    """`answers` are returned or raised, one a request; then everything is accepted.

    With `gate` set to a cleared `asyncio.Event`, requests wait for it, as they would for the disk.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Begin anew."""
        self.received: list[tuple[Signal, bytes, Encoding]] = []
        self.tenants: list[str | None] = []
        self.answers: list[Outcome | Exception] = []
        self.gate: asyncio.Event | None = None
        self.waiting = 0
        self.can_write = True

    async def receive(
        self, signal: Signal, body: bytes, encoding: Encoding, tenant: str | None = None
    ) -> Outcome:
        self.waiting += 1
        if self.gate is not None:
            await self.gate.wait()
        self.waiting -= 1
        answer = self.answers.pop(0) if self.answers else Outcome(1)
        if isinstance(answer, Exception):
            raise answer
        self.received.append((signal, body, encoding))
        self.tenants.append(tenant)
        return answer

    def state(self) -> dict[str, object]:
        return {"can_write": self.can_write, "last_error": None}
