"""For programs: a JSON array of `{path, cell?, line, column, rule, severity, message, fix}`."""

from __future__ import annotations

import json
from collections.abc import Sequence

from watchglass.check.finding import Finding


def write(findings: Sequence[Finding]) -> str:
    """The array; `cell` is there for notebooks only."""
    return json.dumps([_object(each) for each in findings], indent=2, ensure_ascii=False)


def _object(finding: Finding) -> dict[str, object]:
    found: dict[str, object] = {"path": finding.path.replace("\\", "/")}
    if finding.cell is not None:
        found["cell"] = finding.cell
    for key in ("line", "column", "rule", "severity", "message", "fix"):
        found[key] = getattr(finding, key)
    return found
