"""For people: a block a file, a line a finding, and each rule's fix and link once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import groupby

from watchglass.check.finding import SEVERITIES, Finding


def write(findings: Sequence[Finding]) -> str:
    """The findings, grouped by file, and what to do about each rule."""
    if not findings:
        return "No findings."
    from watchglass.check.rules import BY_CODE

    lines: list[str] = []
    for path, group in groupby(findings, key=lambda each: each.path):
        lines.append(_printable(path))
        lines += [
            _printable(f"  {_place(each)}  {each.severity}  {each.rule}  {each.message}") for each in group
        ]
        lines.append("")
    for code in sorted({each.rule for each in findings}):
        rule = BY_CODE.get(code)
        fix = rule.fix if rule else next(each.fix for each in findings if each.rule == code)
        lines.append(f"{code}: {fix}" + (f" ({rule.link})" if rule else ""))
    lines += ["", _sum(findings)]
    return "\n".join(lines)


def _printable(line: str) -> str:
    """With what would move a terminal's cursor or colour it written as escapes: files have any names."""
    return line if line.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in line)


def _place(finding: Finding) -> str:
    cell = f"cell {finding.cell}:" if finding.cell is not None else ""
    return f"{finding.path}:{cell}{finding.line}:{finding.column}"


def _sum(findings: Sequence[Finding]) -> str:
    counts = Counter(each.severity for each in findings)
    parts = [f"{counts[each]} {each}" for each in reversed(SEVERITIES) if counts[each]]
    files = len({each.path for each in findings})
    found = f"{len(findings)} finding{'s' * (len(findings) != 1)}"
    return f"{found} in {files} file{'s' * (files != 1)}: {', '.join(parts)}"
