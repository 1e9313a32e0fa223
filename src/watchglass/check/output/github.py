"""For a pull request: workflow commands, which GitHub shows beside the line.

The format and its escapes: https://docs.github.com/actions/reference/workflow-commands-for-github-actions
"""

from __future__ import annotations

from collections.abc import Sequence

from watchglass.check.finding import WARNING, Finding


def write(findings: Sequence[Finding]) -> str:
    """A command a finding."""
    return "\n".join(_command(each) for each in findings)


def _command(finding: Finding) -> str:
    level = "warning" if finding.severity == WARNING else "error"
    place = f"file={_property(finding.path)}"
    if finding.cell is None:
        place += f",line={finding.line},endLine={finding.end_line},col={finding.column}"
    where = f"cell {finding.cell}, line {finding.line}: " if finding.cell is not None else ""
    title = _property(finding.rule)
    return f"::{level} {place},title={title}::{_data(f'{where}{finding.message}. {finding.fix}')}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
