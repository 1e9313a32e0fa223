"""Cuts the calls of a window into chunks that are each read, priced and written as one part."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import msgspec

from watchglass.ledger.window import Window
from watchglass.store import Engine
from watchglass.store.reprice_runs import Chunk, Key, Part
from watchglass.store.rollup_hours import HOUR_NS

MOST_ROWS = 300_000
"""Rows of a chunk: settling waits for one, and a kill loses the work of one."""

MOST_BYTES = 150 << 20
"""Of rows in memory, before the engine's own copies of them (three or so)."""

_SAMPLES = 200
"""Rows looked at per chunk to find where to cut an hour: a chunk is then within a tenth or so of its size."""

NS = "toUnixTimestamp64Nano(time)"
HOUR = f"intDiv({NS} - positiveModulo({NS}, {HOUR_NS}), {HOUR_NS})"


class Asked(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which calls are priced anew: those of a window, `unpriced` ones only or all; and whether they are asked
    again who served them."""

    since_ns: int | None = None
    until_ns: int | None = None
    filters: dict[str, tuple[str, ...]] = {}
    unpriced: bool = False
    detect_provider: bool = False

    @property
    def window(self) -> Window:
        """The calls."""
        return Window(since_ns=self.since_ns, until_ns=self.until_ns, filters=self.filters)

    def within(self, part: Part) -> Window:
        """Those of a part's hours."""
        since_ns = part.since_ns if self.since_ns is None else max(part.since_ns, self.since_ns)
        until_ns = part.until_ns if self.until_ns is None else min(part.until_ns, self.until_ns)
        return Window(since_ns=since_ns, until_ns=until_ns, filters=self.filters)

    @property
    def only(self) -> str:
        """The condition beyond the window."""
        return "cost_usd IS NULL" if self.unpriced else "1"


def plan(engine: Engine, asked: Asked, most_rows: int = MOST_ROWS) -> list[Chunk]:
    """The chunks, oldest first. Rows that come later into hours that have none now are in none."""
    params: dict[str, object] = {}
    condition = f"{asked.window.condition(params)} AND {asked.only}"
    hours = engine.execute(
        f"""
        SELECT {HOUR} AS hour, toYYYYMM(time) AS month, count() AS held
        FROM store.calls
        WHERE {condition}
        GROUP BY hour, month
        ORDER BY hour
        """,
        params,
    )
    limit = max(1, min(most_rows, MOST_BYTES // _row_bytes(engine)))
    parts: list[Part] = []
    held, month = 0, None
    for each in hours.to_pylist():
        since_ns, until_ns = each["hour"] * HOUR_NS, (each["hour"] + 1) * HOUR_NS
        if each["held"] > limit:
            parts += _cut(engine, asked, Part(since_ns, until_ns), each["held"], limit)
            held, month = limit, None
        elif month == each["month"] and held + each["held"] <= limit:
            parts[-1] = msgspec.structs.replace(parts[-1], until_ns=until_ns)
            held += each["held"]
        else:
            parts.append(Part(since_ns, until_ns))
            held, month = each["held"], each["month"]
    return [Chunk(number, part) for number, part in enumerate(parts)]


def inside(part: Part, params: dict[str, object]) -> str:
    """The condition on rows of `calls` and `repricings` of being in a part; adds its values to `params`."""
    params |= {"part_since": part.since_ns, "part_until": part.until_ns}
    conditions = [
        "time >= fromUnixTimestamp64Nano({part_since:Int64}, 'UTC')",
        "time < fromUnixTimestamp64Nano({part_until:Int64}, 'UTC')",
    ]
    for sign, name, key in ((">=", "first", part.first), ("<", "end", part.end)):
        if key is None:
            continue
        params |= dict(zip(_named(name), (key.trace_id, key.span_id, key.call_id), strict=True))
        values = ", ".join(f"{{{each}:String}}" for each in _named(name))
        conditions.append(f"(trace_id, span_id, call_id) {sign} ({values})")
        # The same once more for the table's index, which cannot make anything of a tuple.
        conditions.append(f"trace_id {sign[0]}= {{{_named(name)[0]}:String}}")
    return " AND ".join(conditions)


def _named(bound: str) -> tuple[str, str, str]:
    return f"{bound}_trace", f"{bound}_span", f"{bound}_call"


def _row_bytes(engine: Engine) -> int:
    found = engine.execute(
        """
        SELECT toInt64(sum(data_uncompressed_bytes)) AS bytes, toInt64(sum(rows)) AS held
        FROM system.parts
        WHERE database = 'store' AND table = 'calls' AND active
        """
    ).to_pylist()
    return max(1, found[0]["bytes"] // max(1, found[0]["held"])) if found and found[0]["held"] else 1


def _cut(engine: Engine, asked: Asked, hour: Part, held: int, limit: int) -> Iterator[Part]:
    """An hour in parts by the order of its rows, from a sample of them."""
    params: dict[str, object] = {}
    every = max(1, limit // _SAMPLES)
    found = engine.execute(
        f"""
        SELECT trace_id, span_id, call_id
        FROM store.calls
        WHERE {asked.within(hour).condition(params)} AND {asked.only}
            AND cityHash64(trace_id, span_id, call_id) % {every} = 0
        ORDER BY trace_id, span_id, call_id
        """,
        params,
    )
    keys = [Key(*row.values()) for row in found.to_pylist()]
    step = max(1, len(keys) * limit // held)
    bounds: Sequence[Key | None] = [None, *dict.fromkeys(keys[step::step]), None]
    for first, end in itertools.pairwise(bounds):
        yield msgspec.structs.replace(hour, first=first, end=end)
