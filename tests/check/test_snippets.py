"""Small programs, one for each way of writing a thing, each with what is to be found in it written beside."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from test_rules import checker, expected, file

SNIPPETS = Path(__file__).parent / "snippets"


@pytest.mark.parametrize(
    "path", [pytest.param(each, id=each.stem) for each in sorted(SNIPPETS.glob("*.txt"))]
)
def test_each_snippet_has_the_findings_written_in_it(path: Path, tmp_path: Path) -> None:
    """Of every program in the file, the lines marked `# expect: CODE` have that finding and no others any."""
    code = path.stem.upper()
    programs = re.split(r"(?m)^=== (\w+)\n", path.read_text("utf-8"))[1:]
    checks = checker(tmp_path, rules=frozenset({code}))
    wrong: dict[str, object] = {}
    for name, text in zip(programs[::2], programs[1::2], strict=True):
        program = tmp_path / name / f"{name}.py"
        program.parent.mkdir()
        program.write_text(text, "utf-8")
        found = Counter((each.line, each.rule) for each in checks.check(file(program)).findings)
        if found != expected(program):
            wrong[name] = (found - expected(program), expected(program) - found)
    assert not wrong
