"""How long `watchglass check` takes: a million lines, cold and with its cache, and a commit of 20 files.

    python bench/check_speed.py [--packages SITE-PACKAGES] [--rounds 3] [--semgrep PROGRAM] [--write]

The million lines are packages of an environment (this one, or `--packages`): litellm, crewai, langchain and
the clients first, for there the checker has most to look at, then others by name. Beside it in the same run,
on the same files: ruff with the one rule of its own that comes near (TID251, a name that may not be used),
and semgrep with a rule of the same names, where it is installed. Neither of them resolves an object to the
library that made it; they are here to tell what the machine can do.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import sysconfig
import time
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from run import Figures, Promise, anchor, machine, replace_part, table

TITLE = "## The checker"
LINES = 1_000_000
COMMIT = 20
FIRST = ("litellm", "crewai", "langchain", "langchain_core", "langchain_openai", "openai", "anthropic")
NAMES = (
    "litellm.completion",
    "litellm.acompletion",
    "litellm.embedding",
    "openai.OpenAI",
    "anthropic.Anthropic",
)
INSTALLED = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""An installed checker is compiled; without its byte code each start would compile its source again."""
PROMISES = {
    "cold": Promise("a million lines, no cache", "s", at_most=5.0),
    "warm": Promise("the same again, with its cache", "s", at_most=1.0),
    "commit": Promise(
        f"{COMMIT} files as a pre-commit hook gives them, with the start of Python", "ms", at_most=300
    ),
    "commit.warm": Promise("the same again, with its cache", "ms", at_most=300),
    "ruff": Promise("ruff (TID251), a million lines, no cache", "s"),
    "ruff.warm": Promise("ruff, the same again, with its cache", "s"),
    "ruff.commit": Promise(f"ruff, {COMMIT} files", "ms"),
    "semgrep": Promise("semgrep (a rule of the same names), a million lines", "s"),
    "semgrep.commit": Promise(f"semgrep, {COMMIT} files", "ms"),
    "to.ruff": Promise("watchglass to ruff, a million lines, no cache", "times"),
    "to.semgrep": Promise("watchglass to semgrep, a million lines", "times"),
    "anchor": Promise("anchor: a loop of 10 million additions in the interpreter", "s"),
}


def gather(packages: Path, into: Path) -> tuple[int, int, list[Path]]:
    """Copy packages until there are a million lines; how many lines and files that is, and 20 files of it."""
    lines = 0
    named = [packages / name for name in FIRST]
    others = sorted(path for path in packages.iterdir() if path.is_dir() and path not in named)
    for package in (*named, *others):
        if lines >= LINES or not (package / "__init__.py").is_file():
            continue
        lines += sum(path.read_bytes().count(b"\n") for path in package.rglob("*.py"))
        ignored = shutil.ignore_patterns("__pycache__", "*.so", "*.json", "*.js", "*.html", "*.map")
        shutil.copytree(package, into / package.name, ignore=ignored)
    files = sorted(into.rglob("*.py"))
    asking = [
        path for path in files if b"import litellm" in path.read_bytes() and "test" not in path.as_posix()
    ]
    return lines, len(files), asking[:: max(1, len(asking) // COMMIT)][:COMMIT]


def seconds(command: list[str | Path], folder: Path) -> float:
    """How long a command takes; findings are no failure."""
    begun = time.perf_counter()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=INSTALLED)
    taken = time.perf_counter() - begun
    if done.returncode not in (0, 1):
        raise SystemExit(
            f"{command[0]} failed with {done.returncode}:\n{(done.stderr or done.stdout)[-2000:]}"
        )
    return taken


def watchglass(figures: Figures, tree: Path, few: list[Path], work: Path) -> None:
    """The checker, on everything and on a commit."""
    check = [sys.executable, "-m", "watchglass.check", "--fail-on", "critical", "--cache-dir"]
    figures["cold"].append(seconds([*check, work / "cache", tree], tree))
    figures["warm"].append(seconds([*check, work / "cache", tree], tree))
    figures["commit"].append(1000 * seconds([*check, work / "few", *few], tree))
    figures["commit.warm"].append(1000 * seconds([*check, work / "few", *few], tree))


def ruff(figures: Figures, tree: Path, few: list[Path], work: Path) -> None:
    """ruff, which is a development dependency, with names that may not be used."""
    banned = "\n".join(f'"{name}".msg = "use the service"' for name in NAMES)
    (work / "ruff.toml").write_text(f"[lint.flake8-tidy-imports.banned-api]\n{banned}\n")
    command = [
        shutil.which("ruff") or Path(sys.executable).parent / "ruff",
        "check",
        "--quiet",
        "--exit-zero",
    ]
    command += ["--config", work / "ruff.toml", "--select", "TID251"]
    figures["ruff"].append(seconds([*command, "--no-cache", tree], tree))
    seconds([*command, "--cache-dir", work / "ruff", tree], tree)
    figures["ruff.warm"].append(seconds([*command, "--cache-dir", work / "ruff", tree], tree))
    figures["ruff.commit"].append(1000 * seconds([*command, "--no-cache", *few], tree))
    figures["to.ruff"].append(figures["cold"][-1] / figures["ruff"][-1])


def semgrep(program: str, figures: Figures, tree: Path, few: list[Path], work: Path) -> None:
    """semgrep, which knows imports and their aliases, with a pattern for each name."""
    patterns = "\n".join(f"      - pattern: {name}(...)" for name in NAMES)
    (work / "rule.yml").write_text(
        "rules:\n  - id: direct-call\n    languages: [python]\n    severity: ERROR\n"
        f"    message: use the service\n    pattern-either:\n{patterns}\n"
    )
    command = [program, "scan", "--quiet", "--metrics=off", "--disable-version-check", "--no-git-ignore"]
    command += ["--jobs", "2", "--max-target-bytes", "0", "--config", str(work / "rule.yml")]
    figures["semgrep"].append(seconds([*command, tree], tree))
    figures["semgrep.commit"].append(1000 * seconds([*command, *few], tree))
    figures["to.semgrep"].append(figures["cold"][-1] / figures["semgrep"][-1])


def main() -> None:
    """Measure; print the part of the page, and with `--write` put it there."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--packages", type=Path, default=Path(sysconfig.get_paths()["purelib"]))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--semgrep", default=shutil.which("semgrep"))
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    figures: Figures = defaultdict(list)
    with TemporaryDirectory(prefix="watchglass-bench-") as folder:
        tree = Path(folder) / "tree"
        tree.mkdir()
        lines, files, few = gather(given.packages, tree)
        seconds([sys.executable, "-m", "watchglass.check", "--no-cache", *few], tree)  # writes byte code
        for number in range(given.rounds):
            work = Path(folder) / f"round{number}"
            work.mkdir()
            figures["anchor"].append(anchor())
            watchglass(figures, tree, few, work)
            ruff(figures, tree, few, work)
            if given.semgrep and not number:
                semgrep(given.semgrep, figures, tree, few, work)
    part = [
        TITLE,
        "",
        f"By `python bench/check_speed.py` on {datetime.now(UTC):%Y-%m-%d %H:%M} UTC: {given.rounds} rounds"
        f" over {lines:,} lines in {files:,} files of packages (litellm, crewai, clients first);"
        f" semgrep {'in the first round alone' if given.semgrep else 'was not installed'}.",
        "",
        *machine(),
        "",
        *table(PROMISES, figures),
        "",
    ]
    print("\n".join(part))
    print(f"cold, median: {lines / statistics.median(figures['cold']):,.0f} lines/s", file=sys.stderr)
    if given.write:
        replace_part(TITLE, "\n".join(part))


if __name__ == "__main__":
    main()
