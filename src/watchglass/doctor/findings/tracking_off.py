"""A service that tells of its agents' work and of no call at all."""

from __future__ import annotations

from watchglass.doctor.contract import Ask, Diagnosis, Window, counted, number
from watchglass.doctor.screening import Candidates
from watchglass.doctor.steps_without_calls import RAN, steps_without_calls


class TrackingOff:
    """Services whose agents ran in the window while not one call of theirs is on record."""

    name = "tracking_off"
    candidates = Candidates("tasks", RAN)

    def examine(self, ask: Ask, window: Window) -> list[Diagnosis]:
        """See `Finding.examine`."""
        shown = steps_without_calls(ask, window, of_services_with_calls=False)
        if not shown.rows:
            return []
        services = len({row[0] for row in shown.rows})
        return [
            Diagnosis(
                finding=self.name,
                severity="error",
                symptom=f"{counted(services, 'service')} with "
                f"{counted(number(shown.rows[0][-1]), 'execution')} "
                "of agents or tasks and not one call: the tracking of calls is off there.",
                evidence=shown,
                remedy="Call watchglass.init() (or setup_litellm_tracking()) before the first client is "
                "made, "
                "in each process. Where it is called, watchglass.selfcheck() in that process says what is in "
                "the way; the command looks at the installation.",
                command="python -m watchglass.capture.selfcheck --reach",
            )
        ]
