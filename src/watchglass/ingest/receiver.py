"""The seam between a receiving surface and the pipeline: body bytes in, an outcome when durable."""

from __future__ import annotations

from typing import Literal, Protocol, TypeAlias

import msgspec

Signal: TypeAlias = Literal["traces", "logs", "metrics"]
Encoding: TypeAlias = Literal["protobuf", "json"]


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """What became of one export request, in spans, log records or data points.

    `message` names what was rejected and why; with `rejected` 0 it is a warning for the sender.
    """

    accepted: int
    rejected: int = 0
    message: str = ""
    foreign: int = 0
    """Of the rejected, those that named another tenant than their sender's."""


class Receiver(Protocol):
    """Takes one decompressed export request at a time, many at once.

    - MUST return only when every accepted item is on disk (the surface acknowledges at once after).
    - MUST raise `BadRequest` (with `where`), `TooLarge`, `Overloaded`, `StoreFull` or another
      `StoreError`, and nothing else on purpose. After `Overloaded` and `StoreError` the sender
      sends the same bytes again, so a half-kept request MUST be harmless when it is repeated.
    - MUST NOT lose what others sent when one call is cancelled (a client's deadline passed).
    """

    async def receive(
        self, signal: Signal, body: bytes, encoding: Encoding, tenant: str | None = None
    ) -> Outcome:
        """Decode, keep, and return once durable.

        With a `tenant` (the one that the sender's key is bound to) everything is kept as that
        tenant's and apart from what anybody else sends, whatever ids it has; what names another
        tenant is rejected.
        """
        ...

    def state(self) -> dict[str, object]:
        """For `/health`, without blocking: `can_write` (bool), queue bytes, last error, …"""
        ...
