"""Which line of the application asked: the first frame that belongs to no library.

Where there is none on this thread, it is the line that started the thread, or gave it the work. Where a task
of an event loop has none, it is nobody's: the frames beyond the loop are those of whoever runs the loop.
"""

from __future__ import annotations

import sys
import sysconfig
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from types import FrameType

    from watchglass.capture.records import Attributes


class Line(NamedTuple):
    """A line of the application's code; `function` as Python names it."""

    file: str
    number: int
    function: str


def _written(path: str) -> str:
    """A path as Windows and others have it alike."""
    return path.replace("\\", "/")


_LIBRARIES = tuple(
    {
        _written(str(Path(__file__).resolve().parent.parent)) + "/",
        *(_written(sysconfig.get_path(name)) + "/" for name in ("stdlib", "platstdlib")),
    }
)
_PACKAGES = frozenset(
    (
        *("litellm", "openai", "anthropic", "crewai", "langchain", "langchain_core", "langchain_openai"),
        *("langchain_anthropic", "langchain_community", "instructor", "tenacity", "opentelemetry", "wrapt"),
    )
)
"""Libraries between us and the application, also where they lie beside its code, or in its zip."""

_DEEPEST = 100
"""A crew in a flow, asked by a tool of another one, is some sixty frames from the application."""

_LOOPS = ("/asyncio/base_events.py", "/asyncio/runners.py")
_APPLICATION, _LIBRARY, _LOOP = 0, 1, 2
_BEYOND: Final = object()

_known: dict[str, int] = {}
"""By file whose it is."""

started_at: ContextVar[Line | None] = ContextVar("watchglass_started_at", default=None)
"""The line that started this thread, or gave it its work."""


def code_attributes(attributes: Attributes) -> None:
    """Note file, line and function of the application's innermost frame, if there is one."""
    line = here(2)
    if line is not None:
        note(line, attributes)


def note(line: Line, attributes: Attributes) -> None:
    """Say it as OpenTelemetry does."""
    attributes["code.file.path"] = line.file
    attributes["code.line.number"] = line.number
    attributes["code.function.name"] = line.function


def here(depth: int = 1) -> Line | None:
    """The application's innermost line, `depth` frames out and further."""
    frame: FrameType | None = sys._getframe(depth)  # pyright: ignore[reportPrivateUsage] - inspect is 100× slower
    known = _known
    for _ in range(_DEEPEST):
        if frame is None:
            return started_at.get()
        code = frame.f_code
        whose = known.get(code.co_filename)
        if whose is None:
            whose = known[code.co_filename] = _whose(code.co_filename, frame.f_globals)
        if whose == _APPLICATION:
            return Line(code.co_filename, frame.f_lineno, code.co_qualname)
        if whose == _LOOP and _runs_another(frame):
            return None
        frame = frame.f_back
    return None


def _whose(file: str, names: dict[str, Any]) -> int:
    path = _written(file)
    if path.endswith(_LOOPS):
        return _LOOP
    # What was made while it ran, a dataclass's methods or `python -c`, is in no file.
    made = path.startswith("<")
    installed = "/site-packages/" in path or "/dist-packages/" in path or path.startswith(_LIBRARIES)
    package = str(names.get("__name__")).partition(".")[0]
    return _LIBRARY if made or installed or package in _PACKAGES else _APPLICATION


def _runs_another(frame: FrameType) -> bool:
    """Whether this is where a loop was started, for another task than the one that runs now.

    `asyncio.run(litellm.acompletion(…))` is the line that asks; of `gather` and `create_task` it is not.
    """
    if frame.f_code.co_name not in ("run", "run_until_complete"):
        return False
    started = frame.f_locals.get("future", frame.f_locals.get("task", _BEYOND))
    if started is _BEYOND:
        return False
    try:
        return started is not sys.modules["asyncio"].current_task()
    except RuntimeError:
        return True
