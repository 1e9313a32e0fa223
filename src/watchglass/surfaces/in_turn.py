"""A receiver that takes its senders in turn: one with a hundred requests waits as long as one with one."""

from __future__ import annotations

from watchglass.ingest.receiver import Encoding, Outcome, Receiver, Signal
from watchglass.ingest.shares import Turns
from watchglass.surfaces.access import current_sender

AT_ONCE = 64
"""Requests that are decoded and written at a time, for all senders: enough that each insert has many of
them, and few enough that whoever's turn it is does not wait long behind others."""


class InTurn:
    """See `Receiver`; hands on to the one inside."""

    def __init__(self, inside: Receiver, at_once: int = AT_ONCE) -> None:
        self._inside = inside
        self._turns = Turns(at_once)

    async def receive(
        self, signal: Signal, body: bytes, encoding: Encoding, tenant: str | None = None
    ) -> Outcome:
        """See `Receiver.receive`."""
        async with self._turns.turn(current_sender()):
            return await self._inside.receive(signal, body, encoding, tenant)

    def state(self) -> dict[str, object]:
        """See `Receiver.state`."""
        return {**self._inside.state(), "waiting_turns": self._turns.waiting}
