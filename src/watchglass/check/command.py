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
import os
import sys
from collections.abc import Sequence

from watchglass.check import baseline, cache, changed, configuration, files, running
from watchglass.check.configuration import Configuration
from watchglass.check.finding import SEVERITIES, UNREADABLE, Finding
from watchglass.check.output import FORMATS
from watchglass.check.rules import BY_CODE, CODES
from watchglass.errors import WatchglassError

CLEAN, FOUND, USAGE = 0, 1, 2


def parser() -> argparse.ArgumentParser:
    """The options; the reference is made from them."""
    made = argparse.ArgumentParser(
        prog="watchglass check",
        description="Find what observability would not see: in Python files, notebooks, and folders of them.",
        epilog="Exit codes: 0 nothing to fail on, 1 findings, 2 the question makes no sense as written.",
        allow_abbrev=False,
    )
    made.add_argument(
        "paths", nargs="*", metavar="PATH", help="files and folders (default: the working directory)"
    )
    made.add_argument(
        "--select", metavar="RULES", help="rules that are on, instead of the configured ones: WG001,WG002"
    )
    made.add_argument("--extend-select", metavar="RULES", help="rules that are on as well; ALL for every one")
    made.add_argument("--ignore", metavar="RULES", help="rules that are off")
    made.add_argument(
        "--fail-on",
        choices=tuple(reversed(SEVERITIES)),
        help="the mildest severity that fails (default: error)",
    )
    made.add_argument(
        "--diff", metavar="BASE", help="only findings on lines changed since this commit or branch"
    )
    made.add_argument("--baseline", metavar="FILE", help="leave out the findings that this file knows")
    made.add_argument(
        "--write-baseline", metavar="FILE", help="write all findings to this file, and fail on none"
    )
    made.add_argument(
        "--format", choices=tuple(FORMATS), default="text", help="how findings are written (default: text)"
    )
    for each in ("json", "sarif", "github"):
        made.add_argument(
            f"--{each}", dest="format", action="store_const", const=each, help=f"the same as --format {each}"
        )
    made.add_argument("--output", metavar="FILE", help="write there instead of to standard output")
    made.add_argument("--config", metavar="FILE", help="a pyproject.toml, instead of the nearest one")
    made.add_argument(
        "--no-cache", action="store_true", help="neither read nor write what files came to last time"
    )
    made.add_argument(
        "--cache-dir", metavar="DIR", help="where that is kept (default: the user's cache folder)"
    )
    made.add_argument(
        "--jobs", type=int, default=0, metavar="N", help="processes (default: as many as are worth it)"
    )
    made.add_argument(
        "--explain", metavar="RULE", help="print what a rule finds, why, and how to mend it; check nothing"
    )
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


def _run(asked: argparse.Namespace) -> int:
    gc.disable()  # trees are freed by their counts, and the process ends soon
    paths: list[str] = asked.paths or ["."]
    settings = _settings(asked, paths[0])
    found = files.find(paths, settings)
    lines = changed.since(asked.diff, _folder(paths[0])) if asked.diff else None
    if lines is not None:
        found = [
            each
            for each in found
            if os.path.realpath(each.path) in lines or os.path.abspath(each.path) in lines
        ]
    kept = None if asked.no_cache else cache.Cache(asked.cache_dir or cache.folder(), settings)
    findings = running.run(found, settings, kept, max(0, asked.jobs))
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
    _print(FORMATS[asked.format](findings), asked.output)
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


def _folder(path: str) -> str:
    return path if os.path.isdir(path) else os.path.dirname(path) or "."


def _fails(findings: Sequence[Finding], fail_on: str) -> bool:
    mildest = SEVERITIES.index(fail_on)
    return any(SEVERITIES.index(each.severity) >= mildest for each in findings)


def _print(text: str, output: str | None) -> None:
    if output:
        with open(output, "w", encoding="utf-8") as opened:
            opened.write(text + "\n")
    elif text:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()


def _explained(code: str) -> int:
    (wanted,) = configuration.chosen([code], CODES, "--explain") if code.upper() != "ALL" else ("",)
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
