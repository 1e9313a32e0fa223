"""The project keeps its own rules: floors, pins, ownership, and no trace of one person's machine."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "watchglass"
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def tracked() -> list[Path]:
    """Every file under version control."""
    try:
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("there is no git repository here")
    return [ROOT / name for name in listed.decode().split("\0") if name and (ROOT / name).is_file()]


def imported(folder: Path) -> set[str]:
    """Top-level names of the third-party packages that the Python files in `folder` import."""
    names: set[str] = set()
    for file in folder.rglob("*.py"):
        if "fixtures" in file.parts:
            continue  # code for the checker to read, which nobody runs
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module)
    return {name.split(".")[0] for name in names} - set(sys.stdlib_module_names) - {"watchglass", "tests"}


def declared(*extras: str) -> set[str]:
    """Normalised names of the distributions that the project declares."""
    found = [*PROJECT["project"]["dependencies"]]
    for extra in extras:
        found += PROJECT["project"]["optional-dependencies"][extra]
    return {re.split(r"[\[><=; ]", each)[0].lower().replace("_", "-") for each in found}


def test_every_top_level_module_has_a_floor() -> None:
    """A new room must be put on a floor of the import contract."""
    contract = PROJECT["tool"]["importlinter"]["contracts"][0]
    floors = {name.strip() for layer in contract["layers"] for name in layer.split("|")}
    rooms = {
        each.stem for each in SOURCE.iterdir() if each.suffix == ".py" or (each / "__init__.py").exists()
    }
    assert rooms - {"__init__"} == floors
    assert contract["exhaustive"]


@pytest.mark.parametrize(("folder", "extras"), [("src", ("server",)), ("tests", ("server", "dev"))])
def test_what_is_imported_is_declared(folder: str, extras: tuple[str, ...]) -> None:
    """Every third-party package that is imported belongs to a declared dependency."""
    owners = packages_distributions()
    beside = {file.stem for file in (ROOT / folder).rglob("*.py")}
    for name in imported(ROOT / folder) - beside:
        assert name in owners, f"{name} is imported in {folder} and not installed"
        theirs = {each.lower().replace("_", "-") for each in owners[name]}
        assert theirs & declared(*extras), f"{name} comes with {sorted(theirs)}, which is not declared"


def test_pins_are_versions_and_nothing_else() -> None:
    """constraints.txt has one `name==version` a line, no address and no path, and all that is declared."""
    lines = [each for each in (ROOT / "constraints.txt").read_text("utf-8").splitlines() if each[:1] != "#"]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+(; [^/@]+)?", line) for line in lines)
    names = [line.split("==")[0].lower().replace("_", "-") for line in lines]
    assert len(set(names)) == len(names)
    assert declared("server", "dev") <= set(names)


def test_no_third_party_code_is_kept_here() -> None:
    """No vendored folder, no archive, no copied licence but our own."""
    for file in tracked():
        parts = {part.lower() for part in file.relative_to(ROOT).parts}
        assert not parts & {
            "vendor",
            "vendored",
            "third_party",
            "thirdparty",
            "node_modules",
            "site-packages",
        }
        assert file.suffix not in {".whl", ".zip", ".gz", ".so", ".dll", ".jar"}, file
        assert not file.name.upper().startswith(("LICENSE", "COPYING")) or file.parent == ROOT


def test_nothing_names_one_machine() -> None:
    """No file holds a path of somebody's home or checkout, or an address of a private package index."""
    telling = re.compile(
        rb"/(?:home|Users)/(?!user\b|app\b)[a-z]\w*/|/root/\.|--(?:extra-)?index-url|find-links"
    )
    for file in tracked():
        if file.suffix not in {".png", ".pb"} and file != Path(__file__).resolve():
            found = telling.search(file.read_bytes())
            assert found is None, f"{file.relative_to(ROOT)}: {found and found[0]!r}"


def test_make_lists_its_targets() -> None:
    """`make help` names every target that has a description."""
    text = (ROOT / "Makefile").read_text("utf-8")
    described = set(re.findall(r"^([a-z-]+):.*## ", text, re.M))
    assert {"up", "test", "test-long", "check", "format", "docs", "bench", "clean"} <= described
    phony = set(re.findall(r"^\.PHONY: (.+)$", text, re.M)[0].split())
    assert described == phony
