"""Nothing arrives, or what arrives says nothing of LLM calls."""

from __future__ import annotations

from watchglass.doctor.contract import EVIDENCE_ROWS, Ask, Diagnosis, Window, counted, evidence, number

_POINT_HERE = (
    "export OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf"
)

HOUR_NS = 3600 * 10**9


class NoData:
    """No calls in the window: nothing was ever sent, it stopped, or no span tells of a call."""

    name = "no_data"

    def candidates(self, window: Window) -> str:
        """See `Screened`; another version of a row is of the same hour, so whole hours are looked at."""
        whole = Window(-(-window.since_ns // HOUR_NS) * HOUR_NS, window.until_ns // HOUR_NS * HOUR_NS)
        return f"SELECT count() = 0 FROM store.calls WHERE {whole.holds()}"

    def examine(self, ask: Ask, window: Window) -> list[Diagnosis]:
        """See `Finding.examine`."""
        calls = next(ask(f"SELECT count() AS n FROM calls WHERE {window.holds()}").rows())
        if number(calls[0]):
            return []
        spans = ask(
            f"""
            SELECT scope, service, count() AS spans
            FROM spans
            WHERE {window.holds("start_time")}
            GROUP BY scope, service
            ORDER BY spans DESC, scope, service
            LIMIT {EVIDENCE_ROWS}
            """
        )
        shown = evidence(spans)
        if shown.rows:
            return [
                Diagnosis(
                    finding=self.name,
                    severity="error",
                    symptom="Spans arrive, but none of them tells of an LLM call.",
                    evidence=shown,
                    remedy="The libraries that call models are not instrumented; install an "
                    "instrumentation for the client that is used and switch it on at start-up.",
                    command="pip install opentelemetry-instrumentation-openai-v2",
                )
            ]
        return [self._silence(ask)]

    def _silence(self, ask: Ask) -> Diagnosis:
        last = evidence(
            ask("SELECT max(time) AS last_call, count() AS calls_before FROM calls HAVING count() > 0")
        )
        if last.rows:
            return Diagnosis(
                finding=self.name,
                severity="error",
                symptom=f"No calls in this time; the last of {counted(number(last.rows[0][1]), 'call')} "
                f"began at {last.rows[0][0]}.",
                evidence=last,
                remedy="Either nothing ran, or the senders no longer reach this server: look at their "
                "logs for failed exports, and at the address they send to.",
                command=_POINT_HERE,
            )
        return Diagnosis(
            finding=self.name,
            severity="error",
            symptom="Nothing has arrived yet.",
            remedy="Point any OpenTelemetry exporter at this server, or send made-up traffic with "
            "`watchglass demo` to see what it looks like.",
            command=_POINT_HERE,
        )
