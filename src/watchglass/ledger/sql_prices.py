"""Calls priced anew inside the engine, exactly as `PriceBook.price` prices them, many millions at a time.

The book is asked in Python, once for every distinct set of names in a window (`price_keys.py`,
`price_terms.py`), and what it says is looked up by the engine (`price_lookups.py`), which does the
arithmetic (`price_expressions.py`).
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager

import msgspec
import pyarrow as pa

from watchglass.ledger.price_expressions import COMPARED, COUNTS, TEXT, USAGE, nested, reason, slot, units
from watchglass.ledger.price_keys import (
    DETECTED_BY,
    PRICED_BY,
    Names,
    Served,
    distinct,
    highest,
    keys,
    looked_up,
    served,
    value_number,
)
from watchglass.ledger.price_lookups import Lookups, lookups
from watchglass.ledger.price_rows import REASONS, WIDE, fits, lacks_prices, price_rows
from watchglass.ledger.price_terms import Terms, terms
from watchglass.ledger.window import Window
from watchglass.pricing.book import PriceBook
from watchglass.pricing.source import DAY_NS
from watchglass.store import Engine

NEW_COLUMNS = (
    *("new_cost_usd", "new_price_source", "new_price_id", "new_unpriced_reason"),
    *("new_provider", "new_provider_source", "changed"),
)

_NEEDED = (
    *("time", "kind", "success", "provider", "provider_source", *USAGE),
    *("cost_usd", "price_source", "price_id", "unpriced_reason"),
)
_UNKNOWN = 2**32 - 1
"""The number of a value that no price now has."""


class Priced(msgspec.Struct, frozen=True):
    """The SQL of a window's calls as the book prices them now."""

    window: Window
    expressions: Mapping[str, str]
    values: Mapping[str, object]
    needs: Sequence[str]

    def source(
        self, columns: Sequence[str], new: Sequence[str] = NEW_COLUMNS, *, only: str = "1"
    ) -> tuple[str, dict[str, object]]:
        """A SELECT of these columns of `store.calls` and of (some of) `NEW_COLUMNS`, and its parameters.

        `changed` is 1 where any of the six new values is another than the row has. A row whose names came
        after the book was asked, or whose cost the money column could not hold, keeps what it has.
        `only` is one more condition on the rows as they are.
        """
        params = dict(self.values)
        condition = self.window.condition(params)
        held = list(dict.fromkeys((*columns, *self.needs)))
        sql = f"SELECT {', '.join(held)} FROM store.calls FINAL WHERE {condition} AND {only}"
        return nested(sql, held, self.expressions, list(dict.fromkeys((*columns, *new)))), params


@contextmanager
def sql_prices(
    engine: Engine, book: PriceBook, window: Window, *, detect_provider: bool = False
) -> Generator[Priced]:
    """Ask the book, as it is now, about the calls of a window; `detect_provider` asks anew who served them.

    What the engine looks up is there until the context ends. Raises `QueryError` for an impossible window.
    """
    names = (*PRICED_BY, *(DETECTED_BY if detect_provider else ()))
    now = book.copied()  # a book of its own, so that all that is asked is of one edition
    with lookups(engine) as made:
        found = distinct(engine, window, names, now.tenants)
        servers = served(found) if detect_provider else None
        said = terms(now, keys(found, servers), window)
        params: dict[str, object] = {}
        expressions = {
            "p_time": "toUnixTimestamp64Nano(time)",
            **_by_names(made, params, found, said, servers),
            **COUNTS,
            **_by_terms(made, params, said, highest(engine, window)),
            **COMPARED,
        }
        yield Priced(window, expressions, params, tuple(dict.fromkeys((*_NEEDED, *names))))


def _by_names(
    made: Lookups, params: dict[str, object], names: Names, said: Terms, servers: Served | None
) -> dict[str, str]:
    """What the names of a row decide: its timeline and who served it."""
    same = {name: f"CAST({name} AS {TEXT})" for name in ("provider", "provider_source")}
    if servers is None:
        found = looked_up(made, params, names, {"timeline": said.timelines})
        return {"p_timeline": found["timeline"], **{f"new_{name}": sql for name, sql in same.items()}}
    numbers = {each: number for number, each in enumerate(dict.fromkeys(servers), 1)}
    facts = {"timeline": said.timelines, "server": [numbers[each] for each in servers]}
    found = looked_up(made, params, names, facts)
    providers, sources = zip(("", ""), *((one or "", other or "") for one, other in numbers), strict=True)
    table = made.numbered(pa.table({"provider": pa.array(providers), "provider_source": pa.array(sources)}))
    return {
        "p_timeline": found["timeline"],
        "p_server": f"toUInt64({found['server']})",
        **{
            f"new_{name}": f"if(p_server = 0, {sql},"
            f" CAST(nullIf(dictGet('{table}', '{name}', p_server), '') AS {TEXT}))"
            for name, sql in same.items()
        },
    }


def _by_terms(made: Lookups, params: dict[str, object], said: Terms, most: tuple[int, int]) -> dict[str, str]:
    """What the book says of a row, and what it is to be compared with."""
    segment = _next(made, "p_timeline", said.segments, "p_time", said.time_breaks)
    answer = _next(made, "p_segment", said.days, f"positiveModulo(p_time, {DAY_NS})", said.day_breaks)
    slots = len(said.input_breaks) + 1
    rows = price_rows(said)
    numbers: dict[str, str] = {}
    for column, name in (("price_id", "id"), ("price_source", "source")):
        values = sorted({each for each in rows[name].to_pylist() if each})
        number = {value: at for at, value in enumerate(["", *values])}
        known = pa.array([number[each] for each in rows[name].to_pylist()], pa.uint32())
        rows = rows.append_column(f"{name}_number", known)
        numbers[f"p_old_{name}"] = value_number(made, params, column, values, _UNKNOWN)
    table = made.numbered(rows, wide=WIDE)
    price = {name: f"dictGet('{table}', '{name}', p_row)" for name in rows.column_names}
    return {
        "p_segment": segment,
        "p_answer": answer,
        "p_row": f"p_answer * {slots} + {slot('ifNull(input_tokens, 0)', said.input_breaks)}",
        **{f"p_{name}": price[name] for name in ("reason", "flags", "most_in", "most_out", "id", "source")},
        **reason(unpriced=lacks_prices(rows)),
        **units(price, narrow_only=fits(rows, most)),
        "p_old_reason": value_number(made, params, "unpriced_reason", REASONS[1:], _UNKNOWN),
        **numbers,
        **{f"p_new_{name}": f"if(p_priced, {price[f'{name}_number']}, 0)" for name in ("id", "source")},
    }


def _next(made: Lookups, number: str, found: Sequence[int], value: str, breaks: Sequence[int]) -> str:
    """SQL that looks up what follows a number in the slot of a value."""
    table = made.numbered(pa.table({"next": pa.array(found, pa.uint32())}))
    place = f"toUInt64({number}) * {len(breaks) + 1} + {slot(value, breaks)}"
    return f"toUInt64(dictGet('{table}', 'next', {place}))"
