"""Every request to a model in some code, whether it is recorded or not: what coverage joins with what ran."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from watchglass.check import configuration, files, recorded, tokens
from watchglass.check.engine import Checker
from watchglass.check.rule import Subject
from watchglass.check.rules import CODES
from watchglass.check.source import Unreadable, read


class Site(NamedTuple):
    """A request in the code; lines count from 1 and are of the file, a notebook's of the cell."""

    path: str
    """As it was found: below what was asked for."""
    cell: int | None
    line: int
    end_line: int
    column: int
    function: str
    """The qualified name of the function around it, `""` at the top of a module."""
    callee: str
    """`litellm.completion`, `OpenAI.chat.completions.create`, or a shape as `chat.completions.create`."""
    family: str
    recorded: bool
    """Whether something seen from there records it: tracking set up in the module, or a block of ours."""


def find(paths: Sequence[str], *, tests: bool = False) -> list[Site]:
    """All of them below these paths, in order; files that cannot be parsed have none.

    Tests and migrations are left out unless `tests` is set. Raises `NotFound` for a path that is not there
    and `ConfigError` for a `pyproject.toml` that makes no sense.
    """
    settings = configuration.load(paths[0] if paths else ".", CODES)
    checker = Checker(settings)
    found: list[Site] = []
    for file in files.find(paths or ["."], settings):
        if tests or not settings.exempt.covers(file.relative):
            found += _in_file(file.path, checker)
    return found


def _in_file(path: str, checker: Checker) -> list[Site]:
    try:
        data = read(path)
        if not tokens.may_request(data) and not (
            tokens.any_of(data, tokens.CERTAIN) and checker.leads_to_clients(path, data)
        ):
            return []
        subject = checker.subject(path, data)
        return sorted(_sites(subject), key=lambda each: (each.cell or 0, each.line, each.column))
    except (Unreadable, RecursionError):
        return []


def _sites(subject: Subject) -> list[Site]:
    found: list[Site] = []
    source = subject.module.source
    for request in subject.requests:
        node = request.node
        cell, line = source.where(node.lineno)
        _, end = source.where(node.end_lineno or node.lineno)
        found.append(
            Site(
                subject.path,
                cell,
                line,
                end,
                source.column(node),
                request.place.scope.qualname,
                request.callee.path,
                request.callee.family,
                recorded.is_recorded(subject, request),
            )
        )
    return found
