"""Requests that two libraries of one process reported side by side, perhaps in two traces.

Only reports of different scopes can be one request, only if they were going on at the same time,
and each report finds at most one partner: three calls here and three equal ones there are three
requests, and a thousand equal siblings of one scope are a thousand.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import TypeAlias

from watchglass.ingest.settling.agreement import largely_overlap, overlap_ns, same_tokens
from watchglass.ingest.settling.request import Request

_Agree: TypeAlias = Callable[[Request, Request], bool]

_NEIGHBOURS = 24
"""How many requests on either side of a start are looked at for a partner. Two reports of one request
start within milliseconds of each other; so many requests of one process in between are rare."""


def doubles_merged(requests: Sequence[Request]) -> list[Request]:
    """The requests with their doubles merged, the surest agreement first."""
    by_process: dict[str, list[Request]] = defaultdict(list)
    for request in requests:
        by_process[request.process].append(request)
    for reports in by_process.values():
        if len({request.scopes for request in reports}) > 1:
            _merge_in_process(reports)
    return [request for request in requests if request.into is None]


def _merge_in_process(reports: Sequence[Request]) -> None:
    ordered = sorted(reports, key=lambda each: (each.start_ns, each.id))
    identified = ((response_id, each) for each in ordered for response_id in sorted(each.response_ids))
    for group in _buckets(identified):
        _merge_group(group, _same_id)
    # Twice, for libraries that agree on one total only (reasoning or cache left out, embeddings).
    for total in ("output_tokens", "input_tokens"):
        tokens = ((getattr(each.usage, total), each) for each in _left(ordered) if each.known)
        for group in _buckets(tokens):
            _merge_group(group, _same_model_and_tokens)
    silent = ((each.succeeded, each) for each in _left(ordered) if not each.known)
    for group in _buckets(silent):
        _merge_group(group, _same_model_without_tokens)
    _merge_group(_left(ordered), _same_model_one_silent)


def _left(ordered: Iterable[Request]) -> list[Request]:
    return [each for each in ordered if each.into is None]


def _buckets(keyed: Iterable[tuple[Hashable, Request]]) -> list[list[Request]]:
    found: dict[Hashable, list[Request]] = defaultdict(list)
    for key, request in keyed:
        found[key].append(request)
    return [group for group in found.values() if len(group) > 1]


def _same_id(one: Request, other: Request) -> bool:
    return overlap_ns(one.start_ns, one.end_ns, other.start_ns, other.end_ns) >= 0


def _same_model_and_tokens(one: Request, other: Request) -> bool:
    return _alike(one, other) and same_tokens(one.usage, other.usage)


def _same_model_without_tokens(one: Request, other: Request) -> bool:
    return _alike(one, other)


def _same_model_one_silent(one: Request, other: Request) -> bool:
    """One library was told how many tokens, the other was not: an answer that was streamed."""
    return one.known is not other.known and one.succeeded and other.succeeded and _alike(one, other)


def _alike(one: Request, other: Request) -> bool:
    ids_differ = one.response_ids and other.response_ids
    return (
        not ids_differ
        and one.work == other.work
        and not one.stems.isdisjoint(other.stems)
        and largely_overlap(one.start_ns, one.end_ns, other.start_ns, other.end_ns)
    )


def _merge_group(group: Sequence[Request], agree: _Agree) -> None:
    """Pair the reports of each scope, one to one, with those found before them."""
    by_scopes: dict[tuple[str, ...], list[Request]] = defaultdict(list)
    for each in group:
        if each.into is None:
            by_scopes[tuple(sorted(each.scopes))].append(each)
    if len(by_scopes) < 2:
        return
    bases: list[Request] = []
    for scopes, reports in sorted(by_scopes.items()):
        waiting = reports
        free = [base for base in bases if base.scopes.isdisjoint(scopes)]
        while waiting and (pairs := _pairs(free, waiting, agree)):
            for base, report in pairs:
                base.absorb(report)
            waiting = _left(waiting)
            free = [base for base in free if base.scopes.isdisjoint(scopes)]
        bases = sorted([*bases, *waiting], key=lambda each: (each.start_ns, each.id))


def _pairs(
    bases: Sequence[Request], reports: Sequence[Request], agree: _Agree
) -> list[tuple[Request, Request]]:
    """Partners: those with one prompt first, then the closest in time."""
    starts = [base.start_ns for base in bases]
    candidates: list[tuple[bool, int, str, str, Request, Request]] = []
    for report in reports:
        at = bisect_left(starts, report.start_ns)
        for base in bases[max(0, at - _NEIGHBOURS) : at + _NEIGHBOURS]:
            if agree(base, report):
                distance = abs(base.start_ns - report.start_ns) + abs(base.end_ns - report.end_ns)
                # Libraries write prompts down in ways of their own: equal ones tell, others do not.
                strange = base.asked.isdisjoint(report.asked)
                candidates.append((strange, distance, base.id, report.id, base, report))
    candidates.sort(key=lambda each: each[:4])
    taken: set[str] = set()
    pairs: list[tuple[Request, Request]] = []
    for _, _, base_id, report_id, base, report in candidates:
        if base_id not in taken and report_id not in taken:
            taken |= {base_id, report_id}
            pairs.append((base, report))
    return pairs
