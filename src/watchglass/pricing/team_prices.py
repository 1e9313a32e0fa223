"""Price lists as teams keep them in a table: dollars a thousand tokens from a day on, as CSV or SQL.

The columns are those of `llm_model_pricing`: provider, model, cost_per_1k_input_tokens,
cost_per_1k_output_tokens, effective_date. Others (id, created_at …) are left alone. SQL is read as
text, not run: the rows of `INSERT INTO … (columns) VALUES (…), (…);`, and of PostgreSQL's
`COPY … (columns) FROM stdin;` as its dumps have them.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation

import msgspec

from watchglass.errors import BadRequest
from watchglass.pricing.labels import canonical
from watchglass.pricing.listed import ListedPrice

PROVIDER, MODEL, DATE = "provider", "model", "effective_date"
INPUT, OUTPUT = "cost_per_1k_input_tokens", "cost_per_1k_output_tokens"
COLUMNS = (PROVIDER, MODEL, INPUT, OUTPUT, DATE)

_THOUSAND = Decimal(1000)
_EPOCH = dt.date(1970, 1, 1)
_DAY_NS = 86_400 * 10**9
_INSERT = re.compile(r"\bINSERT\s+INTO\s+[\w.\"`]+\s*\(([^)]*)\)\s*VALUES\b", re.IGNORECASE)
_COPY = re.compile(r"^COPY\s+[\w.\"`]+\s*\(([^)]*)\)\s+FROM\s+stdin\b.*$", re.IGNORECASE | re.MULTILINE)
_TOKEN = re.compile(
    r"""\s+|--[^\n]*|/\*.*?\*/|(?P<text>(?:DATE\s*)?'(?:[^']|'')*')|(?P<punctuation>[(),;])"""
    r"""|(?P<cast>::\s*\w+(?:\(\d+(?:,\s*\d+)?\))?)|(?P<word>[^\s(),;':]+)""",
    re.DOTALL | re.IGNORECASE,
)


class TeamPrice(msgspec.Struct, frozen=True):
    """One row: dollars a thousand tokens, exactly as written, from a day on (None: since ever)."""

    provider: str
    model: str
    input_per_1k: Decimal
    output_per_1k: Decimal
    effective_date: dt.date | None

    def listed(self, citation: str) -> ListedPrice:
        """As a price of the book, from 00:00 UTC of its day."""
        day = self.effective_date
        return ListedPrice(
            provider=self.provider,
            model=self.model,
            input=self.input_per_1k * _THOUSAND,
            output=self.output_per_1k * _THOUSAND,
            since_ns=None if day is None else (day - _EPOCH).days * _DAY_NS,
            citation=citation,
        )


class Refused(msgspec.Struct, frozen=True):
    """A row that is no price, and why."""

    line: int
    reason: str


def read_team_prices(text: str) -> tuple[list[TeamPrice], list[Refused]]:
    """The prices of a CSV or SQL file, and the rows that are none.

    Raises `BadRequest` for a file that has no such rows at all.
    """
    rows = _sql(text) if _INSERT.search(text) or _COPY.search(text) else _csv(text)
    prices: list[TeamPrice] = []
    refused: list[Refused] = []
    for line, values in rows:
        try:
            prices.append(_price(values))
        except ValueError as fault:
            refused.append(Refused(line, str(fault)))
    return prices, refused


def _csv(text: str) -> Iterator[tuple[int, Mapping[str, str | None]]]:
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff")))
    head = next(reader, [])
    names = _checked([name.strip().lower() for name in head])
    for cells in reader:
        if any(cell.strip() for cell in cells):
            yield reader.line_num, dict(zip(names, cells, strict=False))


def _sql(text: str) -> Iterator[tuple[int, Mapping[str, str | None]]]:
    for match in _INSERT.finditer(text):
        names = _names(match[1])
        for at, cells in _tuples(text, match.end()):
            yield text.count("\n", 0, at) + 1, dict(zip(names, cells, strict=False))
    for match in _COPY.finditer(text):
        names, line = _names(match[1]), text.count("\n", 0, match.end()) + 1
        for number, row in enumerate(text[match.end() :].splitlines()[1:], line + 1):
            if row == r"\.":
                break
            cells = [None if cell == r"\N" else cell for cell in row.split("\t")]
            yield number, dict(zip(names, cells, strict=False))


def _names(listed: str) -> list[str]:
    return _checked([name.strip().strip('"`').lower() for name in listed.split(",")])


def _checked(names: list[str]) -> list[str]:
    missing = [name for name in COLUMNS if name not in names]
    if missing:
        raise BadRequest(
            f"this is no price list: it has no {', '.join(missing)}; give CSV or SQL rows with the columns "
            + ", ".join(COLUMNS)
        )
    return names


def _tuples(text: str, start: int) -> Iterator[tuple[int, list[str | None]]]:
    """(where, values) of each row after VALUES, up to the end of the statement."""
    cells: list[str | None] | None = None
    begin = start
    for match in _TOKEN.finditer(text, start):
        sign = match["punctuation"]
        if cells is None:
            if sign == "(":
                cells, begin = [], match.start()
            elif sign == ";" or match["word"]:  # the end, or ON CONFLICT …
                return
        elif sign == ")":
            yield begin, cells
            cells = None
        elif match["text"]:
            quoted = match["text"]
            cells.append(quoted[quoted.index("'") + 1 : -1].replace("''", "'"))
        elif match["word"] and match["word"].upper() != "DATE":
            cells.append(None if match["word"].upper() in ("NULL", "DEFAULT") else match["word"])


def _price(values: Mapping[str, str | None]) -> TeamPrice:
    provider, model = ((values.get(name) or "").strip() for name in (PROVIDER, MODEL))
    for name, given in ((PROVIDER, provider), (MODEL, model)):
        if not given:
            raise ValueError(f"{name} is empty")
    return TeamPrice(
        canonical(provider) or provider.lower(), model, _dollars(values, INPUT), _dollars(values, OUTPUT),
        _day((values.get(DATE) or "").strip()),
    )  # fmt: skip


def _dollars(values: Mapping[str, str | None], name: str) -> Decimal:
    given = (values.get(name) or "").strip()
    try:
        price = Decimal(given)
    except InvalidOperation:
        raise ValueError(f"{name} is {given!r}; a price is a number of dollars") from None
    if not price.is_finite() or price < 0 or price >= 10**9:
        raise ValueError(f"{name} is {given}; a price is a number of dollars, 0 or more")
    if price != round(price, 15):
        raise ValueError(f"{name} is {given}; a price has at most 15 decimals a thousand tokens")
    return price


def _day(given: str) -> dt.date | None:
    if not given:
        return None
    try:
        return dt.datetime.fromisoformat(given).date()
    except ValueError:
        raise ValueError(f"{DATE} is {given!r}; write a day as in 2025-01-31") from None
