"""Asks every finding, and lets none of them spoil the others' answers."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType

import msgspec

from watchglass.doctor.contract import Ask, Diagnosis, Finding, Severity, Window
from watchglass.doctor.findings import FINDINGS
from watchglass.errors import QueryError, Unreachable
from watchglass.queries.plain import moment

ORDER: tuple[Severity, ...] = ("error", "warning", "info")


class Examination(msgspec.Struct, frozen=True, kw_only=True):
    """What was found in `[since, until)`, worst first.

    `failed` names the findings that could not be asked, and why.
    """

    since: str
    until: str
    diagnoses: list[Diagnosis]
    failed: dict[str, str]

    def at_least(self, severity: Severity) -> bool:
        """Whether anything as bad as this was found; what could not be asked is as bad as it gets."""
        bad = ORDER[: ORDER.index(severity) + 1]
        return bool(self.failed) or any(each.severity in bad for each in self.diagnoses)


def examine(
    ask: Ask,
    window: Window,
    findings: Sequence[Finding] = FINDINGS,
    *,
    ruled_out: Collection[str] = frozenset(),
) -> Examination:
    """Ask all findings but those `ruled_out` (by `screening.py`). Raises `Unreachable`."""
    diagnoses: list[Diagnosis] = []
    failed: dict[str, str] = {}
    for finding in findings:
        if finding.name in ruled_out:
            continue
        try:
            diagnoses += finding.examine(ask, window)
        except Unreachable:
            raise
        except QueryError as fault:  # over a limit, say: the other findings still have their answers
            failed[finding.name] = str(fault)
    return examined(window, diagnoses, failed)


def examined(
    window: Window, diagnoses: Sequence[Diagnosis], failed: Mapping[str, str] = MappingProxyType({})
) -> Examination:
    """What was found, put in order."""
    return Examination(
        since=moment(window.since_ns),
        until=moment(window.until_ns),
        diagnoses=sorted(diagnoses, key=lambda each: ORDER.index(each.severity)),
        failed=dict(failed),
    )
