"""Paths of the machine where code ran, found again among the files of a project."""

from __future__ import annotations

import pytest

from watchglass.queries.code_paths import CodePaths

FILES = (
    "src/shop/llm.py",
    "src/shop/desk/ask.py",
    "src/stock/desk/ask.py",
    "main.py",
    "src/shop/__init__.py",
)


def paths(**more: object) -> CodePaths:
    return CodePaths(FILES, roots=["src", "main.py"], **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("recorded", "file", "how"),
    [
        ("/app/shop/llm.py", "src/shop/llm.py", "suffix"),
        ("C:\\work\\src\\shop\\llm.py", "src/shop/llm.py", "suffix"),
        ("./src/shop/llm.py", "src/shop/llm.py", "path"),
        ("/srv/main.py", "main.py", "suffix"),
        ("/app/shop/desk/ask.py", "src/shop/desk/ask.py", "suffix"),
        ("/usr/lib/python3/other/llm.py", None, "outside"),
        ("/app/other/__init__.py", None, "outside"),
        ("<string>", None, "outside"),
        ("", None, "outside"),
    ],
)
def test_one_path(recorded: str, file: str | None, how: str) -> None:
    """The longest end in common decides; a name that is everywhere says nothing by itself."""
    assert paths().find([recorded])[recorded][:2] == (file, how)


def test_several_files_that_fit() -> None:
    """Where two files fit alike it is said which, unless their neighbours decide it."""
    alone = paths().find(["/app/desk/ask.py"])["/app/desk/ask.py"]
    assert alone == (None, "ambiguous", ("src/shop/desk/ask.py", "src/stock/desk/ask.py"))
    files = ("a/svc/llm.py", "a/svc/ask.py", "b/svc/ask.py")
    found = CodePaths(files, roots=["."]).find(["/app/svc/llm.py", "/app/svc/ask.py"])
    assert found["/app/svc/ask.py"][:2] == ("a/svc/ask.py", "neighbours")


def test_a_map_decides() -> None:
    """What is said by hand holds, the longer prefix first, also where it leads to no file."""
    mapped = paths(maps=[("/app", "src/stock"), ("/app/shop", "src/shop")])
    found = mapped.find(["/app/desk/ask.py", "/app/shop/llm.py", "/app/none.py", "/application/shop/llm.py"])
    assert found["/app/desk/ask.py"][:2] == ("src/stock/desk/ask.py", "map")
    assert found["/app/shop/llm.py"][:2] == ("src/shop/llm.py", "map")
    assert found["/app/none.py"][:2] == (None, "outside")
    assert found["/application/shop/llm.py"][:2] == ("src/shop/llm.py", "suffix")


def test_files_named_from_above() -> None:
    """A project that is named by an absolute or a climbing path is found all the same."""
    files = ["../other/src/shop/llm.py", "/home/user/app/x/y.py"]
    found = CodePaths(files, roots=["../other", "/home/user/app"]).find(["/srv/shop/llm.py", "/srv/x/y.py"])
    assert [found[path].file for path in ("/srv/shop/llm.py", "/srv/x/y.py")] == files
