"""Calls of which nobody can say who served them."""

from __future__ import annotations

from watchglass.doctor.contract import EVIDENCE_ROWS, Ask, Diagnosis, Window, counted, evidence, number
from watchglass.doctor.screening import Candidates


class UnknownProvider:
    """Counted calls whose provider is not known."""

    name = "unknown_provider"
    candidates = Candidates("calls", "countIf(counted AND provider IS NULL) > 0")

    def examine(self, ask: Ask, window: Window) -> list[Diagnosis]:
        """See `Finding.examine`."""
        total = number(
            next(ask(f"SELECT count() FROM usage WHERE provider IS NULL AND {window.holds()}").rows())[0]
        )
        if not total:
            return []
        shown = ask(
            f"""
            SELECT
                provider_label,
                server_address,
                coalesce(response_model, request_model) AS model,
                scope,
                count() AS calls
            FROM usage
            WHERE provider IS NULL AND {window.holds()}
            GROUP BY ALL
            ORDER BY calls DESC, model
            LIMIT {EVIDENCE_ROWS}
            """
        )
        return [
            Diagnosis(
                finding=self.name,
                severity="error",
                symptom=f"{counted(total, 'call')} of which nothing says who served them: none has a price.",
                evidence=evidence(shown),
                remedy="Neither host, label nor model name a provider that is known. Set the attribute "
                "gen_ai.provider.name where the span is made, or put the provider before the model's "
                "name, as in openai/gpt-4o.",
                command=(
                    'watchglass query "SELECT DISTINCT service, scope, provider_label, server_address, '
                    'request_model FROM usage WHERE provider IS NULL"'
                ),
            )
        ]
