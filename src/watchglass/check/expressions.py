"""Regular expressions that are compiled when they are first used.

A run needs few of them; on a handful of files, compiling them all would take longer than the files.
"""

from __future__ import annotations

import re
from typing import Any, AnyStr, cast

_METHODS = ("search", "match", "fullmatch", "findall", "finditer", "sub", "pattern")


class _Late:
    """What a pattern can do; once it is compiled, its methods are found here without a detour."""

    __slots__ = ("_flags", "_text", *_METHODS)

    def __init__(self, text: str | bytes, flags: int) -> None:
        self._text = text
        self._flags = flags

    def __getattr__(self, name: str) -> Any:
        if name not in _METHODS:
            raise AttributeError(name)
        compiled = re.compile(self._text, self._flags)
        for each in _METHODS:
            setattr(self, each, getattr(compiled, each))
        return getattr(compiled, name)

    def __reduce__(self) -> tuple[Any, ...]:
        return late, (self._text, self._flags)


def late(text: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """What `re.compile` gives, when it is asked for something."""
    return cast("re.Pattern[AnyStr]", _Late(text, flags))
