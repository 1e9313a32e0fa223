"""In which zone a bill's days are cut, where its dates alone do not say: the one in which days agree."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from itertools import accumulate

import msgspec

from watchglass.ledger.reconcile.days import HOUR_NS, midnight, zones
from watchglass.ledger.reconcile.entries import Entry
from watchglass.ledger.reconcile.ours import Gathered
from watchglass.pricing.source import DAY_NS
from watchglass.store import Engine

_QUARTER_NS = HOUR_NS // 4
_FEWEST = 3
"""Days of models that must agree before a zone is believed."""


class ZoneFound(msgspec.Struct, frozen=True, kw_only=True):
    """A zone in which more days agree than in UTC."""

    provider: str
    zone: str
    agree: int
    agree_in_utc: int
    compared: int


def dated(entries: Iterable[Entry]) -> bool:
    """Whether each is about a whole day of UTC, which is also how a date of any other zone reads."""
    return all(
        each.zone == "UTC"
        and not each.by_request
        and each.since_ns % DAY_NS == 0
        and (each.until_ns - each.since_ns) % DAY_NS == 0
        for each in entries
    )


def restated(entry: Entry, zone: str) -> Entry:
    """The entry with its dates read as dates of a zone."""
    return msgspec.structs.replace(
        entry,
        zone=zone,
        since_ns=midnight(_date(entry.since_ns), zone),
        until_ns=midnight(_date(entry.until_ns), zone),
    )


def agree(
    entries: Sequence[Entry], gathered: Iterable[Gathered], model_of: Callable[[str | None], str | None]
) -> bool:
    """Whether every day of every model on the bill has what our calls of that day have."""
    theirs, measure = _theirs(entries, model_of)
    ours: dict[_Stretch, Decimal] = {}
    for each in gathered:
        group = each.group
        key = each.day.since_ns, each.day.until_ns, model_of(group.names.answered or group.names.asked)
        values = {"tokens": sum(group.tokens.values()), "requests": group.calls, "amount": group.cost}
        ours[key] = ours.get(key, Decimal(0)) + values[measure]
    return all(abs(ours.get(key, Decimal(0)) - value) <= bound for key, (value, bound) in theirs.items())


def find_zone(
    engine: Engine, provider: str, entries: Sequence[Entry], model_of: Callable[[str | None], str | None]
) -> ZoneFound | None:
    """The zone whose days have what the bill has, by tokens, else by requests, else by money.

    None where the days of UTC agree as well as any, or where too few agree to tell.
    """
    theirs, measure = _theirs(entries, model_of)
    if not theirs:
        return None
    since_ns = min(since for since, _, _ in theirs)
    until_ns = max(until for _, until, _ in theirs)
    curves = _curves(engine, provider, since_ns - DAY_NS, until_ns + DAY_NS, measure, model_of)

    def agreeing(zone: str) -> int:
        count = 0
        for (since, until, model), (value, bound) in theirs.items():
            starts, sums = curves.get(model, ([], [Decimal(0)]))
            first, last = (bisect_left(starts, midnight(_date(each), zone)) for each in (since, until))
            count += abs(sums[last] - sums[first] - value) <= bound
        return count

    in_utc = agreeing("UTC")
    best, zone = max(
        ((agreeing(each), -number), each) for number, each in enumerate(zones(since_ns, until_ns))
    )
    if zone == "UTC" or best[0] <= in_utc or best[0] < max(_FEWEST, len(theirs) // 2):
        return None
    return ZoneFound(provider=provider, zone=zone, agree=best[0], agree_in_utc=in_utc, compared=len(theirs))


_Stretch = tuple[int, int, str | None]
_MEASURES = {
    "tokens": """toString(
        sum(toInt128(greatest(ifNull(input_tokens, 0), 0)) + greatest(ifNull(output_tokens, 0), 0))
    )""",
    "requests": "toString(count())",
    "amount": "toString(ifNull(sum(cost_usd), 0))",
}


def _theirs(
    entries: Sequence[Entry], model_of: Callable[[str | None], str | None]
) -> tuple[dict[_Stretch, tuple[Decimal, Decimal]], str]:
    """Values by day and model, each with how far it can be off, of the first measure that the bill has."""
    for measure in _MEASURES:
        found: dict[_Stretch, tuple[Decimal, Decimal]] = {}
        for each in entries:
            value = getattr(each, measure)
            if value is None or each.charge:
                continue
            key = each.since_ns, each.until_ns, model_of(each.model)
            before, bound = found.get(key, (Decimal(0), Decimal(0)))
            unit = (
                each.lines * Decimal(1).scaleb(-max(2, each.decimals)) if measure == "amount" else Decimal(0)
            )
            found[key] = before + value, bound + unit
        if found:
            return found, measure
    return {}, "tokens"


def _curves(
    engine: Engine,
    provider: str,
    since_ns: int,
    until_ns: int,
    measure: str,
    model_of: Callable[[str | None], str | None],
) -> dict[str | None, tuple[list[int], list[Decimal]]]:
    """By model: the quarters of an hour that have calls, and what there was before each of them."""
    found = engine.execute(
        f"""
        SELECT
            coalesce(response_model, request_model) AS model,
            intDiv(toUnixTimestamp64Nano(time), {_QUARTER_NS:d}) * {_QUARTER_NS:d} AS quarter,
            {_MEASURES[measure]} AS measured
        FROM store.calls FINAL
        WHERE counted AND provider = {{provider:String}}
            AND time >= fromUnixTimestamp64Nano({{since:Int64}}, 'UTC')
            AND time < fromUnixTimestamp64Nano({{until:Int64}}, 'UTC')
        GROUP BY model, quarter
        """,
        {"provider": provider, "since": since_ns, "until": until_ns},
    )
    models: dict[str | None, dict[int, Decimal]] = {}
    for model, quarter, measured in zip(
        *(found[name].to_pylist() for name in found.column_names), strict=True
    ):
        curve = models.setdefault(model_of(model), {})
        curve[quarter] = curve.get(quarter, Decimal(0)) + Decimal(measured)
    return {
        model: (sorted(curve), list(accumulate((curve[each] for each in sorted(curve)), initial=Decimal(0))))
        for model, curve in models.items()
    }


def _date(at_ns: int) -> dt.date:
    return dt.datetime.fromtimestamp(at_ns // 10**9, dt.UTC).date()
