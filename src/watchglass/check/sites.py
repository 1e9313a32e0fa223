"""Every request to a model in some code, whether it is recorded or not: what coverage joins with what ran."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from watchglass.check import configuration, crews, files, recorded, tokens, values
from watchglass.check.clients import Callee
from watchglass.check.codes import CODES
from watchglass.check.configuration import Configuration
from watchglass.check.engine import Checker
from watchglass.check.rule import Subject
from watchglass.check.scopes import FUNCTIONS, Place, Scope
from watchglass.check.source import Unreadable, read
from watchglass.check.suppression import statement_around

_ASK = "generate_response"
_STARTS = crews.KICKOFFS | crews.EXECUTIONS
_WORDS = (b"kickoff", b"execute_sync", b"execute_async", b"generate_response")


class Site(NamedTuple):
    """A request in the code, or what makes requests below as a crew does; lines count from 1, a notebook's
    within the cell."""

    path: str
    """As `watchglass check` shows it."""
    line: int
    end_line: int
    statement_line: int
    statement_end: int
    """The whole statement around it."""
    function: str
    """As Python names it (`co_qualname`): `Class.method`, `outer.<locals>.inner`, `<module>`."""
    callee: str
    """`litellm.completion`, `OpenAI.chat.completions.create`, or a shape as `chat.completions.create`."""
    family: str
    """`openai` and so on; `crewai` for a crew, an agent or a task, which make their calls below."""
    recorded: bool
    """Whether something seen from there records it: tracking set up in the module, or a block of ours."""
    cell: int | None = None
    only_if_seen: bool = False
    """The start of a flow: what it asks is mostly asked by lines of its steps, which are sites themselves."""


class Sites(NamedTuple):
    """What is below the paths that were asked for."""

    sites: list[Site]
    files: list[str]
    """Every file that was looked at, also those without sites."""
    unreadable: list[str]
    """`path: reason`."""


def find(paths: Iterable[str], settings: Configuration | None = None) -> Sites:
    """All sites below these paths, sorted; files that are exempt are left out, `# noqa` hides nothing.

    Raises `NotFound` for a path that is not there, `ConfigError` for a `pyproject.toml` that makes no sense.
    """
    listed = list(paths) or ["."]
    settings = settings or configuration.load(listed[0], CODES)
    checker = Checker(settings)
    found = Sites([], [], [])
    for file in files.find(listed, settings):
        if settings.exempt.covers(file.relative):
            continue
        found.files.append(file.path)
        try:
            found.sites.extend(_in_file(file.path, checker))
        except (Unreadable, RecursionError) as error:
            found.unreadable.append(f"{file.path}: {error}")
    return found


def _in_file(path: str, checker: Checker) -> list[Site]:
    data = read(path)
    likely = tokens.may_request(data, "") or any(word in data for word in _WORDS)
    if not likely and not (tokens.is_certain(data, "") and checker.leads_to_clients(path, data)):
        return []
    subject = checker.subject(path, data)
    return sorted(_sites(subject), key=lambda each: (each.cell or 0, each.line, each.callee))


def _sites(subject: Subject) -> Iterator[Site]:
    for request in subject.requests:
        known = recorded.is_recorded(subject, request)
        yield _site(subject, request.node, request.place, request.callee, known)
    for node, method, place, call in crews.references(subject, _STARTS | {_ASK}):
        callee = _started(subject, method, place, call)
        if callee is not None:
            known = recorded.is_watched(subject, place)
            yield _site(subject, node, place, callee, known, optional=callee.path.startswith("Flow."))


def _started(subject: Subject, method: ast.Attribute, place: Place, call: ast.Call) -> Callee | None:
    """What makes its calls below this line: a crew, an agent, a task, a flow, our service."""
    if method.attr == _ASK:
        paths = [each.path for each in subject.value(method, place) if each.kind == values.NAME]
        ours = any(path.startswith("watchglass.") for path in paths)
        return Callee("litellm", f"multi_model_service.{_ASK}") if ours else None
    if method.attr in crews.EXECUTIONS:
        task = crews.is_task(subject, method, place, call)
        return Callee("crewai", f"Task.{method.attr}") if task else None
    if crews.crews(subject, method, place) is not None:
        return Callee("crewai", f"Crew.{method.attr}")
    if crews.is_agent(subject, method, place):
        return Callee("crewai", f"Agent.{method.attr}")
    return Callee("crewai", f"Flow.{method.attr}") if b"rewai" in subject.module.data else None


def _site(
    subject: Subject, node: ast.expr, place: Place, callee: Callee, known: bool, *, optional: bool = False
) -> Site:
    source = subject.module.source
    cell, line = source.where(node.lineno)
    before = node.lineno - line
    end = node.end_lineno or node.lineno
    statement = statement_around(source.tree, node.lineno, end) or node
    return Site(
        subject.path,
        line,
        end - before,
        statement.lineno - before,
        (statement.end_lineno or end) - before,
        _function(place.scope),
        callee.path,
        callee.family,
        known,
        cell,
        optional,
    )


def _function(scope: Scope | None) -> str:
    """The function's name as code objects have it; a class body runs as code of its own."""
    parts: list[str] = []
    while scope is not None and scope.parent is not None:
        name = scope.qualname.rpartition(".")[2]
        parts.append(f"{name}.<locals>" if parts and isinstance(scope.node, FUNCTIONS) else name)
        scope = scope.parent
    return ".".join(reversed(parts)) or "<module>"
