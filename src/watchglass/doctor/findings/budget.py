"""Budgets that are nearly spent, spent, or will be at this pace: what was told of them, the worst first."""

from __future__ import annotations

import re
from typing import NamedTuple

from watchglass.doctor.contract import EVIDENCE_ROWS, Ask, Diagnosis, Evidence, Severity, Window, counted
from watchglass.queries.answers import Row

_LEAST_PERCENT = 80
_PERCENT = re.compile(r"(\d+)% reached")
_ROUTE = "/api/v1/budgets/"


class _Kind(NamedTuple):
    severity: Severity
    symptom: str
    remedy: str


_KINDS: dict[str, _Kind] = {
    "budget_spent": _Kind(
        "warning",
        "{}: spent to the limit, or beyond.",
        "See what spent it (`watchglass usage --by …`). A hard budget refuses reservations until its period "
        "ends; a soft one only tells. `watchglass budgets set` gives it another limit.",
    ),
    "budget_forecast": _Kind(
        "warning",
        "{}: at the pace so far, spent before the period ends.",
        "See what spends it (`watchglass usage --by …`), or set another limit (`watchglass budgets set`).",
    ),
    "budget_threshold": _Kind(
        "info",
        "{}: spent to 80% or more.",
        "Nothing has to be done yet: see what spends it.",
    ),
}


class Budget:
    """What the server told of budgets, once each period, in the table `audit`."""

    name = "budget"

    def examine(self, ask: Ask, window: Window) -> list[Diagnosis]:
        """See `Finding.examine`."""
        answer = ask(
            f"""
            SELECT event, route, toString(max(time)) AS at, argMax(reason, time) AS said
            FROM audit
            WHERE event IN ('budget_spent', 'budget_forecast', 'budget_threshold') AND {window.holds()}
            GROUP BY event, route
            ORDER BY at DESC
            """
        )
        found: dict[str, list[Row]] = {}
        for event, route, at, said in answer.rows():
            percent = _PERCENT.search(str(said))
            if event == "budget_threshold" and (percent is None or int(percent[1]) < _LEAST_PERCENT):
                continue
            found.setdefault(str(event), []).append([str(route).removeprefix(_ROUTE), at, said])
        spent = {str(row[0]) for row in found.get("budget_spent", [])}
        diagnoses: list[Diagnosis] = []
        for event, kind in _KINDS.items():
            # One that is spent is named once, however often it was warned of before.
            rows = [row for row in found.get(event, []) if event == "budget_spent" or row[0] not in spent]
            if rows:
                diagnoses.append(self._diagnosis(kind, rows))
        return diagnoses

    def _diagnosis(self, kind: _Kind, rows: list[Row]) -> Diagnosis:
        one = len(rows) == 1
        return Diagnosis(
            finding=self.name,
            severity=kind.severity,
            symptom=kind.symptom.format(counted(len(rows), "budget")),
            evidence=Evidence(("budget", "told", "what"), rows[:EVIDENCE_ROWS]),
            remedy=kind.remedy,
            command=f"watchglass budgets show {rows[0][0]}" if one else "watchglass budgets status",
        )
