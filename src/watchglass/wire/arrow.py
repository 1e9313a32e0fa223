"""Arrow without pandas, which it would load to look whether a list is one of its series."""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

import pyarrow as pa


def without_pandas() -> None:
    """Have Arrow know pandas as not installed in this process, unless it is loaded already.

    The first `pa.array` of any process imports pandas where it is installed (the engine's driver requires
    it): half a second and 55 MB, in the middle of somebody's first request and in each decoding process, for
    values that are never pandas' here. Arrow looks once; who imports pandas themselves gets it as always.
    """
    if "pandas" in sys.modules:
        return
    missing = _Missing()
    sys.meta_path.insert(0, missing)
    try:
        pa.array([0])
    finally:
        sys.meta_path.remove(missing)


class _Missing(MetaPathFinder):
    """Says of pandas, to the thread that it was made in, that it is not installed."""

    def __init__(self) -> None:
        self._thread = threading.get_ident()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """See `MetaPathFinder.find_spec`."""
        if fullname == "pandas" and threading.get_ident() == self._thread:
            raise ModuleNotFoundError("pandas is not used here", name=fullname)
        return None
