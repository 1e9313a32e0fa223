"""Answers reservations: decides in memory, writes all that wait in one transaction, and then answers.

An answer is given when what it says is on disk. While one group is written the next one gathers, so that
however many ask at once, each waits for two commits at most. For one event loop.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
import random
import secrets
from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import msgspec

from watchglass.clock import Clock
from watchglass.errors import NotFound, Overloaded, TooMany
from watchglass.ledger.budgets.accounts import Accounts
from watchglass.ledger.budgets.decisions import (
    Asked,
    Change,
    Close,
    Decision,
    Forget,
    Key,
    Put,
    Standing,
    retried,
)
from watchglass.store.budgets import Budget
from watchglass.store.reservations import Reservation, ReservationLog

log = logging.getLogger(__name__)

MOST_OPEN = 100_000
"""Reservations that are not settled, of all; each takes about a kilobyte."""

MOST_OPEN_OF_TENANT = 25_000
"""… and of the keys of one tenant."""

REMEMBERED_NS = 3_600 * 10**9
"""How long a settled one is known, so that a retry gets the same answer."""

LATE_NS = 24 * 3_600 * 10**9
"""How long one that has expired can still be settled."""

LOOK_NS = 60 * 10**9
"""How often accounts of old periods are looked for."""

MOST_CLOSED = 50_000
"""Closed ones that are remembered at most; those that would be forgotten first go first."""

MOST_AT_ONCE = 2_000
"""Of those that are due, how many a sweep ends: decisions wait for the transaction that writes it."""

LEAST_DUE = 1_000
"""From so many on, times of reservations that were settled long before them are thrown away."""


class Settled(msgspec.Struct, frozen=True):
    """A reservation that is settled, and what that left. `now` is false where it was settled before."""

    reservation: Reservation
    standings: tuple[Standing, ...]
    now: bool


class Teller:
    """The one place where hard budgets are reserved and settled."""

    def __init__(
        self, file: ReservationLog, clock: Clock, *, new_id: Callable[[], str] | None = None
    ) -> None:
        """Reads all that the file has. Raises `StoreError`."""
        self._file = file
        self._clock = clock
        self._new_id = new_id or _ids()
        self._accounts = Accounts(*file.read())
        self._retries: dict[tuple[str, str], Reservation] = {}
        # Of reservations that are not on disk as they are:
        self._writing: dict[str, asyncio.Future[None]] = {}
        self._waiting: list[tuple[Change, asyncio.Future[None]]] = []
        self._open = Counter[str]()
        self._all_open = 0
        self._due: list[tuple[int, str]] = []  # with when they expire
        self._closed: list[tuple[int, str]] = []  # with when to forget them
        self._unwritten: list[Put] = []
        self._look_ns = 0
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="budgets")
        self._committing: asyncio.Task[None] | None = None
        for each in self._accounts.reservations.values():
            self._remember(each)

    def define(self, budgets: Sequence[Budget]) -> None:
        """These are the budgets from now on."""
        for put in self._accounts.define(budgets, self._clock.now_ns()):
            self._queue(put)

    async def reserve(self, asked: Asked) -> Decision:
        """Set it aside, or say where it does not fit. Raises `BadRequest`, `Overloaded`, `StoreError`."""
        retry = (asked.owner, asked.idempotency) if asked.idempotency else None
        while retry and (known := self._retries.get(retry)) is not None:
            known = retried(known, asked)
            await self._written(known.id)
            if known.id in self._accounts.reservations:  # and not taken back
                return self._accounts.again(known)
        self._room(asked.owner)
        decision = self._accounts.reserve(asked, self._new_id(), self._clock.now_ns())
        if decision.reservation is None:
            return decision
        self._remember(decision.reservation)
        await asyncio.shield(self._queue(Put(decision.reservation)))
        return decision

    async def settle(self, id: str, actual: int, *, owner: str | None) -> Settled:
        """Take back what was not spent. Again changes nothing. Raises `NotFound`, `StoreError`.

        `owner` is the tenant that the asking key is bound to, whose reservations it may settle; None
        is a key of no tenant, which may settle all.
        """
        reservation = self._find(id, owner)
        await self._written(id)
        while reservation.state != "settled":
            if id in self._writing:  # it expires at this moment
                await self._written(id)
                continue
            await asyncio.shield(self._queue(self._closing(reservation, actual)))
            return Settled(reservation, self._accounts.standings_of(reservation), now=True)
        return Settled(reservation, self._accounts.standings_of(reservation), now=False)

    def find(self, id: str, owner: str | None) -> Reservation:
        """A reservation. Raises `NotFound`."""
        return self._find(id, owner)

    def record(self, amounts: Mapping[Key, int]) -> None:
        """What recorded calls cost by now."""
        if self._accounts.record(amounts):
            self._queue(Forget())

    def standing(self, budget: Budget) -> Standing | None:
        """A hard budget's figures of now."""
        return self._accounts.standing(budget, self._clock.now_ns())

    def sweep(self) -> None:
        """Let expire what is due, and forget what is old; to be called every second or so."""
        now_ns = self._clock.now_ns()
        if len(self._due) > 2 * self._all_open + LEAST_DUE:
            known = self._accounts.reservations.values()
            self._due = [(each.expires_ns, each.id) for each in known if each.state == "open"]
            heapq.heapify(self._due)
        for each in self._ripe(self._due, now_ns):
            if each.state == "open":
                self._queue(self._closing(each, None))
        unwritten, self._unwritten = self._unwritten, []
        for put in unwritten:
            self._queue(put)
        forgotten, ended = self._old(now_ns), ()
        if now_ns >= self._look_ns:
            self._look_ns, ended = now_ns + LOOK_NS, self._accounts.ended(now_ns)
        if forgotten or ended:
            self._queue(Forget(forgotten, ended))

    def _old(self, now_ns: int) -> tuple[Reservation, ...]:
        found: dict[str, Reservation] = {}
        for each in self._ripe(self._closed, now_ns, MOST_CLOSED):
            # One that expired and was settled late is here twice.
            if each.state != "open" and (_forgotten_ns(each) <= now_ns or len(self._closed) >= MOST_CLOSED):
                found[each.id] = each
        return tuple(found.values())

    def _ripe(
        self, heap: list[tuple[int, str]], now_ns: int, most: int | None = None
    ) -> Generator[Reservation]:
        """Takes out those whose time has come, or that are more than `most`; some of them at a time. What is
        being written stays: how it is afterwards is not known yet."""
        left: list[tuple[int, str]] = []
        for _ in range(MOST_AT_ONCE):
            if not heap or (heap[0][0] > now_ns and (most is None or len(heap) <= most)):
                break
            entry = heapq.heappop(heap)
            each = self._accounts.reservations.get(entry[1])
            if each is not None and each.id in self._writing:
                left.append(entry)
            elif each is not None:
                yield each
        for entry in left:
            heapq.heappush(heap, entry)

    def _closing(self, reservation: Reservation, actual: int | None) -> Close:
        return Close(reservation, actual, self._clock.now_ns(), reservation.state == "open")

    async def remove(self, tenant: str) -> int:
        """Forget the reservations of a tenant; returns how many. One that is open ends as if its time were
        over: the room that its call may be using in budgets of others is not given away. Raises `StoreError`;
        again is harmless."""
        known = self._accounts.reservations.values()
        mine = [each for each in known if tenant in (each.owner, each.scope.get("tenant"))]
        for each in mine:
            await self._written(each.id)
        still = [each for each in mine if each.state == "open" and each.id not in self._writing]
        for done in [self._queue(self._closing(each, None)) for each in still]:
            await asyncio.shield(done)
        gone = tuple(each for each in mine if each.state != "open")
        if gone:
            await asyncio.shield(self._queue(Forget(gone)))
        return len(gone)

    async def drained(self) -> None:
        """Wait until nothing is left to write."""
        while self._committing is not None:
            await asyncio.wait([self._committing])

    async def stop(self) -> None:
        """Write what waits, then let go of the file."""
        await self.drained()
        self._thread.shutdown()
        self._file.close()

    def _room(self, owner: str) -> None:
        if self._all_open >= MOST_OPEN:
            raise Overloaded(
                f"{MOST_OPEN} reservations are open already; settle them, or wait until some expire",
                retry_after_s=5,
            )
        if owner and self._open[owner] >= MOST_OPEN_OF_TENANT:
            raise TooMany(
                f"this tenant has {MOST_OPEN_OF_TENANT} open reservations already; settle them first",
                retry_after_s=5,
            )

    def _find(self, id: str, owner: str | None) -> Reservation:
        found = self._accounts.reservations.get(id)
        if found is None or (owner is not None and found.owner != owner):
            raise NotFound(
                f"there is no reservation {id[:60]!r}: it was never made, or ended too long ago; known "
                "is what was settled in the last hour or expired in the last day, or less if that is much"
            )
        return found

    async def _written(self, id: str) -> None:
        pending = self._writing.get(id)
        if pending is not None:
            await asyncio.shield(pending)

    def _queue(self, change: Change) -> asyncio.Future[None]:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        done.add_done_callback(_seen)
        self._waiting.append((change, done))
        if not isinstance(change, Forget):
            self._writing[change.reservation.id] = done
        if self._committing is None:
            self._committing = loop.create_task(self._commit(), name="budgets")
        return done

    async def _commit(self) -> None:
        while self._waiting:
            waiting, self._waiting = self._waiting, []
            failed = await self._written_down([change for change, _ in waiting])
            for change, done in waiting:
                if not isinstance(change, Forget) and self._writing.get(change.reservation.id) is done:
                    del self._writing[change.reservation.id]
                if failed is None:
                    self._done(change)
                    done.set_result(None)
                else:
                    self._failed(change)
                    done.set_exception(failed)
        self._committing = None

    async def _written_down(self, changes: Sequence[Change]) -> Exception | None:
        """Write a group and let it count, or say what went wrong."""
        try:
            group = self._accounts.group(changes)
            await asyncio.get_running_loop().run_in_executor(self._thread, self._file.write, group)
            self._accounts.written(group, changes)
        except Exception as fault:  # noqa: BLE001 - goes to those who wait; the next group is tried
            log.warning("%d changes of budgets were not written: %s", len(changes), fault)
            return fault
        return None

    def _done(self, change: Change) -> None:
        match change:
            case Close():
                if change.was_open:
                    self._leave(change.reservation)
                self._close(change.reservation)
            case Forget(reservations, _):
                for each in reservations:
                    if self._retries.get((each.owner, each.idempotency)) is each:
                        del self._retries[each.owner, each.idempotency]
            case Put():
                pass

    def _failed(self, change: Change) -> None:
        match change:
            case Put(reservation, True):
                self._take_back(reservation)
            case Put():
                self._unwritten.append(change)
            case Close(reservation, None):
                heapq.heappush(self._due, (change.at_ns, reservation.id))
            case Forget(reservations, _):
                for each in reservations:
                    self._close(each)
            case Close():
                pass

    def _remember(self, each: Reservation) -> None:
        if each.idempotency:
            self._retries[each.owner, each.idempotency] = each
        if each.state == "open":
            self._open[each.owner] += 1
            self._all_open += 1
            heapq.heappush(self._due, (each.expires_ns, each.id))
        else:
            self._close(each)

    def _close(self, each: Reservation) -> None:
        heapq.heappush(self._closed, (_forgotten_ns(each), each.id))

    def _leave(self, each: Reservation) -> None:
        self._all_open -= 1
        self._open[each.owner] -= 1
        if not self._open[each.owner]:
            del self._open[each.owner]

    def _take_back(self, each: Reservation) -> None:
        self._accounts.undo(each)
        self._leave(each)
        if each.idempotency:
            self._retries.pop((each.owner, each.idempotency), None)


def _ids() -> Callable[[], str]:
    """Ids that nobody meets by chance. They open nothing (whose a reservation is, is checked), so they need
    no secret from the kernel each, which lets go of the interpreter's lock."""
    made = random.Random(secrets.randbits(256))
    return lambda: f"{made.getrandbits(96):024x}"


def _forgotten_ns(each: Reservation) -> int:
    return (each.closed_ns or 0) + (REMEMBERED_NS if each.state == "settled" else LATE_NS)


def _seen(done: asyncio.Future[None]) -> None:
    """Nobody may be waiting for it; the failure was logged."""
    done.exception()
