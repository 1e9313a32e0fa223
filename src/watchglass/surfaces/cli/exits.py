"""What the exit code says, and the one place where an error becomes a sentence on stderr.

====  =====================================================================
code  meaning
====  =====================================================================
0     done
1     something else went wrong; the message says what
2     the command, a setting or the question makes no sense as written
3     what was named is not there (a trace, a store)
4     the server or the store cannot be reached, or is held by another process
5     refused, or over a limit of time, memory or rows
6     done, but some rows were rejected; stderr and the table `rejects` name them
7     asked to fail on what was found (`--fail-on`), and it was found
130   stopped with Ctrl-C
====  =====================================================================
"""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager

import typer

from watchglass import errors

FAILED, USAGE, NOT_FOUND, UNREACHABLE, REFUSED, REJECTED, FOUND, INTERRUPTED = 1, 2, 3, 4, 5, 6, 7, 130

_CODES: tuple[tuple[type[errors.WatchglassError], int], ...] = (
    (errors.NotFound, NOT_FOUND),
    (errors.QueryRefused, REFUSED),
    (errors.QueryLimit, REFUSED),
    (errors.Refused, REFUSED),
    (errors.QueryError, USAGE),
    (errors.ConfigError, USAGE),
    (errors.BadRequest, USAGE),
    (errors.Overloaded, UNREACHABLE),
    (errors.StoreBusy, UNREACHABLE),
    (errors.Unreachable, UNREACHABLE),
)
"""First match wins, so subclasses come first."""


def exit_code(error: errors.WatchglassError) -> int:
    """The exit code of an error of our own."""
    return next((code for kind, code in _CODES if isinstance(error, kind)), FAILED)


@contextmanager
def reporting() -> Generator[None, None, None]:
    """Turn our errors into a sentence and an exit code; every other one is a bug and keeps its trace."""
    try:
        yield
    except errors.WatchglassError as error:
        typer.echo(f"watchglass: {error}", err=True)
        raise typer.Exit(exit_code(error)) from None
    except BrokenPipeError:
        # Whoever read our output (head, less) has seen enough. Python would complain once more at
        # exit, when it flushes; nothing is left to flush to.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(0) from None
