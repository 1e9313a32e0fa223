"""A file as bodies for a server: rows in their canonical form, with ids that only a whole file tells."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from functools import partial

import msgspec

from watchglass.ingest.importers.elsewhere import in_order
from watchglass.ingest.importers.identity import Seen
from watchglass.ingest.importers.parts import Part, read_part
from watchglass.ingest.importers.records import Rejected

BODY_BYTES = 6 << 20
"""Each body becomes a part of the store that is merged later: few and large ones, well below what a server
takes at most."""


class Sent(msgspec.Struct, frozen=True):
    """One body of JSON lines. `repeated` are rows that are left out, for a row before them has their id."""

    body: bytes
    rejects: list[Rejected]
    notices: list[str]
    repeated: int = 0


class _Lines(msgspec.Struct, frozen=True):
    canonical: list[bytes]
    keys: list[bytes]
    own: list[str | None]
    lines: list[int]
    rejects: list[Rejected]
    notices: list[str]


def bodies(
    parts: Iterable[Part], maps: Mapping[str, str], *, processes: int | None = None
) -> Generator[Sent]:
    """The bodies of one file, in order; rejected lines go along, so that the server has them on record."""
    seen, gathered = Seen(), Sent(b"", [], [])
    for part in in_order(partial(_lines, maps=dict(maps)), parts, processes):
        ordinals = seen.ordinals(part.keys)
        kept: list[bytes] = []
        for row, own, key, ordinal, line in zip(
            part.canonical, part.own, part.keys, ordinals, part.lines, strict=True
        ):
            if own is None:
                call_id = f"{key.hex()}-{ordinal}" if ordinal else key.hex()
                kept.append(b'{"@line":%d,"call_id":"%b",%b\n' % (line, call_id.encode(), row[1:]))
            elif not ordinal:
                kept.append(b'{"@line":%d,%b\n' % (line, row[1:]))
        refused = [
            msgspec.json.encode({"@line": each.line, "@reject": each.reason}) + b"\n" for each in part.rejects
        ]
        repeated = len(part.canonical) - len(kept)
        gathered = Sent(
            b"".join((gathered.body, *kept, *refused)),
            gathered.rejects + part.rejects,
            list(dict.fromkeys(gathered.notices + part.notices)),
            gathered.repeated + repeated,
        )
        if len(gathered.body) >= BODY_BYTES:
            yield gathered
            gathered = Sent(b"", [], [])
    if gathered.body or gathered.repeated:
        yield gathered


def _lines(part: Part, maps: Mapping[str, str]) -> _Lines:
    read = read_part(part, maps)
    return _Lines(read.canonical, read.keys, read.own, read.rows.lines, read.rejects, read.notices)
