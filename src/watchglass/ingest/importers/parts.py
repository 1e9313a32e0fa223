"""A file in parts that can be read anywhere: cut in order, read in any process, put in order again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import blake2b
from typing import Literal, TypeAlias

import msgspec

from watchglass.errors import BadRequest
from watchglass.ingest.importers.columns import check_header, notices
from watchglass.ingest.importers.lines import Piece, Reading, pieces
from watchglass.ingest.importers.records import CsvRecords, CsvStream, Records, Rejected, json_records
from watchglass.ingest.importers.rows import Rows, digests, own_ids, read_rows

Format: TypeAlias = Literal["jsonl", "csv"]


class CsvPart(msgspec.Struct, frozen=True):
    """Some records of a CSV file, with its header and what was refused among them."""

    header: list[str]
    rows: list[list[str]]
    lines: list[int]
    rejects: list[Rejected]


Part: TypeAlias = Piece | CsvPart


class Read(msgspec.Struct, frozen=True):
    """What a part says: rows in canonical form (JSON), and the digest that each is told apart by.

    `own` has the ids that rows bring along; the digest is then that of the id.
    """

    rows: Rows
    canonical: list[bytes]
    keys: list[bytes]
    own: list[str | None]
    rejects: list[Rejected]
    notices: list[str]


def format_of(name: str, head: bytes) -> Format:
    """By how it begins: an object is JSON lines, anything else CSV. Raises `BadRequest` for a JSON array."""
    start = head.lstrip()[:1]
    if start == b"[":
        raise BadRequest(f"{name} is a JSON array; write one object a line (jq -c '.[]' {name})")
    return "jsonl" if start == b"{" or not start else "csv"


def parts(source: Reading, form: Format, maps: Mapping[str, str]) -> Iterator[Part]:
    """The file in parts, in order. Raises `ConfigError` for a header below which nothing can be read."""
    if form == "jsonl":
        yield from pieces(source)
        return
    stream = CsvStream(pieces(source))
    if stream.header:
        check_header(stream.header, maps)
    for rows, lines, rejects in stream.chunks():
        yield CsvPart(stream.header, rows, lines, rejects)


def read_part(part: Part, maps: Mapping[str, str], tenant: str | None = None) -> Read:
    """Read one part. Pure, so that it runs as well in another process."""
    records, refused = _records(part)
    rows, rejects = read_rows(records, maps, tenant)
    canonical, keys = digests(rows)
    own = own_ids(rows)
    if any(own):
        keys = [key if own_id is None else _key(own_id) for own_id, key in zip(own, keys, strict=True)]
    return Read(
        rows, canonical, keys, own, refused + rejects, notices(records.names, maps) if rows.lines else []
    )


def _key(own_id: str) -> bytes:
    return blake2b(own_id.encode(), digest_size=16).digest()


def _records(part: Part) -> tuple[Records, list[Rejected]]:
    if isinstance(part, Piece):
        return json_records(part)
    return CsvRecords(part.header, part.rows, part.lines), part.rejects
