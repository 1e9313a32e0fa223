"""Answers as tables for people: NULL is –, numbers align, money to its last digit."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from watchglass.queries.plain import money

if TYPE_CHECKING:
    from rich.table import Table

    from watchglass.queries.answers import Plain

UNKNOWN = "–"
_PIPE_WIDTH = 100_000
"""In a file or pipe a line is as long as it is; nothing is cut to a screen that is not there."""


def show(*parts: Table | str) -> None:
    """Print tables and lines of text."""
    from rich.console import Console

    console = Console(width=None if sys.stdout.isatty() else _PIPE_WIDTH, highlight=False, soft_wrap=False)
    for part in parts:
        console.print(part, markup=False) if isinstance(part, str) else console.print(part)


def table(
    columns: Sequence[tuple[str, bool]], rows: Iterable[Sequence[str]], *, totals: Sequence[str] = ()
) -> Table:
    """A table; a column is its name and whether it holds numbers. `totals` goes under a line."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_footer=bool(totals), header_style="bold")
    for index, (name, number) in enumerate(columns):
        footer = Text(clean(totals[index])) if totals else ""
        made.add_column(Text(name), footer, justify="right" if number else "left", overflow="fold")
    for cells in _at_once([[clean(cell) for cell in row] for row in rows]):
        made.add_row(*(Text(cell) for cell in cells))
    return made


def _at_once(rows: list[list[str]]) -> list[list[str]]:
    """Off a terminal, where no cell is folded: all rows as the lines of one, since laying out cells one by
    one takes most of the time of a long list (4,700 prices: 6.7 s of processor, so 2.1)."""
    if sys.stdout.isatty() or not rows or any("\n" in cell for row in rows for cell in row):
        return rows
    return [["\n".join(column) for column in zip(*rows, strict=True)]]


def fitted(
    columns: Sequence[tuple[str, bool]],
    rows: Sequence[Sequence[str]],
    *,
    totals: Sequence[str] = (),
    droppable: Sequence[str] = (),
    width: int | None = None,
) -> Table:
    """A table with as many columns as fit the terminal; the first of `droppable` goes first.

    Off a terminal everything is shown. `width` is for tests.
    """
    width = width or (shutil.get_terminal_size().columns if sys.stdout.isatty() else _PIPE_WIDTH)
    keep = [name for name, _ in columns]
    for name in (*droppable, None):
        wide = [
            max(len(cell) for cell in (column, *cells)) for column, cells in _columns(columns, rows, totals)
        ]
        taken = sum(size + 3 for (column, _), size in zip(columns, wide, strict=True) if column in keep)
        if taken <= width or name is None:
            break
        keep = [each for each in keep if each != name]
    places = [index for index, (name, _) in enumerate(columns) if name in keep]
    chosen = [[row[index] for index in places] for row in rows]
    return table([columns[i] for i in places], chosen, totals=[totals[i] for i in places] if totals else ())


def _columns(
    columns: Sequence[tuple[str, bool]], rows: Sequence[Sequence[str]], totals: Sequence[str]
) -> list[tuple[str, list[str]]]:
    lines = [*rows, totals] if totals else list(rows)
    return [(name, [line[index] for line in lines]) for index, (name, _) in enumerate(columns)]


def clean(text: str) -> str:
    """Text of strangers, harmless on a terminal: no control characters, so no escape sequences."""
    return "".join(sign if sign.isprintable() or sign == "\n" else "\ufffd" for sign in text)


def cell(value: Plain) -> str:
    """A value as a person reads it."""
    match value:
        case None:
            return UNKNOWN
        case bool():
            return "yes" if value else "no"
        case str():
            return value
        case int() | float():
            return str(value)
        case _:
            return msgspec.json.encode(value).decode()


def count(value: int | None) -> str:
    """A whole number with thousands apart.

    >>> count(1234567), count(None)
    ('1,234,567', '–')
    """
    return UNKNOWN if value is None else f"{value:,}"


def dollars(amounts: Sequence[Decimal | None]) -> list[str]:
    """Amounts to their last digit, padded so that the points stand under each other.

    >>> dollars([Decimal("1.25"), None, Decimal("0.1")])
    ['1.25', '–', '0.10']
    """
    texts = [None if amount is None else money(amount) for amount in amounts]
    decimals = max((len(text.partition(".")[2]) for text in texts if text), default=0)
    return [UNKNOWN if text is None else _padded(text, decimals) for text in texts]


def duration(ns: int | None) -> str:
    """A duration in the unit that fits.

    >>> duration(1_500_000), duration(83_000_000_000)
    ('1.5 ms', '1m 23s')
    """
    if ns is None:
        return UNKNOWN
    if abs(ns) >= 60_000_000_000:
        minutes, seconds = divmod(round(ns / 1e9), 60)
        return f"{minutes}m {seconds:02d}s"
    for unit, size in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        if abs(ns) >= size:
            return f"{ns / size:.3g} {unit}"
    return f"{ns} ns"


def _padded(text: str, decimals: int) -> str:
    whole, _, fraction = text.partition(".")
    return f"{whole}.{fraction.ljust(decimals, '0')}" if decimals else whole
