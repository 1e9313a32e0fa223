"""For code scanning: SARIF 2.1.0 (https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any
from urllib.parse import quote

from watchglass.check.baseline import fingerprints
from watchglass.check.finding import UNREADABLE, WARNING, Finding
from watchglass.check.rules import RULES

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def write(findings: Sequence[Finding]) -> str:
    """One run of one tool, with all its rules."""
    run = {
        "tool": {
            "driver": {
                "name": "watchglass check",
                "semanticVersion": _version(),
                "rules": [
                    *(_rule(each.code, each.name, each.summary, each.because, each.fix) for each in RULES),
                    _rule(
                        UNREADABLE, "not-checked", "A file was not checked.", "It cannot be read.", "Mend it."
                    ),
                ],
            }
        },
        "columnKind": "unicodeCodePoints",
        "results": [
            _result(finding, mark) for finding, mark in zip(findings, fingerprints(findings), strict=True)
        ],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False)


def _version() -> str:
    try:
        return version("watchglass")
    except PackageNotFoundError:
        return "0"  # run from a checkout that nobody installed


def _rule(code: str, name: str, summary: str, because: str, fix: str) -> dict[str, Any]:
    return {
        "id": code,
        "name": name,
        "shortDescription": {"text": summary},
        "fullDescription": {"text": because},
        "help": {"text": f"{because} To mend it: {fix}"},
    }


def _result(finding: Finding, mark: str) -> dict[str, Any]:
    where = f"cell {finding.cell}, line {finding.line}: " if finding.cell is not None else ""
    region = {"startLine": finding.line, "startColumn": finding.column, "endLine": finding.end_line}
    physical: dict[str, Any] = {
        "artifactLocation": {"uri": quote(finding.path.replace("\\", "/"), errors="surrogateescape")}
    }
    if finding.cell is None:
        physical["region"] = region
    return {
        "ruleId": finding.rule,
        "level": "warning" if finding.severity == WARNING else "error",
        "message": {"text": f"{where}{finding.message}. To mend it: {finding.fix}"},
        "locations": [{"physicalLocation": physical}],
        "partialFingerprints": {"watchglass/v1": mark},
        "properties": {"severity": finding.severity},
    }
