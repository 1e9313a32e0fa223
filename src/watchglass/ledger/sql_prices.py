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

from watchglass.ledger.price_expressions import COUNTS, REASON, USAGE, narrow, nested, slot, wide
from watchglass.ledger.price_keys import DETECTED_BY, PRICED_BY, Served, distinct, keys, looked_up, served
from watchglass.ledger.price_keys import value_number
from watchglass.ledger.price_lookups import Lookups, lookups
from watchglass.ledger.price_rows import REASONS, price_rows
from watchglass.ledger.price_terms import Terms, terms
from watchglass.ledger.window import Window
from watchglass.pricing.book import PriceBook
from watchglass.pricing.rates import CLASSES
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
_WIDE = ("finer", "wide_request", *(f"wide_{name}" for name in CLASSES))
_KEPT = REASONS.index("kept")
_UNKNOWN = 2**32 - 1
_TEXT = "LowCardinality(Nullable(String))"


class Priced(msgspec.Struct, frozen=True):
    """The SQL of a window's calls as the book prices them now."""

    window: Window
    expressions: Mapping[str, str]
    values: Mapping[str, object]
    needs: Sequence[str]

    def source(
        self, columns: Sequence[str], new: Sequence[str] = NEW_COLUMNS
    ) -> tuple[str, dict[str, object]]:
        """A SELECT of these columns of `store.calls` and of `NEW_COLUMNS` (or some of them), with its parameters.

        `changed` is 1 where any of the six new values is another than the row has. A row whose names came
        after the book was asked, or whose cost the money column could not hold, keeps what it has.
        """
        params = dict(self.values)
        condition = self.window.condition(params)
        held = list(dict.fromkeys((*columns, *self.needs)))
        sql = f"SELECT {', '.join(held)} FROM store.calls FINAL WHERE {condition}"
        return nested(sql, held, self.expressions, list(dict.fromkeys((*columns, *new)))), params


@contextmanager
def sql_prices(
    engine: Engine, book: PriceBook, window: Window, *, detect_provider: bool = False
) -> Generator[Priced]:
    """Ask the book, as it is now, about the calls of a window; `detect_provider` asks anew who served them.

    What the engine looks up is there until the context ends. Raises `QueryError` for an impossible window.
    """
    names = (*PRICED_BY, *(DETECTED_BY if detect_provider else ()))
    now = PriceBook(book.layers)  # a book of its own, so that all that is asked is of one edition
    with lookups(engine) as made:
        found = distinct(engine, window, names)
        servers = served(found) if detect_provider else None
        said = terms(now, keys(found, servers), window)
        params: dict[str, object] = {}
        expressions = {
            **_by_names(made, params, found, said, servers),
            **COUNTS,
            **_by_terms(made, params, said),
            **_compared(),
        }
        yield Priced(window, expressions, params, tuple(dict.fromkeys((*_NEEDED, *names))))


def _by_names(
    made: Lookups, params: dict[str, object], names: Mapping[str, Sequence[str | None]], said: Terms,
    servers: Served | None,
) -> dict[str, str]:  # fmt: skip
    facts: dict[str, Sequence[int]] = {"timeline": said.timelines}
    kept = {"new_provider": f"CAST(provider AS {_TEXT})", "new_provider_source": f"CAST(provider_source AS {_TEXT})"}
    if servers is not None:
        distinct_servers = {each: number for number, each in enumerate(dict.fromkeys(servers), 1)}
        facts["server"] = [distinct_servers[each] for each in servers]
    found = looked_up(made, params, names, facts)
    first = {
        "p_timeline": found["timeline"],
        "p_server": found.get("server", "0"),
        "p_time": "toUnixTimestamp64Nano(time)",
    }
    if servers is None:
        return {**first, **kept}
    ids = made.numbered(pa.table({
        "provider": pa.array(["", *(provider or "" for provider, _ in distinct_servers)], pa.string()),
        "source": pa.array(["", *(source or "" for _, source in distinct_servers)], pa.string()),
    }))
    new = {
        f"new_{column}": f"if(p_server = 0, {kept[f'new_{column}']},"
        f" CAST(nullIf(dictGet('{ids}', '{name}', toUInt64(p_server)), '') AS {_TEXT}))"
        for column, name in (("provider", "provider"), ("provider_source", "source"))
    }
    return {**first, **new}


def _by_terms(made: Lookups, params: dict[str, object], said: Terms) -> dict[str, str]:
    answer = _numbered_step(made, "p_timeline", said.segments, "p_time", said.time_breaks)
    moment = f"positiveModulo(p_time, {DAY_NS})"
    if said.day_breaks:
        answer = _numbered_step(made, answer, said.days, moment, said.day_breaks)
    else:
        answer = _numbered_step(made, answer, said.days, "p_time", [])
    rows = price_rows(said)
    ids, sources = (sorted(set(rows[name].to_pylist()) - {""}) for name in ("price_id", "source"))
    for name, known in (("price_id", ids), ("source", sources)):
        numbers = {"": 0, **{value: number for number, value in enumerate(known, 1)}}
        rows = rows.append_column(
            f"{name}_number", pa.array([numbers[each] for each in rows[name].to_pylist()], pa.uint32())
        )
    prices = made.numbered(rows, wide=_WIDE)
    price = {name: f"dictGet('{prices}', '{name}', p_row)" for name in rows.column_names}
    slots = len(said.input_breaks) + 1
    row = f"toUInt64({answer}) * {slots} + {slot('ifNull(input_tokens, 0)', said.input_breaks)}"
    fits = "p_whole_in <= p_most AND p_whole_out <= p_most"
    priced = "kind = 'call' AND p_new_reason = 0"
    return {
        "p_row": row,
        "p_reason": price["reason"],
        "p_flags": price["flags"],
        "p_most": price["most"],
        "p_new_reason": REASON,
        **wide(price),
        "p_units": f"if({priced}, if({fits}, toInt128({narrow(price)}), p_rounded), toInt128(0))",
        "p_kept": f"kind = 'call' AND (p_new_reason = {_KEPT} OR p_units < 0)",
        "p_priced": f"{priced} AND p_units >= 0",
        "p_old_reason": value_number(made, params, "unpriced_reason", REASONS[1:], _UNKNOWN),
        "p_old_id": value_number(made, params, "price_id", ids, _UNKNOWN),
        "p_old_source": value_number(made, params, "price_source", sources, _UNKNOWN),
        "p_new_id": f"if(p_priced, {price['price_id_number']}, 0)",
        "p_new_source": f"if(p_priced, {price['source_number']}, 0)",
        "p_text_id": price["price_id"],
        "p_text_source": price["source"],
    }


def _numbered_step(
    made: Lookups, number: str, found: Sequence[int], value: str, breaks: Sequence[int]
) -> str:
    """SQL that looks up what follows a number in the slot of a value."""
    table = made.numbered(pa.table({"next": pa.array(found, pa.uint32())}))
    at = f"toUInt64({number})" + (f" * {len(breaks) + 1} + {slot(value, breaks)}" if breaks else "")
    return f"dictGet('{table}', 'next', toUInt64({at}))"


def _compared() -> dict[str, str]:
    reasons = "[" + ", ".join(f"'{each}'" for each in REASONS) + "]"
    cost = "reinterpret(p_units, 'Decimal(38, 18)')"
    other_cost = "(cost_usd IS NULL) = p_priced OR (p_priced AND reinterpretAsInt128(assumeNotNull(cost_usd)) != p_units)"
    return {
        "new_cost_usd": f"if(p_kept, cost_usd, if(p_priced, {cost}, NULL))",
        "new_price_source": f"if(p_kept, price_source, CAST(if(p_priced, p_text_source, NULL) AS {_TEXT}))",
        "new_price_id": f"if(p_kept, price_id, CAST(if(p_priced, p_text_id, NULL) AS {_TEXT}))",
        "new_unpriced_reason": f"if(p_kept, unpriced_reason, CAST(nullIf({reasons}[p_new_reason + 1], '') AS {_TEXT}))",
        "p_otherwise": f"NOT p_kept AND (p_old_reason != p_new_reason OR p_old_id != p_new_id"
        f" OR p_old_source != p_new_source OR {other_cost})",
        "p_moved": "isDistinctFrom(provider, new_provider) OR isDistinctFrom(provider_source, new_provider_source)",
        "changed": "toUInt8(p_otherwise OR p_moved)",
    }
