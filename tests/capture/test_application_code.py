"""The line that a call says it came from is a line of its call site, on every way a call can be made."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import pytest

from tests.queries.test_covering import row
from watchglass.capture.application_code import Line, here
from watchglass.capture.propagation import patches, threads
from watchglass.check import sites
from watchglass.queries.covering import cover
from watchglass.queries.sites import RecordedSites

LIBRARY = """
from watchglass.capture.application_code import here

def completion(**options):
    return here()

async def acompletion(**options):
    return here()
"""

PROGRAM = '''"""A program whose calls are made in every way there is."""
import asyncio
import contextlib
import litellm


def plain(question):
    return litellm.completion(model="m", messages=[question])


def on_lines(question):
    answers = [
        litellm
        .completion(
            model="m",
            messages=[
                {"role": "user", "content": question},
            ],
        )
        for _ in range(1)
    ]
    return answers[0]


def within(question):
    return dict(
        a=litellm.completion(
            model="m", stop=litellm.embedding(model="m"),
        )
    )["a"]


class Desk:
    ask = staticmethod(lambda question: litellm.completion(model="m",
                                                           messages=[question]))

    @property
    def answer(self):
        with contextlib.nullcontext(): return litellm.completion(
            model="m"
        )


def prop(question):
    return Desk().answer


def called(question):
    return Desk.ask(question)


async def awaited(question):
    return await litellm.acompletion(
        model="m",
    )


def ran(question):
    return asyncio.run(
        litellm.acompletion(model="m")
    )


async def gathered(question):
    return (await asyncio.gather(awaited(question)))[0]


def main(question):
    return asyncio.run(gathered(question))
'''


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The program, with a library beside it that says what line it was called from."""
    (tmp_path / "litellm.py").write_text(LIBRARY + "\nembedding = completion\n", "utf-8")
    (tmp_path / "shöp.py").write_text(PROGRAM, "utf-8")
    (tmp_path / "pyproject.toml").touch()
    kept = {name: sys.modules.pop(name, None) for name in ("litellm", "shöp")}
    monkeypatch.syspath_prepend(tmp_path)
    yield __import__("shöp")
    for name, module in kept.items():
        sys.modules.pop(name, None)
        if module is not None:
            sys.modules[name] = module


def joined(program: ModuleType, line: Line) -> list[tuple[str, str | None]]:
    """What coverage says was seen when a call is on record from this line: callee, and how it was matched."""
    assert program.__file__ == line.file
    code = sites.find([line.file])
    recorded = row(line.number, line.function, file=f"/app/{Path(line.file).parent.name}/shöp.py")
    said = cover(
        code.sites, RecordedSites(since="", until="", sites=[recorded]), files=code.files, roots=[line.file]
    )
    return [(site.callee, site.matched) for site in said.seen]


@pytest.mark.parametrize("way", ["plain", "on_lines", "within", "prop", "called", "ran", "main"])
def test_the_line_is_of_the_call(program: ModuleType, way: str) -> None:
    """Over one line or several, in a lambda, a property, a coroutine: its call site is found by its line."""
    line = getattr(program, way)("question")
    expected = "litellm.acompletion" if way in ("ran", "main") else "litellm.completion"
    assert joined(program, line) == [(expected, "line")]


def test_a_task_that_only_the_loop_runs_is_nobodys(program: ModuleType) -> None:
    """A request that is a task by itself: where the loop was started is not where it was asked."""
    library = cast(Any, sys.modules["litellm"])

    async def asking() -> list[Line | None]:
        return await asyncio.gather(library.acompletion(), asyncio.create_task(library.acompletion()))

    assert asyncio.run(asking()) == [None, None]


def test_threads_say_who_gave_them_the_work(program: ModuleType) -> None:
    """A library's function on a thread of its own, or of a pool, is asked by the line that handed it over."""
    library = cast(Any, sys.modules["litellm"])
    said: list[Line] = []
    assert here() is not None
    threads.install()
    try:
        with ThreadPoolExecutor(1) as pool:
            pooled = pool.submit(library.completion).result()
        alone = threading.Thread(target=lambda: None)
        alone.run = lambda: said.append(library.completion())  # type: ignore[method-assign] # as a subclass would
        alone.start()
        alone.join()
    finally:
        patches.restore()
    assert (pooled.file, pooled.function) == (__file__, "test_threads_say_who_gave_them_the_work")
    assert said[0].file == __file__


@pytest.mark.parametrize(
    ("file", "module", "is_application"),
    [
        ("C:\\app\\shop\\llm.py", "shop.llm", True),
        ("C:\\app\\venv\\Lib\\site-packages\\httpx\\_client.py", "httpx._client", False),
        ("/app/shop.pyz/shop/llm.py", "shop.llm", True),
        ("/var/task/litellm/main.py", "litellm.main", False),
        ("/usr/lib/python3/dist-packages/six.py", "six", False),
        ("/app/lib.egg/langchain_core/runnables/base.py", "langchain_core.runnables.base", False),
        ("<string>", "shop.models", False),
        ("<frozen runpy>", "runpy", False),
    ],
)
def test_whose_a_file_is(file: str, module: str, is_application: bool) -> None:
    """Libraries are known by where they lie, as Windows writes it too, else by their name."""
    frames: dict[str, Any] = {"__name__": module, "here": here}
    exec(compile("def ask():\n    return here()", file, "exec"), frames)  # a file of that name
    line = frames["ask"]()
    assert (line.file == file) is is_application
