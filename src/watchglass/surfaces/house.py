"""Opens the real thing behind the surfaces: the embedded store, the write path and the read path over it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path

import pyarrow as pa

from watchglass.clock import SystemClock
from watchglass.config import Settings
from watchglass.ingest.audit import Audit
from watchglass.ingest.pipeline import Ingest
from watchglass.ingest.settle_rows import SettleRows
from watchglass.ingest.settler import Settler
from watchglass.ingest.unsettled import attention, unsettled_traces
from watchglass.queries.reader import StoreReader
from watchglass.store import KeptPrices, Key, Keyring, Limits, Retention, RollupKeeper, Space, open_store
from watchglass.store.damage import damage
from watchglass.store.footprint import shrink
from watchglass.store.kept_targets import TargetStore
from watchglass.surfaces.access import Access, current_scope
from watchglass.surfaces.api.agents import agent_endpoints
from watchglass.surfaces.api.backup import backup_endpoints
from watchglass.surfaces.api.budgets import budget_endpoints
from watchglass.surfaces.api.costs import cost_endpoints
from watchglass.surfaces.api.explore import explore_endpoints
from watchglass.surfaces.api.imports import import_endpoints
from watchglass.surfaces.api.keys import key_endpoints
from watchglass.surfaces.api.live import Live, live_endpoints
from watchglass.surfaces.api.overview import overview_endpoints
from watchglass.surfaces.api.price_page import price_page_endpoints
from watchglass.surfaces.api.prices import price_endpoints
from watchglass.surfaces.api.reconciliations import reconciliation_endpoints
from watchglass.surfaces.api.replay import replay_endpoints
from watchglass.surfaces.api.reprices import reprice_endpoints
from watchglass.surfaces.api.reserving import reserving_endpoints
from watchglass.surfaces.api.routes import routes
from watchglass.surfaces.api.session import session_endpoints
from watchglass.surfaces.api.settings import settings_endpoints
from watchglass.surfaces.api.targets import target_endpoints
from watchglass.surfaces.api.tenants import tenant_endpoints
from watchglass.surfaces.api.traced import traced_endpoints
from watchglass.surfaces.api.turns import Turns
from watchglass.surfaces.backend import Backend
from watchglass.surfaces.budget_minding import minded
from watchglass.surfaces.examining import of_the_house
from watchglass.surfaces.in_turn import InTurn
from watchglass.surfaces.keeping import keep, kept
from watchglass.surfaces.listening import is_loopback
from watchglass.surfaces.price_book import open_book
from watchglass.surfaces.price_desk import PriceDesk
from watchglass.surfaces.price_minding import mind
from watchglass.surfaces.price_questions import PriceQuestions
from watchglass.surfaces.reconcile_desk import ReconcileDesk
from watchglass.surfaces.reprice_desk import RepriceDesk

_WARM_AFTER_S = 1.0
_SETTLED_UNTIL = "settled_until_ns"

log = logging.getLogger(__name__)


@asynccontextmanager
async def open_house(settings: Settings, address: str) -> AsyncGenerator[Backend]:
    """The store of `settings.data`, for as long as the context lasts; ends by writing what was admitted.

    Raises `StoreBusy` naming the holder, other `StoreError`s, and `ConfigError` for a price file
    that cannot be used.
    """
    clock = SystemClock()
    book = open_book(settings)
    store = await asyncio.to_thread(
        open_store, Path(settings.data), program="watchglass serve", address=address, clock=clock
    )
    shrink()  # here, where the store stays open: a command would only have to read the pages again
    keyring = None
    rolling = RollupKeeper(store.engine, store.engine.rollup)
    try:
        for each in await asyncio.to_thread(damage, store.engine):
            log.error("files were damaged and put aside: restore a backup", extra=each._asdict())
        desk = await asyncio.to_thread(PriceDesk, settings, book, KeptPrices(store.control, clock), clock)
        # First of all: what a killed run left is finished before anything else is written.
        reprices = await asyncio.to_thread(RepriceDesk, store, desk, book, clock)
        audit = Audit(store.engine, clock)
        keyring = Keyring(
            store.place.control_file,
            changed=lambda event, key: audit.note(
                event, key=key.id, tenant=key.tenant, reason=_about(event, key)
            ),
        )
        settler = Settler(
            SettleRows(store.engine, book, store.versions),
            clock=clock,
            checkpoint=lambda at_ns: store.control.put(_SETTLED_UNTIL, str(at_ns)),
        )
        since_ns = int(store.control.get(_SETTLED_UNTIL) or 0)
        unsettled = await asyncio.to_thread(unsettled_traces, store.engine, since_ns)
        noticed = await asyncio.to_thread(attention, store.engine, clock.now_ns())
        space = Space(store.place.directory, settings.free_bytes)
        ingest = Ingest(store.engine, book, clock, settler, noticed, space=space)
        ingest.start()
        rolling.start()
        settler.touch(unsettled)
        limits = Limits(settings.query_time_s, settings.query_memory_bytes, settings.query_rows)
        reader = StoreReader(store.engine, scope=current_scope, limits=limits)
        warming = asyncio.create_task(_warmed(reader), name="warming")
        keeper = asyncio.create_task(keep(Retention(store.engine, kept(settings)), clock), name="keeper")
        minder = asyncio.create_task(mind(desk, store), name="prices")
        try:
            turns = Turns()
            access = Access(keyring, watch=audit, closed=not is_loopback(settings.host))
            audit.start(lambda: access.keyed)
            others = [*key_endpoints(store.keys, keyring.look_again), *import_endpoints(ingest.imports)]
            others += backup_endpoints(store, clock)
            others += [*explore_endpoints(reader, turns, clock=clock), *traced_endpoints(reader, turns)]
            live = Live()
            others += live_endpoints(reader, turns, live, lambda: ingest.accepted, clock=clock)
            others += price_endpoints(
                desk, PriceQuestions(desk, lambda: nullcontext(store.engine), clock), clock=clock
            )
            others += reprice_endpoints(reprices, clock=clock)
            others += agent_endpoints(reader, turns, clock=clock)
            others += replay_endpoints(reader, turns, clock=clock)
            others += price_page_endpoints(desk, reader, turns, clock=clock)
            others += settings_endpoints(settings, address, store.engine, clock=clock)
            targets = TargetStore(store.control, clock)
            others += target_endpoints(
                targets, lambda event, who, what: audit.note(event, key=who, reason=what)
            )
            books = ReconcileDesk(settings, store.engine, store.versions, book)
            others += reconciliation_endpoints(books, clock=clock)
            async with minded(store, clock, audit) as budgets:
                others += [*budget_endpoints(budgets, clock=clock), *tenant_endpoints(store.engine, budgets)]
                others += session_endpoints(reader, turns, clock=clock)
                others += overview_endpoints(reader, budgets, targets, turns, clock=clock)
                others += cost_endpoints(reader, budgets, turns, clock=clock)
                others += reserving_endpoints(budgets.teller, book, reader, clock=clock)

                def stop_questions() -> None:
                    live.stop()
                    store.stop_questions()

                findings = of_the_house(settings, store.engine, space, clock)
                yield Backend(
                    InTurn(ingest),
                    routes(reader, turns, clock=clock, others=others, findings=findings),
                    access,
                    stop_questions,
                )
        finally:
            warming.cancel()
            keeper.cancel()
            minder.cancel()
            await asyncio.to_thread(reprices.stop)
            await ingest.stop()
            await audit.stop()
            await asyncio.to_thread(rolling.stop)
    finally:
        if keyring is not None:
            keyring.close()
        await asyncio.to_thread(store.close)


async def _warmed(reader: StoreReader) -> None:
    """Ready first: what is loaded here would keep the rest of the start waiting."""
    await asyncio.sleep(_WARM_AFTER_S)
    await asyncio.to_thread(_warm, reader)


def _warm(reader: StoreReader) -> None:
    """Load what the first question would wait for: half a second of pandas, which Arrow looks for when it is
    first given a list, and the catalogue."""
    pa.array([0])
    reader.answer(lambda *_: None)


def _about(event: str, key: Key) -> str:
    by = key.revoked_by if event == "key_revoked" else key.created_by if event == "key_created" else ""
    return f"{key.role}{f', by {by}' if by else ''}"
