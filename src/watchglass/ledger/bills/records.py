"""Records of a file that has one a request or a day: JSON objects however they are wrapped, or a table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, cast

from watchglass.ledger.bills.documents import documents, is_json
from watchglass.ledger.bills.line import BillLine, Refused
from watchglass.ledger.bills.tables import table
from watchglass.ledger.bills.values import Record, Unreadable, count, shown


class Found(NamedTuple):
    """A record, and where it stands."""

    where: str
    record: Record


def lines(
    content: bytes, read: Callable[[Found], Iterable[BillLine | Refused]], once: str | None = None
) -> Iterator[BillLine | Refused]:
    """The lines of all records of a file; `read` raises `Unreadable` for a record that is none.

    `once` names what tells records apart: another with the same is a page that was appended twice, or a
    second export behind the first, and is refused, for nobody is charged twice for one request.
    """
    seen: set[str] = set()
    for found in _records(content):
        if isinstance(found, Refused):
            yield found
            continue
        identity = found.record.get(once) if once else None
        if isinstance(identity, str) and identity:
            if identity in seen:
                yield Refused(
                    found.where, f"{once} {shown(identity)} is in this file already; it is counted once"
                )
                continue
            seen.add(identity)
        try:
            yield from list(read(found))
        except Unreadable as fault:
            yield Refused(found.where, str(fault))


def _records(content: bytes) -> Iterator[Found | Refused]:
    if not is_json(content):
        for row in table(content).rows():
            yield row if isinstance(row, Refused) else Found(row.where, row.values)
        return
    pages: set[int] = set()
    most = 0
    for document in documents(content):
        if isinstance(document, Refused):
            yield document
            continue
        page = cast("Record", document.value) if isinstance(document.value, dict) else {}
        try:
            pages.add(count(page, "page") or 0)
            most = max(most, count(page, "total_pages") or 0)
        except Unreadable:
            pass  # a record may have columns of these names that are something else
        yield from _in(document.value, document.where)
    missing = [number for number in range(1, min(most, 10_000) + 1) if number not in pages]
    if missing:
        reason = (
            f"it is page {max(pages)} of {most}, and page {missing[0]} is not in this file: fetch all pages"
        )
        yield Refused("the page", reason, warning=True)


def _in(value: Any, where: str) -> Iterator[Found | Refused]:
    """The records of a JSON value: itself, those of a list, those of its `data`."""
    if isinstance(value, dict):
        data = cast("Record", value).get("data")
        if not isinstance(data, list):
            yield Found(where or "line 1", cast("Record", value))
            return
        value, where = cast("list[Any]", data), f"{where}, data" if where else "data"
    if not isinstance(value, list):
        yield Refused(where or "line 1", f"{shown(value)} is no record")
        return
    for index, each in enumerate(cast("list[Any]", value)):
        place = f"{where}[{index}]"
        if isinstance(each, dict):
            yield Found(place, cast("Record", each))
        else:
            yield Refused(place, f"{shown(each)} is no record")
