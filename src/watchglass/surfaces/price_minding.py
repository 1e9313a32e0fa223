"""Keeps a running server's prices up to date with what is put into the book, by itself or by others."""

from __future__ import annotations

import asyncio
import logging
from hashlib import blake2b
from importlib.metadata import version

import msgspec

from watchglass.errors import WatchglassError
from watchglass.ingest.columns import TableBuilder
from watchglass.store import SCHEMAS, Control, Engine, Store
from watchglass.store.footprint import give_back
from watchglass.store.price_overrides import COMMAND_LINE, PriceChange
from watchglass.surfaces.price_desk import PriceDesk

log = logging.getLogger(__name__)

LOOK_S = 1.0
"""How often it is asked whether prices were changed; that costs microseconds."""

_AUDITED, _SOURCES, _FAULT = "prices_audited", "prices_sources", "prices_fault"
_COLUMNS = ("time", "event", "key_id", "tenant", "route", "reason", "remote", "count")
_MOST_SAID = 2000


async def mind(desk: PriceDesk, store: Store) -> None:
    """Look now and then, for ever; what readers see as tables follows the book."""
    while True:
        await asyncio.sleep(LOOK_S)
        try:
            await asyncio.to_thread(look, desk, store.engine, store.control)
        except WatchglassError as error:  # a full disk, a damaged file: the next look may be luckier
            log.warning("the prices could not be brought up to date: %s", error)


def look(desk: PriceDesk, engine: Engine, control: Control) -> None:
    """Bring book, table, log and audit up to date."""
    if desk.look() == "taken":
        log.info("prices were changed; calls from now on are priced by them")
    _note_fault(desk, control)
    _note_sources(desk, control)
    if desk.mirror(engine, control):
        give_back()
    audit(desk, engine, control)


def audit(desk: PriceDesk, engine: Engine, control: Control) -> None:
    """Every change of the book is a row of `audit`; killed in between, one may be there twice."""
    changes = desk.kept.overrides.changes(int(control.get(_AUDITED) or 0))
    if not changes:
        return
    builder = TableBuilder(SCHEMAS["audit"], _COLUMNS)
    builder.rows = [
        (each.time_ns, f"price_{each.action}", _key(each), each.tenant, "", said(each)[:_MOST_SAID], "", 1)
        for each in changes
    ]
    engine.insert("store.audit", [builder.batch()])
    control.put(_AUDITED, str(changes[-1].number))


def said(change: PriceChange) -> str:
    """A change of the book in a line, before and after."""
    by = f"by {change.who}: " if change.who == COMMAND_LINE else ""
    if not change.override:
        return f"{by}{change.after or ''}"
    return f"{by}{change.override}: {_brief(change.before)} → {_brief(change.after)}"


def _brief(terms: str | None) -> str:
    """An override without what it leaves open."""
    if terms is None:
        return "nothing"
    given = msgspec.json.decode(terms, type=dict[str, object])
    return msgspec.json.encode({name: value for name, value in given.items() if value}).decode()


def _key(change: PriceChange) -> str:
    return "" if change.who == COMMAND_LINE else change.who


def _note_fault(desk: PriceDesk, control: Control) -> None:
    """Say once why the price file cannot be used."""
    fault = desk.file.fault or ""
    if fault == (control.get(_FAULT) or ""):
        return
    if fault:
        log.error("the price file was edited badly, its prices from before hold: %s", fault)
        desk.kept.overrides.note("file_refused", fault)
    else:
        desk.kept.overrides.note("file", f"{desk.file.path}: it can be used again")
    control.put(_FAULT, fault)


def _note_sources(desk: PriceDesk, control: Control) -> None:
    """Put on record that the file or a package is another one than when a server last looked."""
    layers, file = desk.book.layers, desk.file
    now = {
        str(file.path): _digest(msgspec.json.encode(file.stated)),
        "our dated facts": _digest(msgspec.json.encode(layers.facts)),
        "genai-prices": version("genai-prices") if layers.genai is None else _digest(layers.genai),
        "LiteLLM's map": _digest(layers.litellm or b""),
    }
    text = control.get(_SOURCES)
    if text is None:
        before = {**now, str(file.path): _digest(msgspec.json.encode(type(file.stated)()))}
    else:
        before = msgspec.json.decode(text, type=dict[str, str])
    if now == before and text is not None:
        return
    for name, what in now.items():
        if before.get(name) != what:
            stated = file.stated
            counts = f"{len(stated.prices):,} prices and {len(stated.discounts):,} discounts"
            own = name == str(file.path)
            desk.kept.overrides.note("file" if own else "sources", f"{name}: {counts if own else what}")
    control.put(_SOURCES, msgspec.json.encode(now).decode())


def _digest(content: bytes) -> str:
    return blake2b(content, digest_size=8).hexdigest()
