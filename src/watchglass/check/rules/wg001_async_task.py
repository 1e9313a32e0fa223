"""WG001: a task of CrewAI's started on a thread of its own, with nobody told of its end."""

from __future__ import annotations

from collections.abc import Iterator

from watchglass.check import crews, recorded
from watchglass.check.finding import CRITICAL
from watchglass.check.rule import NO, YES, Found, Rule, Subject

METHODS = frozenset({"execute_async"})


def wants(data: bytes, package: str) -> int:
    """Files that start something so, and speak of tasks."""
    return (
        YES
        if package != "crewai" and b"execute_async" in data and b"ask" in data.replace(b"execute_async", b"")
        else NO
    )


def check(subject: Subject) -> Iterator[Found]:
    """Every `task.execute_async(…)` with no callback, no handler in scope and no block of ours around it."""
    for node, method, place, call in crews.references(subject, METHODS):
        if not crews.is_task(subject, method, place, call):
            continue
        tasks = subject.value(method.value, place)
        if any(each.made and crews.has(subject, each.made, crews.TASK_CALLBACKS) for each in tasks):
            continue
        if crews.is_set(subject, method, place, crews.TASK_CALLBACKS) or crews.handler_in_scope(
            subject, place
        ):
            continue
        if recorded.is_watched(subject, place):
            continue
        yield Found(
            node,
            place,
            "task.execute_async() with no callback handler in scope: its end and failure are unseen",
        )


RULE = Rule(
    code="WG001",
    name="async-task-without-handler",
    severity=CRITICAL,
    summary="`task.execute_async()` is called with no callback handler in scope.",
    because="The task runs on a thread of its own and its exception waits in a future that may never be "
    "asked: a task that fails or hangs there stays running for ever in every list, and what it costs has "
    "no task.",
    source="https://docs.crewai.com/en/concepts/tasks#asynchronous-execution",
    fix="give the task a `callback=`, or set up CallbackHandlerIntegration.create_callback_handler(…) in the "
    "same function, or call watchglass.init() at the start, which records CrewAI's tasks by itself",
    wants=wants,
    check=check,
    wrong="""\
from crewai import Task


def start(agent):
    task = Task(description="Assess it", expected_output="a sentence", agent=agent)
    return task.execute_async()
""",
    right="""\
from crewai import Task


def start(agent, on_done):
    task = Task(description="Assess it", expected_output="a sentence", agent=agent, callback=on_done)
    return task.execute_async()
""",
)
