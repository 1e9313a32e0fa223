"""Every subject that can be listed, and the one way to ask for a page of it."""

from __future__ import annotations

from collections.abc import Mapping

from watchglass.queries.lists import groups, rows
from watchglass.queries.lists.calls import CALLS
from watchglass.queries.lists.flows import FLOWS
from watchglass.queries.lists.groups import Groups
from watchglass.queries.lists.question import ListQuestion, Page, Subject
from watchglass.queries.lists.rows import Rows
from watchglass.queries.lists.sessions import SESSIONS
from watchglass.queries.lists.tasks import TASKS
from watchglass.queries.lists.traces import TRACES
from watchglass.store import Engine, Limits

LISTED: Mapping[Subject, Rows | Groups] = {
    "calls": CALLS,
    "tasks": TASKS,
    "traces": TRACES,
    "flows": FLOWS,
    "sessions": SESSIONS,
}


def page(engine: Engine, question: ListQuestion, now_ns: int, *, limits: Limits) -> Page:
    """One page of the subject that the question names. `now_ns` only says where to look first."""
    listed = LISTED[question.subject]
    if isinstance(listed, Rows):
        return rows.page(engine, listed, question, now_ns, limits=limits)
    return groups.page(engine, listed, question, now_ns, limits=limits)
