"""Joins call sites in the code with calls on record.

Each recorded line goes to one call site or to `elsewhere`, so that calls and money of both are all there are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from decimal import Decimal
from typing import NamedTuple

import msgspec

from watchglass.queries.code_paths import CodePaths, Mapped
from watchglass.queries.coverage import CallSite, Coverage, Elsewhere, Matched, Share, Site
from watchglass.queries.figures import plus_money
from watchglass.queries.sites import RecordedSite, RecordedSites

_ORDER: tuple[Matched, ...] = ("line", "function", "nearest")


class _Match(NamedTuple):
    row: RecordedSite
    how: Matched


def cover(
    static: Iterable[CallSite],
    recorded: RecordedSites,
    *,
    files: Iterable[str],
    roots: Sequence[str] = (),
    maps: Sequence[tuple[str, str]] = (),
) -> Coverage:
    """Join both. `files` are all that were read, with call sites or without."""
    by_file: defaultdict[str, list[CallSite]] = defaultdict(list)
    for site in static:
        by_file[site.path].append(site)
    rows = recorded.sites
    mapped = CodePaths(files, roots, maps).find(row.file for row in rows if row.file is not None)
    matches: dict[int, list[_Match]] = {}
    elsewhere: list[Elsewhere] = []
    of_file: defaultdict[str | None, list[RecordedSite]] = defaultdict(list)
    for row in rows:
        of_file[row.file].append(row)
    for name, held in of_file.items():
        meant = mapped[name] if name is not None else None
        sites = by_file.get(meant.file, []) if meant and meant.file else []
        for row, site, how in _matched(sites, held):
            if site is None:
                elsewhere.append(_elsewhere(row, meant))
            else:
                matches.setdefault(id(site), []).append(_Match(row, how))
    made = [
        (site, _site(site, matches.get(id(site), [])))
        for sites in by_file.values()
        for site in sites
        if id(site) in matches or not site.only_if_seen
    ]
    return _coverage(recorded, made, elsewhere)


def _matched(
    sites: Sequence[CallSite], rows: Sequence[RecordedSite]
) -> Iterable[tuple[RecordedSite, CallSite | None, Matched]]:
    """Each row with its call site of the same file, by line first: what is left then is code that has
    moved."""
    left: list[RecordedSite] = []
    taken: set[int] = set()
    for row in rows:
        around = [site for site in sites if _is_in(row, site) and _same_function(site.function, row.function)]
        if around:
            site = min(around, key=lambda each: _extent(each, row))
            taken.add(id(site))
            yield row, site, "line"
        else:
            left.append(row)
    for row in left:
        named = [site for site in sites if row.function and _same_function(site.function, row.function)]
        free = [site for site in named if id(site) not in taken] or named
        if not free:
            yield row, None, "line"
        elif len(named) == 1:
            yield row, named[0], "function"
        else:
            yield row, min(free, key=lambda each: (abs(each.line - (row.line or 0)), each.line)), "nearest"


def _is_in(row: RecordedSite, site: CallSite) -> bool:
    return row.line is not None and site.statement_line <= row.line <= site.statement_end


def _extent(site: CallSite, row: RecordedSite) -> tuple[bool, int, int]:
    """The call around the line before the statement around it, the smaller one before the larger."""
    within = row.line is not None and site.line <= row.line <= site.end_line
    return not within, site.end_line - site.line, site.line


def _same_function(static: str, recorded: str | None) -> bool:
    """Whether a recorded name means this function: whole, with its module before it, or bare, or one in it.

    >>> _same_function("Desk.ask", "shop.llm.Desk.ask"), _same_function("Desk.ask", "ask")
    (True, True)
    >>> _same_function("ask", "ask.<locals>.<lambda>"), _same_function("ask", "task")
    (True, False)
    """
    if not recorded:
        return True
    here, there = static.replace(".<locals>", ""), recorded.replace(".<locals>", "")
    if here in ("", "<module>") or there == "<module>":
        return here in ("", "<module>") and there.startswith("<")
    if there == here or there.endswith(f".{here}") or there.startswith(f"{here}."):
        return True
    return there == here.rpartition(".")[2]


def _elsewhere(row: RecordedSite, meant: Mapped | None) -> Elsewhere:
    why = "no_place"
    if meant is not None:
        why = "no_site" if meant.file else "ambiguous" if meant.how == "ambiguous" else "outside"
    return Elsewhere(
        file=row.file,
        line=row.line,
        function=row.function,
        path=meant.file if meant else None,
        why=why,
        candidates=list(meant.candidates) if meant else [],
        calls=row.calls,
        cost_usd=row.cost_usd,
        services=row.services,
        scope=row.scope,
    )


def _site(site: CallSite, matches: Sequence[_Match]) -> Site:
    rows = [match.row for match in matches]
    return Site(
        path=site.path,
        line=site.line,
        function=site.function,
        callee=site.callee,
        family=site.family,
        matched=_ORDER[max(_ORDER.index(match.how) for match in matches)] if matches else None,
        calls=sum(row.calls for row in rows),
        failed_calls=sum(row.failed_calls for row in rows),
        unpriced_calls=sum(row.unpriced_calls for row in rows),
        cost_usd=_sum(row.cost_usd for row in rows),
        without_tenant=sum(row.without_tenant for row in rows),
        without_feature=sum(row.without_feature for row in rows),
        without_context=sum(row.without_context for row in rows),
        cost_without_context_usd=_sum(row.cost_without_context_usd for row in rows),
        last=max((row.last for row in rows), default=None),
        services=sorted({service for row in rows for service in row.services}),
        recorded_at=sorted({f"{row.file}:{row.line}" for row in rows}),
    )


def _coverage(
    recorded: RecordedSites, made: Sequence[tuple[CallSite, Site]], elsewhere: list[Elsewhere]
) -> Coverage:
    seen = [site for _, site in made if site.calls]
    beside = _beside(seen)
    families = {site.family for site in seen}
    unmonitored: list[Site] = []
    never: list[Site] = []
    for static, site in made:
        if site.calls:
            continue
        why = _why(static, families, beside)
        worth = beside.get((site.path, site.function)) or beside.get((site.path, None))
        found = msgspec.structs.replace(site, cost_beside_usd=worth, why=why)
        (unmonitored if why else never).append(found)
    for unseen in (unmonitored, never):
        unseen.sort(key=lambda site: (-(site.cost_beside_usd or 0), site.path, site.line))
    seen.sort(
        key=lambda site: (
            -(site.cost_without_context_usd or 0),
            -(site.cost_usd or 0),
            -site.calls,
            site.path,
        )
    )
    elsewhere.sort(key=lambda each: (-(each.cost_usd or 0), -each.calls, each.file or "", each.line or 0))
    return Coverage(
        since=recorded.since,
        until=recorded.until,
        sites=len(made),
        percent=_percent(len(seen), len(made)) if made else None,
        calls=sum(row.calls for row in recorded.sites),
        cost_usd=_sum(row.cost_usd for row in recorded.sites),
        packages=_packages([site for _, site in made]),
        seen=seen,
        unmonitored=unmonitored,
        never_seen=never,
        elsewhere=elsewhere,
    )


def _beside(seen: Iterable[Site]) -> Mapping[tuple[str, str | None], Decimal]:
    """What flowed through each function (and, under None, each file) that was seen."""
    found: defaultdict[tuple[str, str | None], Decimal] = defaultdict(Decimal)
    for site in seen:
        for key in ((site.path, site.function), (site.path, None)):
            found[key] = plus_money(found[key], site.cost_usd) or Decimal()
    return found


def _why(site: CallSite, families: Set[str], beside: Mapping[tuple[str, str | None], Decimal]) -> str | None:
    """How it is known that a site that was never seen is not looked at; None where it may never have run.

    Where calls of the same library are on record, that library is recorded, whatever the code lets see of it.
    """
    if not site.recorded and site.family not in families:
        return "nothing that is seen in the code records it"
    if (site.path, site.function) in beside:
        return "its function ran: another call in it is on record"
    return None


def _packages(sites: Iterable[Site]) -> list[Share]:
    held: defaultdict[str, list[Site]] = defaultdict(list)
    for site in sites:
        held[site.path.replace("\\", "/").rpartition("/")[0] or "."].append(site)
    return [
        Share(
            package=package,
            sites=len(each),
            seen=sum(site.calls > 0 for site in each),
            percent=_percent(sum(site.calls > 0 for site in each), len(each)),
            calls=sum(site.calls for site in each),
            cost_usd=_sum(site.cost_usd for site in each),
        )
        for package, each in sorted(held.items())
    ]


def _percent(part: int, whole: int) -> float:
    """Rounded down, so that 100 is said of all alone."""
    return part * 1000 // whole / 10


def _sum(amounts: Iterable[Decimal | None]) -> Decimal | None:
    total: Decimal | None = None
    for amount in amounts:
        total = plus_money(total, amount)
    return total
