"""Bodies of functions that are parsed only when they are asked for."""

from __future__ import annotations

import ast
import inspect
import re
import sysconfig
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchglass.check import bodies, source
from watchglass.check.bodies import Bodies

LIBRARY = Path(sysconfig.get_paths()["stdlib"])
LONG = "    # " + 220 * "-" + "\n"


def same(tree: ast.AST, whole: ast.AST) -> bool:
    """Whether two trees are the same up to the columns at which things end, which nothing asks for."""
    dumped = (ast.dump(each, include_attributes=True) for each in (tree, whole))
    return len({re.sub(r"end_col_offset=\d+", "", each) for each in dumped}) == 1


def filled(data: bytes) -> tuple[ast.Module, int]:
    """The outline with every body in its place again, and how many were put there."""
    outline, cuts = bodies.cut(data)
    count = len(cuts)
    tree = ast.parse(outline)
    Bodies(data, cuts, ast.parse).fill(ast.walk(tree))
    return tree, count


@pytest.mark.parametrize("path", sorted(LIBRARY.glob("[a-d]*.py")), ids=lambda path: path.stem)
def test_an_outline_that_is_filled_is_the_tree(path: Path) -> None:
    """Of a file that nobody here wrote, outline and bodies together are what parsing it whole gives."""
    data = path.read_bytes()
    try:
        tree, _ = filled(data)
    except SyntaxError:
        return  # then it is parsed whole
    assert same(tree, ast.parse(data))


PIECES = (
    'x = """\ndef f():\n    no = 1\n"""\n',
    "def f(a=')', b=\"(\", *, c: str = ':') -> \"X\":\n" + LONG + "    return (\n  a,\n    b\n)\n",
    "class A:\n    @property\n    async def g(\n        self,\n    ) -> dict[str, int]:  # so: it goes\n    "
    + LONG
    + "        text = '''\nat the edge\n'''\n        return text\n    h = 1\n",
    "def one(): return 1\n",
    "if x:\n    def f():\n    "
    + LONG
    + "        def inner():\n            return 2\n        return inner\nelse:\n    y = 2\n",
    "def f():\n" + LONG + "    a = 1 + \\\n2\n    return a\n",
    "def f():\n\t# a tab " + 220 * "-" + "\n\treturn 1\n",
    "def f():\n" + LONG + "    return f'''{x}\n# no comment'''  # a comment\n# none of it\n",
    "# it's a comment, and \"another\n",
    "y = 'it\\'s' + \"\\\\\"\n",
)  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=6))
def test_an_outline_that_parses_is_the_tree(pieces: list[str]) -> None:
    """Literals with code in them, odd indents and brackets mislead nobody, whatever stands beside them."""
    data = "".join(pieces).encode()
    try:
        tree, _ = filled(data)
    except SyntaxError:
        return
    assert same(tree, ast.parse(data))


def test_bodies_are_cut_out() -> None:
    """Of a module of this project most functions are cut out, and a line is where it was."""
    data = inspect.getsource(source).encode()
    outline, cuts = bodies.cut(data)
    assert len(cuts) > 5
    assert outline.count(b"\n") == data.count(b"\n")
    assert filled(data)[1] == len(cuts)


@pytest.mark.parametrize(
    "data", [b"\xef\xbb\xbfx = 1\n", b"# coding: latin-1\n", b"def f():\r\n    pass\r\n", b"def f(:\n", b""]
)
def test_what_cannot_be_cut_is_left(data: bytes) -> None:
    """Other encodings, other line ends and what is no Python stay as they are."""
    assert bodies.cut(data) == (data, {})


@pytest.mark.parametrize(
    "data",
    [b"'\\" * 100_000, b"'" * 200_001, b"'''a" * 50_001, b"\n def f(a) -> " * 20_000, b"\ndef f(" * 20_000],
    ids=["escapes", "quotes", "long quotes", "arrows", "brackets"],
)
def test_odd_texts_are_read_once(data: bytes) -> None:
    """What nothing ends is not looked for from each quote, bracket and arrow: that would take minutes."""
    outline, cuts = bodies.cut(data)
    assert outline == data and not cuts
