"""Findings that are known already: kept in a file, and known again wherever their lines have moved to.

A finding is known by its file, its rule, the function around it and its line of code, not by the number of
the line. Of equal ones, as many as there were are known.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Sequence
from typing import Any, cast

from watchglass.check.finding import Finding
from watchglass.errors import ConfigError

_FORMAT = 1


def fingerprint(finding: Finding, root: str = "") -> str:
    """What it is known by."""
    path = os.path.relpath(os.path.abspath(finding.path), root) if root else finding.path
    text = " ".join(finding.text.split())
    told = "\0".join([path.replace(os.sep, "/"), finding.rule, finding.function, text])
    import hashlib

    return hashlib.blake2b(told.encode("utf-8", "replace"), digest_size=16).hexdigest()


def fingerprints(findings: Sequence[Finding]) -> list[str]:
    """Of each what it is known by, equal ones numbered."""
    seen: Counter[str] = Counter()
    marks: list[str] = []
    for finding in findings:
        mark = fingerprint(finding)
        seen[mark] += 1
        marks.append(f"{mark}/{seen[mark]}")
    return marks


def write(file: str, findings: Sequence[Finding]) -> None:
    """Keep these findings; one line each, sorted, so that a diff of the file can be read."""
    root = os.path.dirname(os.path.abspath(file))
    entries = sorted(
        (
            os.path.relpath(os.path.abspath(each.path), root).replace(os.sep, "/"),
            each.rule,
            fingerprint(each, root),
        )
        for each in findings
    )
    lines = ",\n".join("  " + json.dumps(list(each), ensure_ascii=False) for each in entries)
    try:
        with open(file, "w", encoding="utf-8", errors="backslashreplace", newline="\n") as opened:
            opened.write(f'{{"version": {_FORMAT}, "findings": [\n{lines}\n]}}\n')
    except OSError as error:
        raise ConfigError(f"the baseline {file} cannot be written: {error.strerror}") from None


def unknown(file: str, findings: Sequence[Finding]) -> list[Finding]:
    """The findings that the file does not know; raises `ConfigError` for a file that is no baseline."""
    root = os.path.dirname(os.path.abspath(file))
    try:
        with open(file, encoding="utf-8") as opened:
            document: Any = json.load(opened)
        rows = cast("list[list[str]]", document["findings"])
        known = Counter(mark for _, _, mark in rows)
    except OSError as error:
        raise ConfigError(
            f"the baseline {file} cannot be read: {error.strerror}; make it with --write-baseline {file}"
        ) from None
    except (ValueError, KeyError, TypeError):
        raise ConfigError(f"{file} is no baseline; make it anew with --write-baseline {file}") from None
    left: list[Finding] = []
    for finding in findings:
        mark = fingerprint(finding, root)
        if known[mark] > 0:
            known[mark] -= 1
        else:
            left.append(finding)
    return left
