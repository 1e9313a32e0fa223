"""An agent or task that runs, and of which no call is ever recorded though its service has others."""

from __future__ import annotations

from watchglass.doctor.contract import Ask, Diagnosis, Window, counted, number
from watchglass.doctor.screening import Candidates
from watchglass.doctor.steps_without_calls import RAN, steps_without_calls


class HandlerMissing:
    """Work that goes past the recording: its handler is missing, or its client is none that is recorded."""

    name = "handler_missing"
    candidates = Candidates("tasks", RAN)

    def examine(self, ask: Ask, window: Window) -> list[Diagnosis]:
        """See `Finding.examine`."""
        shown = steps_without_calls(ask, window, of_services_with_calls=True)
        if not shown.rows:
            return []
        return [
            Diagnosis(
                finding=self.name,
                severity="warning",
                symptom=f"{counted(number(shown.rows[0][-1]), 'execution')} of agents or tasks in which no "
                "call was ever recorded.",
                evidence=shown,
                remedy="Either these ask no model, or they ask it where nobody looks: without the callback "
                "handler, through a client that is not instrumented, or imported before watchglass.init(). "
                "`watchglass check` finds the lines; watchglass.selfcheck() in the process says the rest.",
                command="watchglass check .",
            )
        ]
