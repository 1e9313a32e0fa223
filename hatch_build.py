"""What happens when a package is made: the app is built if that was asked for, and else nothing.

An installation from the repository runs this too. So it asks for Node.js, as a Python package, only where
`WATCHGLASS_BUILD_APP=1` says that the app is wanted: who installs the SDK or the checker needs no Node.js.
"""

from __future__ import annotations

import os
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class AppHook(BuildHookInterface[Any]):
    """Hatch finds it by being the only hook in this file."""

    def dependencies(self) -> list[str]:
        """What the build needs beside hatchling."""
        extras = self.metadata.core.optional_dependencies
        return list(extras["app"]) if asked() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Before files are collected."""
        if asked():
            build(Path(self.root))


def asked() -> bool:
    """Whether the app is to be built."""
    return os.environ.get("WATCHGLASS_BUILD_APP", "").lower() in ("1", "true", "yes")


def build(root: Path) -> None:
    """Build the app with the builder of this very tree."""
    file = root / "web" / "build.py"
    spec = spec_from_file_location("watchglass_app_builder", file)
    assert spec is not None and spec.loader is not None
    builder = module_from_spec(spec)
    spec.loader.exec_module(builder)
    builder.build(root / "web", root / "src" / "watchglass" / "surfaces" / "web")
