"""Applications whose SDK is newer than this server."""

from __future__ import annotations

from importlib.metadata import version

from watchglass import names
from watchglass.doctor.contract import EVIDENCE_ROWS, Ask, Diagnosis, Window, evidence
from watchglass.doctor.screening import Candidates


def _release(version: str) -> tuple[int, ...]:
    """The numbers that a version begins with; none for what is no version.

    >>> _release("0.10.2rc1"), _release("dev")
    ((0, 10, 2), ())
    """
    numbers: list[int] = []
    for part in version.split("."):
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        if not digits:
            break
        numbers.append(int(digits[:9]))
        if digits != part:
            break
    return tuple(numbers)


class NewerSdk:
    """What a newer SDK tells, an older server may keep without understanding it."""

    name = "newer_sdk"
    candidates = Candidates(
        "spans",
        f"countIf(startsWith(scope, '{names.SCOPE}.')"
        f" AND scope_version NOT IN ('', '{version('watchglass')}')) > 0",
    )

    def examine(self, ask: Ask, window: Window) -> list[Diagnosis]:
        """See `Finding.examine`."""
        answer = ask(
            f"""
            SELECT
                scope_version,
                groupUniqArray(10)(service) AS services,
                count() AS spans,
                max(start_time) AS last
            FROM spans
            WHERE startsWith(scope, '{names.SCOPE}.') AND scope_version != '' AND {window.holds("start_time")}
            GROUP BY scope_version
            ORDER BY spans DESC
            LIMIT 100
            """
        )
        shown = evidence(answer)
        own = version("watchglass")
        newer = [row for row in shown.rows if _release(str(row[0])) > _release(own)]
        if not newer:
            return []
        return [
            Diagnosis(
                finding=self.name,
                severity="warning",
                symptom=f"Applications use an SDK that is newer than this server ({own}).",
                evidence=type(shown)(shown.columns, newer[:EVIDENCE_ROWS]),
                remedy="Upgrade the server first, the applications after it: it understands what older "
                "SDKs tell, not "
                "what newer ones will.",
                command="pip install --upgrade 'watchglass[server]'",
            )
        ]
