"""A file as code: read within bounds, a notebook's cells put together, and its tree or why there is none."""

from __future__ import annotations

import ast
import os
import sys
import warnings
from collections.abc import Iterable
from typing import Any, NamedTuple, cast

from watchglass.check import bodies
from watchglass.check.bodies import Bodies
from watchglass.check.expressions import late

MAX_BYTES = 8 << 20
"""Larger files are no one's own code but made by a machine (Python's own limit is far above)."""

_CELL_MAGICS = ("%%time", "%%timeit", "%%capture", "%%prun", "%%snakeviz", "%%memit")
"""Cell magics whose cell is Python (IPython's documentation, built-in magic commands)."""


class Unreadable(Exception):
    """The file is no code that can be checked: `args[0]` says why, `line` where."""

    def __init__(self, reason: str, line: int = 1) -> None:
        super().__init__(reason)
        self.line = line


class Cell(NamedTuple):
    """A code cell: its number among all cells from 1, the line of the whole before its first, how many."""

    number: int
    before: int
    lines: int


class Source:
    """Code and its tree."""

    __slots__ = ("_data", "_lines", "bodies", "cells", "size", "tree", "unreadable")

    def __init__(
        self,
        tree: ast.Module,
        data: bytes,
        lines: list[str] | None = None,
        cells: tuple[Cell, ...] = (),
        bodies: Bodies | None = None,
    ) -> None:
        self.tree = tree
        self.cells = cells
        self.bodies = bodies
        """What is not in the tree yet; None when all is."""
        self.size = len(data) - (bodies.size if bodies else 0)
        """So many bytes of text are in the tree."""
        self.unreadable: Unreadable | None = None
        """Why a body that was asked for is not in the tree."""
        self._data = data
        self._lines = lines

    @property
    def lines(self) -> list[str]:
        """The text; most of what is parsed has no finding, and is never asked for its lines."""
        if self._lines is None:
            self._lines = _decoded(self._data)
        return self._lines

    def fill(self, functions: Iterable[ast.AST]) -> None:
        """Put the bodies of these functions into the tree."""
        if self.bodies is not None:
            try:
                self.bodies.fill(functions)
            except Unreadable as error:
                self.unreadable = error

    def line(self, number: int) -> str:
        """The line of this number from 1, `""` where there is none."""
        return self.lines[number - 1] if 0 < number <= len(self.lines) else ""

    def where(self, line: int) -> tuple[int | None, int]:
        """The cell, and the line in it; no cell in a plain file."""
        for cell in self.cells:
            if cell.before < line <= cell.before + cell.lines:
                return cell.number, line - cell.before
        return None, line

    def column(self, node: ast.expr | ast.stmt) -> int:
        """The column in characters, from 1: the tree counts bytes of UTF-8."""
        head = self.line(node.lineno).encode("utf-8", "surrogatepass")[: node.col_offset]
        return len(head.decode("utf-8", "replace")) + 1

    def left_out(self, function: ast.AST) -> tuple[bytes, int, int] | None:
        """Of a function whose body is not in the tree its text: in what, from where, to where."""
        return self.bodies.text(function) if self.bodies is not None else None

    def may_have(self, function: ast.AST, name: str) -> bool:
        """Whether the body of a function may have this name: False only where its text has not."""
        return self.bodies is None or self.bodies.may_have(function, name)


def read(path: str) -> bytes:
    """The bytes of a file; raises `Unreadable` when it cannot be read or is no code by its size."""
    try:
        # Unbuffered, it asks for the file's size: a buffer of the largest one would take longer than to read.
        with open(path, "rb", buffering=0) as file:
            size = os.fstat(file.fileno()).st_size
            data = file.read() if size <= MAX_BYTES else b""
    except OSError as error:
        raise Unreadable(f"it cannot be read: {error.strerror or error}") from None
    if max(len(data), size) > MAX_BYTES:
        raise Unreadable(f"it is larger than {MAX_BYTES >> 20} MiB, and was not checked")
    return data


def parse(path: str, data: bytes) -> Source:
    """The tree of a file, bodies of its longer functions put off where it can be; raises `Unreadable`."""
    if path.endswith(".ipynb"):
        return _notebook(data)
    return _outline(data) or Source(_tree(data), data)


def _outline(data: bytes) -> Source | None:
    outline, cuts = bodies.cut(data)
    try:
        return Source(_tree(outline), data, bodies=Bodies(data, cuts, _tree)) if cuts else None
    except Unreadable:
        return None  # a line was not what it looked like, or it is no Python: the whole will tell


def _tree(code: bytes | str, flags: int = ast.PyCF_ONLY_AST) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # invalid escapes and the like are another tool's subject
        try:
            return cast(ast.Module, compile(code, "<checked>", "exec", flags, dont_inherit=True))
        except SyntaxError as error:
            raise Unreadable(_reason(error), error.lineno or 1) from None
        except (ValueError, LookupError) as error:
            raise Unreadable(f"it is no Python: {error}") from None
        except (RecursionError, MemoryError):
            raise Unreadable("it is nested too deeply for Python's parser") from None


def _reason(error: SyntaxError) -> str:
    text = (error.text or "").strip()
    if "print" in (error.msg or "") or "exec" in (error.msg or "") or text.startswith(("print ", "exec ")):
        return f"it is Python 2: {error.msg}"
    here = f"Python {sys.version_info[0]}.{sys.version_info[1]}, which runs this check,"
    if sys.version_info < (3, 12) and (_OF_312.match(text) or (error.msg or "").startswith("f-string")):
        return f"{here} cannot read its syntax, which is that of 3.12: run the check with a newer one"
    return f"{here} cannot parse it: {error.msg}; if it is for a newer one, run the check with that"


_OF_312 = late(r"(?:async\s+)?(?:def|class)\s+\w+\s*\[|type\s+\w+[^=]*=")
"""Parameters of types, and their aliases (PEP 695); quotes in f-strings (PEP 701) have their own error."""


def _decoded(data: bytes) -> list[str]:
    """The lines as PEP 263 says to decode them; only columns and suppressions depend on it."""
    import io
    import tokenize

    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        text = data.decode(encoding, "replace")
    except (SyntaxError, LookupError):
        text = data.decode("utf-8", "replace")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.removeprefix("\ufeff").split("\n")


def _notebook(data: bytes) -> Source:
    """The code cells as one module, for names go from cell to cell; one that does not parse is left out."""
    import json

    try:
        document: Any = json.loads(data)
        listed: list[Any] = document["cells"] if "cells" in document else document["worksheets"][0]["cells"]
    except (ValueError, KeyError, IndexError, TypeError, RecursionError) as error:
        raise Unreadable(f"it is no notebook: {type(error).__name__}: {error}"[:200]) from None
    lines: list[str] = []
    cells: list[Cell] = []
    for number, each in enumerate(listed, 1):
        code = _code(each)
        if code is None:
            continue
        try:
            _tree("\n".join(code), _AWAITING)
        except Unreadable:
            continue
        cells.append(Cell(number, len(lines), len(code)))
        lines += code
    return Source(_tree("\n".join(lines), _AWAITING), data, lines, tuple(cells))


_AWAITING = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT


def _code(cell: Any) -> list[str] | None:
    """The lines of a code cell, with IPython's own syntax blanked; None for a cell in another language."""
    if not isinstance(cell, dict) or cast("dict[str, Any]", cell).get("cell_type") != "code":
        return None
    given: Any = cast("dict[str, Any]", cell).get("source", cast("dict[str, Any]", cell).get("input", ""))
    parts: list[Any] = cast("list[Any]", given) if isinstance(given, list) else [given]
    code = "".join(part for part in parts if isinstance(part, str)).replace("\r\n", "\n").split("\n")
    first = next((line for line in code if line.strip()), "")
    if first.startswith("%%") and not first.startswith(_CELL_MAGICS):
        return None
    return [_plain(line) for line in code]


def _plain(line: str) -> str:
    """A magic or a shell line as `pass` at its indent; `x = !ls` and `x = %magic` as `x = None`."""
    stripped = line.lstrip()
    if stripped.startswith(("%", "!", "?")) or (stripped.endswith("?") and stripped[:-1].isidentifier()):
        return line[: len(line) - len(stripped)] + "pass"
    name, equals, value = line.partition("=")
    if equals and value.lstrip().startswith(("!", "%")) and name.strip().isidentifier():
        return f"{name}= None"
    return line
