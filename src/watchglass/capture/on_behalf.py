"""For whom code sends while a call runs: for the call, or for others that LiteLLM runs beside it (callbacks,
caches, secret stores). What those send is no attempt at the call."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

_OTHERS_WORK = (
    *("/litellm/integrations/", "/litellm/caching/", "/litellm/proxy/", "/litellm/secret_managers/"),
    *("/litellm_core_utils/litellm_logging.py", "/litellm_core_utils/logging_worker.py"),
)
_HOOKS = "_deployment_hook"
"""How LiteLLM's functions are named that run the application's hooks from within `litellm/utils.py`."""

_OURSELVES = str(Path(__file__).resolve().parent) + "/"
_DEEPEST = 48

_OTHERS, _OURS, _BY_NAME, _NOTHING_TOLD = "others", "ours", "by name", "nothing"
_told: dict[str, str] = {}
"""By file of a frame, for whom its code sends."""


def of_others(depth: int) -> bool:
    """Whether what the frame `depth` above the caller does is done on behalf of others."""
    return _of_others(sys._getframe(depth + 1))  # pyright: ignore[reportPrivateUsage] - inspect is 100× slower


def begun_by_others() -> bool:
    """Whether others ask for what is begun here: looks above our own functions, which a call passes."""
    frame: FrameType | None = sys._getframe(1)  # pyright: ignore[reportPrivateUsage]
    while frame is not None and frame.f_code.co_filename.startswith(_OURSELVES):
        frame = frame.f_back
    return _of_others(frame)


def _of_others(frame: FrameType | None) -> bool:
    for _ in range(_DEEPEST):
        if frame is None:
            return False
        code = frame.f_code
        told = _told.get(code.co_filename)
        if told is None:
            told = _told[code.co_filename] = _told_by(code.co_filename)
        if told is not _NOTHING_TOLD:
            if told is not _BY_NAME:
                return told is _OTHERS
            if code.co_name.endswith(_HOOKS):
                return True
        frame = frame.f_back
    return False


def _told_by(file: str) -> str:
    if file.endswith("/capture/litellm/entry.py"):
        return _OURS
    if file.endswith("/litellm/utils.py"):
        return _BY_NAME
    return _OTHERS if any(place in file for place in _OTHERS_WORK) else _NOTHING_TOLD
