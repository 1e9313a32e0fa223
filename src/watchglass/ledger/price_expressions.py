"""The arithmetic of `pricing.rates` as SQL, over the columns of `store.calls`.

All in integers. The usual cost is far below 2⁶³ of the smallest unit and is reckoned in 64 bits, which
is checked row by row (`most`); any other is reckoned in 256, where nothing can overflow.

The counts are bounded as `rates._bounded` bounds them; where nothing needs to be, that changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence, Set

from watchglass.ledger.price_rows import (
    COUNT_INPUT,
    COUNT_OUTPUT,
    INPUT_COSTS,
    OTHER_UNITS,
    OUTPUT_COSTS,
    REASONS,
    UNPRICED,
)
from watchglass.pricing.rates import CLASSES

USAGE = (
    *("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "cache_write_1h_tokens"),
    *("reasoning_tokens", "input_audio_tokens", "output_audio_tokens"),
)

_NAME = re.compile(r"\w+")
_COLUMN_HOLDS = 10**38 - 1
_MOST_COMPARED = 8
_BESIDE = 4
"""Links of a chain of names in one SELECT; measured, of 1 to 5."""


def slot(value: str, breaks: Sequence[int]) -> str:
    """How many breaks are at or below a value."""
    if not breaks:
        return "0"
    if len(breaks) <= _MOST_COMPARED:
        return "(" + " + ".join(f"({value} >= {_int64(each)})" for each in breaks) + ")"
    every = ", ".join(_int64(each) for each in breaks)
    return (
        f"if({value} < {_int64(breaks[0])}, 0, transform(roundDown({value}, [{every}]), [{every}],"
        f" [{', '.join(str(number + 1) for number in range(len(breaks)))}], 0))"
    )


def _int64(value: int) -> str:
    return f"toInt64('{value}')"


def _part(count: str, left: str) -> str:
    return f"least(greatest({count}, 0), {left})"


COUNTS: Mapping[str, str] = {
    "p_whole_in": "greatest(ifNull(input_tokens, 0), 0)",
    "p_cache_read": _part("ifNull(cache_read_tokens, 0)", "p_whole_in"),
    "p_unread": "p_whole_in - p_cache_read",
    "p_hour": "ifNull(cache_write_1h_tokens, 0)",
    "p_written": _part("ifNull(cache_write_tokens, p_hour)", "p_unread"),
    "p_unwritten": "p_unread - p_written",
    "p_input_audio": _part("ifNull(input_audio_tokens, 0)", "p_unwritten"),
    "p_input": "p_unwritten - p_input_audio",
    "p_cache_write_1h": _part("p_hour", "p_written"),
    "p_cache_write": "p_written - p_cache_write_1h",
    "p_cached_audio": "least(p_cache_read, p_input_audio)",
    "p_whole_out": "greatest(ifNull(output_tokens, 0), 0)",
    "p_output_audio": _part("ifNull(output_audio_tokens, 0)", "p_whole_out"),
    "p_spoken": "p_whole_out - p_output_audio",
    "p_reasoning": _part("ifNull(reasoning_tokens, 0)", "p_spoken"),
    "p_output": "p_spoken - p_reasoning",
}
"""Tokens of each class of price, `p_<class>`, and what they are reckoned from."""


# Conditions are sums and products of ones and zeros: over AND, OR and multiIf the engine goes row by row,
# to spare what would cost it less than the sparing.
def _number(reason: str) -> int:
    return REASONS.index(reason)


def reason(unpriced: bool) -> Mapping[str, str]:
    """The number of the reason why a call has no price, 0 where it has one or is none: `p_new_reason`.

    `unpriced` says whether there are prices that lack some class.
    """
    used = [f"(p_{name} > 0) * {bit}" for name, bit in UNPRICED.items()] if unpriced else []
    unfit, missing = _number("tier_unknown"), _number("tokens_missing")
    return {
        "p_no_in": "isNull(input_tokens)",
        "p_no_out": "isNull(output_tokens)",
        "p_lacks": " + ".join(
            [str(OTHER_UNITS), f"p_no_in * {INPUT_COSTS}", f"p_no_out * {OUTPUT_COSTS}", *used]
        ),
        "p_costless": "bitAnd(p_flags, p_lacks) != 0",
        "p_uncounted": f"bitAnd(p_flags, p_no_in * {COUNT_INPUT} + p_no_out * {COUNT_OUTPUT}) != 0",
        "p_by_usage": f"p_costless * ({unfit} - {unfit - missing} * p_uncounted)",
        "p_by_book": "p_reason + (p_reason = 0) * p_by_usage",
        "p_untold": "p_no_in * p_no_out",
        "p_is_call": "kind = 'call'",
        "p_new_reason": "toUInt8(p_is_call * "
        f"(p_untold * ({_number('failed_without_usage')} + success) + (1 - p_untold) * p_by_book))",
    }


_PRICED = "p_is_call * (p_new_reason = 0)"


def units(price: Mapping[str, str], *, narrow_only: bool) -> Mapping[str, str]:
    """The cost in 10⁻¹⁸ dollars, `p_units`; `price` says how a column of the row of prices is looked up.

    In 256 bits it is rounded half to even, and -1 where the money column cannot hold it. `narrow_only`
    says that 64 bits hold every cost; a row of which that is not true is -1 too.
    """
    narrow = " + ".join([price["request"], *(f"p_{name} * {price[name]}" for name in CLASSES)])
    wide = (f"toInt256(p_{name}) * {price[f'wide_{name}']}" for name in CLASSES)
    return {
        "p_wide": " + ".join([price["wide_request"], *wide]),
        "p_finer": price["finer"],
        "p_floor": "intDiv(p_wide, p_finer)",
        "p_rest": "(p_wide - p_floor * p_finer) * 2",
        "p_even": "p_floor + toInt256(p_rest > p_finer OR (p_rest = p_finer AND p_floor % 2 = 1))",
        "p_rounded": f"if(p_even > toInt256('{_COLUMN_HOLDS}'), toInt128(-1), toInt128(p_even))",
        "p_fits": "toUInt8((p_whole_in <= p_most_in) * (p_whole_out <= p_most_out))",
        "p_narrow": narrow,
        "p_reckoned": "p_fits * (p_narrow + 1) - 1"
        if narrow_only
        else "if(p_fits, toInt128(p_narrow), p_rounded)",
        "p_priced": f"toUInt8({_PRICED} * (p_reckoned >= 0))",
        "p_units": "toInt128(p_reckoned * p_priced)",
        "p_kept": f"toUInt8(p_is_call * ((p_new_reason = {_number('kept')})"
        " + (p_new_reason = 0) * (p_reckoned < 0)))",
    }


TEXT = "LowCardinality(Nullable(String))"
_REASONS = "[" + ", ".join(f"'{each}'" for each in REASONS) + "]"

COMPARED: Mapping[str, str] = {
    "p_new_cost": "reinterpret(p_units, 'Decimal(38, 18)')",
    "new_cost_usd": "if(p_kept, cost_usd, if(p_priced, p_new_cost, NULL))",
    "new_price_source": f"if(p_kept, price_source, CAST(if(p_priced, p_source, NULL) AS {TEXT}))",
    "new_price_id": f"if(p_kept, price_id, CAST(if(p_priced, p_id, NULL) AS {TEXT}))",
    "new_unpriced_reason": "if(p_kept, unpriced_reason,"
    f" CAST(nullIf({_REASONS}[p_new_reason + 1], '') AS {TEXT}))",
    "p_old_units": "reinterpretAsInt128(assumeNotNull(cost_usd))",
    "p_otherwise": """(1 - p_kept) * (
        (p_old_reason != p_new_reason) + (p_old_id != p_new_id) + (p_old_source != p_new_source)
        + (isNull(cost_usd) = p_priced) + p_priced * (p_old_units != p_units)
    )""",
    "p_moved": "isDistinctFrom(provider, new_provider)"
    " OR isDistinctFrom(provider_source, new_provider_source)",
    "changed": "toUInt8(p_otherwise + p_moved > 0)",
}
"""What a row gets, and whether that is another than it has."""


def nested(sql: str, columns: Sequence[str], expressions: Mapping[str, str], wanted: Sequence[str]) -> str:
    """A SELECT of what is wanted of these columns of `sql` and of expressions, which may name others.

    SELECTs one around the other: a name that is used beside where it is made is written out by the
    engine, so that a long chain of such would have to be understood many thousand times over; but a
    SELECT around another has its price too, and so has every column that it hands on.
    """
    uses = {name: _names(sql) & {*columns, *expressions} for name, sql in expressions.items()}
    links: dict[str, int] = {}
    for name in expressions:  # each after those that it names
        links[name] = 1 + max((links.get(each, 0) for each in uses[name]), default=0)
    depths = {name: -(-length // _BESIDE) for name, length in links.items()}
    needed = _needed(uses, wanted)
    for depth in range(1, max((depths[name] for name in needed if name in depths), default=0) + 1):
        made = [name for name in expressions if name in needed and depths[name] == depth]
        later = {*wanted}.union(*(uses[name] for name in needed if depths.get(name, 0) > depth))
        held = [name for name in needed if name in later and depths.get(name, 0) < depth]
        sql = (
            f"SELECT {', '.join([*held, *(f'{expressions[name]} AS {name}' for name in made)])} FROM ({sql})"
        )
    return f"SELECT {', '.join(wanted)} FROM ({sql})"


def _names(expression: str) -> set[str]:
    return set(_NAME.findall(expression))


def _needed(uses: Mapping[str, Set[str]], wanted: Sequence[str]) -> list[str]:
    """What is wanted, and all that it is made of."""
    found: dict[str, None] = {}
    todo = list(wanted)
    while todo:
        if (name := todo.pop()) not in found:
            found[name] = None
            todo += sorted(uses.get(name, ()))
    return list(found)
