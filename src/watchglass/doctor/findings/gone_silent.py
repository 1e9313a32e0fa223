"""A service that used to report and no longer does."""

from __future__ import annotations

from watchglass.doctor.contract import EVIDENCE_ROWS, Ask, Diagnosis, Window, counted, evidence

HABIT_HOURS = 6
"""Different hours with calls: fewer are no habit that could be broken."""

LEAST_S = 3 * 3600
TIMES = 2
"""Silent twice as long as ever before in two windows of time: nights and weekends are such pauses."""


class GoneSilent:
    """Services whose pause by now is longer than any of theirs before."""

    name = "gone_silent"

    def candidates(self, window: Window) -> str:
        """See `Screened`; another version of a row is of the same hour."""
        return f"""
            SELECT count()
            FROM
            (
                SELECT service
                FROM store.calls
                WHERE service IS NOT NULL AND {_habit(window).holds()}
                GROUP BY service
                HAVING {window.until_ns // 10**9:d} - toUnixTimestamp(toStartOfHour(max(time))) > {LEAST_S}
            )
        """

    def examine(self, ask: Ask, window: Window) -> list[Diagnosis]:
        """See `Finding.examine`; the habit is looked for in the time before the window too."""
        habit = _habit(window)
        until_s = window.until_ns // 10**9
        shown = evidence(
            ask(
                f"""
                SELECT
                    service,
                    count() AS calls,
                    max(time) AS last,
                    arrayMax(arrayDifference(
                        arraySort(groupUniqArray(toInt64(toUnixTimestamp(toStartOfHour(time)))))
                    )) AS longest_pause_s,
                    toInt64({until_s:d} - toUnixTimestamp(last)) AS silent_s
                FROM calls
                WHERE service IS NOT NULL AND {habit.holds()}
                GROUP BY service
                HAVING uniqExact(toStartOfHour(time)) >= {HABIT_HOURS}
                    AND silent_s > greatest({TIMES} * longest_pause_s, {LEAST_S})
                    AND (SELECT count() FROM calls WHERE {window.holds()}) > 0
                ORDER BY calls DESC, service
                LIMIT {EVIDENCE_ROWS}
                """
            )
        )
        if not shown.rows:
            return []
        return [
            Diagnosis(
                finding=self.name,
                severity="warning",
                symptom=f"{counted(len(shown.rows), 'service')} that used to report and fell silent.",
                evidence=shown,
                remedy="Either it is no longer used, or its calls do not arrive: look at its log for "
                "failed exports "
                "and at what waits on its machine.",
                command="watchglass spool",
            )
        ]


def _habit(window: Window) -> Window:
    return Window(2 * window.since_ns - window.until_ns, window.until_ns)
