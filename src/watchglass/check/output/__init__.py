"""How findings are written: for people, for programs, for code scanning, for a pull request."""

from __future__ import annotations

from collections.abc import Sequence

from watchglass.check.finding import Finding


def written(form: str, findings: Sequence[Finding]) -> str:
    """What is printed, without the newline at the end; no form but the one asked for is imported."""
    if form == "json":
        from watchglass.check.output import array as wanted
    elif form == "sarif":
        from watchglass.check.output import sarif as wanted
    elif form == "github":
        from watchglass.check.output import github as wanted
    else:
        from watchglass.check.output import text as wanted
    return wanted.write(findings)
