"""Clocks that disagree: calls from the future, and requests that arrive before they are sent."""

from __future__ import annotations

from watchglass.doctor.contract import EVIDENCE_ROWS, Ask, Diagnosis, Window, counted, evidence, number

FUTURE_S = 60
"""A machine that keeps its time by NTP is within a second; a minute is no rounding."""

SKEW_MS = 100
"""The same for two machines that keep time: a request does not arrive this long before it was sent."""

MOST_REQUESTS = 100_000
"""The latest ones, each of which is looked for at its sender's."""

_REMEDY = (
    "Set the clock of that machine (NTP). Prices and periods go by the time that a call says of itself: "
    "calls "
    "of a wrong time are priced, budgeted and deleted by it."
)


class ClockSkew:
    """Senders whose clock is ahead of this machine's, and services whose clocks disagree with each other."""

    name = "clock_skew"

    def candidates(self, window: Window) -> str:
        """See `Screened`."""
        return f"""
            SELECT
                (SELECT count() FROM store.calls WHERE time > now() + INTERVAL {FUTURE_S} SECOND)
                + (
                    SELECT count() FROM store.spans
                    WHERE kind IN (2, 5) AND parent_span_id != '' AND {window.holds("start_time")}
                )
        """

    def examine(self, ask: Ask, window: Window) -> list[Diagnosis]:
        """See `Finding.examine`; what lies in the future is outside every window."""
        return [*self._future(ask), *self._between(ask, window)]

    def _future(self, ask: Ask) -> list[Diagnosis]:
        shown = evidence(
            ask(
                f"""
                SELECT
                    service,
                    scope,
                    count() AS calls,
                    max(time) AS furthest,
                    argMax(trace_id, time) AS example_trace,
                    sum(calls) OVER () AS in_all
                FROM calls
                WHERE time > now() + INTERVAL {FUTURE_S} SECOND
                GROUP BY service, scope
                ORDER BY calls DESC, service, scope
                LIMIT {EVIDENCE_ROWS}
                """
            )
        )
        if not shown.rows:
            return []
        return [
            Diagnosis(
                finding=self.name,
                severity="error",
                symptom=f"{counted(number(shown.rows[0][-1]), 'call')} from the future: no sum up to now "
                f"holds them.",
                evidence=shown,
                remedy=_REMEDY,
                command="timedatectl status",
            )
        ]

    def _between(self, ask: Ask, window: Window) -> list[Diagnosis]:
        shown = evidence(
            ask(
                f"""
                WITH arrived AS
                (
                    SELECT trace_id, parent_span_id, service, start_time_ns AS start_ns
                    FROM spans
                    WHERE kind IN (2, 5) AND parent_span_id != '' AND {window.holds("start_time")}
                    ORDER BY start_time DESC
                    LIMIT {MOST_REQUESTS}
                )
                SELECT
                    sent.service AS sent_by,
                    arrived.service AS arrived_at,
                    count() AS requests,
                    max(sent.start_ns - arrived.start_ns) AS most_ns,
                    argMax(arrived.trace_id, sent.start_ns - arrived.start_ns) AS example_trace,
                    sum(requests) OVER () AS in_all
                FROM arrived
                INNER JOIN
                (
                    SELECT trace_id, span_id, service, start_time_ns AS start_ns
                    FROM spans
                    WHERE kind IN (3, 4) AND trace_id IN (SELECT trace_id FROM arrived)
                ) AS sent ON sent.trace_id = arrived.trace_id AND sent.span_id = arrived.parent_span_id
                WHERE sent.start_ns > arrived.start_ns + {SKEW_MS * 1_000_000}
                GROUP BY sent_by, arrived_at
                ORDER BY requests DESC, sent_by, arrived_at
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
                symptom=f"{counted(number(shown.rows[0][-1]), 'request')} that arrived before they were "
                f"sent: "
                "the clocks of two services disagree.",
                evidence=shown,
                remedy=_REMEDY,
                command="timedatectl status",
            )
        ]
