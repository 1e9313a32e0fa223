"""Which line of the application asked: the first frame that belongs to no library."""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

    from watchglass.capture.records import Attributes

_LIBRARIES = tuple(
    {
        str(Path(__file__).resolve().parent.parent) + "/",
        *(sysconfig.get_path(name) + "/" for name in ("stdlib", "platstdlib")),
        "<frozen",
    }
)
_DEEPEST = 64

_known: dict[str, bool] = {}
"""By file whether it is the application's."""


def code_attributes(attributes: Attributes) -> None:
    """Note file, line and function of the application's innermost frame, if there is one."""
    frame: FrameType | None = sys._getframe(2)  # pyright: ignore[reportPrivateUsage] - inspect is 100× slower
    known = _known
    for _ in range(_DEEPEST):
        if frame is None:
            return
        code = frame.f_code
        own = known.get(code.co_filename)
        if own is None:
            own = known[code.co_filename] = _is_application(code.co_filename)
        if own:
            attributes["code.file.path"] = code.co_filename
            attributes["code.line.number"] = frame.f_lineno
            attributes["code.function.name"] = code.co_qualname
            return
        frame = frame.f_back


def _is_application(file: str) -> bool:
    if "/site-packages/" in file or "/dist-packages/" in file:
        return False
    return not file.startswith(_LIBRARIES)
