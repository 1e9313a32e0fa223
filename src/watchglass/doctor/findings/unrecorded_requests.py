"""Requests to a provider that went over the wire, and that no call tells of."""

from __future__ import annotations

from watchglass.doctor.contract import EVIDENCE_ROWS, Ask, Diagnosis, Window, counted, evidence, number
from watchglass.doctor.screening import Candidates
from watchglass.pricing.providers import HOSTS

_HOST = """
    coalesce(
        nullIf(attributes['server.address'], ''),
        nullIf(attributes['net.peer.name'], ''),
        nullIf(domain(attributes['url.full']), ''),
        nullIf(domain(attributes['http.url']), '')
    )
"""
"""Where an HTTP client's span says it went: OpenTelemetry's names for it, new and old."""

_ADDRESSES = "['server.address', 'net.peer.name', 'url.full', 'http.url']"

_PROVIDERS = "|".join(
    (host if host.startswith("-") else rf"\\b{host}").replace(".", r"\\.") for host, _ in HOSTS
)
"""Ends of the names of providers' hosts, as an expression inside an SQL text."""


class UnrecordedRequests:
    """Client spans to a provider's host in traces that have no call: the LLM client is not instrumented."""

    name = "unrecorded_requests"
    candidates = Candidates("spans", f"countIf(kind = 3 AND hasAny(mapKeys(attributes), {_ADDRESSES})) > 0")

    def examine(self, ask: Ask, window: Window) -> list[Diagnosis]:
        """See `Finding.examine`."""
        shown = evidence(
            ask(
                f"""
                WITH asked AS
                (
                    SELECT trace_id, service, scope, {_HOST} AS host, start_time
                    FROM spans
                    WHERE kind = 3
                        AND attributes['http.request.method'] IN ('', 'POST')
                        AND attributes['http.method'] IN ('', 'POST')
                        AND match(host, '({_PROVIDERS})$')
                        AND {window.holds("start_time")}
                )
                SELECT
                    service,
                    host,
                    scope,
                    count() AS requests,
                    max(start_time) AS last,
                    argMax(trace_id, start_time) AS example_trace,
                    sum(requests) OVER () AS in_all
                FROM asked
                WHERE trace_id NOT IN
                    (SELECT trace_id FROM calls WHERE trace_id IN (SELECT trace_id FROM asked))
                GROUP BY service, host, scope
                ORDER BY requests DESC, service, host
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
                symptom=f"{counted(number(shown.rows[0][-1]), 'request')} to a provider in traces without "
                f"a call: "
                "their spans have no GenAI attributes, and they are in no total.",
                evidence=shown,
                remedy="HTTP is instrumented there, the client that talks to models is not. "
                "watchglass.init() "
                "records LiteLLM; for other clients install their instrumentation and switch it on at "
                "start-up.",
                command="pip install opentelemetry-instrumentation-openai-v2",
            )
        ]
