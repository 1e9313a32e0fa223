"""What a rule found, and where."""

from __future__ import annotations

from typing import NamedTuple

CRITICAL, ERROR, WARNING = "critical", "error", "warning"
SEVERITIES = (WARNING, ERROR, CRITICAL)
"""From mild to grave: `--fail-on` means this one and those after it."""

UNREADABLE = "WG000"
"""The code of what is no rule: a file that could not be checked."""


class Finding(NamedTuple):
    """One finding. Lines and columns count from 1, columns in characters; lines of a notebook in a cell."""

    path: str
    cell: int | None
    line: int
    column: int
    end_line: int
    rule: str
    severity: str
    message: str
    fix: str
    function: str
    """The qualified name of the function around it, `""` at the top of a module."""
    text: str
    """The line of code, without the space around it: what a baseline knows it by."""

    def place(self) -> tuple[str, int, int, int, str]:
        """What findings are sorted by."""
        return (self.path, self.cell or 0, self.line, self.column, self.rule)
