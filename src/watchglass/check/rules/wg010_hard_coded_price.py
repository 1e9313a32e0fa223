"""WG010: a price of a model written into the code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from watchglass.check.finding import WARNING
from watchglass.check.rule import NO, YES, Found, Rule, Subject
from watchglass.check.scopes import FUNCTIONS, Place

_PRICE = re.compile(r"cost|price|pricing|usd|dollar", re.I)
_UNIT = re.compile(
    r"token|(?:^|_|per)(?:1?k|1m|1000|1000000|million|mtok|mil)(?:$|_)|input|output|prompt|completion|cache|embedding",
    re.I,
)
_OTHER = re.compile(
    r"max|min(?!i)|limit|budget|threshold|total|target|alert|tolerance|expected|discount|markup|multiplier|ratio|weight|"
    r"width|index|column|format|precision|digits|decimals|estimated?_|count|version|_id$|currency",
    re.I,
)
_MODEL = re.compile(
    r"(?:^|[/.:])(?:gpt-?[345o]|chatgpt|o[134](?:-|$)|text-embedding|text-davinci|davinci|claude|gemini|palm|"
    r"mistral|mixtral|llama|command(?:-|$)|deepseek|qwen|grok|nova-|titan|whisper|dall-e|tts-)",
    re.I,
)
_TOKENS = re.compile(r"tokens?(?:$|_)|_tok$", re.I)
_NEAR = re.compile(
    rb"(?i)(?:cost|pric|usd)\w*[^\n]{0,80}?(?:\d|[{(]\s*$)|tokens?\w*\W{1,4}(?:/|\*)|\*\s*\w*\.?\w*tokens?",
    re.M,
)
_NUMBERS = re.compile(rb"\d\.\d|\de-\d|\"\d|Decimal|: *\d|= *\d")


def wants(data: bytes) -> int:
    """Files that speak of costs and of tokens or models, with numbers near."""
    if (
        b"cost" not in data
        and b"ric" not in data
        and b"COST" not in data
        and b"RIC" not in data
        and b"Cost" not in data
    ):
        return NO
    if b"oken" not in data and b"TOKEN" not in data and b"gpt" not in data and b"claude" not in data:
        return NO
    return YES if _NEAR.search(data) and _NUMBERS.search(data) else NO


def check(subject: Subject) -> Iterator[Found]:
    """Names and tables that hold a price, and sums that count with one; of a table one finding."""
    place = Place(subject.module.scanned.module)
    pending: list[tuple[ast.AST, Place, str]] = [(subject.module.source.tree, place, "")]
    while pending:
        node, place, named = pending.pop()
        scope = subject.module.scanned.scopes.get(node)
        if scope is not None and scope.parent is not None:
            place = Place(scope)
            if isinstance(node, FUNCTIONS):
                named = getattr(node, "name", named)
        told = _told(node, named)
        if told:
            yield Found(told[0], place, told[1])
            continue
        pending += [(each, place, _name_of(node) or named) for each in ast.iter_child_nodes(node)]


def _told(node: ast.AST, named: str) -> tuple[ast.expr | ast.stmt, str] | None:
    """The finding that a node is, with all that is below it."""
    if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
        name = _name_of(node)
        if _is_price_name(name) and _is_number(node.value):
            return node, f"{name} is a price in the code"
    elif isinstance(node, ast.keyword):
        if node.arg and _is_price_name(node.arg) and _is_number(node.value):
            return node.value, f"{node.arg} is a price in the code"
    elif isinstance(node, ast.Dict):
        return _table(node, named)
    elif isinstance(node, ast.BinOp) and _counts(node, named):
        return node, "tokens are multiplied with a price in the code"
    elif isinstance(node, FUNCTIONS):
        return _default(node)
    return None


def _default(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> tuple[ast.expr, str] | None:
    arguments = node.args
    positional = [*arguments.posonlyargs, *arguments.args][
        -len(arguments.defaults) or len(arguments.args) + 1 :
    ]
    pairs = [
        *zip(positional, arguments.defaults, strict=False),
        *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=False),
    ]
    for argument, default in pairs:
        if default is not None and _is_price_name(argument.arg) and _is_number(default):
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


def _is_price_name(name: str) -> bool:
    return bool(_PRICE.search(name) and _UNIT.search(name) and not _OTHER.search(name))


def _table(node: ast.Dict, named: str) -> tuple[ast.expr, str] | None:
    """A table of prices: by model under a name that says so, or with keys that do."""
    keys = [key.value for key in node.keys if isinstance(key, ast.Constant) and isinstance(key.value, str)]
    priced = bool(_PRICE.search(named)) and not _OTHER.search(named)
    models = [key for key in keys if _MODEL.search(key)]
    says_so = priced or any(_holds_price(value) for value in node.values)
    if models and says_so and any(_has_number(value) for value in node.values):
        return node, f"a table of prices of {len(models)} model{'s' * (len(models) != 1)} in the code"
    sides = {each.lower() for each in keys} & {"input", "output", "prompt", "completion"}
    if priced and sides and any(_is_number(value) for value in node.values):
        return node, f"{named} holds prices in the code"
    if _holds_price(node):
        return node, "a table of prices in the code"
    return None


def _holds_price(node: ast.expr) -> bool:
    if not isinstance(node, ast.Dict):
        return False
    return any(
        isinstance(key, ast.Constant)
        and isinstance(key.value, str)
        and _is_price_name(key.value)
        and _is_number(value)
        for key, value in zip(node.keys, node.values, strict=True)
    )


def _has_number(node: ast.expr) -> bool:
    if isinstance(node, ast.Dict):
        return any(_has_number(each) for each in node.values)
    if isinstance(node, (ast.Tuple, ast.List)):
        return any(_is_number(each) for each in node.elts)
    return _is_number(node)


def _is_number(node: ast.expr) -> bool:
    """A number other than nothing, `Decimal("0.03")`, or a sum of such (`0.03 / 1000`)."""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, (int, float)) and not isinstance(node.value, bool) and node.value != 0
    if isinstance(node, ast.BinOp):
        return _is_number(node.left) and _is_number(node.right)
    if isinstance(node, ast.Call) and node.args:
        called = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        first = node.args[0]
        if called == "Decimal" and isinstance(first, ast.Constant):
            return str(first.value).strip("0.-+") != ""
    return False


def _counts(node: ast.BinOp, named: str) -> bool:
    """`usage.prompt_tokens / 1000 * 0.03`, where a cost comes of it."""
    if not isinstance(node.op, (ast.Mult, ast.Add)) or (named and not _PRICE.search(named)):
        return False
    factors = [
        each for each in ast.walk(node) if isinstance(each, ast.BinOp) and isinstance(each.op, ast.Mult)
    ]
    for factor in factors:
        inside = list(ast.walk(factor))
        has_tokens = any(
            isinstance(each, (ast.Name, ast.Attribute)) and _TOKENS.search(_last(each)) for each in inside
        )
        price = any(
            isinstance(each, ast.Constant) and isinstance(each.value, float) and 0 < each.value < 1
            for each in inside
        )
        if has_tokens and price and (bool(named) or _is_tiny(inside)):
            return True
    return False


def _is_tiny(nodes: list[ast.AST]) -> bool:
    return any(
        isinstance(each, ast.Constant) and isinstance(each.value, float) and 0 < each.value < 0.001
        for each in nodes
    )


def _last(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")


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
    "price of your own goes into it (`watchglass prices override`)",
    wants=wants,
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
