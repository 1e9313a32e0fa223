"""Words that a shell completes the values of options with: those of closed lists, never anybody's data.

What is imported to know them is imported only when a shell asks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias, get_args

import typer

Completed: TypeAlias = Callable[[typer.Context, str], list[str]]


def dimensions(ctx: typer.Context, incomplete: str) -> list[str]:
    """Of `--by`: the last of several, those before it kept."""
    from watchglass.queries.usage import DIMENSIONS

    before, comma, begun = incomplete.rpartition(",")
    taken = before.split(",")
    return [f"{before}{comma}{name}" for name in DIMENSIONS if name.startswith(begun) and name not in taken]


def usage_filters(ctx: typer.Context, incomplete: str) -> list[str]:
    """Of `usage --filter`: the names; values are the reader's to know."""
    from watchglass.queries.usage import FILTERS

    return _begun((f"{name}=" for name in sorted(FILTERS)), incomplete)


def list_filters(ctx: typer.Context, incomplete: str) -> list[str]:
    """Of `--filter` of the list that is asked for; values too, where there are only some."""
    from watchglass.queries.lists.question import SUBJECTS
    from watchglass.queries.lists.subjects import LISTED

    for subject in SUBJECTS:
        if subject == ctx.info_name:
            askable = LISTED[subject].askable
            closed = [f"{name}={value}" for name, known in askable.flags.items() for value in known if value]
            open_ = [f"{name}=" for name in (*askable.filters, *askable.least)]
            return _begun(sorted(closed + open_), incomplete)
    return []


def sorts(ctx: typer.Context, incomplete: str) -> list[str]:
    """Of `--sort` of the list that is asked for."""
    from watchglass.queries.lists.question import SUBJECTS
    from watchglass.queries.lists.subjects import LISTED

    for subject in SUBJECTS:
        if subject == ctx.info_name:
            return _begun(["time", *LISTED[subject].askable.sorts], incomplete)
    return []


def unpriced_reasons(ctx: typer.Context, incomplete: str) -> list[str]:
    """Of `--unpriced`."""
    from watchglass.pricing import book

    found = [each.unpriced_reason for each in vars(book).values() if isinstance(each, book.Priced)]
    return _begun(filter(None, found), incomplete)


def task_kinds(ctx: typer.Context, incomplete: str) -> list[str]:
    """Of `tasks --kind`."""
    from watchglass.model import StepKind

    return _begun(get_args(StepKind), incomplete)


def statuses(ctx: typer.Context, incomplete: str) -> list[str]:
    """Of `tasks --status` and `flows --status`."""
    from watchglass.model import State

    return _begun(get_args(State), incomplete)


def _begun(words: Iterable[str], incomplete: str) -> list[str]:
    return [word for word in words if word.startswith(incomplete)]
