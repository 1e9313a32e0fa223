"""Minds the budgets of a running server: lets reservations expire, takes up changes, warns each minute."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from watchglass.clock import Clock
from watchglass.errors import WatchglassError
from watchglass.ledger.budgets.desk import BudgetDesk, Notice
from watchglass.ledger.budgets.teller import Teller
from watchglass.queries.reader import StoreReader
from watchglass.store import Budget, Budgets, ReservationLog, Store
from watchglass.surfaces.access import Watch

log = logging.getLogger(__name__)

LOOK_S = 1.0


@asynccontextmanager
async def minded(store: Store, clock: Clock, watch: Watch) -> AsyncGenerator[BudgetDesk]:
    """The budgets of a store for as long as the context lasts; ends by writing what was admitted."""
    file = await asyncio.to_thread(ReservationLog, store.place.control_file)
    teller = Teller(file, clock)

    def tell(event: Notice, budget: Budget, said: str) -> None:
        where = (f"/api/v1/budgets/{budget.name}", "")
        watch.note(event, tenant=budget.tenant, where=where, reason=said)

    desk = BudgetDesk(Budgets(store.control, clock), teller, StoreReader(store.engine), clock, tell)
    await desk.open()
    minder = asyncio.create_task(_mind(desk), name="budgets minder")
    try:
        yield desk
    finally:
        minder.cancel()
        await asyncio.gather(minder, return_exceptions=True)
        await teller.stop()


async def _mind(desk: BudgetDesk) -> None:
    while True:
        try:
            await desk.tick()
        except WatchglassError as error:  # a full disk, a question over its limit: tried again
            log.warning("budgets could not be brought up to date: %s", error)
        await asyncio.sleep(LOOK_S)
