"""What a piece of syntax says by its own words, whatever its names stand for."""

from __future__ import annotations

import ast

_LOOKING_UP = frozenset({"getenv", "get", "get_secret", "get_secret_str", "pop"})


def last_name(node: ast.AST) -> str:
    """The last part of a dotted name, called or not; \'\' of what has none."""
    if isinstance(node, ast.Call):
        node = node.func
    return node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")


def tail_name(node: ast.AST) -> str:
    """The last part of a dotted name; `""` of what has none, a call among it."""
    return node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")


def asked_for(node: ast.AST) -> str:
    """The text by which a value is looked up: `os.environ["KEY"]`, `data.get("messages")`."""
    if isinstance(node, ast.Subscript):
        key: ast.expr | None = node.slice
    elif isinstance(node, ast.Call) and tail_name(node.func) in _LOOKING_UP:
        key = node.args[0] if node.args else None
    else:
        return ""
    return key.value if isinstance(key, ast.Constant) and isinstance(key.value, str) else ""


def _decorated(function: ast.AST) -> set[str]:
    return {last_name(each) for each in getattr(function, "decorator_list", ())}


def is_static(function: ast.AST) -> bool:
    """Whether a function is given no instance."""
    return isinstance(function, ast.Lambda) or "staticmethod" in _decorated(function)


def is_class_method(function: ast.AST) -> bool:
    """Whether a function is given its class."""
    return bool(_decorated(function) & {"classmethod", "validator", "root_validator"}) or getattr(
        function, "name", ""
    ) in {"__new__", "__init_subclass__", "__class_getitem__"}


def is_context_manager(function: ast.AST) -> bool:
    """Whether what a generator function yields is what `with` gives."""
    return bool(_decorated(function) & {"contextmanager", "asynccontextmanager"})


def default_of(arguments: ast.arguments, argument: ast.arg) -> ast.expr | None:
    """The default of one of a function\'s arguments."""
    positional = [*arguments.posonlyargs, *arguments.args]
    if argument in positional:
        index = positional.index(argument) - len(positional) + len(arguments.defaults)
        return arguments.defaults[index] if index >= 0 else None
    if argument in arguments.kwonlyargs:
        return arguments.kw_defaults[arguments.kwonlyargs.index(argument)]
    return None
