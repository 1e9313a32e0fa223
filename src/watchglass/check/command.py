"""The command `watchglass check`: what was asked, what came of it, and the exit code.

====  ==============================================================================
code  meaning
====  ==============================================================================
0     nothing was found of the severity of `--fail-on` or graver
1     something was
2     the question makes no sense as written: a path, an option, a setting, a baseline
====  ==============================================================================
"""

from __future__ import annotations

import argparse
import gc
import io
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from watchglass.check import baseline, cache, changed, configuration, files, running
from watchglass.check.codes import CODES
from watchglass.check.configuration import Configuration
from watchglass.check.finding import SEVERITIES, UNREADABLE, Finding
from watchglass.check.options import FORMATS, OPTIONS
from watchglass.check.output import written
from watchglass.errors import ConfigError, WatchglassError

CLEAN, FOUND, USAGE = 0, 1, 2

_UNWRITABLE = "backslashreplace"
"""Names of files are any bytes; as an escape JSON reads them too."""


def parser() -> argparse.ArgumentParser:
    """The options."""
    made = argparse.ArgumentParser(
        prog="watchglass check",
        description="Find what observability would not see: in Python files, notebooks, and folders of them.",
        epilog="Exit codes: 0 nothing to fail on, 1 findings, 2 the question makes no sense as written.",
        allow_abbrev=False,
    )
    made.add_argument(
        "paths", nargs="*", metavar="PATH", help="files and folders (default: the working directory)"
    )
    for each in OPTIONS:
        if each.name[2:] in FORMATS:
            made.add_argument(
                each.name, dest="format", action="store_const", const=each.name[2:], help=each.help
            )
        elif not each.metavar:
            made.add_argument(each.name, action="store_true", help=each.help)
        elif each.choices:
            made.add_argument(each.name, metavar=each.metavar, choices=each.choices, help=each.help)
        else:
            made.add_argument(each.name, metavar=each.metavar, help=each.help)
    made.set_defaults(format="text")
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit code."""
    asked = parser().parse_args(arguments)
    try:
        return _explained(asked.explain) if asked.explain else _run(asked)
    except WatchglassError as error:
        print(f"watchglass check: {error}", file=sys.stderr)
        return USAGE
    except BrokenPipeError:
        # Whoever read our output (head, less) has seen enough; nothing is left to flush at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FOUND


def program(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command, and end with it."""
    code = main(arguments)
    gc.freeze()  # the trees go with the process; to take them apart first is a fifth of a short run
    sys.exit(code)


def _run(asked: argparse.Namespace) -> int:
    gc.disable()  # trees are freed by their counts, and the process ends soon
    paths: list[str] = asked.paths or ["."]
    settings = _settings(asked, paths[0])
    found = files.find(paths, settings)
    if not found:
        told = "there is no Python file and no notebook in what was named that is not ignored"
        print(f"watchglass check: {told}", file=sys.stderr)
    lines = changed.since(asked.diff, _folder(paths[0])) if asked.diff is not None else None
    if lines is not None:
        found = [
            each
            for each in found
            if os.path.realpath(each.path) in lines or os.path.abspath(each.path) in lines
        ]
    kept = None if asked.no_cache else cache.Cache(asked.cache_dir or cache.folder(), settings)
    findings = running.run(found, settings, kept, _jobs(asked.jobs))
    if lines is not None:
        findings = changed.on_changed_lines(findings, lines)
    if asked.write_baseline:
        baseline.write(asked.write_baseline, findings)
        print(f"{len(findings)} findings are in {asked.write_baseline} now", file=sys.stderr)
        return CLEAN
    known = asked.baseline or settings.baseline
    if known:
        findings = baseline.unknown(known, findings)
    for each in findings:
        if each.rule == UNREADABLE:
            print(f"watchglass check: {each.path}:{each.line}: {each.message}", file=sys.stderr)
    findings = [each for each in findings if each.rule != UNREADABLE]
    _print(written(asked.format, findings), asked.output)
    return FOUND if _fails(findings, settings.fail_on) else CLEAN


def _settings(asked: argparse.Namespace, first: str) -> Configuration:
    settings = configuration.read(asked.config, CODES) if asked.config else configuration.load(first, CODES)
    rules = settings.rules
    if asked.select:
        rules = configuration.chosen(asked.select.split(","), CODES, "--select")
    if asked.extend_select:
        rules |= configuration.chosen(asked.extend_select.split(","), CODES, "--extend-select")
    if asked.ignore:
        rules -= configuration.chosen(asked.ignore.split(","), CODES, "--ignore")
    return settings._replace(rules=rules, fail_on=asked.fail_on or settings.fail_on)


def _jobs(given: str | None) -> int:
    if given is not None and not (given.isdecimal() and 0 < int(given) <= 256):
        raise ConfigError(f"--jobs is {given!r}; give a number of processes from 1 to 256")
    return int(given or 0)


def _folder(path: str) -> str:
    return path if os.path.isdir(path) else os.path.dirname(path) or "."


def _fails(findings: Sequence[Finding], fail_on: str) -> bool:
    mildest = SEVERITIES.index(fail_on)
    return any(SEVERITIES.index(each.severity) >= mildest for each in findings)


def _print(text: str, output: str | None) -> None:
    if output:
        try:
            with open(output, "w", encoding="utf-8", errors=_UNWRITABLE) as opened:
                opened.write(text + "\n")
        except OSError as error:
            raise ConfigError(f"--output {output} cannot be written: {error.strerror}") from None
    elif text:
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors=_UNWRITABLE)
        sys.stdout.write(text + "\n")
        sys.stdout.flush()


def _explained(code: str) -> int:
    (wanted,) = configuration.chosen([code], CODES, "--explain") if code.upper() != "ALL" else ("",)
    from watchglass.check.rules import BY_CODE

    for rule in [BY_CODE[wanted]] if wanted else BY_CODE.values():
        print(
            f"{rule.code} {rule.name} ({rule.severity})\n\n{rule.summary}\n\n{rule.because}\n{rule.source}\n"
        )
        print(
            f"Wrong:\n\n{_indented(rule.wrong)}\nRight:\n\n{_indented(rule.right)}\nTo mend it: {rule.fix}\n"
        )
    return CLEAN


def _indented(code: str) -> str:
    return "".join(f"    {line}\n" if line else "\n" for line in code.rstrip().split("\n"))
