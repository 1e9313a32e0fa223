"""WG003: a crew that runs without telling anybody what it does."""

from __future__ import annotations

from collections.abc import Iterator

from watchglass.check import crews, recorded
from watchglass.check.finding import WARNING
from watchglass.check.rule import NO, YES, Found, Rule, Subject


def wants(data: bytes, package: str) -> int:
    """Files that start a crew."""
    return YES if package != "crewai" and b"kickoff" in data and b"rew" in data else NO


def check(subject: Subject) -> Iterator[Found]:
    """Every `crew.kickoff…()` of a crew with no callbacks, and no block of ours around it."""
    for node, method, place, _ in crews.references(subject, crews.KICKOFFS):
        found = crews.crews(subject, method, place)
        if found is None or any(crews.calls_back(subject, each) for each in found):
            continue
        if crews.is_set(subject, method, place, crews.CREW_CALLBACKS):
            continue
        if any(crews.is_set_where_made(each, crews.CREW_CALLBACKS) for each in found):
            continue
        if crews.handler_in_scope(subject, place) or recorded.is_watched(subject, place):
            continue
        yield Found(node, place, f"crew.{method.attr}() without callbacks: its steps and tasks are unseen")


RULE = Rule(
    code="WG003",
    name="crew-without-callbacks",
    severity=WARNING,
    summary="`crew.kickoff()`, or another way to start a crew, is called and the crew has no callbacks.",
    because="Without step and task callbacks, and without tracking, a crew is one long call: which agent "
    "took the time or the money, and which task failed, cannot be told afterwards.",
    source="https://docs.crewai.com/en/concepts/crews#crew-attributes",
    fix="give the crew `step_callback=` and `task_callback=`, or call watchglass.init() at the start, or run "
    "it in `with watchglass.flow(…)`",
    wants=wants,
    check=check,
    wrong="""\
from crewai import Crew


def run(agents, tasks):
    return Crew(agents=agents, tasks=tasks).kickoff()
""",
    right="""\
from crewai import Crew


def run(agents, tasks, handler):
    crew = Crew(
        agents=agents,
        tasks=tasks,
        step_callback=handler._step_callback,
        task_callback=handler._task_completion_callback,
    )
    return crew.kickoff()
""",
)
