"""Requests that a provider counted and that are not on record."""

from __future__ import annotations

from watchglass.doctor.contract import EVIDENCE_ROWS, Ask, Diagnosis, Evidence, Window, counted, number
from watchglass.queries.answers import Row
from watchglass.queries.plain import sql_text


class BilledUnrecorded:
    """Where a provider's own count of requests, from imported bills, is above the calls on record."""

    name = "billed_unrecorded"

    def examine(self, ask: Ask, window: Window) -> list[Diagnosis]:
        """See `Finding.examine`.

        A file of some days is compared with all calls from its first day to its last: days that it leaves out
        can hide what is missing, never make it up.
        """
        billed = ask(
            f"""
            SELECT
                provider,
                format,
                min(since) AS first,
                max(until) AS after,
                toInt64(sum(requests)) AS billed_requests
            FROM bills
            WHERE NOT superseded AND requests > 0 AND token_class IS NULL
                AND {window.holds("since")} AND until <= fromUnixTimestamp64Nano({window.until_ns:d}, 'UTC')
            GROUP BY provider, format
            ORDER BY billed_requests DESC, provider
            LIMIT {EVIDENCE_ROWS}
            """
        )
        rows = [[*row, *self._recorded(ask, row)] for row in billed.rows()]
        rows = [row for row in rows if number(row[6]) > 0]
        if not rows:
            return []
        rows.sort(key=lambda row: -number(row[6]))
        return [
            Diagnosis(
                finding=self.name,
                severity="error",
                # Two files of one provider may tell of the same requests.
                symptom=f"{counted(number(rows[0][6]), 'request')} that {rows[0][0]} counted and that are "
                f"not on "
                "record: they are in no total.",
                evidence=Evidence((*billed.names, "recorded", "missing"), rows),
                remedy="Something asks that provider and is not recorded, or asks it with your key from "
                "elsewhere. "
                "`watchglass reconcile` shows the days and models, `watchglass coverage` the lines of code "
                "that "
                "nobody looks at.",
                command=f"watchglass reconcile --provider {rows[0][0]}",
            )
        ]

    def _recorded(self, ask: Ask, billed: Row) -> tuple[int, int]:
        provider, _, first, after, requests = billed
        recorded = ask(
            f"""
            SELECT count() FROM usage
            WHERE provider = {sql_text(str(provider))}
                AND time >= parseDateTime64BestEffort({sql_text(str(first))}, 9, 'UTC')
                AND time < parseDateTime64BestEffort({sql_text(str(after))}, 9, 'UTC')
            """
        )
        known = number(next(recorded.rows())[0])
        return known, number(requests) - known
