"""The calls to models that the code has, by the checker."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import NamedTuple

from watchglass.errors import NotFound
from watchglass.queries.coverage import CallSite


class Code(NamedTuple):
    """What was read: its call sites, all its files, and those that could not be read, with the reason."""

    sites: Sequence[CallSite]
    files: Sequence[str]
    unreadable: Sequence[str]


def all_there(paths: Sequence[str]) -> None:
    """Raises `NotFound` for a path that is not there."""
    for path in paths:
        if not os.path.exists(path):
            raise NotFound(f"{path or 'an empty path'} is not there; name files or folders to check")


def read_call_sites(paths: Sequence[str]) -> Code:
    """Of these files and folders, as `watchglass check` is configured for them.

    Raises `NotFound` for a path that is not there, and `ConfigError`.
    """
    from watchglass.check import sites

    return Code(*sites.find(paths))
