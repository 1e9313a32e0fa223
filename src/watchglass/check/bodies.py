"""Code without the bodies of its longer functions, and each body once it is asked for.

To parse is most of what a run takes, and into few functions anything ever looks: of a module that is only
imported from, into hardly one. So a text is cut first, by what lines can tell: where a `def` begins, and
where its body ends. One that does not lend itself to that (tabs, other line ends, odd quotes) is not cut.
"""

from __future__ import annotations

import ast
import functools
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, cast

from watchglass.check.expressions import late

WORTH = 200
"""A body of fewer bytes is sooner parsed with the rest than cut out."""

_SHORT_TEXT = rb'"(?!"")[^"\\\n]*(?:\\.[^"\\\n]*)*"' + rb"|'(?!'')[^'\\\n]*(?:\\.[^'\\\n]*)*'"
_LONG_TEXT = rb'"""[^"\\]*(?:(?:\\.|"(?!""))[^"\\]*)*"""' + rb"|'''[^'\\]*(?:(?:\\.|'(?!''))[^'\\]*)*'''"
_CODE = late(rb"((?:[^\"'#]+|%s)*)(#[^\n]*|%s|[\"']|\Z)" % (_SHORT_TEXT, _LONG_TEXT), re.S)
"""Code with its short literals, up to a comment or a long literal, whose lines are not what they look like
(Python's reference, 2.1.3 and 2.4.1; no prefix matters). It matches anywhere: nothing is tried twice."""

_SHORT = late(_SHORT_TEXT, re.S)
_HEADER = late(
    rb"\n( *)(?:async +)?def +\w+ *\([^()]*(?:\([^()]*(?:\([^()]*\)[^()]*)*\)[^()]*)*\)"
    rb" *(?:->[^:\n]*)?: *(?=\n)"
)
_OTHER_CODING = late(rb"coding[:=](?![ \t]*utf-?8)", re.I)

Function = ast.FunctionDef | ast.AsyncFunctionDef


class _Misled(Exception):
    """A quote that begins no literal: this is no Python, or of a later one (PEP 701)."""


class Cut(NamedTuple):
    """A function whose body is left out: from where to where it is in the text, how far it is indented."""

    begin: int
    end: int
    indent: int


class Bodies:
    """The bodies left out of one text, by the line of their `def`."""

    def __init__(self, data: bytes, cuts: dict[int, Cut], parse: Callable[[bytes], ast.Module]) -> None:
        self._data = data
        self._cuts = cuts
        self._parse = parse
        self.size = sum(each.end - each.begin for each in cuts.values())

    def may_have(self, function: ast.AST, name: str) -> bool:
        """Whether a function's body is in the tree, or its text has this name."""
        found = self._cuts.get(getattr(function, "lineno", 0))
        if found is None or not name.isascii():
            return True  # the same name in other letters would be the same name (PEP 3131)
        return self._data.find(name.encode(), found.begin, found.end) >= 0

    def text(self, function: ast.AST) -> tuple[bytes, int, int] | None:
        """Where a function's text is that is not in the tree: in what, from where, to where."""
        found = self._cuts.get(getattr(function, "lineno", 0))
        return None if found is None else (self._data, found.begin, found.end)

    def fill(self, functions: Iterable[ast.AST]) -> None:
        """Put the bodies of these functions where they belong; raises what `parse` does."""
        wanted: dict[int, list[Function]] = defaultdict(list)
        for each in functions:
            if isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef)) and each.lineno in self._cuts:
                wanted[self._cuts[each.lineno].indent].append(each)
        for indent, stubs in wanted.items():
            stubs.sort(key=lambda each: each.lineno)
            for stub, whole in zip(stubs, self._parsed(indent, stubs), strict=True):
                stub.body = whole.body

    def _parsed(self, indent: int, stubs: list[Function]) -> list[Function]:
        """These functions, all indented as far: in one text, each on the lines that it has in the whole."""
        line = max(1, stubs[0].lineno - 1)
        parts = [b"\n" * (line - 1)]
        if indent:
            parts.append(b"if 1:")
        for stub in stubs:
            begin, end, _ = self._cuts.pop(stub.lineno)
            parts += [b"\n" * (stub.lineno - line), self._data[begin:end]]
            line = stub.end_lineno or stub.lineno
        body = self._parse(b"".join(parts)).body
        return cast("list[Function]", cast(ast.If, body[0]).body if indent else body)


def cut(data: bytes) -> tuple[bytes, dict[int, Cut]]:
    """The text with the same lines but without longer bodies, and what was cut out."""
    cuts: dict[int, Cut] = {}
    parts: list[bytes] = []
    try:
        code = _CODE.sub(_blanked, data)
    except _Misled:
        return data, cuts
    if b"\t" in code or b"\r" in data or b"\f" in code or _OTHER_CODING.search(data[:200]):
        return data, cuts
    at, line = 0, 1
    for header in _headers(code):
        begin, after = header.span()
        if begin < at or not _HEADER.match(_SHORT.sub(_as_name, header[0]) + b"\n"):
            continue  # within a function that is cut out, or misled by a bracket in a literal
        indent = len(header[1])
        ended = dedent(indent).search(code, after)
        body = code[after : ended.start() if ended else len(code)].rstrip()
        if len(body) < WORTH or b"\\\n" in body:
            continue
        end = after + len(body)
        line += data.count(b"\n", at, begin + 1)
        cuts[line] = Cut(begin + 1, end, indent)
        parts += [data[at:after], b"\n" * data.count(b"\n", after, end), b" " * indent, b" pass"]
        line += data.count(b"\n", begin + 1, end)
        at = end
    return b"".join([*parts, data[at:]]), cuts


def _headers(code: bytes) -> Iterator[re.Match[bytes]]:
    """Where functions begin: by the word, which is far sooner found than each line is tried."""
    at = code.find(b"def ")
    while at >= 0:
        begin = code.rfind(b"\n", 0, at)
        found = _HEADER.match(code, begin) if begin >= 0 else None
        if found is not None:
            yield found
        at = code.find(b"def ", found.end() if found is not None else at + 4)


@functools.cache
def dedent(indent: int) -> re.Pattern[bytes]:
    """The next line of code that is indented no further; one that closes a bracket is no such line."""
    return late(rb"\n {0,%d}[^\s)\]}]" % indent)


def _blanked(found: re.Match[bytes]) -> bytes:
    """As long, and without lines of its own: a comment as spaces, a literal as a name.

    Raises `_Misled`: to go on after a quote that nothing ends would be to look for its end from each that
    follows.
    """
    if found[2] in (b"'", b'"'):
        raise _Misled
    return found[1] + (b" " if found[2].startswith(b"#") else b"x") * len(found[2])


def _as_name(found: re.Match[bytes]) -> bytes:
    return b"x" * len(found[0])
