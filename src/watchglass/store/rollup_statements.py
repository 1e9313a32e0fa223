"""The statements that sum calls up by the hour, for the rollup and for the archive of expired calls alike."""

from __future__ import annotations

from collections.abc import Sequence

from watchglass.store.rollup_figures import (
    BUCKET,
    COARSE,
    DIMENSIONS,
    SITE_DIMENSIONS,
    SITE_FIGURES,
    SUMMED,
    Figure,
)

CALLS = "store.calls"
KEPT_SITES = "store.sites_daily"

# Calls are read once, the coarse grain is made of the fine; on one thread: questions and ingest go first.
ONE_THREAD = "SETTINGS max_threads = 1, max_insert_threads = 1"


def into(kept: str, dimensions: Sequence[str], figures: Sequence[Figure]) -> str:
    """The head of an insert of sums by these dimensions."""
    columns = ", ".join((*dimensions, *(figure.name for figure in figures)))
    return f"INSERT INTO {kept} (grain, bucket, generation, hour, counted, {columns})"


def fine(kept: str, figures: Sequence[Figure], where: str) -> str:
    """Sums up the calls that meet `where`, by the hour and all dimensions, under `{generation:UInt64}`."""
    return f"""
        {into(kept, DIMENSIONS, figures)}
        SELECT
            'fine',
            {BUCKET} AS start_of_bucket,
            {{generation:UInt64}},
            any(toStartOfHour(time, 'UTC')),
            counted,
            {", ".join(DIMENSIONS)},
            {", ".join(f"{figure.of_calls} AS kept_{figure.name}" for figure in figures)}
        FROM {CALLS} FINAL
        WHERE {where} AND {SUMMED}
        GROUP BY start_of_bucket, counted, {", ".join(DIMENSIONS)}
        {ONE_THREAD}
        """


def coarse(kept: str, figures: Sequence[Figure], where: str) -> str:
    """Makes the coarse grain of the fine rows of `{generation:UInt64}` that meet `where`."""
    return f"""
        {into(kept, COARSE, figures)}
        SELECT
            'coarse',
            bucket,
            generation,
            any(hour),
            counted,
            {", ".join(COARSE)},
            {", ".join(f"{figure.of_kept} AS kept_{figure.name}" for figure in figures)}
        FROM {kept}
        WHERE grain = 'fine' AND generation = {{generation:UInt64}} AND {where}
        GROUP BY bucket, generation, counted, {", ".join(COARSE)}
        {ONE_THREAD}
        """


def by_site(where: str) -> str:
    """Sums up counted calls that meet `where` by line of code, as `{bucket:Int64}`, `{generation:UInt64}`."""
    return f"""
        INSERT INTO {KEPT_SITES}
            (bucket, generation, {", ".join((*SITE_DIMENSIONS, *(figure.name for figure in SITE_FIGURES)))})
        SELECT
            {{bucket:Int64}},
            {{generation:UInt64}},
            {", ".join(SITE_DIMENSIONS)},
            {", ".join(f"{figure.of_calls} AS kept_{figure.name}" for figure in SITE_FIGURES)}
        FROM {CALLS} FINAL
        WHERE {where} AND counted
        GROUP BY {", ".join(SITE_DIMENSIONS)}
        {ONE_THREAD}
        """
