"""WG010: a price of a model written into the code."""

from __future__ import annotations

import ast
import bisect
import math
import re
from collections.abc import Iterator

from watchglass.check import tokens
from watchglass.check.expressions import late
from watchglass.check.finding import WARNING
from watchglass.check.rule import NO, YES, Found, Rule, Subject
from watchglass.check.scopes import FUNCTIONS, Place, inner

_PRICE = late(
    r"cost|price|pricing|(?:usd|dollars?|cents?)_per|"
    r"(?:rate|spend|spent|charge|fee)s?_per_(?=\w*tok|1?k|1m|1000|million)",
    re.I,
)
_RATE = late(r"^_*(?:(?:in|out|input|output|prompt|completion|token|cached?|base|model|llm)_)?rates?$", re.I)
"""What a price is called where it is plain that prices are spoken of: beside models, in `def cost`."""
_UNIT = late(
    r"token|(?:^|_)(?:in|out|1?k|1m|1000|1000000|million|mtok|mil)(?:$|_)|per(?!c|form|s|iod)|input|output|prompt|completion|cache|embedding|llm|"
    r"multiplier|markup|surcharge",
    re.I,
)
_OTHER = late(
    r"max|(?:^|_)min(?:_|$)|limit|budget|threshold|total|target|alert|tolerance|expected|discount|seconds|attempts|"
    r"weight|width|index|column|format|precision|digits|decimals|estimated_|count|version|_id$|currency|ratio|page|"
    r"bytes|chars|cost_?map|percentile|quantile|bucket|bins|levels|colou?r|tracking|retention|interval|timeout|batch_size|port$|days|subscription|membership|shipping|ticket|stripe|"
    r"average|(?:^|_)avg|by_(?:cost|price)|insert|delet|substitut|retry|(?:^|_)edit|(?:^|_)gap_",
    re.I,
)
_MAP = late(r"cost_?map", re.I)
"""A table of a file's own, where it has numbers; without, LiteLLM's list that is fetched."""
_OTHER_SUM = late(
    r"limit|budget|threshold|alert|target|tolerance|weight|width|index|column|format|precision|digits|seconds|"
    r"timeout|ratio|bytes|chars|days|distance|version|previous|prior|last|baseline|saving|forecast|projected",
    re.I,
)
"""What is worked out under these names is no cost; a total or an estimate of tokens is one."""
_MODEL = late(
    r"(?:^|[/.:])(?:gpt-?[345o]|chatgpt|o[134](?:-|$)|text-embedding|text-davinci|davinci|claude|gemini|palm|"
    r"mistral|mixtral|llama|command(?:-|$)|deepseek|qwen|grok|nova-|titan|whisper|dall-e|tts-)",
    re.I,
)
_TOKENS = late(r"tokens?(?:$|_)|_tok$", re.I)
_PRICED = late(
    rb"(?:cost|pric|usd_per|dollar|_per_)\w*[\"'\])]*\s*(?::[^\n=]*=|[:=*/+-]=?)[^\n]{0,80}?"
    rb"(?:(?<![\w.-])\d|[{(\[][ \t]*(?:#[^\n]*)?$)",
    re.M,
)
_MODELLED = late(rb"[\"'](?:gpt|claude|gemini)[^\n]{0,40}[:,=][^\n]{0,30}(?<![\w.-])\d")
_GOT = late(rb"(?:cost|pric)\w*\.(?:get|pop)\([^\n]{0,60},")
_SET = late(rb"(?:cost|pric|_per_)\w*[\"'][ \t]*,[ \t]*[\"']?[\d.]")
_MADE = late(rb"(?:cost|pric)\w*\((?:[^\n)]{0,60}(?<![\w.-])\d|[ \t]*$)", re.M)
_COUNTED = late(rb"tokens?\w*[^\n]{0,40}[*/][^\n]{0,40}\d\.\d|\d\.\d[^\n]{0,20}\*[^\n]{0,40}tokens?")
_NAMED_COST = late(rb"def \w*(?:cost|pric)")
_GIVEN_BACK = late(
    rb"return[ \t(]+(?:\w+\([\"']?)?(?:\.\d|0\.0\d|\d[\d.]*e-|\{(?:[ \t]*$|[^\n]{0,60}(?<![\w.-])\d))"
    rb"|rates?[ \t]*=[ \t]*[\d.]",
    re.M,
)
_ABOUT_MODELS = late(
    rb"llm|gpt|openai|anthropic|claude|gemini|mistral|deepseek|groq|ollama|bedrock|language.model|embedding|"
    rb"(?:input|output|prompt|completion|total|num|n|cached?|max|reasoning|per|per_\w{1,8})_?tokens?|"
    rb"tokens_(?:in|out|used|count)|n?tokens?[ \t]*[*/]"
)
"""A module without any of these has prices of something else."""
_CALENDAR = frozenset({7, 12, 30, 31, 52, 365})
"""What a cost a day or month is multiplied with; of tokens it may well be a price."""
_ROUNDING = frozenset({"round", "float", "Decimal", "max", "min", "ceil", "abs"})
_OF_A_TOKEN = 0.001
"""What stands beside a model's name and is below this is the price of a token."""
_DEAREST = 1000
_SIDES = frozenset(
    {"input", "output", "prompt", "completion", "cached", "cache_read", "cache_write", "cached_input"}
)
_TINY = 0.051
"""A factor below this, in what is called a cost, is a price whatever it is multiplied with."""
_WORDS = (b"oken", b"TOKEN", b"gpt", b"claude", b"llm", b"LLM", b"openai", b"gemini")
_PRICES = (
    b"cost",
    b"rice",
    b"COST",
    b"RICE",
    b"Cost",
    b"pricing",
    b"PRICING",
    b"Pricing",
    b"usd_per",
    b"USD_PER",
    b"_per_",
    b"_PER_",
    b"RATES",
)
_IN_SMALL = (b"cost", b"rice", b"pricing", b"_per_", b"rates")


def wants(data: bytes, package: str) -> int:
    """Files that speak of costs and of tokens or models, with a number near."""
    small = tokens.lowered(data)  # most files speak of no cost in any letters: a fourth of the searches
    if not tokens.any_of(small, _IN_SMALL) or not tokens.any_of(data, _PRICES):
        return NO
    if not tokens.any_of(data, _WORDS):
        return NO
    if next(_places(data), None) is None:
        return NO
    return YES if _ABOUT_MODELS.search(small) else NO


_OF_THEIR_OWN = (*FUNCTIONS, ast.ClassDef)
"""What has names of its own."""
_TELLING = frozenset(
    [ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Return, ast.keyword, ast.Dict, ast.Call, *FUNCTIONS]
)
"""What can be a finding (`_told`, `_scaled`)."""


def check(subject: Subject) -> Iterator[Found]:
    """Names and tables that hold a price, and sums that count with one: one finding a statement."""
    place = Place(subject.module.scanned.module)
    near = _lines(subject)
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


def _lines(subject: Subject) -> list[int]:
    """The lines that may have a price: the rest of the tree is not looked at."""
    if subject.module.source.cells:
        return list(range(1, len(subject.module.source.lines) + 1))
    data = subject.module.data
    return tokens.lines_of(data, sorted(_places(data)))


def _places(data: bytes) -> Iterator[int]:
    """Where a price may be, in bytes."""
    lowered = tokens.lowered(data)
    for at in tokens.places(lowered, (b"cost", b"pric", b"usd_per", b"dollar", b"_per_")):
        if any(shape.match(lowered, at) for shape in (_PRICED, _GOT, _MADE, _SET)):
            yield at
    yield from tokens.places(lowered, (b"0.0000", b"e-06", b"e-07", b"e-6", b"e-7"))
    for at in tokens.places(lowered, (b'"gpt', b"'gpt", b'"claude', b"'claude", b'"gemini', b"'gemini")):
        if _MODELLED.match(lowered, at):
            yield at
    for at in tokens.places(lowered, (b"token",)):
        if _COUNTED.search(lowered, lowered.rfind(b"\n", 0, at) + 1, at + 100):
            yield at
    if _NAMED_COST.search(lowered):
        for at in tokens.places(lowered, (b"return", b"rate =", b"rates =", b"rate=")):
            if _GIVEN_BACK.match(lowered, at):
                yield at


def _told(node: ast.AST, named: str) -> tuple[ast.expr | ast.stmt, str] | None:
    """The finding that a node is, with all that is below it."""
    if isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign)) and node.value is not None:
        return _assigned(node, node.value, named)
    if isinstance(node, ast.Return) and node.value is not None:
        if _is_sum_name(named) and _counts(node.value):
            return node, f"{named} works with a price in the code"
        if _is_sum_name(named) and _is_number(node.value) and _is_tiny(node.value):
            return node, f"{named} gives back a price in the code"
    elif isinstance(node, ast.keyword):
        if node.arg and _is_price_name(node.arg) and _is_number(node.value):
            return node.value, f"{node.arg} is a price in the code"
        if node.arg and _is_sum_name(node.arg) and _counts(node.value):
            return node.value, f"{node.arg} is worked out with a price in the code"
    elif isinstance(node, ast.Dict):
        return _table(node, named)
    elif isinstance(node, ast.Call):
        return _given(node)
    elif isinstance(node, FUNCTIONS):
        return _default(node)
    return None


def _assigned(
    node: ast.Assign | ast.AnnAssign | ast.AugAssign, value: ast.expr, named: str
) -> tuple[ast.stmt, str] | None:
    name = _name_of(node)
    if "multiplier" in name.lower() and all(_value(each) in (1, math.inf) for each in ast.walk(value)):
        return None  # what changes nothing is no price
    if _is_price_name(name) and _is_number(value):
        return node, f"{name} is a price in the code"
    if _RATE.search(name) and _is_sum_name(named) and _is_number(value) and not _is_unit(value):
        return node, f"{name} in {named} is a price in the code"
    if _is_sum_name(name) and _counts(value.body if isinstance(value, ast.Lambda) else value):
        return node, f"{name} is worked out with a price in the code"
    if _PRICE.search(name) and not _OTHER.search(name) and _lists_prices(value, name):
        return node, f"{name} holds prices in the code"
    target = node.targets[0] if isinstance(node, ast.Assign) else None
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        for each, given in zip(target.elts, value.elts, strict=False):
            if isinstance(each, ast.Name) and _is_price_name(each.id) and _is_number(given):
                return node, f"{each.id} is a price in the code"
    return None


def _scaled(node: ast.AST, place: Place) -> tuple[ast.stmt, str] | None:
    """`cost *= 2`, of a cost that is worked out in the same function with a price."""
    if not isinstance(node, ast.AugAssign) or not isinstance(node.op, (ast.Mult, ast.Div)):
        return None
    target, value = node.target, node.value
    if not isinstance(target, ast.Name) or not _is_sum_name(target.id):
        return None
    if not _is_amount(value) or _is_unit(value) or _value(value) == 1:
        return None
    given = (each.node for each in place.scope.names.get(target.id, ()))
    if any(isinstance(each, ast.expr) and _counts(each) for each in given):
        return node, f"{target.id} is worked out with a price in the code"
    return None


def _given(node: ast.Call) -> tuple[ast.expr, str] | None:
    """`Model("gpt-4o", 4096, 0.000005, 0.000015)`, `prices.get(model, 0.002)`, `Pricing(3.0, 15.0)`."""
    texts = [each.value for each in node.args if isinstance(each, ast.Constant)]
    models = [each for each in texts if isinstance(each, str) and _MODEL.search(each)]
    if models and any(_is_amount(each) and 0 < _value(each) < _OF_A_TOKEN for each in node.args):
        return node, f"prices of {models[0]} in the code"
    called = node.func
    if isinstance(called, ast.Attribute) and called.attr in {"get", "pop", "getenv"} and len(node.args) == 2:
        asked, default = node.args
        owner = called.value.id if isinstance(called.value, ast.Name) else getattr(called.value, "attr", "")
        if isinstance(asked, ast.Constant) and _is_priced_setting(str(asked.value)) and _is_number(node):
            return default, f"{asked.value} has a price as its default in the code"
        if _holds(owner) and _has_number(default) and (_is_tiny(default) or _asks_for_model(asked)):
            return default, f"{owner} has a price as its default in the code"
        return None
    name = called.id if isinstance(called, ast.Name) else getattr(called, "attr", "")
    if name[:1].isupper() and _holds(name):
        plain = [each for each in node.args if _is_number(each)]
        named = [each.value for each in node.keywords if each.arg in _SIDES and _is_number(each.value)]
        if named or (len(plain) > 1 and len(plain) == len(node.args)):
            return node, f"{name} is given a price in the code"
    return None


def _is_priced_setting(name: str) -> bool:
    """A setting that is called a price of what models use: `COST_PER_1K_TOKENS`."""
    return _is_price_name(name) and bool(_UNIT.search(name))


def _holds(name: str) -> bool:
    """Whether what has this name holds prices."""
    return bool(_PRICE.search(name)) and not _OTHER.search(_MAP.sub("", name))


def _asks_for_model(node: ast.expr) -> bool:
    words = {each.value for each in ast.walk(node) if isinstance(each, ast.Constant)}
    words |= {getattr(each, "id", "") or getattr(each, "attr", "") for each in ast.walk(node)}
    return any(isinstance(each, str) and re.search(r"model|llm|engine", each, re.I) for each in words) or any(
        isinstance(each, str) and _MODEL.search(each) for each in words
    )


def _lists_prices(node: ast.expr, name: str) -> bool:
    """`(("gpt-5", 30.0, 180.0), …)`: rows that begin with a model, or numbers under a name in capitals."""
    if not isinstance(node, (ast.Tuple, ast.List)) or not node.elts:
        return False
    if all(_is_number(each) or _is_zero(each) for each in node.elts):
        return _is_price_name(name) and any(_is_number(each) for each in node.elts)
    inside = [each for row in node.elts for each in ast.walk(row)]
    models = any(
        isinstance(each, ast.Constant) and isinstance(each.value, str) and _MODEL.search(each.value)
        for each in inside
    )
    amounts = [each for each in inside if _is_amount(each)]
    named = any(isinstance(each, ast.Constant) and isinstance(each.value, str) for each in inside)
    rows = all(isinstance(row, (ast.Tuple, ast.List)) for row in node.elts)
    broken = any(isinstance(each, ast.Constant) and isinstance(each.value, float) for each in amounts)
    return bool(amounts) and (models or (rows and named and broken and name.lstrip("_").isupper()))


def _is_zero(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value == 0


def _default(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> tuple[ast.expr, str] | None:
    arguments = node.args
    positional = [*arguments.posonlyargs, *arguments.args]
    pairs = [
        *zip(reversed(positional), reversed(arguments.defaults), strict=False),
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
    """A constant that is called a cost, or a variable that is the cost of what models use."""
    if not _PRICE.search(name) or _OTHER.search(name):
        return False
    return name.lstrip("_").isupper() or bool(_UNIT.search(_PRICE.sub("", name)))


def _is_sum_name(name: str) -> bool:
    """What is called a cost, also a total or an estimate of it."""
    return bool(_PRICE.search(name)) and not _OTHER_SUM.search(name)


def _table(node: ast.Dict, named: str) -> tuple[ast.expr, str] | None:
    """A table of prices: by model under a name that says so, or with keys that do."""
    keys = [key.value for key in node.keys if isinstance(key, ast.Constant) and isinstance(key.value, str)]
    numbers = any(_has_number(value) for value in node.values)
    if not numbers:
        return _sum_in(node)
    priced = bool(_PRICE.search(named)) and not _OTHER.search(_MAP.sub("", named))
    priced = priced or (bool(_RATE.search(named)) and any(_MODEL.search(key) for key in keys))
    models = [key for key in (_keys_within(node) if priced else keys) if _MODEL.search(key)]
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
        if not (isinstance(key, ast.Constant) and isinstance(key.value, str) and _MODEL.search(key.value)):
            continue
        if isinstance(value, ast.Dict):
            sides = {
                side.value: amount
                for side, amount in zip(value.keys, value.values, strict=True)
                if isinstance(side, ast.Constant) and side.value in {*_SIDES, "in", "out"}
            }
            amounts = [_value(each) for each in sides.values() if _is_amount(each)]
            if len(amounts) > 1 and any(each % 1 for each in amounts) and max(amounts) < _DEAREST:
                return True
    return False


def _is_priced_model(node: ast.Dict) -> bool:
    """`{"id": "gpt-4o", "cost": {"input": 2.5, "output": 10}}`: a model, and sides under a telling name."""
    texts = [each.value for each in node.values if isinstance(each, ast.Constant)]
    if not any(isinstance(each, str) and _MODEL.search(each) for each in texts):
        return False
    for key, value in zip(node.keys, node.values, strict=True):
        named = key.value if isinstance(key, ast.Constant) else None
        if isinstance(named, str) and _holds(named) and isinstance(value, ast.Dict):
            sides = {each.value for each in value.keys if isinstance(each, ast.Constant)}
            if sides & _SIDES and _has_number(value):
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
        if isinstance(named, str) and _is_sum_name(named) and _counts(value):
            return value, f"{named} is worked out with a price in the code"
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
    if isinstance(node, ast.Call) and not _is_called_number(node):
        return any(_is_number(each) for each in [*node.args, *(word.value for word in node.keywords)])
    return _is_number(node)


def _is_number(node: ast.expr | None) -> bool:
    """A number other than 0, `Decimal("0.03")`, a sum of such (`0.03 / 1000`), or one as a default."""
    if isinstance(node, ast.Constant):
        return _is_amount(node)
    if isinstance(node, ast.UnaryOp):
        return _is_number(node.operand)
    if isinstance(node, ast.BinOp):
        return _is_number(node.left) and _is_number(node.right)
    if isinstance(node, ast.IfExp):
        return _is_number(node.body) or _is_number(node.orelse)
    if isinstance(node, ast.BoolOp):
        return any(_is_number(each) for each in node.values)
    if isinstance(node, ast.Call):
        return _is_called_number(node)
    return False


def _is_called_number(node: ast.Call) -> bool:
    called = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
    if called in {"Decimal", "float", "Field", "field"}:
        defaults = [each.value for each in node.keywords if each.arg == "default"]
        return any(_is_number(each) or _is_written(each) for each in [*node.args[:1], *defaults])
    if called in {"getenv", "get"} and len(node.args) == 2:
        return _is_number(node.args[1]) or _is_written(node.args[1])
    return False


def _is_amount(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Constant)
        and isinstance(node.value, (int, float))
        and not isinstance(node.value, bool)
        and node.value != 0
    )


def _is_tiny(node: ast.expr) -> bool:
    """Whether the numbers in it are those of a price per token or request: below a cent or two."""
    amounts = [each for each in ast.walk(node) if isinstance(each, ast.Constant)]
    return any(_value(each) < _TINY for each in amounts) or any(
        _is_written(each) and float(str(each.value)) < _TINY for each in amounts
    )


def _is_written(node: ast.expr) -> bool:
    """A number as a text: `"0.03"`."""
    text = node.value if isinstance(node, ast.Constant) else None
    return isinstance(text, str) and re.fullmatch(r"[\d.]*[1-9][\d.]*(?:e-?\d+)?", text) is not None


def _counts(node: ast.expr) -> bool:
    """`usage.prompt_tokens / 1000 * 0.03`, `tokens * price * 1.25`: a number in it that is no unit."""
    pending: list[ast.expr] = [node]
    while pending:
        each = pending.pop()
        if _is_mean(each):
            continue
        if isinstance(each, ast.BinOp) and isinstance(each.op, (ast.Mult, ast.Div)):
            factors = _factors(each)
            amounts = [factor for factor in factors if _is_amount(factor) and not _is_unit(factor)]
            if any(_value(factor) < _TINY for factor in amounts):
                return True
            parts = [part for factor in factors for part in ast.walk(factor)]
            if amounts and any(_is_named(part, _TOKENS) for part in parts):
                return True
            rates = [factor for factor in amounts if _value(factor) not in _CALENDAR]
            if rates and any(_is_named(part, None) for part in parts):
                return True
            pending += [factor for factor in factors if isinstance(factor, ast.BinOp)]
        elif isinstance(each, ast.BinOp):
            pending += [each.left, each.right]
        elif isinstance(each, ast.IfExp):
            pending += [each.body, each.orelse]
        elif isinstance(each, ast.Call) and _last(each.func) in _ROUNDING:
            pending += each.args[:1] if _last(each.func) == "round" else each.args
    return False


def _is_mean(node: ast.expr) -> bool:
    """`(input_cost + output_cost) / 2`: divided by as many as are added up."""
    if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Div):
        return False
    terms, rest = 1, node.left
    while isinstance(rest, ast.BinOp) and isinstance(rest.op, ast.Add):
        terms, rest = terms + 1, rest.left
    return terms > 1 and _value(node.right) == terms


def _last(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")


def _factors(node: ast.expr) -> list[ast.expr]:
    found: list[ast.expr] = []
    pending = [node]
    while pending:
        each = pending.pop()
        if isinstance(each, ast.BinOp) and isinstance(each.op, (ast.Mult, ast.Div)):
            pending += [each.left, each.right]
        else:
            found.append(each)
    return found


def _is_named(node: ast.AST, wanted: re.Pattern[str] | None) -> bool:
    """Whether it is a name like the ones that are wanted; without such, the name of a price."""
    named = node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")
    if not isinstance(named, str):
        return False
    return wanted.search(named) is not None if wanted else _is_price_name(named)


def _value(node: ast.AST) -> float:
    value = node.value if isinstance(node, ast.Constant) else None
    return float(value) if isinstance(value, (int, float)) else math.inf


def _is_unit(node: ast.expr) -> bool:
    """A power of ten, or of time and memory."""
    value = _value(node)
    if not 0 < value < math.inf:
        return True
    if value in {60, 3600, 24, 1024}:
        return True
    power = math.log10(value)
    return abs(power - round(power)) < 1e-9 and not -3 < power < 1


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
