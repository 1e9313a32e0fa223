"""Tables and lists of prices."""

from __future__ import annotations

import ast

from watchglass.check.rules import wg010_amounts as amounts
from watchglass.check.rules import wg010_words as words
from watchglass.check.rules.wg010_amounts import amount, has_number, is_amount, is_number


def lists_prices(node: ast.expr, name: str) -> bool:
    """`(("gpt-5", 30.0, 180.0), …)`: rows that begin with a model, or numbers under a name in capitals."""
    if not isinstance(node, (ast.Tuple, ast.List)) or not node.elts:
        return False
    if all(is_number(each) or amounts.is_zero(each) for each in node.elts):
        return words.is_price_name(name) and any(is_number(each) for each in node.elts)
    inside = [each for row in node.elts for each in ast.walk(row)]
    models = any(
        isinstance(each, ast.Constant) and isinstance(each.value, str) and words.MODEL.search(each.value)
        for each in inside
    )
    sums = [each for each in inside if is_amount(each)]
    named = any(isinstance(each, ast.Constant) and isinstance(each.value, str) for each in inside)
    rows = all(isinstance(row, (ast.Tuple, ast.List)) for row in node.elts)
    broken = any(isinstance(each, ast.Constant) and isinstance(each.value, float) for each in sums)
    return bool(sums) and (models or (rows and named and broken and name.lstrip("_").isupper()))


def table(node: ast.Dict, named: str) -> tuple[ast.expr, str] | None:
    """A table of prices: by model under a name that says so, or with keys that do."""
    keys = [key.value for key in node.keys if isinstance(key, ast.Constant) and isinstance(key.value, str)]
    numbers = any(has_number(value) for value in node.values)
    if not numbers:
        return _sum_in(node)
    priced = bool(words.PRICE.search(named)) and not words.OTHER.search(words.MAP.sub("", named))
    priced = priced or (bool(words.RATE.search(named)) and any(words.MODEL.search(key) for key in keys))
    models = [key for key in (_keys_within(node) if priced else keys) if words.MODEL.search(key)]
    if models and (priced or any(_holds_price(value) for value in node.values)):
        return node, f"a table of prices of {len(models)} model{'s' * (len(models) != 1)} in the code"
    if _has_sides(node) or _is_priced_model(node):
        return node, "a table of prices by model in the code"
    sides = {each.lower() for each in keys} & {"input", "output", "prompt", "completion"}
    if priced and (sides or named.lstrip("_").isupper()):
        return node, f"{named} holds prices in the code"
    if _holds_price(node):
        return node, "a table of prices in the code"
    return _sum_in(node)


def _has_sides(node: ast.Dict) -> bool:
    """`{"gpt-4o": {"input": 2.5, "output": 10.0}}` under any name: broken numbers, so no limits of tokens."""
    for key, value in zip(node.keys, node.values, strict=True):
        if not (
            isinstance(key, ast.Constant) and isinstance(key.value, str) and words.MODEL.search(key.value)
        ):
            continue
        if isinstance(value, ast.Dict):
            sides = {
                side.value: given
                for side, given in zip(value.keys, value.values, strict=True)
                if isinstance(side, ast.Constant) and side.value in {*words.SIDES, "in", "out"}
            }
            sums = [amount(each) for each in sides.values() if is_amount(each)]
            if len(sums) > 1 and any(each % 1 for each in sums) and max(sums) < words.DEAREST:
                return True
    return False


def _is_priced_model(node: ast.Dict) -> bool:
    """`{"id": "gpt-4o", "cost": {"input": 2.5, "output": 10}}`: a model, and sides under a telling name."""
    texts = [each.value for each in node.values if isinstance(each, ast.Constant)]
    if not any(isinstance(each, str) and words.MODEL.search(each) for each in texts):
        return False
    for key, value in zip(node.keys, node.values, strict=True):
        named = key.value if isinstance(key, ast.Constant) else None
        if isinstance(named, str) and words.holds(named) and isinstance(value, ast.Dict):
            sides = {each.value for each in value.keys if isinstance(each, ast.Constant)}
            if sides & words.SIDES and has_number(value):
                return True
    return False


def _keys_within(node: ast.Dict) -> list[str]:
    """The texts that are keys of a table and of the tables in it: models by provider."""
    tables = [each for each in ast.walk(node) if isinstance(each, ast.Dict)]
    keys = [key.value for table in tables for key in table.keys if isinstance(key, ast.Constant)]
    return [key for key in keys if isinstance(key, str)]


def _sum_in(node: ast.Dict) -> tuple[ast.expr, str] | None:
    """`{"input_cost": tokens * 0.00003}`."""
    for key, value in zip(node.keys, node.values, strict=True):
        named = key.value if isinstance(key, ast.Constant) else None
        if isinstance(named, str) and words.is_sum_name(named) and amounts.counts(value):
            return value, f"{named} is worked out with a price in the code"
    return None


def _holds_price(node: ast.expr) -> bool:
    if not isinstance(node, ast.Dict):
        return False
    return any(
        isinstance(key, ast.Constant)
        and isinstance(key.value, str)
        and words.is_price_name(key.value)
        and is_number(value)
        for key, value in zip(node.keys, node.values, strict=True)
    )
