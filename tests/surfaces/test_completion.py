"""Shells complete commands, options and the values that are known beforehand."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from watchglass.surfaces.cli import make_app


def completed(*words: str) -> list[str]:
    """What bash is told after these words, the last one unfinished."""
    line = " ".join(["watchglass", *words])
    asked = {"_WATCHGLASS_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(len(words))}
    found = CliRunner().invoke(make_app(), [], env=asked, prog_name="watchglass")
    return found.stdout.split()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("us",), ["usage"]),
        (("calls", "--unp"), ["--unpriced"]),
        (("usage", "--by", "tenant,mo"), ["tenant,model"]),
        (("usage", "--filter", "ten"), ["tenant="]),
        (("calls", "--sort", "c"), ["cost"]),
        (("calls", "--filter", "success"), ["success=false", "success=true"]),
        (("calls", "--unpriced", "unknown_m"), ["unknown_model"]),
        (("flows", "--filter", "stat"), ["status="]),
        (("tasks", "--kind", "t"), ["task", "tool"]),
        (("flows", "--status", "r"), ["running"]),
        (("tasks", "--sort", "x"), []),
    ],
)
def test_words(words: tuple[str, ...], expected: list[str]) -> None:
    """Only what goes on from what is written."""
    assert completed(*words) == expected


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_scripts(shell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--show-completion` prints what a shell sources; it is told which, for there may be none above it."""
    monkeypatch.setenv("_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION", "1")
    make_app.cache_clear()  # what is built looks at that
    shown = CliRunner().invoke(make_app(), ["--show-completion", shell], prog_name="watchglass")
    assert shown.exit_code == 0 and "_WATCHGLASS_COMPLETE" in shown.stdout
