"""Numbers in code: which is an amount, and which expressions count with one."""

from __future__ import annotations

import ast
import math
import re

from watchglass.check.rules import wg010_words as words
from watchglass.check.spelling import tail_name


def is_zero(node: ast.expr) -> bool:
    """The literal 0."""
    return isinstance(node, ast.Constant) and node.value == 0


def has_number(node: ast.expr) -> bool:
    """Whether it is a number, or a table, a list or a call with one in it."""
    if isinstance(node, ast.Dict):
        return any(has_number(each) for each in node.values)
    if isinstance(node, (ast.Tuple, ast.List)):
        return any(is_number(each) for each in node.elts)
    if isinstance(node, ast.Call) and not _is_called_number(node):
        return any(is_number(each) for each in [*node.args, *(word.value for word in node.keywords)])
    return is_number(node)


def is_number(node: ast.expr | None) -> bool:
    """A number other than 0, `Decimal("0.03")`, a sum of such (`0.03 / 1000`), or one as a default."""
    if isinstance(node, ast.Constant):
        return is_amount(node)
    if isinstance(node, ast.UnaryOp):
        return is_number(node.operand)
    if isinstance(node, ast.BinOp):
        return is_number(node.left) and is_number(node.right)
    if isinstance(node, ast.IfExp):
        return is_number(node.body) or is_number(node.orelse)
    if isinstance(node, ast.BoolOp):
        return any(is_number(each) for each in node.values)
    if isinstance(node, ast.Call):
        return _is_called_number(node)
    return False


def _is_called_number(node: ast.Call) -> bool:
    called = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
    if called in {"Decimal", "float", "Field", "field"}:
        defaults = [each.value for each in node.keywords if each.arg == "default"]
        return any(is_number(each) or _is_written(each) for each in [*node.args[:1], *defaults])
    if called in {"getenv", "get"} and len(node.args) == 2:
        return is_number(node.args[1]) or _is_written(node.args[1])
    return False


def is_amount(node: ast.AST) -> bool:
    """A literal number other than 0."""
    return (
        isinstance(node, ast.Constant)
        and isinstance(node.value, (int, float))
        and not isinstance(node.value, bool)
        and node.value != 0
    )


def is_tiny(node: ast.expr) -> bool:
    """Whether the numbers in it are those of a price per token or request: below a cent or two."""
    amounts = [each for each in ast.walk(node) if isinstance(each, ast.Constant)]
    return any(amount(each) < words.TINY for each in amounts) or any(
        _is_written(each) and float(str(each.value)) < words.TINY for each in amounts
    )


def _is_written(node: ast.expr) -> bool:
    """A number as a text: `"0.03"`."""
    text = node.value if isinstance(node, ast.Constant) else None
    return isinstance(text, str) and re.fullmatch(r"[\d.]*[1-9][\d.]*(?:e-?\d+)?", text) is not None


def counts(node: ast.expr) -> bool:
    """`usage.prompt_tokens / 1000 * 0.03`, `tokens * price * 1.25`: a number in it that is no unit."""
    pending: list[ast.expr] = [node]
    while pending:
        each = pending.pop()
        if _is_mean(each):
            continue
        if isinstance(each, ast.BinOp) and isinstance(each.op, (ast.Mult, ast.Div)):
            factors = _factors(each)
            amounts = [factor for factor in factors if is_amount(factor) and not is_unit(factor)]
            if any(amount(factor) < words.TINY for factor in amounts):
                return True
            parts = [part for factor in factors for part in ast.walk(factor)]
            if amounts and any(_is_named(part, words.TOKENS) for part in parts):
                return True
            rates = [factor for factor in amounts if amount(factor) not in words.CALENDAR]
            if rates and any(_is_named(part, None) for part in parts):
                return True
            pending += [factor for factor in factors if isinstance(factor, ast.BinOp)]
        elif isinstance(each, ast.BinOp):
            pending += [each.left, each.right]
        elif isinstance(each, ast.IfExp):
            pending += [each.body, each.orelse]
        elif isinstance(each, ast.Call) and tail_name(each.func) in words.ROUNDING:
            pending += each.args[:1] if tail_name(each.func) == "round" else each.args
    return False


def _is_mean(node: ast.expr) -> bool:
    """`(input_cost + output_cost) / 2`: divided by as many as are added up."""
    if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Div):
        return False
    terms, rest = 1, node.left
    while isinstance(rest, ast.BinOp) and isinstance(rest.op, ast.Add):
        terms, rest = terms + 1, rest.left
    return terms > 1 and amount(node.right) == terms


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
    return wanted.search(named) is not None if wanted else words.is_price_name(named)


def amount(node: ast.AST) -> float:
    """The number that a literal is; what is no number has none, and is infinite."""
    value = node.value if isinstance(node, ast.Constant) else None
    return float(value) if isinstance(value, (int, float)) else math.inf


def is_unit(node: ast.expr) -> bool:
    """A power of ten, or of time and memory."""
    value = amount(node)
    if not 0 < value < math.inf:
        return True
    if value in {60, 3600, 24, 1024}:
        return True
    power = math.log10(value)
    return abs(power - round(power)) < 1e-9 and not -3 < power < 1
