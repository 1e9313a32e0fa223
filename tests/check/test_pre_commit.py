"""The hook, as another repository has it: by the real pre-commit."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
HOOKS = ROOT / ".pre-commit-hooks.yaml"


def run(folder: Path, *command: str, **more: str) -> subprocess.CompletedProcess[str]:
    settings = ("user.name", "a"), ("user.email", "a@example.org"), ("init.defaultBranch", "main")
    environment = {**os.environ, "GIT_CONFIG_COUNT": str(len(settings)), **more}
    for number, (key, value) in enumerate(settings):
        environment |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    environment.pop("PYTHONPATH", None)
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=280, check=False
    )


def test_the_hook_has_the_name_that_the_teams_use() -> None:
    """`check-llm-observability` runs `watchglass check` on all of the repository, whatever was changed."""
    text = HOOKS.read_text("utf-8")
    for line in (
        "- id: check-llm-observability",
        "always_run: true",
        "pass_filenames: false",
        "language: python",
    ):
        assert line in text


@pytest.mark.long
def test_another_repository_points_at_it(tmp_path: Path) -> None:
    """pre-commit installs it from a clone, refuses a commit with a direct call, and lets a clean one pass."""
    source, shop = tmp_path / "source", tmp_path / "shop"
    source.mkdir()
    for name in ("src", "prices", "pyproject.toml", "hatch_build.py", "README.md", "LICENSE", HOOKS.name):
        subprocess.run(["cp", "-r", str(ROOT / name), str(source / name)], check=True)
    run(source, "git", "init")
    run(source, "git", "add", ".")
    assert run(source, "git", "commit", "-m", "one").returncode == 0
    revision = run(source, "git", "rev-parse", "HEAD").stdout.strip()
    shop.mkdir()
    run(shop, "git", "init")
    config = f"repos:\n- repo: {source}\n  rev: {revision}\n  hooks:\n  - id: check-llm-observability\n"
    (shop / ".pre-commit-config.yaml").write_text(config, "utf-8")
    (shop / "app.py").write_text("import litellm\nlitellm.completion(model='m')\n", "utf-8")
    run(shop, "git", "add", ".")
    places = {"PRE_COMMIT_HOME": str(tmp_path / "home"), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    pre_commit = (sys.executable, "-m", "pre_commit")
    installed = run(shop, *pre_commit, "install", "--install-hooks", **places)
    told = installed.stdout + installed.stderr
    if any(said in told for said in ("No matching distribution", "Could not find a version", "connection")):
        pytest.skip("no package index can be reached, from which pip could build the hook")
    assert installed.returncode == 0, told
    refused = run(shop, "git", "commit", "-m", "one", **places)
    assert refused.returncode == 1 and "app.py:2:1" in refused.stdout + refused.stderr
    (shop / "app.py").write_text(
        "import litellm\nlitellm.completion(model='m')  # noqa: observability\n", "utf-8"
    )
    run(shop, "git", "add", ".")
    passed = run(shop, "git", "commit", "-m", "one", **places)
    assert passed.returncode == 0, passed.stdout + passed.stderr
