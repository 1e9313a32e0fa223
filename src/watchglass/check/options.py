"""The options of `watchglass check`, for whoever lists them without checking anything: the checker itself is
most of what the command line would have to import.
"""

from __future__ import annotations

from typing import NamedTuple

from watchglass.check.finding import SEVERITIES


class Option(NamedTuple):
    """One option, as both command lines and the reference have it."""

    name: str
    help: str
    metavar: str = ""
    """Of what it is given; empty for a switch."""
    choices: tuple[str, ...] = ()


FORMATS = ("text", "json", "sarif", "github")

OPTIONS: tuple[Option, ...] = (
    Option("--select", "rules that are on, instead of the configured ones: WG001,WG002", "RULES"),
    Option("--extend-select", "rules that are on as well; ALL for every one", "RULES"),
    Option("--ignore", "rules that are off", "RULES"),
    Option(
        "--fail-on",
        "the mildest severity that fails: critical, error or warning (default: error)",
        "SEVERITY",
        tuple(reversed(SEVERITIES)),
    ),
    Option("--diff", "only findings on lines changed since this commit or branch", "BASE"),
    Option("--baseline", "leave out the findings that this file knows", "FILE"),
    Option("--write-baseline", "write all findings to this file, and fail on none", "FILE"),
    Option("--format", "how findings are written: text, json, sarif or github", "FORMAT", FORMATS),
    Option("--json", "the same as --format json"),
    Option("--sarif", "the same as --format sarif"),
    Option("--github", "the same as --format github"),
    Option("--output", "write there instead of to standard output", "FILE"),
    Option("--config", "a pyproject.toml, instead of the nearest one", "FILE"),
    Option("--no-cache", "neither read nor write what files came to last time"),
    Option("--cache-dir", "where that is kept (default: the user's cache folder)", "DIR"),
    Option("--jobs", "processes (default: as many as are worth it)", "N"),
    Option("--explain", "print what a rule finds, why, and how to mend it; check nothing", "RULE"),
)
