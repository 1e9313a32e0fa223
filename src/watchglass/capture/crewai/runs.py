"""Runs of crews and flows: from `kickoff` until it returns or raises."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from watchglass.capture import boundary, recorder, steps
from watchglass.capture.context import attach, current, detach
from watchglass.capture.crewai import around, patches
from watchglass.capture.execution import Execution


def wrap_crew(module: ModuleType) -> None:
    """Wrap `Crew`; its other ways to start (`kickoff_async`, `kickoff_for_each`, …) come through these."""
    patches.replace(module.Crew, "kickoff", around.sync(_crew, _output))
    patches.replace(module.Crew, "akickoff", around.asynchronous(_crew, _output))
    patches.replace(module.Crew, "replay", around.sync(_crew, _output))


def wrap_flow(module: ModuleType) -> None:
    """Wrap `Flow`; `kickoff` and `akickoff` come through `kickoff_async`, `resume` through `resume_async`."""
    patches.replace(module.Flow, "kickoff_async", around.asynchronous(_flow, _output))
    patches.replace(module.Flow, "resume_async", around.asynchronous(_flow, _output))
    patches.replace(module.Flow, "_execute_method", _in_phase)


def _crew(crew: Any, given: dict[str, Any]) -> Execution | None:
    if _goes_elsewhere(crew, given):
        return None
    return steps.begin(
        "flow",
        crew.name or "crew",
        context=around.context(),
        input=given.get("inputs"),
        state="running",
        metadata={"crew_id": str(crew.id), "process": getattr(crew.process, "value", crew.process)},
    )


def _flow(flow: Any, given: dict[str, Any]) -> Execution | None:
    # An agent's own loop is a flow to CrewAI, and so are parts of its memory.
    if type(flow).is_crewai_internal or _goes_elsewhere(flow, given):
        return None
    inputs = given.get("inputs")
    context = around.context()
    named = (inputs or {}).get("id") or flow.flow_id
    return steps.begin(
        "flow",
        flow.name or type(flow).__name__,
        # The application's own name for the flow, if it has given one, is the one to look for.
        flow_id=None if "flow" in context.fields else str(named) if named else None,
        context=context,
        input=inputs,
        state="running",
        metadata={"crewai_flow_id": named},
    )


def _goes_elsewhere(runner: Any, given: dict[str, Any]) -> bool:
    """Whether this call only leads to another one: of a restored runner, or while a stream is read."""
    checkpoint = given.get("from_checkpoint")
    return bool(getattr(runner, "stream", False)) or getattr(checkpoint, "restore_from", None) is not None


def _output(result: Any) -> object:
    """A crew's output as its text; a flow's result as it is."""
    raw = getattr(result, "raw", None)
    return raw if isinstance(raw, str) else result


def _in_phase(original: Any) -> Any:
    """A flow's method is its phase: all that is done in it says so."""

    async def wrapper(self: Any, method_name: Any, *args: Any, **kwargs: Any) -> Any:
        if not recorder.recording() or type(self).is_crewai_internal:
            return await original(self, method_name, *args, **kwargs)
        token = _enter(str(method_name))
        try:
            return await original(self, method_name, *args, **kwargs)
        finally:
            if token is not None:
                detach(token)

    return wrapper


@boundary.guarded("crewai.phase")
def _enter(phase: str) -> Any:
    return attach(current().with_fields(phase=phase))
