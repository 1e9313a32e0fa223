"""The write path end to end: a decompressed body in, an outcome out once it is on disk."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from watchglass.clock import Clock
from watchglass.errors import BadRequest, StoreError
from watchglass.ingest.attention import Attention
from watchglass.ingest.committer import Committer
from watchglass.ingest.decoders import Decoders
from watchglass.ingest.importers.receiving import Imports
from watchglass.ingest.prepare import Prepared, prepare_rejected
from watchglass.ingest.receiver import Encoding, Outcome, Signal
from watchglass.ingest.settler import Settler
from watchglass.pricing.book import PriceBook
from watchglass.store.engine import Engine
from watchglass.store.space import Space


class Ingest:
    """Decode → price → write → acknowledge, with settling behind it. Implements `Receiver`."""

    def __init__(
        self,
        engine: Engine,
        book: PriceBook,
        clock: Clock,
        settler: Settler,
        attention: Attention,
        *,
        processes: int | None = None,
        space: Space | None = None,
    ) -> None:
        self._clock = clock
        self._decoders = Decoders(book, processes=processes)
        self._committer = Committer(engine, clock)
        self._settler = settler
        self._attention = attention
        self._space = space
        check_space = space.check if space is not None else lambda: None
        self.imports = Imports(
            engine, clock, self._decoders, self._committer, settler, attention, check_space
        )
        self._accepted = 0
        self._rejected = 0
        self._refused = 0

    def start(self) -> None:
        """Begin; needs a running event loop."""
        self._committer.start()
        self._settler.start()

    async def stop(self) -> None:
        """Finish what was admitted, settle what was written, then end."""
        self._decoders.stop()
        self.imports.stop()
        await self._committer.stop()
        await self._settler.stop()

    async def receive(
        self, signal: Signal, body: bytes, encoding: Encoding, tenant: str | None = None
    ) -> Outcome:
        """Returns once every accepted item is durable.

        Raises `BadRequest` (nothing of it is kept), `Overloaded` or `StoreError` (send it again).
        """
        owner = tenant or ""
        if self._space is not None:
            self._space.check()
        try:
            with self._committer.coming():
                prepared = await self._decoders.prepare(signal, body, encoding, self._clock.now_ns(), owner)
        except BadRequest as error:
            self._refused += 1
            # The sender's mistake is answered as such even when it cannot be written down.
            with suppress(StoreError):
                await self._committer.write(prepare_rejected(signal, error, self._clock.now_ns(), owner))
            raise
        # Shielded: who hangs up meanwhile (gRPC cancels) takes nothing back, and what is written is settled.
        await asyncio.shield(asyncio.ensure_future(self._keep(prepared)))
        return Outcome(prepared.accepted, prepared.rejected, prepared.message, prepared.foreign)

    @property
    def accepted(self) -> int:
        """How many items were ever stored: when it changes there is something new."""
        return self._accepted

    def state(self) -> dict[str, object]:
        """For `/health`: never blocks."""
        room = self._space.look() if self._space is not None else None
        return {
            "can_write": self._committer.can_write and (room is None or room.reason is None),
            "store": room,
            "last_error": self._committer.last_error,
            "waiting_requests": self._committer.waiting,
            "unsettled_traces": self._settler.waiting,
            "settling_error": self._settler.last_error,
            "accepted": self._accepted,
            "rejected": self._rejected,
            "refused_bodies": self._refused,
        }

    async def _keep(self, prepared: Prepared) -> None:
        await self._committer.write(prepared.batches)
        self._count(prepared)
        self._settler.touch(self._attention.needed(prepared.sighting))

    def _count(self, prepared: Prepared) -> None:
        self._accepted += prepared.accepted
        self._rejected += prepared.rejected
