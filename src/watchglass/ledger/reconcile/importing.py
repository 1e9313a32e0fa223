"""Bills into the store: files are read, known ones left alone, and what in them is no line is said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b

import msgspec

from watchglass.ledger.bills.formats import read_bill
from watchglass.ledger.bills.line import BillLine
from watchglass.store import BillFile, BillRow, Bills, KeptFile


def import_bills(
    bills: Bills,
    files: Sequence[tuple[str, bytes]],
    *,
    format: str | None = None,
    mapping: Mapping[str, str] | None = None,
) -> list[KeptFile]:
    """Keep files, given by name and content; all are read before the first is kept.

    Raises `BadRequest` for a file that cannot be read at all.
    """
    found = [bill_file(name, content, format, mapping or {}) for name, content in files]
    return bills.take([_without_found_pages(each, found) for each in found])


def _without_found_pages(file: BillFile, beside: Sequence[BillFile]) -> BillFile:
    """The file without warnings of a page that is missing in it, and is one of the others."""
    starts = {row.since_ns for each in beside if each.format == file.format for row in each.rows}
    refused = [
        each for each in file.refused
        if not each["warning"] or each["missing_from_ns"] is None or each["missing_from_ns"] not in starts
    ]  # fmt: skip
    return msgspec.structs.replace(file, refused=refused)


def bill_file(name: str, content: bytes, format: str | None, mapping: Mapping[str, str]) -> BillFile:
    """A file as it is kept. The same content read in another way is another file."""
    found, lines, refused = read_bill(content, format, mapping, name)
    digest = blake2b(content, digest_size=16)
    digest.update(msgspec.json.encode([found, sorted(mapping.items())]))
    return BillFile(
        file=digest.hexdigest(),
        name=name[:200],
        format=found,
        rows=[bill_row(each) for each in lines],
        refused=[msgspec.to_builtins(each) for each in refused],
    )


def bill_row(line: BillLine) -> BillRow:
    """A line as it is kept."""
    return BillRow(**msgspec.structs.asdict(line))
