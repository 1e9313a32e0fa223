"""A file as a table: commas, semicolons or tabs, names in the first line; or as PostgreSQL copies one."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from typing import NamedTuple

from watchglass.ledger.bills.line import Refused

LONGEST_RECORD = 4 << 20
"""Characters of one record; a longer one is a quote that is not closed, or texts, which no bill needs."""

_COPY = re.compile(r"(?m)^COPY\s+\S+\s*\(([^)\n]*)\)\s+FROM\s+stdin;\r?$", re.IGNORECASE)
"""How pg_dump begins a table's data: `COPY public."LiteLLM_SpendLogs" (request_id, …) FROM stdin;`."""

_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v"}


class Row(NamedTuple):
    """A record, and where it stands (`line 12`)."""

    where: str
    values: dict[str, str]


class Table:
    """Names and records of a file. A file that is no table has no names that mean anything."""

    def __init__(self, header: list[str], delimiter: str, lines: list[str], first_line: int) -> None:
        self.header = header
        self._delimiter = delimiter
        self._lines = lines
        self._first = first_line

    @property
    def names(self) -> frozenset[str]:
        """The names of the columns."""
        return frozenset(self.header)

    def rows(self) -> Iterator[Row | Refused]:
        """The records; blank lines are none."""
        width = len(self.header)
        for line, values in self._records():
            where = f"line {line}"
            if isinstance(values, str):
                yield Refused(where, values)
            elif len(values) != width:
                reason = f"it has {len(values)} values and the header {width} names; quote what has a comma"
                yield Refused(where, reason)
            else:
                yield Row(where, dict(zip(self.header, values, strict=True)))

    def _records(self) -> Iterator[tuple[int, list[str] | str]]:
        """Records with the line that each begins at. After one that cannot be read, the next line is tried:
        one quote that is never closed must not swallow what follows."""
        at = 0
        csv.field_size_limit(LONGEST_RECORD)  # of this process; the importer of calls sets the same
        while at < len(self._lines):
            taken: list[str] = []
            reader = csv.reader(_taking(self._lines, at, taken), delimiter=self._delimiter, strict=True)
            try:
                for values in reader:
                    began, at = at, at + len(taken)
                    taken.clear()
                    if any(values):
                        yield self._first + began, values
            except csv.Error as fault:
                said = "a quote is opened and not closed" if "end of data" in str(fault) else str(fault)
                yield self._first + at, f"{said}; mend the quotes of this line"
                at += 1


class Copied(Table):
    """What PostgreSQL's COPY writes as text: tabs, backslashes, `\\N` for null, `\\.` at the end."""

    def _records(self) -> Iterator[tuple[int, list[str] | str]]:
        for number, line in enumerate(self._lines, self._first):
            line = line.rstrip("\r\n")
            if line == "\\.":
                return
            if line:
                yield number, ["" if each == "\\N" else _unescaped(each) for each in line.split("\t")]


def table(content: bytes) -> Table:
    """The table that a file is (or its beginning)."""
    said = content.decode("utf-8", "surrogateescape")
    copied = _COPY.search(said)
    if copied:
        names = [name.strip().strip('"') for name in copied[1].split(",")]
        before = said.count("\n", 0, copied.end())
        lines = said[copied.end() :].lstrip("\r").removeprefix("\n").split("\n")
        return Copied(names, "\t", lines, before + 2)
    lines = list(io.StringIO(said, newline="\n"))
    first = next((index for index, line in enumerate(lines) if line.strip()), len(lines))
    if first == len(lines):
        return Table([], ",", [], 1)
    delimiter = max(",;\t", key=lines[first].count)
    csv.field_size_limit(LONGEST_RECORD)
    try:
        header = next(csv.reader([lines[first]], delimiter=delimiter))
    except csv.Error:
        return Table([], ",", [], 1)
    names = [name.strip() for name in header]
    as_copied = delimiter == "\t" and any("\\N" in line for line in lines[first + 1 : first + 100])
    return (Copied if as_copied else Table)(names, delimiter, lines[first + 1 :], first + 2)


def _taking(lines: list[str], at: int, taken: list[str]) -> Iterator[str]:
    size = 0
    for index in range(at, len(lines)):
        line = lines[index]
        size = size + len(line) if taken else len(line)
        taken.append(line)
        if size > LONGEST_RECORD:
            raise csv.Error("a record is longer than 4 MiB, as if a quote were not closed")
        yield line


def _unescaped(value: str) -> str:
    if "\\" not in value:
        return value
    return _ESCAPE.sub(lambda found: _ESCAPED.get(found[1], found[1]), value)
