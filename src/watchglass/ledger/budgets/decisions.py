"""What is asked of hard budgets, what is decided, and what must be written of it."""

from __future__ import annotations

from hashlib import blake2b
from typing import TypeAlias

import msgspec

from watchglass.errors import BadRequest
from watchglass.ledger.budgets.periods import Span
from watchglass.store.budgets import Budget
from watchglass.store.reservations import Reservation

Key: TypeAlias = tuple[str, int]
"""A budget's id and when its period began."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A wish to spend `amount` (1e-18 dollars) for what `scope` names."""

    amount: int
    scope: dict[str, str]
    owner: str = ""
    idempotency: str = ""
    ttl_ns: int = 600 * 10**9

    wish: str = ""
    """What was asked in its own words, for a price may change between a request and its retry."""

    @property
    def fingerprint(self) -> str:
        """Tells a retry from another wish under the same idempotency key, in few bytes whatever was asked."""
        said = [self.wish or str(self.amount), sorted(self.scope.items()), self.ttl_ns]
        return blake2b(msgspec.json.encode(said), digest_size=16).hexdigest()


class Standing(msgspec.Struct, frozen=True):
    """Figures of an account at one moment, in 1e-18 dollars."""

    budget: Budget
    span: Span
    limit: int
    settled: int
    assumed: int
    recorded: int
    reserved: int
    spent: int
    left: int


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """Whether it may be spent; `refused_by` names the budgets that it does not fit in.

    A retry of what was settled, or was not in time, is refused with its reservation: that holds no room.
    """

    reservation: Reservation | None
    standings: tuple[Standing, ...]
    refused_by: tuple[Budget, ...] = ()

    @property
    def admitted(self) -> bool:
        """Whether it may."""
        return self.reservation is not None and self.reservation.state == "open"


class Close(msgspec.Struct, frozen=True):
    """A reservation ends: `settled` with what it cost, or `expired`."""

    reservation: Reservation
    actual: int | None
    at_ns: int
    was_open: bool

    @property
    def after(self) -> Reservation:
        """How it is then."""
        state = "expired" if self.actual is None else "settled"
        return msgspec.structs.replace(
            self.reservation, state=state, actual=self.actual, closed_ns=self.at_ns
        )


class Put(msgspec.Struct, frozen=True):
    """A reservation is `new`, or charged to a further account."""

    reservation: Reservation
    new: bool = True


class Forget(msgspec.Struct, frozen=True):
    """Reservations that nobody can ask for any more, and accounts that no reservation is charged to."""

    reservations: tuple[Reservation, ...] = ()
    accounts: tuple[Key, ...] = ()


Change = Put | Close | Forget


def retried(known: Reservation, asked: Asked) -> Reservation:
    """The reservation of an earlier try. Raises `BadRequest` where that wanted something else."""
    if known.asked != asked.fingerprint:
        raise BadRequest(
            f"the idempotency key {asked.idempotency[:100]!r} was used for another reservation; "
            "use a new one for each that is not a retry",
            where="idempotency_key",
        )
    return known
