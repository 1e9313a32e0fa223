"""WG010: a price of a model written into the code."""

from __future__ import annotations

import ast
import bisect
import math
import re
from collections.abc import Iterator

from watchglass.check.finding import WARNING
from watchglass.check.rule import Found, Rule, Subject
from watchglass.check.rules import wg010_amounts as amounts
from watchglass.check.rules import wg010_places as places
from watchglass.check.rules import wg010_tables as tables
from watchglass.check.rules import wg010_words as words
from watchglass.check.rules.wg010_amounts import is_amount, is_number
from watchglass.check.scopes import FUNCTIONS, Place, inner

_OF_THEIR_OWN = (*FUNCTIONS, ast.ClassDef)
"""What has names of its own."""
_TELLING = frozenset(
    [ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Return, ast.keyword, ast.Dict, ast.Call, *FUNCTIONS]
)
"""What can be a finding (`_told`, `_scaled`)."""


def check(subject: Subject) -> Iterator[Found]:
    """Names and tables that hold a price, and sums that count with one: one finding a statement."""
    place = Place(subject.module.scanned.module)
    near = places.lines(subject)
    subject.module.scanned.calls_near(near)
    pending: list[tuple[ast.AST, Place, str]] = [(subject.module.source.tree, place, "")]
    while pending:
        node, place, named = pending.pop()
        if isinstance(node, ast.stmt):
            nearest = bisect.bisect_left(near, node.lineno)
            if nearest == len(near) or near[nearest] > (node.end_lineno or node.lineno):
                continue
        if isinstance(node, _OF_THEIR_OWN):
            scope = subject.module.scanned.scope(node)
            if scope is not None:
                place = Place(scope)
                named = getattr(node, "name", named) if isinstance(node, FUNCTIONS) else ""
        told = (_told(node, named) or _scaled(node, place)) if node.__class__ in _TELLING else None
        if told:
            yield Found(told[0], place, told[1])
            if not isinstance(node, FUNCTIONS):
                continue  # one finding a statement; a default is not all of a function
        below = _name_of(node) or named
        pending += [(each, place, below) for each in inner(node)]


def _told(node: ast.AST, named: str) -> tuple[ast.expr | ast.stmt, str] | None:
    """The finding that a node is, with all that is below it."""
    if isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign)) and node.value is not None:
        return _assigned(node, node.value, named)
    if isinstance(node, ast.Return) and node.value is not None:
        if words.is_sum_name(named) and amounts.counts(node.value):
            return node, f"{named} works with a price in the code"
        if words.is_sum_name(named) and is_number(node.value) and amounts.is_tiny(node.value):
            return node, f"{named} gives back a price in the code"
    elif isinstance(node, ast.keyword):
        if node.arg and words.is_price_name(node.arg) and is_number(node.value):
            return node.value, f"{node.arg} is a price in the code"
        if node.arg and words.is_sum_name(node.arg) and amounts.counts(node.value):
            return node.value, f"{node.arg} is worked out with a price in the code"
    elif isinstance(node, ast.Dict):
        return tables.table(node, named)
    elif isinstance(node, ast.Call):
        return _given(node)
    elif isinstance(node, FUNCTIONS):
        return _default(node)
    return None


def _assigned(
    node: ast.Assign | ast.AnnAssign | ast.AugAssign, value: ast.expr, named: str
) -> tuple[ast.stmt, str] | None:
    name = _name_of(node)
    if "multiplier" in name.lower() and all(
        amounts.amount(each) in (1, math.inf) for each in ast.walk(value)
    ):
        return None  # what changes nothing is no price
    if words.is_price_name(name) and is_number(value):
        return node, f"{name} is a price in the code"
    if (
        words.RATE.search(name)
        and words.is_sum_name(named)
        and is_number(value)
        and not amounts.is_unit(value)
    ):
        return node, f"{name} in {named} is a price in the code"
    if words.is_sum_name(name) and amounts.counts(value.body if isinstance(value, ast.Lambda) else value):
        return node, f"{name} is worked out with a price in the code"
    if words.PRICE.search(name) and not words.OTHER.search(name) and tables.lists_prices(value, name):
        return node, f"{name} holds prices in the code"
    target = node.targets[0] if isinstance(node, ast.Assign) else None
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        for each, given in zip(target.elts, value.elts, strict=False):
            if isinstance(each, ast.Name) and words.is_price_name(each.id) and is_number(given):
                return node, f"{each.id} is a price in the code"
    return None


def _scaled(node: ast.AST, place: Place) -> tuple[ast.stmt, str] | None:
    """`cost *= 2`, of a cost that is worked out in the same function with a price."""
    if not isinstance(node, ast.AugAssign) or not isinstance(node.op, (ast.Mult, ast.Div)):
        return None
    target, value = node.target, node.value
    if not isinstance(target, ast.Name) or not words.is_sum_name(target.id):
        return None
    if not is_amount(value) or amounts.is_unit(value) or amounts.amount(value) == 1:
        return None
    given = (each.node for each in place.scope.names.get(target.id, ()))
    if any(isinstance(each, ast.expr) and amounts.counts(each) for each in given):
        return node, f"{target.id} is worked out with a price in the code"
    return None


def _given(node: ast.Call) -> tuple[ast.expr, str] | None:
    """`Model("gpt-4o", 4096, 0.000005, 0.000015)`, `prices.get(model, 0.002)`, `Pricing(3.0, 15.0)`."""
    texts = [each.value for each in node.args if isinstance(each, ast.Constant)]
    models = [each for each in texts if isinstance(each, str) and words.MODEL.search(each)]
    if models and any(is_amount(each) and 0 < amounts.amount(each) < words.OF_A_TOKEN for each in node.args):
        return node, f"prices of {models[0]} in the code"
    called = node.func
    if isinstance(called, ast.Attribute) and called.attr in {"get", "pop", "getenv"} and len(node.args) == 2:
        asked, default = node.args
        owner = called.value.id if isinstance(called.value, ast.Name) else getattr(called.value, "attr", "")
        if isinstance(asked, ast.Constant) and words.is_priced_setting(str(asked.value)) and is_number(node):
            return default, f"{asked.value} has a price as its default in the code"
        if (
            words.holds(owner)
            and amounts.has_number(default)
            and (amounts.is_tiny(default) or _asks_for_model(asked))
        ):
            return default, f"{owner} has a price as its default in the code"
        return None
    name = called.id if isinstance(called, ast.Name) else getattr(called, "attr", "")
    if name[:1].isupper() and words.holds(name):
        plain = [each for each in node.args if is_number(each)]
        named = [each.value for each in node.keywords if each.arg in words.SIDES and is_number(each.value)]
        if named or (len(plain) > 1 and len(plain) == len(node.args)):
            return node, f"{name} is given a price in the code"
    return None


def _asks_for_model(node: ast.expr) -> bool:
    said = {each.value for each in ast.walk(node) if isinstance(each, ast.Constant)}
    said |= {getattr(each, "id", "") or getattr(each, "attr", "") for each in ast.walk(node)}
    return any(isinstance(each, str) and re.search(r"model|llm|engine", each, re.I) for each in said) or any(
        isinstance(each, str) and words.MODEL.search(each) for each in said
    )


def _default(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> tuple[ast.expr, str] | None:
    arguments = node.args
    positional = [*arguments.posonlyargs, *arguments.args]
    pairs = [
        *zip(reversed(positional), reversed(arguments.defaults), strict=False),
        *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=False),
    ]
    for argument, default in pairs:
        if default is not None and words.is_price_name(argument.arg) and is_number(default):
            return default, f"{argument.arg} is a price in the code"
    return None


def _name_of(node: ast.AST) -> str:
    """The name that a value is given."""
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        target: ast.expr | None = node.targets[0]
    elif isinstance(node, (ast.AnnAssign, ast.AugAssign)):
        target = node.target
    else:
        return ""
    if isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Constant):
        return str(target.slice.value)
    return target.id if isinstance(target, ast.Name) else getattr(target, "attr", "")


RULE = Rule(
    code="WG010",
    name="hard-coded-price",
    severity=WARNING,
    summary="A price or the cost of a model is written into the code.",
    because="Prices change without the code, by date, tier, region and size of the prompt: a figure in the "
    "code is wrong from some day on and nobody is told, and it disagrees with the bill that everybody "
    "else sees.",
    source="https://openai.com/api/pricing/",
    fix="take the cost from the recorded call, or ask the price book (`watchglass prices show MODEL`); a "
    "price of your own goes into it (`watchglass prices set`)",
    wants=places.wants,
    check=check,
    wrong="""\
PRICES = {"gpt-4o": {"input": 2.50, "output": 10.00}}


def cost(model: str, input_tokens: int) -> float:
    return input_tokens / 1_000_000 * PRICES[model]["input"]
""",
    right="""\
def cost(call) -> str:
    return call.cost_usd
""",
)
