"""Where sums over calls are read from: the calls themselves, the rollup's hours and days, the archive.

Each source is summed up by the same keys with the same list of figures, so that it does not matter which
hour is answered by which.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from watchglass.queries.expired import whole_hours
from watchglass.store.archive import ARCHIVE
from watchglass.store.rollup_figures import SUMMED, Figure, within
from watchglass.store.rollup_hours import Answering, Range
from watchglass.store.rollup_keeper import KEPT, KEPT_DAYS

CALLS = "store.calls FINAL"
"""Not the documented view of them: that a statement goes through a view costs 15 ms of its planning."""


class Key(NamedTuple):
    """What is grouped by: `by_<name>`, as SQL over calls and as SQL over rows of the rollup."""

    name: str
    of_calls: str
    of_kept: str


class Archived(NamedTuple):
    """What of the archive is read: generations up to `generation` of the whole hours within `spans`."""

    generation: int
    spans: Sequence[Range]


def sources(
    keys: Sequence[Key],
    filters: Mapping[str, tuple[str, Sequence[str]]],
    figures: Sequence[Figure],
    where: Answering,
    params: dict[str, object],
    *,
    grain: str,
    archived: Archived | None = None,
) -> list[str]:
    """A SELECT of each source that `where` and `archived` name, at least one; adds to `params`.

    `filters` map a dimension to its SQL and the values that match, '' for NULL. Columns are `by_<key>`,
    `of_calls` (whether it is calls that count) and `f_<figure>`.
    """
    conditions = _conditions(filters, params)
    made: list[str] = []
    if where.ranges or not (where.buckets or where.days):
        made.append(
            f"""
            SELECT {_columns([(k.name, k.of_calls) for k in keys], [(f.name, f.of_calls) for f in figures])}
            FROM {CALLS}
            WHERE {SUMMED} AND {within(where.ranges, params)} {conditions}
            {_grouped(keys)}
            """
        )
    kept = _columns([(k.name, k.of_kept) for k in keys], [(f.name, f.of_kept) for f in figures])
    for table, of, buckets in ((KEPT, grain, where.buckets), (KEPT_DAYS, "day", where.days)):
        if not buckets:
            continue
        params |= {f"{of}_buckets": list(buckets), f"{of}_generations": list(buckets.values())}
        made.append(
            f"""
            SELECT {kept}
            FROM {table}
            WHERE grain = '{of}' AND (bucket, generation) IN
                arrayZip({{{of}_buckets:Array(Int64)}}, {{{of}_generations:Array(UInt64)}})
                {conditions}
            {_grouped(keys)}
            """
        )
    if archived is not None:
        params["archived"] = archived.generation
        made.append(
            f"""
            SELECT {kept}
            FROM {ARCHIVE}
            WHERE grain = '{grain}' AND generation <= {{archived:UInt64}}
                AND ({_whole_hours(archived.spans, params)})
                {conditions}
            {_grouped(keys)}
            """
        )
    return made


def _columns(keys: Sequence[tuple[str, str]], figures: Sequence[tuple[str, str]]) -> str:
    said = [f"{sql} AS by_{name}" for name, sql in keys]
    return ", ".join([*said, "counted AS of_calls", *(f"{sql} AS f_{name}" for name, sql in figures)])


def _grouped(keys: Sequence[Key]) -> str:
    return f"GROUP BY {', '.join([*(f'by_{key.name}' for key in keys), 'of_calls'])}"


def _conditions(filters: Mapping[str, tuple[str, Sequence[str]]], params: dict[str, object]) -> str:
    conditions: list[str] = []
    for name, (sql, values) in filters.items():
        conditions.append(f"AND has({{only_{name}:Array(String)}}, ifNull({sql}, ''))")
        params[f"only_{name}"] = list(values)
    return " ".join(conditions)


def _whole_hours(spans: Sequence[Range], params: dict[str, object]) -> str:
    conditions: list[str] = []
    for number, span in enumerate(spans):
        first, after = whole_hours(*span)
        params |= {f"archived_since_{number}": first, f"archived_until_{number}": after}
        conditions.append(
            f"(bucket >= {{archived_since_{number}:Int64}} AND bucket < {{archived_until_{number}:Int64}})"
        )
    return " OR ".join(conditions)
