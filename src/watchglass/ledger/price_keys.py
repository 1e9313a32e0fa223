"""The distinct sets of names of some calls, and how a row's own becomes a number.

Names are kept in dictionaries by the engine (`LowCardinality`), so that a function of one of them is
reckoned once a name and not once a row. Each name gets a number, and the numbers of a row's names make
one: in mixed radix where that fits 64 bits, else they are looked up together, which is slower.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from itertools import product

import pyarrow as pa

from watchglass.ledger.price_lookups import Lookups
from watchglass.ledger.price_terms import Key
from watchglass.ledger.window import Window
from watchglass.pricing.provider import detect
from watchglass.store import Engine

PRICED_BY = ("provider", "response_model", "request_model", "service_tier", "tenant")
DETECTED_BY = ("provider_source", "provider_label", "server_address")
"""What says who served a call, besides the models."""

Names = Mapping[str, Sequence[str | None]]
Served = Sequence[tuple[str | None, str | None]]

_FEW = 1_000
_FEW_SETS = 1_000
_FLAT = 1_000_000


def distinct(engine: Engine, window: Window, names: Sequence[str], tenants: Collection[str]) -> Names:
    """Every set of names in the window; superseded rows' too, for one too many is harmless.

    So where few sets can be made of the names at all, all of them are, and the engine need only look for
    the names of one column at a time, which is ten times faster. Of tenants only those that the book
    names, for it says the same to all others.
    """
    named = "if(has({tenants:Array(String)}, ifNull(tenant, '')), tenant, NULL)" if tenants else "NULL"
    columns = {name: named if name == "tenant" else name for name in names}
    params: dict[str, object] = {"tenants": sorted(tenants)}
    condition = window.condition(params)

    def found(those: Sequence[str]) -> list[list[str | None]]:
        selected = ", ".join(f"{columns[name]} AS p_{name}" for name in those)
        rows = engine.execute(f"SELECT DISTINCT {selected} FROM store.calls WHERE {condition}", params)
        return [rows[f"p_{name}"].to_pylist() if rows.num_rows else [] for name in those]

    single = [found([name])[0] if columns[name] != "NULL" else [None] for name in names]
    if math.prod(map(len, single)) > _FEW_SETS:
        return dict(zip(names, found(names), strict=True))
    sets = list(product(*single))
    return {name: [each[at] for each in sets] for at, name in enumerate(names)}


def highest(engine: Engine, window: Window) -> tuple[int, int]:
    """The most input and the most output tokens of a call of the window."""
    params: dict[str, object] = {}
    found = engine.execute(
        f"""
        SELECT max(ifNull(input_tokens, 0)) AS most_in, max(ifNull(output_tokens, 0)) AS most_out
        FROM store.calls
        WHERE {window.condition(params)}
        """,
        params,
    )
    return (found["most_in"][0].as_py(), found["most_out"][0].as_py()) if found.num_rows else (0, 0)


def served(names: Names) -> Served:
    """Who served each, as if it came now; what LiteLLM itself had resolved is nowhere else than there."""
    columns = (*DETECTED_BY, "request_model", "response_model", "provider")
    return [
        (provider, source)
        if source == "hidden_params"
        else detect(label=label, server_address=address, request_model=asked, response_model=answered)
        for source, label, address, asked, answered, provider in zip(
            *(names[column] for column in columns), strict=True
        )
    ]


def keys(names: Names, found: Served | None) -> list[Key]:
    """What the book is asked about, in order."""
    providers = names["provider"] if found is None else [provider for provider, _ in found]
    others = zip(*(names[name] for name in PRICED_BY[1:]), strict=True)
    return [Key(provider, *rest) for provider, rest in zip(providers, others, strict=True)]


def value_number(
    made: Lookups, params: dict[str, object], column: str, values: Sequence[str], unknown: int
) -> str:
    """SQL for the number of a column's value: 0 of NULL, then in the order of `values`, else `unknown`."""
    if not values:
        return f"if({column} IS NULL, 0, {unknown})"
    numbers = list(range(1, len(values) + 1))
    if len(values) <= _FEW:
        params |= {f"values_{column}": list(values), f"numbers_{column}": numbers}
        known = (
            f"transform({column}, {{values_{column}:Array(String)}}, {{numbers_{column}:Array(UInt32)}},"
            f" toUInt32({unknown}))"
        )
    else:
        rows = pa.table({"name": pa.array(values, pa.string()), "number": pa.array(numbers, pa.uint32())})
        found = made.add(rows, ("name",), flat=False)
        known = f"dictGetOrDefault('{found}', 'number', ifNull({column}, ''), toUInt32({unknown}))"
    return f"if({column} IS NULL, toUInt32(0), assumeNotNull({known}))"


def looked_up(
    made: Lookups, params: dict[str, object], names: Names, facts: Mapping[str, Sequence[int]]
) -> dict[str, str]:
    """SQL for each of the facts (numbers, by set of names) of a row; 0 for a set that is not there."""
    values = {name: sorted({each for each in column if each is not None}) for name, column in names.items()}
    ids: dict[str, list[int]] = {}
    parts: dict[str, str] = {}
    for name, column in names.items():
        number: dict[str | None, int] = {None: 0, **{value: at for at, value in enumerate(values[name], 1)}}
        ids[name] = [number[each] for each in column]
        # The book says the same to every tenant that it does not name.
        unknown = 0 if name == "tenant" else len(number)
        parts[name] = value_number(made, params, name, values[name], unknown)
    radix = {name: len(each) + 2 for name, each in values.items()}
    columns = {name: pa.array(column, pa.uint32()) for name, column in facts.items()}
    if math.prod(radix.values()) < 2**63:
        key, sql, size = [0] * len(ids["provider"]), "toUInt64(0)", 1
        for name in names:
            key = [total + each * size for total, each in zip(key, ids[name], strict=True)]
            sql, size = f"{sql} + toUInt64({parts[name]}) * {size}", size * radix[name]
        table = made.add(pa.table({"place": pa.array(key, pa.uint64()), **columns}), flat=size <= _FLAT)
    else:
        rows = {name: pa.array(column, pa.uint32()) for name, column in ids.items()}
        table = made.add(pa.table({**rows, **columns}), tuple(rows), flat=False)
        sql = f"tuple({', '.join(parts.values())})"
    return {name: f"dictGet('{table}', '{name}', {sql})" for name in facts}
