"""Records read as calls: what each says in our terms, what is wrong with it, and what it is told apart by."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Any, cast

import msgspec

from watchglass.ingest.importers import values
from watchglass.ingest.importers.columns import EXACT_TIME, KINDS, Layout, layout
from watchglass.ingest.importers.records import Records, Rejected, text
from watchglass.ingest.importers.values import Faults

Column = Sequence[Any]

LAST_LINE = 2**32 - 1
"""Of a source file, as the column holds it."""

_ENCODER = msgspec.json.Encoder(decimal_format="string")


class Rows(msgspec.Struct, frozen=True):
    """Good rows, by column; what nobody said in any of them has no column."""

    fields: dict[str, Column]
    metadata: list[dict[str, str]]
    lines: list[int]

    def __len__(self) -> int:
        return len(self.lines)


def read_rows(
    records: Records, maps: Mapping[str, str], tenant: str | None = None
) -> tuple[Rows, list[Rejected]]:
    """The rows of some records, and which are refused. `tenant` is the only one that rows may have."""
    count = len(records.lines)
    if not count:
        return Rows({}, [], []), []
    faults = Faults()
    found = layout(records.names, maps)
    _refused_there(records, faults)
    _not_calls(records, faults)
    fields, left = _fields(records, found, faults)
    metadata = records.others(found.extras)
    _add_bags(records, found, metadata, left, faults)
    _check(fields, count, faults)
    if tenant is not None:
        _hold_tenant(fields, count, tenant, faults)
    lines = _lines(records)
    rejects = [Rejected(lines[row], faults[row]) for row in sorted(faults)]
    return _without(Rows(fields, metadata, lines), faults), rejects


def digests(rows: Rows) -> tuple[list[bytes], list[bytes]]:
    """Each row in its one canonical form, and the digest of that: equal rows have equal ones.

    Only what was said is in it, so that a column that nobody fills, or that we learn to read later,
    changes nothing.
    """
    said = {EXACT_TIME if name == "time" else name: column for name, column in rows.fields.items()}
    said["metadata"] = [each or None for each in rows.metadata]
    names = tuple(sorted(said))
    canonical = list(map(_ENCODER.encode, map(_shape(names), *(said[name] for name in names))))
    return canonical, [blake2b(each, digest_size=16).digest() for each in canonical]


@lru_cache(256)
def _shape(names: tuple[str, ...]) -> Callable[..., msgspec.Struct]:
    """A record of these columns that is written without those that are None: half a dict's time."""
    fields = [(name, object, None) for name in names]
    return msgspec.defstruct("Row", fields, frozen=True, gc=False, omit_defaults=True)


def own_ids(rows: Rows) -> list[str | None]:
    """The ids that rows bring along: their `call_id`, else trace and span."""
    nobody: Column = [None] * len(rows)
    given, traces, spans = (rows.fields.get(name, nobody) for name in ("call_id", "trace_id", "span_id"))
    return [
        call_id or (f"{trace}:{span}" if trace and span else None)
        for call_id, trace, span in zip(given, traces, spans, strict=True)
    ]


def _fields(
    records: Records, found: Layout, faults: Faults
) -> tuple[dict[str, Column], list[tuple[str, list[Any]]]]:
    """What each of our columns says, and what is left of columns that say the same as a better one."""
    fields: dict[str, Column] = {}
    left: list[tuple[str, list[Any]]] = []
    for ours, sources in found.fields.items():
        column: Column = []
        for source in sources:
            given = records.column(source.column)
            if column:
                if {source.column, sources[0].column} == {"time", EXACT_TIME}:
                    continue  # an export of ours has both, and they are the same
                spare = [None if best is None else value for best, value in zip(column, given, strict=True)]
                left.append((source.column, spare))
                given = [value if best is None else None for best, value in zip(column, given, strict=True)]
            read = _reader(ours, source.unit)(given, source.column, faults)
            column = [b if a is None else a for a, b in zip(column, read, strict=True)] if column else read
        fields[ours] = column
    return fields, left


def _reader(ours: str, unit: int) -> Callable[[Column, str, Faults], Column]:
    kind = KINDS[ours]
    if kind == "nanoseconds":
        return lambda given, name, faults: values.nanoseconds(given, name, faults, unit)
    if kind == "moment":
        return lambda given, name, faults: values.moments(given, name, faults, unit)
    if kind in ("hex32", "hex16"):
        return lambda given, name, faults: values.hex_ids(given, name, faults, int(kind[3:]))
    return _READERS[kind]


_READERS: dict[str, Callable[[Column, str, Faults], Column]] = {
    "text": values.texts,
    "count": values.counts,
    "money": values.money,
    "flag": values.flags,
    "texts": values.lists,
}


def _refused_there(records: Records, faults: Faults) -> None:
    """Rows that the command found to be wrong and sends along so that `rejects` has them."""
    if "@reject" in records.names:
        for row, reason in enumerate(records.column("@reject")):
            if isinstance(reason, str):
                faults.setdefault(row, reason[:1000])


def _not_calls(records: Records, faults: Faults) -> None:
    """Rows of an export of `calls` that repeat others would be counted here."""
    if "kind" in records.names:
        for row, kind in enumerate(records.column("kind")):
            if kind not in (None, "", "call"):
                faults.note(row, "kind", kind, "only rows of kind call are imported")
    if "counted" in records.names:
        for row, counted in enumerate(records.column("counted")):
            if str(counted).lower() in ("false", "0"):
                faults.note(row, "counted", counted, "it repeats another row; export `usage`, not `calls`")


def _add_bags(
    records: Records,
    found: Layout,
    metadata: list[dict[str, str]],
    left: Sequence[tuple[str, list[Any]]],
    faults: Faults,
) -> None:
    for name, spare in left:
        for row, value in enumerate(spare):
            if value not in (None, ""):
                metadata[row][name] = text(value)
    for name in found.bags:
        for row, value in enumerate(records.column(name)):
            if value in (None, ""):
                continue
            bag = _bag(value)
            if bag is None:
                faults.note(row, name, value, "write a JSON object")
                continue
            metadata[row] |= {key: text(each) for key, each in bag.items() if each is not None}


def _bag(value: object) -> dict[str, Any] | None:
    if isinstance(value, str):
        try:
            value = msgspec.json.decode(value)
        except (msgspec.DecodeError, ValueError, RecursionError):
            return None
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def _check(fields: dict[str, Column], count: int, faults: Faults) -> None:
    times = fields.get("time", ())
    if not times or None in times:
        for row, time in enumerate(times or [None] * count):
            if time is None:
                faults.setdefault(
                    row, "time is missing: say when the call started, or name its column with --map"
                )
    for row, line in enumerate(fields.get("code_line", ())):
        if line is not None and line > LAST_LINE:
            faults.note(row, "code_line", line, f"write a line number up to {LAST_LINE}")
    for name in [name for name, column in fields.items() if not any(each is not None for each in column)]:
        del fields[name]


def _hold_tenant(fields: dict[str, Column], count: int, tenant: str, faults: Faults) -> None:
    for row, named in enumerate(fields.get("tenant", ())):
        if named not in (None, tenant):
            faults.note(row, "tenant", named, f"this key writes as {tenant!r} only")
    fields["tenant"] = [tenant] * count


def _lines(records: Records) -> list[int]:
    if "@line" in records.names:
        given = records.column("@line")
        return [line if type(line) is int else own for line, own in zip(given, records.lines, strict=True)]
    return list(records.lines)


def _without(rows: Rows, faults: Faults) -> Rows:
    if not faults:
        return rows
    kept = [row for row in range(len(rows)) if row not in faults]

    def of(column: Column) -> list[Any]:
        return [column[row] for row in kept]

    return Rows({name: of(column) for name, column in rows.fields.items()}, of(rows.metadata), of(rows.lines))
