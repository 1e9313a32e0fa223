"""Lines as records of named values: JSON lines a piece at a time, CSV as a stream."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any, Protocol, cast

import msgspec

from watchglass.ingest.importers.lines import MAX_LINE_BYTES, Piece

ROWS_AT_ONCE = 8_000
_FEW = 64
_TOO_LONG = f"the line is longer than {MAX_LINE_BYTES >> 20} MiB; shorten it (texts are not imported)"
_DECODER = msgspec.json.Decoder(float_hook=Decimal)
_ENCODER = msgspec.json.Encoder(decimal_format="number")


class Rejected(msgspec.Struct, frozen=True, array_like=True):
    """A line that is not kept, and why."""

    line: int
    reason: str


class Records(Protocol):
    """Records of some lines, by column."""

    lines: Sequence[int]
    names: Collection[str]

    def column(self, name: str) -> Sequence[Any]:
        """Its values, one a record; None where nobody said."""
        ...

    def others(self, names: Sequence[str]) -> list[dict[str, str]]:
        """Of each record what these columns say, as text, without what is empty; in this order."""
        ...


class JsonRecords:
    """See `Records`."""

    def __init__(self, rows: Sequence[dict[str, Any]], lines: Sequence[int]) -> None:
        self._rows = rows
        self.lines = lines
        shapes = set(map(tuple, rows))
        self.names: Collection[str] = {name for shape in shapes for name in shape}
        # As programs write them: the same names in the same order in every row.
        self._columns: dict[str, Sequence[Any]] = {}
        if len(shapes) == 1:
            columns = zip(*(row.values() for row in rows), strict=True)
            self._columns = dict(zip(shapes.pop(), columns, strict=True))

    def column(self, name: str) -> Sequence[Any]:
        """See `Records.column`."""
        found = self._columns.get(name)
        return [row.get(name) for row in self._rows] if found is None else found

    def others(self, names: Sequence[str]) -> list[dict[str, str]]:
        """See `Records.others`."""
        if not names:
            return [{} for _ in self._rows]
        if len(names) <= _FEW:
            return _texts_of(names, [self.column(name) for name in names])
        wanted = set(names)
        return [
            {name: text(row[name]) for name in sorted(row) if name in wanted and row[name] not in (None, "")}
            for row in self._rows
        ]


class CsvRecords:
    """See `Records`."""

    def __init__(self, header: Sequence[str], rows: Sequence[Sequence[str]], lines: Sequence[int]) -> None:
        self.lines = lines
        self.names: Collection[str] = header
        self._columns: dict[str, Sequence[str]] = dict(zip(header, zip(*rows, strict=True), strict=False))

    def column(self, name: str) -> Sequence[Any]:
        """See `Records.column`."""
        return self._columns.get(name, ())

    def others(self, names: Sequence[str]) -> list[dict[str, str]]:
        """See `Records.others`."""
        if not names:
            return [{} for _ in self.lines]
        return _texts_of(names, [self._columns.get(name, ()) for name in names])


def text(value: Any) -> str:
    """A free value as `metadata` holds it: text as it is, anything else as JSON."""
    return value if isinstance(value, str) else _ENCODER.encode(value).decode()


def _texts_of(names: Sequence[str], columns: Sequence[Sequence[Any]]) -> list[dict[str, str]]:
    plain: list[Sequence[Any]] = []
    for column in columns:
        if set(map(type, column)) <= {str, type(None)}:
            plain.append(column)
        else:
            plain.append([None if value is None else text(value) for value in column])
    if all(all(column) for column in plain):
        return [dict(zip(names, row, strict=True)) for row in zip(*plain, strict=True)]
    return [
        {name: value for name, value in zip(names, row, strict=True) if value}
        for row in zip(*plain, strict=True)
    ]


def json_records(piece: Piece) -> tuple[JsonRecords, list[Rejected]]:
    """The objects of a piece of JSON lines; blank lines are nothing."""
    if piece.too_long:
        return JsonRecords([], []), [Rejected(piece.first_line, _TOO_LONG)]
    data = piece.data
    try:
        found = _DECODER.decode_lines(data)
    except _UNREADABLE:
        return _line_by_line(piece)
    if set(map(type, found)) - {dict}:
        return _line_by_line(piece)
    ends = data.count(b"\n") + (not data.endswith(b"\n"))
    if len(found) == ends:
        return JsonRecords(found, range(piece.first_line, piece.first_line + ends)), []
    numbered = enumerate(data.split(b"\n"), piece.first_line)
    return JsonRecords(found, [number for number, line in numbered if line.strip()]), []


_UNREADABLE = (msgspec.DecodeError, ValueError, RecursionError, ArithmeticError)


def _line_by_line(piece: Piece) -> tuple[JsonRecords, list[Rejected]]:
    rows: list[dict[str, Any]] = []
    lines: list[int] = []
    rejects: list[Rejected] = []
    for number, line in enumerate(piece.data.split(b"\n"), piece.first_line):
        if not line.strip():
            continue
        try:
            found = _DECODER.decode(line)
        except _UNREADABLE as fault:
            rejects.append(Rejected(number, f"{_start(line)}: {_said(fault)}; write one JSON object a line"))
            continue
        if isinstance(found, dict):
            rows.append(cast("dict[str, Any]", found))
            lines.append(number)
        else:
            rejects.append(Rejected(number, f"{_start(line)} is no JSON object; write one a line"))
    return JsonRecords(rows, lines), rejects


def _start(line: bytes) -> str:
    shown = line[:40].decode("utf-8", "backslashreplace")
    return repr(shown + ("…" if len(line) > 40 else ""))


def _said(fault: Exception) -> str:
    if isinstance(fault, UnicodeDecodeError):
        return f"byte {fault.start + 1} is not UTF-8"
    if isinstance(fault, RecursionError):
        return "it is nested too deep"
    if isinstance(fault, ArithmeticError):
        return "a number in it is out of all bounds"
    return str(fault)


class CsvStream:
    """Reads CSV as RFC 4180 has it, with the header first; quoted values may hold line ends.

    A record that cannot be read is refused by the line that it begins at, and reading goes on at the
    next line: one quote that is never closed must not swallow the rest of the file.
    """

    def __init__(self, source: Iterable[Piece]) -> None:
        self._lines = self._decoded(source)
        self._again: list[tuple[int, str]] = []  # lines to be read once more
        self._taken: list[tuple[int, str]] = []  # lines of the record at hand
        self._broken = False  # whether there was anything but UTF-8
        self._rejects: list[Rejected] = []
        self._delimiter = ","
        csv.field_size_limit(MAX_LINE_BYTES)
        self.header: list[str] = self._read_header()

    def chunks(
        self, rows_at_once: int = ROWS_AT_ONCE
    ) -> Iterator[tuple[list[list[str]], list[int], list[Rejected]]]:
        """All records, some at a time, with their lines, and what was refused meanwhile."""
        rows: list[list[str]] = []
        lines: list[int] = []
        width = len(self.header)
        for line, row in self._records():
            if len(row) != width:
                reason = f"it has {len(row)} values and the header {width} columns; quote commas in values"
                self._rejects.append(Rejected(line, reason))
                continue
            rows.append(row)
            lines.append(line)
            if len(rows) >= rows_at_once:
                yield rows, lines, self._rejects
                rows, lines, self._rejects = [], [], []
        yield rows, lines, self._rejects

    def _read_header(self) -> list[str]:
        first = next(self._lines, None)
        if first is None:
            return []
        self._delimiter = max(",;\t", key=first[1].count)
        self._again.append(first)
        return next((([name.strip() for name in row]) for _, row in self._records()), [])

    def _records(self) -> Iterator[tuple[int, list[str]]]:
        while True:
            reader = csv.reader(self._feed(), delimiter=self._delimiter, strict=True)
            try:
                for row in reader:
                    line = self._taken[0][0]
                    self._taken.clear()
                    if not row:
                        continue
                    if self._broken and any(map(_has_surrogates, row)):
                        self._rejects.append(Rejected(line, "it is not UTF-8; convert the file first"))
                        continue
                    yield line, row
                return
            except csv.Error as fault:
                line = self._taken[0][0]
                said = "a quote is opened and not closed" if "end of data" in str(fault) else str(fault)
                self._rejects.append(Rejected(line, f"{said}; mend the quotes of this line"))
                self._again = self._taken[1:] + self._again
                self._taken = []

    def _feed(self) -> Iterator[str]:
        size = 0
        while True:
            if self._again:
                line = self._again.pop(0)
            else:
                found = next(self._lines, None)
                if found is None:
                    return
                line = found
            if not self._taken:
                size = 0
            size += len(line[1])
            self._taken.append(line)
            if size > MAX_LINE_BYTES:
                raise csv.Error("a record is longer than all bounds, as if a quote were not closed")
            yield line[1]

    def _decoded(self, source: Iterable[Piece]) -> Iterator[tuple[int, str]]:
        for piece in source:
            if piece.too_long:
                self._rejects.append(Rejected(piece.first_line, _TOO_LONG))
                continue
            try:
                decoded = piece.data.decode()
            except UnicodeDecodeError:
                self._broken = True
                decoded = piece.data.decode("utf-8", "surrogateescape")
            lines = decoded.split("\n")
            for number, line in enumerate(lines[: len(lines) - (not lines[-1])], piece.first_line):
                yield number, line + "\n"


def _has_surrogates(value: str) -> bool:
    return not value.isascii() and any("\ud800" <= char <= "\udfff" for char in value)
