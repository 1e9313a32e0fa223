"""Which lines have changed since a commit, as git says."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence

from watchglass.check.expressions import late
from watchglass.check.finding import Finding
from watchglass.errors import ConfigError

_HUNK = late(r"@@ -\S+ \+(\d+)(?:,(\d+))? @@")

Lines = dict[str, list[tuple[int, int]]]
"""By absolute path: the ranges of lines that are new, both ends included."""


def since(base: str, folder: str) -> Lines:
    """The lines that the working tree has and `base` (or where it was left) has not; untracked files are new.

    Raises `ConfigError` where this is no repository or there is no such commit.
    """
    if not base or base.startswith("-"):
        raise ConfigError(f"--diff {base!r} is no commit; give a branch, a tag or a hash")
    top = _git(folder, "rev-parse", "--show-toplevel").strip()
    _git(
        folder,
        "rev-parse",
        "--verify",
        "--quiet",
        f"{base}^{{commit}}",
        why=f"--diff: there is no commit {base!r}",
    )
    with contextlib.suppress(ConfigError):  # histories with nothing in common are compared as they are
        base = _git(folder, "merge-base", base, "HEAD").strip() or base
    patch = _git(
        top, "-c", "core.quotePath=false", "diff", "--unified=0", "--no-color", "--no-ext-diff",
        "--no-textconv", "--src-prefix=a/", "--dst-prefix=b/", "--ignore-submodules", base,
        "--", "*.py", "*.pyw", "*.ipynb",
    )  # fmt: skip
    found = _ranges(patch, top)
    for name in _git(top, "ls-files", "-z", "--others", "--exclude-standard").split("\0"):
        if name:
            found[os.path.join(top, name)] = [(1, 1 << 60)]
    return found


def _ranges(patch: str, top: str) -> Lines:
    found: Lines = {}
    current: list[tuple[int, int]] = []
    in_head = True
    for line in patch.split("\n"):
        if line.startswith("diff --git "):
            in_head = True
        elif in_head and line.startswith("+++ "):
            name = line[4:].rstrip("\t")
            if name.startswith('"'):
                name = name[1:-1].encode("latin-1", "backslashreplace").decode("unicode_escape")
            current = found.setdefault(os.path.join(top, name[2:]), []) if name != "/dev/null" else []
        elif hunk := _HUNK.match(line):
            in_head = False
            start, count = int(hunk[1]), int(hunk[2] if hunk[2] is not None else 1)
            if count:
                current.append((start, start + count - 1))
    return found


def on_changed_lines(findings: Sequence[Finding], lines: Lines) -> list[Finding]:
    """The findings whose code has a changed line; of a changed notebook all."""
    kept: list[Finding] = []
    for finding in findings:
        ranges = lines.get(os.path.realpath(finding.path)) or lines.get(os.path.abspath(finding.path)) or []
        if any(start <= finding.end_line and finding.line <= end for start, end in ranges) or (
            ranges and finding.cell is not None
        ):
            kept.append(finding)
    return kept


def _git(folder: str, *arguments: str, why: str = "") -> str:
    import subprocess

    try:
        done = subprocess.run(
            ["git", "-C", folder, *arguments],
            capture_output=True,
            check=False,
            timeout=120,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ConfigError(f"--diff asks git, which cannot be run: {error}") from None
    if done.returncode:
        told = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise ConfigError(why or f"--diff asks git, which said: {told[0] if told else done.returncode}")
    return done.stdout.decode("utf-8", "surrogateescape")
