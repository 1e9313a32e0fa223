"""Files as they come: notebooks, encodings, other Pythons, links, what git ignores, and the cache."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from watchglass.check import configuration, files, running
from watchglass.check.cache import Cache
from watchglass.check.codes import CODES
from watchglass.check.configuration import Configuration
from watchglass.check.finding import Finding
from watchglass.check.patterns import Patterns

CALL = 'import litellm\nlitellm.completion(model="m", messages=[])\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder whose own name exempts nothing."""
    made = tmp_path / "project"
    made.mkdir()
    (made / "pyproject.toml").write_text("", "utf-8")
    return made


def check(folder: Path, cache: Path | None = None, jobs: int = 1, rule: str = "WG002") -> list[Finding]:
    settings = configuration.load(str(folder), CODES)._replace(rules=frozenset({rule}))
    kept = Cache(str(cache), settings) if cache else None
    return running.run(files.find([str(folder)], settings), settings, kept, jobs)


def names(found: list[Finding]) -> list[str]:
    return [os.path.basename(each.path) for each in found]


def cell(kind: str, source: object) -> dict[str, object]:
    return {"cell_type": kind, "source": source}


def test_a_notebook_is_checked_cell_by_cell(folder: Path) -> None:
    """Names go from cell to cell, magics are none of Python; a finding has its cell and the line in it."""
    cells = [
        cell("markdown", "# litellm.completion(model)"),
        cell("code", ["%pip install litellm\n", "import litellm as l\n", "files = !ls\n"]),
        cell("code", "%%bash\nlitellm.completion("),
        cell("code", "this is no python"),
        cell("code", "x = 1\nawait l.acompletion(model='m')"),
    ]
    (folder / "a.ipynb").write_text(json.dumps({"cells": cells}), "utf-8")
    [found] = check(folder)
    assert (found.cell, found.line, found.column, found.rule) == (5, 2, 7, "WG002")


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbf" + CALL.encode(),
        b"# -*- coding: latin-1 -*-\n# \xe9\n" + CALL.encode(),
        CALL.replace("\n", "\r\n").encode(),
        b"import litellm\nx = '\xc3\xa9\xc3\xa9'; litellm.completion(model='m')\n",
        CALL.rstrip().encode(),
    ],
)
def test_encodings_are_those_of_pep_263(folder: Path, data: bytes) -> None:
    """A byte order mark, a declared encoding, line ends of Windows: found, its column in characters."""
    (folder / "a.py").write_bytes(data)
    [found] = check(folder)
    assert found.rule == "WG002"
    assert found.column == (11 if b"x = '" in data else 1)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"import litellm\nprint 'x'\nlitellm.completion()\n", "Python 2"),
        (b"import litellm\nlitellm.completion(\n", "cannot parse it"),
        (b"import litellm\x00\nlitellm.completion()\n", "no Python"),
        (b"# coding: no-such\nimport litellm\nlitellm.completion()\n", "unknown encoding"),
        (b"import litellm\nlitellm.completion(" + b"(" * 5000 + b")" * 5001, "nested"),
        (b"import litellm\nlitellm.completion()\n" + b"#" * (9 << 20), "larger than"),
    ],
)
def test_what_cannot_be_read_is_said_and_no_crash(folder: Path, data: bytes, said: str) -> None:
    """Python 2, half a file, bytes that are no text, nesting beyond the parser: one WG000 that says why."""
    (folder / "a.py").write_bytes(data)
    [found] = check(folder)
    assert found.rule == "WG000" and (said in found.message or "parse" in found.message)


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="this Python reads the syntax of 3.12")
@pytest.mark.parametrize(
    "line", ["def ask[T](x: T): ...", "class Asked[T]: ...", "type X = int", "y = f'{x['a']}'"]
)
def test_code_for_a_newer_python_is_said_to_be_that(folder: Path, line: str) -> None:
    """One WG000 at the line, which says to run the check with a newer Python."""
    (folder / "a.py").write_text(f"import litellm\n{line}\nlitellm.completion()\n", "utf-8")
    [found] = check(folder)
    assert (found.rule, found.line) == ("WG000", 2) and "run the check with a newer one" in found.message


def test_deep_code_is_followed(folder: Path) -> None:
    """Ninety `elif` below each other, a sum of nine hundred terms, and a call after both: found."""
    branches = "if x == 0:\n    pass\n" + "".join(f"elif x == {n}:\n    pass\n" for n in range(90))
    terms = "y = " + " + ".join(["x"] * 900)
    (folder / "a.py").write_text(f"x = 1\n{branches}{terms}\n{CALL}", "utf-8")
    assert [each.rule for each in check(folder)] == ["WG002"]


def test_circles_of_names_have_an_end(folder: Path) -> None:
    """Names, classes and modules that are made of each other are followed once."""
    (folder / "a.py").write_text(
        "from b import client\nx = y\ny = x\nclass A(B): c = x\nclass B(A): d = y\n"
        "def f(): return g()\ndef g(): return f()\nf().chat.completions.create(model='m')\n"
        "client.chat.completions.create(model='m')\n# openai\n",
        "utf-8",
    )
    (folder / "b.py").write_text("from a import client\n# openai\n", "utf-8")
    assert names(check(folder)) == ["a.py", "a.py"]


def test_what_git_ignores_and_usual_folders_are_left_out(folder: Path) -> None:
    """`.gitignore` with its exceptions, virtual environments, and links in a circle."""
    for name in ("a.py", "made/b.py", "made/kept.py", ".venv/c.py", "env/d.py", "node_modules/e.py"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(CALL, "utf-8")
    (folder / ".git").mkdir()
    (folder / "env" / "pyvenv.cfg").write_text("", "utf-8")
    (folder / ".gitignore").write_text("made/*\n!made/kept.py\n", "utf-8")
    (folder / "loop").symlink_to(folder, target_is_directory=True)
    (folder / "gone.py").symlink_to(folder / "nothing.py")
    assert names(check(folder)) == ["a.py", "kept.py"]


def test_tests_and_migrations_are_exempt(folder: Path) -> None:
    """By folder and by name."""
    for name in ("tests/a.py", "test_b.py", "c_test.py", "conftest.py", "db/migrations/0001.py", "d.py"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(CALL, "utf-8")
    assert names(check(folder)) == ["d.py"]


@pytest.mark.parametrize(
    ("pattern", "path", "meant"),
    [
        ("*.py", "a/b.py", True),
        ("/a.py", "b/a.py", False),
        ("a/", "x/a/b.py", True),
        ("a/", "a", False),
        ("a/**/c.py", "a/c.py", True),
        ("a/**/c.py", "a/x/y/c.py", True),
        ("**/c", "x/c/d.py", True),
        ("a/*.py", "a/b/c.py", False),
        ("[ab].py", "b.py", True),
        ("[!ab].py", "b.py", False),
        ("\\#a.py", "#a.py", True),
        ("# a", "a", False),
    ],
)
def test_patterns_are_those_of_gitignore(pattern: str, path: str, meant: bool) -> None:
    """As gitignore(5) describes them."""
    assert Patterns([pattern]).covers(path) is meant


def test_the_cache_knows_files_and_what_they_depend_on(folder: Path, tmp_path: Path) -> None:
    """A second run reads no file again; a change of it, or of a module that it imports, is seen."""
    cache = tmp_path / "cache"
    (folder / "app.py").write_text("from made import client\nclient.responses.create(input='')\n", "utf-8")
    (folder / "made.py").write_text("from openai import OpenAI\nclient = OpenAI()\n", "utf-8")
    for name in ("app.py", "made.py"):
        os.utime(folder / name, ns=(10**18, 10**18))
    first = check(folder, cache)
    assert names(first) == ["app.py"]
    [stored] = cache.iterdir()
    told = json.loads(stored.read_text("utf-8"))
    told["results"][str(folder / "app.py")][1][0][6] = "from the cache"
    stored.write_text(json.dumps(told), "utf-8")
    assert [each.message for each in check(folder, cache)] == ["from the cache"]
    (folder / "made.py").write_text("client = None\n\n\n", "utf-8")
    os.utime(folder / "made.py", ns=(10**18 + 1, 10**18 + 1))
    assert [each.message for each in check(folder, cache)] != ["from the cache"]


LOGS = """\
import logging
from model import ask
log = logging.getLogger("llm")
def main(question):
    reply = ask(question)
    log.info("got %s", reply)
"""


def test_the_cache_knows_through_what_an_answer_was_followed(folder: Path, tmp_path: Path) -> None:
    """Each file that follows an answer depends on all that tells so, also on what an earlier one read."""
    cache = tmp_path / "cache"
    texts = {
        "a.py": LOGS,
        "b.py": LOGS,
        "made.py": "import openai\nclient = openai.OpenAI()\n",
        "model.py": "import openai\nfrom made import client\n"
        "def ask(question):\n    return client.responses.create(input=question)\n",
        "z.py": LOGS,
    }
    for name, text in texts.items():
        (folder / name).write_text(text, "utf-8")
        os.utime(folder / name, ns=(10**18, 10**18))
    assert names(check(folder, cache, rule="WG008")) == ["a.py", "b.py", "z.py"]
    ours = "class Made:\n    def create(self, input): ...\n\n\nclass Client:\n    responses = Made()\n\n\n"
    ours += "client = Client()\n"
    (folder / "made.py").write_text(ours, "utf-8")
    os.utime(folder / "made.py", ns=(10**18 + 1, 10**18 + 1))
    assert check(folder, cache, rule="WG008") == check(folder, rule="WG008") == []


@pytest.mark.parametrize(
    "damage", [b"", b"\x00\xff", b"{}", b'{"statuses": 1, "results": []}', b"[" * 100_000]
)
def test_a_damaged_cache_is_none(folder: Path, tmp_path: Path, damage: bytes) -> None:
    """The run goes on without, and writes a whole one."""
    cache = tmp_path / "cache"
    (folder / "a.py").write_text(CALL, "utf-8")
    os.utime(folder / "a.py", ns=(10**18, 10**18))
    check(folder, cache)
    [stored] = cache.iterdir()
    stored.write_bytes(damage)
    assert names(check(folder, cache)) == ["a.py"]
    assert json.loads(stored.read_text("utf-8"))["results"]


def test_several_processes_find_the_same(folder: Path) -> None:
    """In the same order, whoever is first."""
    for number in range(30):
        (folder / f"m{number:02}.py").write_text(CALL, "utf-8")
    assert check(folder, jobs=2) == check(folder, jobs=1)
    assert len(check(folder, jobs=2)) == 30


def test_a_configuration_is_found_upwards(folder: Path) -> None:
    """The nearest `pyproject.toml` above the first path; other tools' tables are none of ours."""
    (folder / "pyproject.toml").write_text('[tool.watchglass.check]\nexclude = ["b.py"]\n[tool.x]\n', "utf-8")
    (folder / "deep").mkdir()
    (folder / "deep" / "b.py").write_text(CALL, "utf-8")
    assert isinstance(configuration.load(str(folder / "deep"), CODES), Configuration)
    assert check(folder / "deep") == []


def test_the_cache_forgets(folder: Path, tmp_path: Path) -> None:
    """What no result depends on any more, and what another checker left and did not write for a month."""
    cache = tmp_path / "cache"
    cache.mkdir()
    old, other, foreign = cache / f"{'a' * 32}.json", cache / f"{'b' * 32}.json", cache / "kept.txt"
    for each in (old, other, foreign):
        each.write_text("{}", "utf-8")
    for each in (old, foreign):
        os.utime(each, ns=(10**18, 10**18))
    (folder / "pyproject.toml").write_text('[tool.watchglass.check]\nexclude = ["made.py"]\n', "utf-8")
    (folder / "app.py").write_text("from made import client\nclient.responses.create(input='')\n", "utf-8")
    (folder / "made.py").write_text("from openai import OpenAI\nclient = OpenAI()\n", "utf-8")
    for name in ("app.py", "made.py"):
        os.utime(folder / name, ns=(10**18, 10**18))
    check(folder, cache)
    assert not old.exists()
    assert other.exists()
    assert foreign.exists()
    [stored] = set(cache.iterdir()) - {other, foreign}
    assert str(folder / "made.py") in json.loads(stored.read_text("utf-8"))["statuses"]
    (folder / "app.py").write_text("x = 1\n", "utf-8")
    os.utime(folder / "app.py", ns=(10**18, 10**18))
    check(folder, cache)
    assert set(json.loads(stored.read_text("utf-8"))["statuses"]) == {str(folder / "app.py")}
