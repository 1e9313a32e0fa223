"""Requests that were turned away at the door: their records never came in."""

from __future__ import annotations

from typing import NamedTuple

from watchglass.doctor.contract import (
    EVIDENCE_ROWS,
    Ask,
    Diagnosis,
    Evidence,
    Severity,
    Window,
    counted,
    number,
)
from watchglass.queries.answers import Row


class _Kind(NamedTuple):
    events: tuple[str, ...]
    severity: Severity
    symptom: str
    remedy: str
    command: str


_KINDS: tuple[_Kind, ...] = (
    _Kind(
        ("no_key", "wrong_key", "revoked_key", "wrong_role"),
        "error",
        "{} refused for want of the right key",
        "A sender without the right key loses what it sends once its queue is full. Give it one that may "
        "write (role ingest), as WATCHGLASS_KEY or in OTEL_EXPORTER_OTLP_HEADERS. Who is not yours "
        "is seen by the address.",
        "watchglass keys create --role ingest --name NAME",
    ),
    _Kind(
        ("limited",),
        "warning",
        "{} refused over a key's limit",
        "Senders try these again later. If it goes on, give the key a higher limit or a neighbour its own.",
        "watchglass keys list",
    ),
    _Kind(
        ("foreign_tenant",),
        "error",
        "{} rejected that named another tenant than their key",
        "A key that is bound to a tenant writes for that one alone. Use that tenant's key, or one that "
        "is bound to none where one process works for several.",
        "watchglass keys list",
    ),
    _Kind(
        ("host_refused", "origin_refused", "bad_host"),
        "warning",
        "{} refused for the Host or Origin it named",
        "A server without keys answers to its own names alone. Name the host in allowed_hosts, or "
        "make a key.",
        "watchglass settings",
    ),
)


class RefusedKeys:
    """What the audit says of requests that were not let in."""

    name = "refused_keys"

    def examine(self, ask: Ask, window: Window) -> list[Diagnosis]:
        """See `Finding.examine`."""
        events = ", ".join(f"'{event}'" for kind in _KINDS for event in kind.events)
        answer = ask(
            f"""
            SELECT event, route, key_id, remote, toInt64(sum(count)) AS requests, max(time) AS last,
                toInt64(sum(requests) OVER (PARTITION BY event)) AS of_event
            FROM audit
            WHERE event IN ({events}) AND {window.holds()}
            GROUP BY event, route, key_id, remote
            ORDER BY requests DESC, event, route, remote
            LIMIT {EVIDENCE_ROWS} BY event
            """
        )
        rows = [list(row) for row in answer.rows()]
        totals = {row[0]: number(row[-1]) for row in rows}
        return [
            self._diagnosis(
                kind, sum(totals.get(event, 0) for event in kind.events), tuple(answer.names[:-1]), found
            )
            for kind in _KINDS
            if (found := [row[:-1] for row in rows if row[0] in kind.events])
        ]

    def _diagnosis(self, kind: _Kind, refused: int, columns: tuple[str, ...], rows: list[Row]) -> Diagnosis:
        noun = "item" if kind.events == ("foreign_tenant",) else "request"
        total = counted(refused, noun)
        return Diagnosis(
            finding=self.name,
            severity=kind.severity,
            symptom=f"{kind.symptom.format(total)}.",
            evidence=Evidence(columns, rows[:EVIDENCE_ROWS]),
            remedy=kind.remedy,
            command=kind.command,
        )
