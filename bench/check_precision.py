"""How right the static checker is: precision and recall against sites labelled by hand, with intervals.

    python bench/check_precision.py CHECKOUTS [--set SET] [--rules WG006,WG009] [--quiet FOLDER…] [--wrong]

`CHECKOUTS` (or WATCHGLASS_CHECKOUTS) has a folder for each repository of bench/check/repositories.tsv, at the
commit named there; none of them is part of this project. What a label means is in docs/check.md. A finding is
right where its line is within the call or statement that the label names (a table of prices is one statement;
an entry point is its file); findings where nobody has looked are counted apart and written to `--unlabelled`.
`--quiet` folders (CPython's library, Django) must have no finding.
"""

from __future__ import annotations

import argparse
import ast
import csv
import json
import os
import re
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent / "check"
RULES = ("WG001", "WG002", "WG003", "WG005", "WG006", "WG007", "WG008", "WG009", "WG010")
SETS = (
    *("development", "held-out", "second", "third-open", "third-sealed", "fourth-open", "fourth-sealed"),
    *("fifth-open", "fifth-sealed"),
    *("later", "all"),
)
COMPOUND = (
    *(ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.If, ast.For, ast.AsyncFor, ast.While),
    *(ast.With, ast.AsyncWith, ast.Try, ast.Match),
)
MAGIC = re.compile(r"^(\s*)[%!?].*")


@dataclass(frozen=True)
class Label:
    """A site that somebody has read: whether the rule should find it, or `beyond` what a file tells."""

    rule: str
    repository: str
    path: str
    cell: int | None
    line: int
    label: str
    searched: bool
    """Drawn by the text search: what recall is measured on. Else a finding that was read afterwards."""
    reason: str


@dataclass(frozen=True)
class Finding:
    """What the checker says, with the path below its repository."""

    rule: str
    repository: str
    path: str
    cell: int | None
    line: int
    message: str


def labels(chosen: str) -> list[Label]:
    """The labels of a set of repositories."""
    with (HERE / "repositories.tsv").open() as file:
        sets = {row["repository"]: row["set"] for row in csv.DictReader(file, delimiter="\t")}
    wanted = {name for name, of in sets.items() if chosen in {of, "all"}}
    with (HERE / "labels.tsv").open() as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if row["repository"] in wanted]
    return [
        Label(
            row["rule"],
            row["repository"],
            row["path"],
            int(row["cell"]) if row["cell"] else None,
            int(row["line"]),
            row["label"],
            row["from"] == "search",
            row["reason"],
        )
        for row in rows
    ]


def check(folder: Path, repository: str, rules: Iterable[str] = RULES) -> list[Finding]:
    """The checker's findings on a folder, by the command a user gives; a crash ends the run."""
    found: list[Finding] = []
    command = [sys.executable, "-m", "watchglass.check", "--no-cache", "--json", folder.name]
    plain = ",".join(each for each in rules if each != "WG006")
    if plain:
        found += _said([*command, "--select", plain], folder, repository)
    if "WG006" in rules:
        # No public code has a context of ours: it is asked as if every line were within one.
        found += _said([sys.executable, str(HERE / "as_if.py"), "--json", folder.name], folder, repository)
    return found


def _said(command: list[str], folder: Path, repository: str) -> list[Finding]:
    done = subprocess.run(command, cwd=folder.parent, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1) or "Traceback" in done.stderr:
        raise SystemExit(
            f"the checker failed on {folder}: exit code {done.returncode}\n{done.stderr[-2000:]}"
        )
    return [
        Finding(
            each["rule"],
            repository,
            Path(each["path"]).relative_to(folder.name).as_posix(),
            each.get("cell"),
            each["line"],
            each["message"],
        )
        for each in json.loads(done.stdout)
    ]


class Extents:
    """From which line to which the call or statement goes that a label names."""

    def __init__(self, checkouts: Path) -> None:
        self.checkouts = checkouts
        self._trees: dict[tuple[str, str, int | None], ast.AST | None] = {}

    def of(self, label: Label) -> tuple[int, int]:
        """First and last line; a site that is no code, or does not parse, is its own line."""
        tree = self._tree(label.repository, label.path, label.cell)
        if tree is None:
            return label.line, label.line
        if label.rule == "WG009":
            spans = _whole_calls(tree)
        else:
            spans = _calls(tree) if label.rule in {"WG001", "WG002", "WG003", "WG007"} else _statements(tree)
        around = [span for span in spans if span[0] <= label.line <= span[1]]
        return min(around, key=lambda span: span[1] - span[0], default=(label.line, label.line))

    def _tree(self, repository: str, path: str, cell: int | None) -> ast.AST | None:
        key = (repository, path, cell)
        if key not in self._trees:
            self._trees[key] = self._parse(self.checkouts / repository / path, cell)
        return self._trees[key]

    @staticmethod
    def _parse(path: Path, cell: int | None) -> ast.AST | None:
        text = path.read_text("utf-8", "replace")
        if cell is not None:
            text = "".join(json.loads(text)["cells"][cell - 1]["source"])
            text = "\n".join(MAGIC.sub(r"\1pass", line) for line in text.split("\n"))
        try:
            return ast.parse(text)
        except (SyntaxError, ValueError):
            return None


def _calls(tree: ast.AST) -> Iterable[tuple[int, int]]:
    """From where a call's expression begins to the line of the name that is called, without the arguments."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield node.lineno, node.func.end_lineno or node.lineno


def _whole_calls(tree: ast.AST) -> Iterable[tuple[int, int]]:
    """With the arguments, in which `stream=True` stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield node.lineno, node.end_lineno or node.lineno


def _statements(tree: ast.AST) -> Iterable[tuple[int, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt) and not isinstance(node, COMPOUND):
            yield node.lineno, node.end_lineno or node.lineno


@dataclass
class Score:
    """One rule's counts: labelled sites found and missed, findings right, wrong and never read."""

    found: int = 0
    missed: int = 0
    found_beyond: int = 0
    missed_beyond: int = 0
    right: int = 0
    wrong: int = 0
    unlabelled: int = 0


def interval(hits: int, of: int) -> str:
    """`99.1 % (95.2–99.8)`: a share and its 95 % interval by Wilson's score (1927)."""
    if not of:
        return "–"
    z = 1.959964
    share, spread = hits / of, z * z / of
    middle = (share + spread / 2) / (1 + spread)
    half = z * ((share * (1 - share) / of + spread / of / 4) ** 0.5) / (1 + spread)
    return f"{100 * share:.1f} % ({100 * max(0, middle - half):.1f}–{100 * min(1, middle + half):.1f})"


class Reading:
    """Findings held against labels."""

    def __init__(self, known: list[Label], findings: list[Finding], extents: Extents) -> None:
        self.scores = {rule: Score() for rule in RULES}
        self.lines: list[tuple[str, Finding | Label, str]] = []
        self.unlabelled: list[Finding] = []
        self._met: set[Label] = set()
        self._at: dict[tuple[str, str, str, int | None], list[tuple[int, int, Label]]] = defaultdict(list)
        for label in known:
            first, last = (0, 1 << 31) if label.rule == "WG005" else extents.of(label)
            at = self._at[label.rule, label.repository, label.path, label.cell]
            if (first, last, label.label) not in {(*extent, each.label) for *extent, each in at}:
                at.append((first, last, label))
        for finding in findings:
            if finding.rule in self.scores:
                self._take(finding)
        for at in self._at.values():
            for *_, label in at:
                self._count(label)

    def _take(self, finding: Finding) -> None:
        score = self.scores[finding.rule]
        around = [
            (label.label == "no", last - first, label.line, label)
            for first, last, label in self._at[finding.rule, finding.repository, finding.path, finding.cell]
            if first <= finding.line <= last
        ]
        if not around:
            score.unlabelled += 1
            self.unlabelled.append(finding)
            return
        self._met.update(label for *_, label in around)
        best = min(around, key=lambda known: known[:3])[3]
        if best.label == "no":
            score.wrong += 1
            self.lines.append(("false alarm", finding, best.reason))
        else:
            score.right += 1

    def _count(self, label: Label) -> None:
        score, met = self.scores[label.rule], label in self._met
        if not label.searched:
            return
        if label.label == "yes":
            score.found += met
            score.missed += not met
            if not met:
                self.lines.append(("missed", label, label.reason))
        elif label.label == "beyond":
            score.found_beyond += met
            score.missed_beyond += not met

    def table(self) -> str:
        """Markdown, one row a rule."""
        rows = [
            "| rule | labelled | precision | recall | recall with *beyond* | findings nobody has read |",
            "| --- | ---: | ---: | ---: | ---: | ---: |",
        ]
        for rule, score in self.scores.items():
            read = sum(label.rule == rule for at in self._at.values() for *_, label in at)
            known, beyond = score.found + score.missed, score.found_beyond + score.missed_beyond
            rows.append(
                f"| {rule} | {read} | {interval(score.right, score.right + score.wrong)}"
                f" | {interval(score.found, known)}"
                f" | {interval(score.found + score.found_beyond, known + beyond)} | {score.unlabelled} |"
            )
        return "\n".join(rows)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("checkouts", type=Path, nargs="?", default=os.environ.get("WATCHGLASS_CHECKOUTS"))
    parser.add_argument("--set", default="development", choices=SETS)
    parser.add_argument("--rules", type=lambda text: text.split(","), default=RULES, help="these alone")
    parser.add_argument("--quiet", type=Path, nargs="*", default=[])
    parser.add_argument("--wrong", action="store_true", help="list misses and false alarms")
    parser.add_argument("--unlabelled", type=Path, help="write the findings without a label here")
    return parser.parse_args()


def main() -> None:
    """Check every repository, print the table, say what is wrong."""
    given = _arguments()
    if given.checkouts is None or not Path(given.checkouts).is_dir():
        print("skipped: no checkouts here; name their folder, or set WATCHGLASS_CHECKOUTS")
        return
    checkouts, known = Path(given.checkouts), labels(given.set)
    known = [label for label in known if label.rule in given.rules]
    present = sorted({label.repository for label in known if (checkouts / label.repository).is_dir()})
    for absent in sorted({label.repository for label in known} - set(present)):
        print(f"skipped: {absent} is not in {checkouts}")
    findings: list[Finding] = []
    for repository in present:
        begun = time.perf_counter()
        got = check(checkouts / repository, repository, given.rules)
        findings += got
        counts = sorted(Counter(each.rule for each in got).items())
        told = ", ".join(f"{rule} {count}" for rule, count in counts) or "no finding"
        print(f"{repository}: {time.perf_counter() - begun:.1f} s; {told}")
    known = [label for label in known if label.repository in present]
    reading = Reading(known, findings, Extents(checkouts))
    print(f"\n{given.set}: {len(known)} labels\n\n{reading.table()}")
    for folder in given.quiet:
        loud = check(folder, folder.name, given.rules)
        print(f"\n{folder}: {len(loud)} findings")
        for finding in loud:
            print(f"  {finding.rule} {finding.path}:{finding.line} {finding.message}")
    if given.wrong:
        for kind, what, why in sorted(reading.lines, key=lambda line: (line[1].rule, line[0], str(line[1]))):
            cell = f"#{what.cell}" if what.cell else ""
            print(f"{what.rule} {kind}: {what.repository}/{what.path}{cell}:{what.line} ({why})")
    if given.unlabelled:
        with given.unlabelled.open("w", newline="") as file:
            rows = csv.writer(file, delimiter="\t", lineterminator="\n")
            for each in reading.unlabelled:
                rows.writerow(
                    (each.rule, each.repository, each.path, each.cell or "", each.line, each.message)
                )


if __name__ == "__main__":
    main()
