"""The documents say what is true: generated pages are fresh, programs run, commands and links exist."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
import typer

import watchglass
from watchglass.capture.settings import CaptureSettings
from watchglass.surfaces.cli import make_app
from watchglass.wire.dialects.totals import provider_usage
from watchglass.wire.dialects.usages import usage_of

ROOT = Path(__file__).parent.parent
DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]


def programs() -> list[Any]:
    """The Python programs of CONTRIBUTING.md, named by the heading above them."""
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    found = re.findall(r"^### ([^\n]+)\n(?:(?!^###).)*?^```python\n(.*?)^```", text, re.M | re.S)
    return [pytest.param(code, id=heading.replace(" ", "-")) for heading, code in found]


def test_the_reference_is_what_the_code_says() -> None:
    """`make docs` would change nothing."""
    command = [sys.executable, ROOT / "docs" / "generate.py", "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("program", programs())
def test_the_worked_examples_run(program: str, tmp_path: Path) -> None:
    """Every program in CONTRIBUTING.md runs, each in a process of its own."""
    file = tmp_path / "example.py"
    file.write_text(program, encoding="utf-8")
    command = [sys.executable, str(file)]
    if "class Test" in program:
        command = [
            *(sys.executable, "-m", "pytest", "-q", str(file), "-p", "no:cacheprovider"),
            *("-c", str(ROOT / "pyproject.toml"), "-k", "visible or left_out or nothing_to_insert"),
        ]
    path = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, env=path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_there_is_an_example_for_each_extension_point() -> None:
    """Dialect, price source, bill, engine, query, finding, rule and instrumentation have a program each."""
    assert [each.id for each in programs()] == [
        "A-dialect",
        "A-price-source",
        "A-bill-format",
        "An-engine",
        "A-query",
        "A-finding",
        "A-check-rule",
        "An-instrumentation",
    ]


def counting_rules() -> list[Any]:
    """The rows of docs/money.md that say how a provider counts: its usage, and what becomes of it."""
    text = (ROOT / "docs" / "money.md").read_text("utf-8")
    rows = re.findall(r"^\| ([^|:]+)[^|]* \| `(\{.*\})` \| `(.*)` \|$", text, re.M)
    return [pytest.param(usage, columns, id=name) for name, usage, columns in rows]


@pytest.mark.parametrize(("usage", "columns"), counting_rules())
def test_providers_count_as_documented(usage: str, columns: str) -> None:
    """Each provider's usage in docs/money.md is read into the columns that stand beside it, and no others."""
    stated = {f"{name}_tokens": int(count) for name, count in (each.split() for each in columns.split(", "))}
    for read in (provider_usage, usage_of):
        found = msgspec.structs.asdict(read(json.loads(usage)))
        assert {name: n for name, n in found.items() if n is not None and name != "total_tokens"} == stated


def test_the_counting_rules_are_found() -> None:
    """docs/money.md has a row for each family of providers."""
    assert len(counting_rules()) >= 8


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_names_of_the_sdk_in_documents_exist(document: Path) -> None:
    """Every Python program that a document shows can be parsed; each `watchglass.name` in it is public, and
    each argument of `watchglass.init` a setting."""
    for code in re.findall(r"^```python\n(.*?)^```", document.read_text("utf-8"), re.M | re.S):
        if document.parent.name == "reference":
            continue  # signatures
        for node in ast.walk(ast.parse(code)):
            match node:
                case ast.Attribute(value=ast.Name(id="watchglass"), attr=name):
                    assert name in watchglass.__all__, f"{document.name}: watchglass.{name}"
                case ast.ImportFrom(module="watchglass", names=names):
                    assert {each.name for each in names} <= {*watchglass.__all__, "__version__"}, (
                        document.name
                    )
            match node:
                case ast.Call(
                    func=ast.Attribute(value=ast.Name(id="watchglass"), attr="init"), keywords=given
                ):
                    unknown = {each.arg for each in given} - {*CaptureSettings.__struct_fields__}
                    assert not unknown, f"{document.name}: init({unknown}=…)"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_commands_in_documents_exist(document: Path) -> None:
    """Every `watchglass <command> --option` that a document shows is one that the program has."""
    group: Any = typer.main.get_command(make_app())
    text = document.read_text("utf-8")
    shown = re.findall(r"^[$ ]*(?:\.venv/bin/)?watchglass (?!is ready)(.+)$", text, re.M)
    shown += re.findall(r"`watchglass ([^`<]+)`", text)
    for line in shown:
        name, *rest = re.sub(r'"[^"]*"', "", line).split()
        if not name.isalpha() or document.name == "CHANGELOG.md":
            continue
        assert name in group.commands, f"{document.name}: watchglass {line}"
        command = group.commands[name]
        if hasattr(command, "commands") and rest and not rest[0].startswith("--"):
            assert rest[0] in command.commands, f"{document.name}: watchglass {line}"
            command = command.commands[rest[0]]
        options = {each for param in command.params for each in [*param.opts, *param.secondary_opts]}
        for option in (word for word in rest if word.startswith("--")):
            assert option in options, f"{document.name}: watchglass {line}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_between_documents_lead_somewhere(document: Path) -> None:
    """Every relative link names a file, and its anchor a heading there."""
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", document.read_text("utf-8")):
        name, _, anchor = target.partition("#")
        file = (document.parent / name) if name else document
        assert file.exists(), f"{document.name}: {target}"
        if anchor:
            headings = re.findall(r"^#+ (.+)$", file.read_text("utf-8"), re.M)
            slugs = {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings}
            assert anchor in slugs, f"{document.name}: {target}"
