"""Keeps a running server's prices up to date with what is imported, by itself or by another process."""

from __future__ import annotations

import asyncio
import logging

from watchglass.errors import WatchglassError
from watchglass.store import Store
from watchglass.store.footprint import give_back
from watchglass.surfaces.price_desk import PriceDesk

log = logging.getLogger(__name__)

LOOK_S = 1.0
"""How often it is asked whether prices were imported; that costs microseconds."""


async def mind(desk: PriceDesk, store: Store) -> None:
    """Look now and then, for ever; what readers see as tables follows the book."""
    while True:
        await asyncio.sleep(LOOK_S)
        try:
            await asyncio.to_thread(_look, desk, store)
        except WatchglassError as error:  # a full disk, a damaged file: the next look may be luckier
            log.warning("the prices could not be brought up to date: %s", error)


def _look(desk: PriceDesk, store: Store) -> None:
    if desk.look():
        log.info("prices were imported; calls from now on are priced by them")
    if desk.mirror(store.engine, store.control):
        give_back()
