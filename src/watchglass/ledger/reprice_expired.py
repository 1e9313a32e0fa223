"""What repricing cannot reach: calls that retention has deleted, of which only sums are left."""

from __future__ import annotations

import msgspec

from watchglass.ledger.reprice_plan import Asked
from watchglass.ledger.window import Window
from watchglass.queries.plain import moment
from watchglass.queries.usage import ROLLED
from watchglass.store import Engine
from watchglass.store.archive import ARCHIVE
from watchglass.store.rollup_engine import expiry
from watchglass.store.rollup_hours import HOUR_NS, HOUR_S

_NOTE = "Their calls are deleted and only sums are left: they keep what they cost, and are in no figure here."


class OutOfReach(msgspec.Struct, frozen=True):
    """Expired hours that were asked about, from `since` until `until`, not included.

    `calls` is how many counted ones they had; None where the sums do not keep apart what was asked by.
    """

    since: str
    until: str
    calls: int | None
    note: str = _NOTE


def out_of_reach(engine: Engine, asked: Asked) -> OutOfReach | None:
    """The expired hours that a run touches, an hour that its window cuts included; None where there is none.

    Only sums that match its filters are looked at: who may see one tenant's calls learns of no other's.
    """
    had = expiry(engine)
    if had.until_s is None:
        return None
    kept = {name: values for name, values in asked.filters.items() if name in ROLLED}
    params: dict[str, object] = {
        "generation": had.generation,
        "from": -(2**62) if asked.since_ns is None else asked.since_ns // HOUR_NS * HOUR_S,
        "to": 2**62 if asked.until_ns is None else -(-asked.until_ns // HOUR_NS) * HOUR_S,
    }
    condition = Window(filters=kept).condition(params)
    calls = "calls - priced_calls" if asked.unpriced else "calls"
    found = engine.execute(
        f"""
        SELECT min(bucket) AS since, max(bucket) AS until, toInt64(sum({calls})) AS held
        FROM {ARCHIVE}
        WHERE grain = 'fine' AND counted AND generation <= {{generation:UInt64}}
            AND bucket >= {{from:Int64}} AND bucket < {{to:Int64}} AND {condition}
        HAVING held > 0
        """,
        params,
    ).to_pylist()
    if not found:
        return None
    bounds = moment(found[0]["since"] * 10**9), moment((found[0]["until"] + HOUR_S) * 10**9)
    return OutOfReach(*bounds, found[0]["held"] if kept == asked.filters else None)
