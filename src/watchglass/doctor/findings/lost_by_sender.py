"""Records that senders say they lost on the way here."""

from __future__ import annotations

from watchglass.doctor.contract import EVIDENCE_ROWS, Ask, Diagnosis, Window, counted, evidence, number

# The Collector's own metrics (its docs, "Internal telemetry"), with and without the suffix of Prometheus;
# OpenTelemetry SDKs' own (semantic conventions, "OpenTelemetry SDK metrics"), where `error.type` says that it
# failed; and the one of this SDK, where somebody scrapes it and sends it on.
_LOST = r"""
    match(name, concat(
        '^otelcol_(exporter_(send|enqueue)_failed|receiver_(refused|failed)|processor_(refused|dropped))',
        '_(spans|log_records|metric_points)(_total)?$'
    ))
    OR (
        match(name, '^otel[.]sdk[.](processor|exporter)[.](span|log)[.](processed|exported)$')
        AND attributes['error.type'] != ''
    )
    OR endsWith(name, 'sdk_records_dropped_total')
"""

_GROWN = "max(amount) - min(amount)"
"""Of a count that began before the window: what it had lost until then is no loss of this time."""


class LostBySender:
    """Metrics of SDKs and collectors that count what they could not deliver."""

    name = "lost_by_sender"

    def examine(self, ask: Ask, window: Window) -> list[Diagnosis]:
        """See `Finding.examine`."""
        shown = evidence(
            ask(
                f"""
                SELECT
                    service,
                    name,
                    why,
                    toInt64(sum(lost_here)) AS lost,
                    max(last_here) AS last,
                    sum(lost) OVER () AS in_all
                FROM
                (
                    SELECT
                        service,
                        name,
                        multiIf(
                            any(temporality) = 'delta', sum(amount),
                            start_time < fromUnixTimestamp64Nano({window.since_ns:d}, 'UTC'), {_GROWN},
                            max(amount)
                        ) AS lost_here,
                        max(time) AS last_here,
                        coalesce(
                            nullIf(attributes['error.type'], ''), nullIf(attributes['reason'], ''),
                            nullIf(attributes['exporter'], '')
                        ) AS why
                    FROM
                    (
                        SELECT *, coalesce(toFloat64(value_int), value) AS amount
                        FROM metrics
                        WHERE ({_LOST}) AND {window.holds()}
                    )
                    GROUP BY service, name, attributes, resource, start_time
                )
                WHERE lost_here > 0
                GROUP BY service, name, why
                ORDER BY lost DESC, service, name
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
                symptom=f"{counted(number(shown.rows[0][-1]), 'record')} that senders say they lost.",
                evidence=shown,
                remedy="What never arrived is in no total. Queues that are too small for a burst, or a "
                "server that "
                "could not be reached: enlarge the queue, or let applications send through the SDK's spool "
                "on disk, which `watchglass spool` shows on their machine.",
                command="watchglass spool",
            )
        ]
