"""Sums over a window of time and over the equal one before it, by several sets of keys in one statement.

One statement is one moment: what it says of a window by model adds up to what it says of the window.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal, TypeAlias

import msgspec

from watchglass.errors import QueryError
from watchglass.queries.buckets import Buckets
from watchglass.queries.figures import MONEY_FIELDS, TOKEN_FIELDS, Figures
from watchglass.queries.plain import moment
from watchglass.queries.usage import DIMENSIONS, FILTERS, OF_KEPT, ROLLED, grain
from watchglass.queries.usage_sources import Archived, Key, sources
from watchglass.store import Engine, Limits
from watchglass.store.expired import Expiry
from watchglass.store.rollup_figures import COUNTS, DURATIONS, percentile
from watchglass.store.rollup_hours import DAY_S, Answering, Coverage

Which: TypeAlias = Literal["now", "before"]
PERCENTILES = {"p50_ns": 0.5, "p95_ns": 0.95, "p99_ns": 0.99}
_LATEST_NS = 2**62
_NS = "toUnixTimestamp64Nano(time)"
_SECONDS = f"intDiv({_NS} - positiveModulo({_NS}, 1000000000), 1000000000)"


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """`[since_ns, until_ns)` of calls that match the filters ('' stands for NULL), and the one before it."""

    since_ns: int
    until_ns: int
    filters: dict[str, tuple[str, ...]] = {}

    @property
    def before_ns(self) -> int:
        """Where the equal window before it begins."""
        return 2 * self.since_ns - self.until_ns

    def checked(self) -> Compared:
        """Itself. Raises `QueryError` for a window or filter that makes no sense."""
        asked = f"the time asked about begins at {moment(self.since_ns)} and ends at {moment(self.until_ns)}"
        if self.since_ns >= self.until_ns:
            raise QueryError(f"{asked}; it must end later")
        if self.since_ns < 0 or self.until_ns > _LATEST_NS:
            raise QueryError(f"{asked}; it must lie between 1970-01-01 and {moment(_LATEST_NS)[:10]}")
        for name in self.filters:
            if name not in FILTERS:
                raise QueryError(f"nothing is filtered by {name!r}; {', '.join(sorted(FILTERS))} can be")
        return self


class Sum(Figures, frozen=True, kw_only=True):
    """The figures of one group of one window; durations are None where nobody asked or none is known."""

    which: Which
    group: tuple[str | None, ...] = ()
    at_s: int | None = None
    p50_ns: int | None = None
    p95_ns: int | None = None
    p99_ns: int | None = None


Set: TypeAlias = tuple[str, ...]
"""Dimensions to group by; `at` is the bucket of time."""

Sums: TypeAlias = "Mapping[Set, list[Sum]]"


class Reading(msgspec.Struct, frozen=True):
    """What is known of the store when a question begins: what had expired, then what the rollup covers."""

    had: Expiry
    covered: Coverage
    include_expired: bool


def sums(
    engine: Engine,
    asked: Compared,
    sets: Sequence[Set],
    reading: Reading,
    *,
    buckets: Buckets | None = None,
    durations: bool = False,
    only: Mapping[Set, Sequence[tuple[str | None, ...]]] = {},
    limits: Limits,
) -> tuple[Sums, Figures]:
    """Of each set its groups in both windows, counted calls only; with the sums of `asked`'s window that
    belong to no call (`unattributed`). `buckets` are needed where a set has `at`; `only` names the groups of
    a set that are wanted, without the time."""
    names = sorted({name for each in sets for name in each if name != "at"})
    timed = any("at" in each for each in sets)
    params: dict[str, object] = {
        "since": asked.since_ns,
        "since_s": -(-asked.since_ns // 10**9),
    }
    keys = [_which(), *([_at(buckets, params)] if timed and buckets else [])]
    keys += [Key(name, DIMENSIONS[name], OF_KEPT[name]) for name in names]
    of = {*names, *asked.filters}
    figures = (*COUNTS, *DURATIONS) if durations else COUNTS
    made = sources(
        keys,
        {name: (DIMENSIONS[name], values) for name, values in asked.filters.items()},
        figures,
        _answering(asked, of, reading, buckets if timed else None),
        params,
        grain=grain(of),
        archived=_archived(asked, reading),
    )
    having = _having([key.name for key in keys], only, params)
    sql = _together(made, [key.name for key in keys], sets, durations, having)
    found = engine.execute(sql, params, limits=limits).to_pylist(maps_as_pydicts="lossy")
    return _sorted(found, [key.name for key in keys], sets)


def begins_late(asked: Compared, timed: Sequence[Sum]) -> str | None:
    """When the calls of the window before begin, where that is in its second half: records are younger than
    it, and what is held against it says little. None where they begin earlier, and where there are none.

    `timed` are the sums by bucket of time.
    """
    starts = [each.at_s for each in timed if each.which == "before" and each.at_s is not None]
    first_ns = min(starts, default=0) * 10**9
    return moment(first_ns) if first_ns > (asked.before_ns + asked.since_ns) // 2 else None


def kept_apart(names: Sequence[str]) -> bool:
    """Whether the rollup, and so the archive, keeps these dimensions apart."""
    return set(names) <= ROLLED


def _which() -> Key:
    return Key(
        "which",
        "if(time >= fromUnixTimestamp64Nano({since:Int64}, 'UTC'), 'now', 'before')",
        "if(bucket >= {since_s:Int64}, 'now', 'before')",
    )


def _at(buckets: Buckets, params: dict[str, object]) -> Key:
    params |= {"width": buckets.width_s, "origin": buckets.origin_s}
    at = f"({_SECONDS} - {{origin:Int64}})"
    of_calls = f"{at} - positiveModulo({at}, {{width:Int64}}) + {{origin:Int64}}"
    return Key("at", of_calls, of_calls.replace(_SECONDS, "bucket"))


def _answering(asked: Compared, of: set[str], reading: Reading, buckets: Buckets | None) -> Answering:
    """Both windows' hours; where buckets are shorter than an hour the present window is read from calls."""
    spans = ((asked.before_ns, asked.since_ns), (asked.since_ns, asked.until_ns))
    if not kept_apart(list(of)):
        where = Answering({}, spans)
    else:
        daily = buckets is None or (buckets.width_s % DAY_S == 0 and buckets.origin_s % DAY_S == 0)
        by_day = daily and grain(of) == "coarse" and reading.had.deleting is None
        before, now = (reading.covered.answering(*span, by_day=by_day) for span in spans)
        if buckets is not None and buckets.width_s < 3600:
            now = Answering({}, [spans[1]])
        where = Answering(
            {**before.buckets, **now.buckets}, [*before.ranges, *now.ranges], {**before.days, **now.days}
        )
    return where if reading.had.deleting is None else where.without(*reading.had.deleting)


def _archived(asked: Compared, reading: Reading) -> Archived | None:
    if not reading.include_expired:
        return None
    return Archived(
        reading.had.generation, [(asked.before_ns, asked.since_ns), (asked.since_ns, asked.until_ns)]
    )


def _together(
    made: Sequence[str], keys: Sequence[str], sets: Sequence[Set], durations: bool, having: str
) -> str:
    grouped = [f"({', '.join(['of_calls', 'by_which', *(f'by_{name}' for name in each)])})" for each in sets]
    counts = ("calls", "failed_calls", "calls_without_tokens", *TOKEN_FIELDS, "priced_calls")
    columns = [
        *(f"by_{name}" for name in keys),
        "of_calls",
        f"grouping({', '.join(f'by_{name}' for name in keys)}) AS left_out",
        *(f"sum(f_{name}) AS {name}" for name in counts),
        *(f"toString(sum(f_{name})) AS {name}" for name in MONEY_FIELDS),
        "sumMap(f_unpriced) AS unpriced",
    ]
    if durations:
        state = ("f_durations", "sum(f_duration_count)", "min(f_duration_min)", "max(f_duration_max)")
        columns += [f"{percentile(*state, level=level)} AS {name}" for name, level in PERCENTILES.items()]
    return f"""
        SELECT {", ".join(columns)}
        FROM ({" UNION ALL ".join(made)})
        GROUP BY GROUPING SETS ({", ".join(grouped)})
        {having}
        """


def _having(
    keys: Sequence[str], only: Mapping[Set, Sequence[tuple[str | None, ...]]], params: dict[str, object]
) -> str:
    conditions: list[str] = []
    for names, wanted in only.items():
        mask, columns = _mask(keys, names), [name for name in names if name != "at"]
        # An unknown value is no text: '' and NULL are told apart by a sign before what is known.
        known = ", ".join(f"if(by_{name} IS NULL, '', concat('=', by_{name}))" for name in columns)
        params[f"only_{mask}"] = [["" if each is None else f"={each}" for each in group] for group in wanted]
        conditions.append(f"(left_out != {mask} OR has({{only_{mask}:Array(Array(String))}}, [{known}]))")
    return f"HAVING {' AND '.join(conditions)}" if conditions else ""


def _sorted(
    found: Sequence[dict[str, Any]], keys: Sequence[str], sets: Sequence[Set]
) -> tuple[Sums, Figures]:
    by_mask = {_mask(keys, each): each for each in sets}
    groups: dict[Set, list[Sum]] = {each: [] for each in sets}
    unattributed = Figures()
    for row in found:
        names = by_mask[int(row["left_out"])]
        values: dict[str, Any] = {
            name: Decimal(value) if name in MONEY_FIELDS and value is not None else value
            for name, value in row.items()
            if name in _FIGURES
        }
        each = Sum(
            which=row["by_which"],
            group=tuple(row[f"by_{name}"] for name in names if name != "at"),
            at_s=row["by_at"] if "at" in names else None,
            **values,
        )
        if row["of_calls"]:
            groups[names].append(each)
        elif not names and each.which == "now":
            unattributed = each
    return groups, unattributed


def _mask(keys: Sequence[str], names: Set) -> int:
    """`grouping()` of a row of this set: the first key is the highest bit, set where it is left out."""
    return sum(
        (name not in names and name != "which") << (len(keys) - 1 - place) for place, name in enumerate(keys)
    )


_FIGURES = frozenset((*Figures.__struct_fields__, *PERCENTILES))
