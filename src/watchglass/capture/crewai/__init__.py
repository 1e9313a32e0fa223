"""CrewAI's crews, flows, tasks, agents, tools and model requests on record, with nothing to change in them.

What runs is wrapped where the application enters it (`runs`), so that what is recorded is safe before the
caller goes on; what only the event bus knows is taken from its events as they are emitted (`events`); the
requests of its own provider clients, which LiteLLM never sees, are counted at their HTTP client (`native`).

Nothing of CrewAI is imported here: each module is wrapped when, and if, the application imports it.
"""

from __future__ import annotations

import functools
import sys

from watchglass.capture import boundary
from watchglass.capture.crewai import patches
from watchglass.capture.on_import import call_after

_WRAPPED = {
    "crewai.crew": "watchglass.capture.crewai.runs:wrap_crew",
    "crewai.flow.runtime": "watchglass.capture.crewai.runs:wrap_flow",
    "crewai.task": "watchglass.capture.crewai.tasks:wrap_task",
    "crewai.events.event_bus": "watchglass.capture.crewai.events:wrap_bus",
    "crewai.llms.providers.openai.completion": "watchglass.capture.crewai.native:wrap_openai",
    "crewai.llms.providers.anthropic.completion": "watchglass.capture.crewai.native:wrap_anthropic",
    "crewai.llms.providers.azure.completion": "watchglass.capture.crewai.reported:wrap_azure",
    "crewai.llms.providers.bedrock.completion": "watchglass.capture.crewai.reported:wrap_bedrock",
    "crewai.llms.providers.gemini.completion": "watchglass.capture.crewai.reported:wrap_gemini",
}
"""Who wraps what of a module, by the module's name."""

_hooked = False


def install() -> None:
    """Record CrewAI from now on, whether it is imported already, will be, or never is; again changes
    nothing."""
    global _hooked
    patches.allow()
    if not _hooked:
        _hooked = True
        for name in _WRAPPED:
            call_after(name, functools.partial(_wrap, name))
    else:
        patches.wrap_again(_wrap, _WRAPPED)


def uninstall() -> None:
    """Put back what was wrapped; for tests. Modules imported afterwards stay as they are."""
    patches.undo()


@boundary.guarded("crewai.install")
def _wrap(name: str) -> None:
    # The name is not taken from the module: CrewAI gives some another `__name__`, for its own types' sake.
    if patches.allowed():
        patches.resolve(_WRAPPED[name])(sys.modules[name])
