"""Pages of an API that reports by buckets of time: the results in them, one at a time.

OpenAI's and Anthropic's usage and cost reports share this shape: a page has `data`, a list of buckets, and
`has_more`; a bucket has a start, an end and `results`. A file may hold a page, several, or bare buckets; the
exports of their dashboards are the same results as a table, a row each.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, TypeAlias, cast

from watchglass.ledger.bills.documents import documents
from watchglass.ledger.bills.line import BillLine, Refused
from watchglass.ledger.bills.tables import table
from watchglass.ledger.bills.values import Record, Unreadable, epoch, instant, shown

Bounds: TypeAlias = Callable[[Record], tuple[int, int]]
"""A bucket's start and end in nanoseconds; raises `Unreadable`."""


class Result(NamedTuple):
    """One result of a bucket of `[since_ns, until_ns)`."""

    since_ns: int
    until_ns: int
    where: str
    record: Record


Read: TypeAlias = Callable[[Result], Iterable[BillLine | Refused]]
"""The lines of a result; raises `Unreadable` for one that is none."""


def by_epoch(bucket: Record) -> tuple[int, int]:
    """The bounds of OpenAI's buckets."""
    return epoch(bucket, "start_time"), epoch(bucket, "end_time")


def by_instant(bucket: Record) -> tuple[int, int]:
    """The bounds of Anthropic's buckets."""
    return instant(bucket, "starting_at"), instant(bucket, "ending_at")


def lines_of_pages(content: bytes, bounds: Bounds, read: Read) -> Iterator[BillLine | Refused]:
    """The lines of all results of a file of JSON."""
    for found in _Walk(bounds).results(content):
        if isinstance(found, Refused):
            yield found
        else:
            yield from _read(found, read)


def lines_of_rows(
    content: bytes, bounds: Bounds, said: Iterable[str], read: Read
) -> Iterator[BillLine | Refused]:
    """The lines of a table. A row with none of the columns `said` filled is a bucket without results."""
    for found in table(content).rows():
        if isinstance(found, Refused):
            yield found
            continue
        where, row = found
        if not any(row.get(name) for name in said):
            continue
        try:
            since_ns, until_ns = bounds(row)
        except Unreadable as fault:
            yield Refused(where, str(fault))
        else:
            yield from _read(Result(since_ns, until_ns, where, row), read)


def _read(found: Result, read: Read) -> Iterator[BillLine | Refused]:
    try:
        yield from list(read(found))
    except Unreadable as fault:
        yield Refused(found.where, str(fault))


class _Unfetched(NamedTuple):
    where: str
    ended_ns: int | None


class _Walk:
    """One pass over a file, which remembers what pages said of others."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._starts: set[int] = set()
        self._unfetched: list[_Unfetched] = []
        self._seen: dict[bytes, str] = {}
        self._last_end: int | None = None

    def results(self, content: bytes) -> Iterator[Result | Refused]:
        for document in documents(content):
            if isinstance(document, Refused):
                yield document
            else:
                yield from self._of(document.value, document.where, nested=False)
        yield from self._missing()

    def _of(self, value: Any, where: str, nested: bool) -> Iterator[Result | Refused]:
        record = cast("Record", value) if isinstance(value, dict) else {}
        if isinstance(value, list) and not nested:
            for index, each in enumerate(cast("list[Any]", value)):
                yield from self._of(each, f"{where}[{index}]", nested=True)
        elif "results" in record:
            yield from self._bucket(record, where)
        elif isinstance(record.get("data"), list):
            yield from self._page(record, where)
        else:
            yield Refused(
                where or "line 1", f"{shown(value)} is neither a page (data) nor a bucket (results)"
            )

    def _page(self, page: Record, where: str) -> Iterator[Result | Refused]:
        self._last_end = None
        for index, bucket in enumerate(cast("list[Any]", page["data"])):
            place = _within(where, f"data[{index}]")
            if isinstance(bucket, dict):
                yield from self._bucket(cast("Record", bucket), place)
            else:
                yield Refused(place, f"{shown(bucket)} is no bucket")
        if page.get("has_more") is True or (page.get("next_page") and "has_more" not in page):
            self._unfetched.append(_Unfetched(where or "the page", self._last_end))

    def _bucket(self, bucket: Record, where: str) -> Iterator[Result | Refused]:
        try:
            since_ns, until_ns = self._bounds(bucket)
            if until_ns <= since_ns:
                raise Unreadable("the bucket ends before it starts")
        except Unreadable as fault:
            yield Refused(where, f"{fault}; its results are left out")
            return
        self._starts.add(since_ns)
        self._last_end = until_ns
        results = bucket.get("results")
        if not isinstance(results, list):
            yield Refused(where, f"results is {shown(results)}: write a list")
            return
        if (first := self._seen_before(bucket, where)) is not None:
            reason = f"the same bucket, result for result, is at {first} already; it is counted once"
            yield Refused(where, reason)
            return
        for index, each in enumerate(cast("list[Any]", results)):
            place = _within(where, f"results[{index}]")
            if isinstance(each, dict):
                yield Result(since_ns, until_ns, place, cast("Record", each))
            else:
                yield Refused(place, f"{shown(each)} is no result")

    def _seen_before(self, bucket: Record, where: str) -> str | None:
        """Where this very bucket was: a page that was fetched and appended twice is charged once."""
        if not bucket["results"]:
            return None
        try:
            content = repr(bucket).encode("utf-8", "surrogatepass")
        except RecursionError:
            return None  # nested as deep as can be: nothing that a provider made
        digest = hashlib.blake2b(content, digest_size=16).digest()
        first = self._seen.setdefault(digest, where)
        return None if first == where else first or "the beginning"

    def _missing(self) -> Iterator[Refused]:
        """A page that has more is whole if some other page goes on where it ends, whatever their order."""
        for page in self._unfetched:
            if page.ended_ns is None or page.ended_ns not in self._starts:
                reason = (
                    "it says has_more and the next page is not here, so the bill is not whole: fetch the "
                    "pages that follow (page=next_page) and give them together"
                )
                yield Refused(page.where, reason, warning=True, missing_from_ns=page.ended_ns)


def _within(where: str, place: str) -> str:
    return f"{where}.{place}" if where.endswith("]") else f"{where}, {place}" if where else place
