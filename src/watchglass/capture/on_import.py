"""Something to do right after a module is imported, or at once if it has been.

Python has no such hook. `wrapt` has one, and loading it (with the asyncio that it brings) costs a third of
what `init` may.
"""

from __future__ import annotations

import importlib.util
import sys
import threading
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

_waiting: dict[str, list[Callable[[], object]]] = {}


def call_after(module: str, hook: Callable[[], object]) -> None:
    """Call `hook` in the thread that imports `module`, right after its code has run. It MUST NOT raise."""
    loaded = sys.modules.get(module)
    # A module that is being imported just now is in `sys.modules` half made.
    if loaded is not None and not getattr(loaded.__spec__, "_initializing", False):
        hook()
        return
    _waiting.setdefault(module, []).append(hook)
    if _finder not in sys.meta_path:
        sys.meta_path.insert(0, _finder)


class _Searching(threading.local):
    """Names that this thread looks for just now, in the other finders."""

    def __init__(self) -> None:
        self.names: set[str] = set()


_searching = _Searching()


class _Finder(MetaPathFinder):
    """Finds nothing itself: asks the others, and has their loader followed by the hooks."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in _waiting or fullname in _searching.names:
            return None
        _searching.names.add(fullname)
        try:
            spec = importlib.util.find_spec(fullname)
        finally:
            _searching.names.discard(fullname)
        # Who only asks whether there is such a module throws this away: the hooks wait on.
        if spec is not None and spec.loader is not None:
            spec.loader = _Followed(spec.loader)
        return spec


class _Followed(Loader):
    """Another loader, and the hooks when it is done. It hands everything else on."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    def __getattr__(self, name: str) -> object:
        return getattr(self._loader, name)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        name = module.__name__ if module.__spec__ is None else module.__spec__.name
        # What asks the module for its loader (to read its files, say) gets the real one.
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        for hook in _waiting.pop(name, ()):
            hook()


_finder = _Finder()
