"""A coverage report for people, for pull requests and for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from watchglass.doctor.contract import Diagnosis
from watchglass.queries.coverage import Coverage, Elsewhere, Site
from watchglass.queries.plain import money

_URGENT = "Never recorded"

SHOWN = 20
"""Rows of each list for people; --json has all."""

_HOW = {"line": "", "function": "moved, by its function", "nearest": "moved, by the nearest of its function"}
_WHY = {
    "outside": "not in what was named",
    "ambiguous": "its path fits several files; say which with --map",
    "no_site": "no call site there",
    "no_place": "nobody said where",
}


class Report(NamedTuple):
    """What was found; `evidence` tells of requests that no call is on record for, `unreadable` of files."""

    coverage: Coverage
    evidence: Sequence[Diagnosis]
    unreadable: Sequence[str]


class Part(NamedTuple):
    """A list of the report: its heading, what it says when there is more, columns (name, a number) and
    rows."""

    title: str
    columns: Sequence[tuple[str, bool]]
    rows: Sequence[Sequence[str]]


def document(report: Report) -> dict[str, Any]:
    """For programs: all rows."""
    found = {name: getattr(report.coverage, name) for name in Coverage.__struct_fields__}
    return {**found, "evidence": list(report.evidence), "unreadable": list(report.unreadable)}


def headline(report: Report) -> str:
    """The share and the money, in a sentence."""
    found = report.coverage
    if found.percent is None:
        return "There is no call to a model in this code."
    spent = "nothing that is priced" if found.cost_usd is None else _dollars(found.cost_usd)
    return (
        f"{found.percent:g}% of the call sites were seen: {len(found.seen):,} of {found.sites:,}, with "
        f"{found.calls:,} calls and {spent} between {found.since[:10]} and {found.until[:10]}."
    )


def parts(report: Report) -> Iterator[Part]:
    """The lists that hold anything, the most urgent first."""
    found = report.coverage
    if found.unmonitored:
        columns = [
            ("call site", False),
            ("function", False),
            ("calls", False),
            ("beside it", True),
            ("why", False),
        ]
        rows = [
            [_at(s), s.function, s.callee, _dollars(s.cost_beside_usd), s.why or ""]
            for s in found.unmonitored
        ]
        yield Part(_URGENT, columns, rows)
    if found.seen:
        columns = [
            ("call site", False), ("function", False), ("calls", True), ("cost", True), ("of nobody", True),
            ("no tenant", True), ("no feature", True), ("", False),
        ]  # fmt: skip
        yield Part("Seen", columns, [_seen(site) for site in found.seen])
    if found.never_seen:
        columns = [("call site", False), ("function", False), ("calls", False), ("beside it", True)]
        rows = [[_at(s), s.function, s.callee, _dollars(s.cost_beside_usd)] for s in found.never_seen]
        yield Part("Instrumented, never seen", columns, rows)
    if found.elsewhere:
        columns = [
            ("recorded at", False),
            ("function", False),
            ("calls", True),
            ("cost", True),
            ("why", False),
        ]
        yield Part(
            "On record, and no call site here", columns, [_elsewhere(each) for each in found.elsewhere]
        )
    if len(found.packages) > 1:
        columns = [("folder", False), ("call sites", True), ("seen", True), ("share", True), ("cost", True)]
        rows = [
            [p.package, f"{p.sites:,}", f"{p.seen:,}", f"{p.percent:g}%", _dollars(p.cost_usd)]
            for p in found.packages
        ]
        yield Part("By folder", columns, rows)


def print_report(report: Report) -> None:
    """On a terminal."""
    from watchglass.surfaces.cli.tables import fitted, show

    show(headline(report))
    for part in parts(report):
        droppable = ("no feature", "no tenant", "function")
        show(f"\n{part.title}", fitted(part.columns, part.rows[:SHOWN], droppable=droppable))
        if len(part.rows) > SHOWN:
            show(f"{len(part.rows) - SHOWN:,} more; --json has them all.")
    for each in report.evidence:
        show(f"\n! {each.symptom}\n  {each.remedy}\n  $ {each.command}")
    for line in report.unreadable:
        show(f"? not read: {line}")


def markdown(report: Report) -> str:
    """For a pull request: the sentence, the lists that ask for something, the rest folded away."""
    lines = ["### Calls to models: " + headline(report)[:1].lower() + headline(report)[1:], ""]
    for part in parts(report):
        open_ = part.title == _URGENT
        if not open_:
            lines += [f"<details><summary>{part.title} ({len(part.rows):,})</summary>", ""]
        else:
            lines += [f"**{part.title}** ({len(part.rows):,})", ""]
        lines += _table(part)
        if not open_:
            lines += ["</details>", ""]
    lines += [f"> {_escaped(each.symptom)} `{each.command}`\n" for each in report.evidence]
    lines += [f"> not read: {_escaped(each)}\n" for each in report.unreadable]
    return "\n".join(lines).rstrip() + "\n"


def _table(part: Part) -> list[str]:
    lines = [
        "| " + " | ".join(name for name, _ in part.columns) + " |",
        "|" + "|".join("---:" if number else "---" for _, number in part.columns) + "|",
        *("| " + " | ".join(_escaped(cell) for cell in row) + " |" for row in part.rows[:SHOWN]),
        "",
    ]
    return [*lines, f"and {len(part.rows) - SHOWN:,} more", ""] if len(part.rows) > SHOWN else lines


def _escaped(text: str) -> str:
    """Text of strangers in a table of Markdown: it can neither end a cell nor be markup."""
    from watchglass.surfaces.cli.tables import clean

    return "".join(f"\\{sign}" if sign in "\\|`*_<>[]#!" else sign for sign in clean(text).replace("\n", " "))


def _seen(site: Site) -> list[str]:
    return [
        _at(site),
        site.function,
        f"{site.calls:,}",
        _dollars(site.cost_usd),
        _dollars(site.cost_without_context_usd) if site.without_context else "",
        _share(site.without_tenant, site.calls),
        _share(site.without_feature, site.calls),
        _HOW[site.matched or "line"],
    ]


def _elsewhere(each: Elsewhere) -> list[str]:
    where = "–" if each.file is None else f"{each.file}:{each.line or '?'}"
    why = _WHY[each.why]
    if each.candidates:
        why += f" ({', '.join(each.candidates[:3])})"
    if each.why == "no_place":
        why += f": {each.scope or 'imported'}"
    return [where, each.function or "–", f"{each.calls:,}", _dollars(each.cost_usd), why]


def _at(site: Site) -> str:
    return f"{site.path}:{site.line}"


def _share(part: int, whole: int) -> str:
    """A share that is not quite nothing is not shown as nothing.

    >>> _share(0, 9), _share(1, 1000), _share(9, 9)
    ('', '<1%', '100%')
    """
    if not part:
        return ""
    return f"{part * 100 // whole}%" if part * 100 >= whole else "<1%"


def _dollars(amount: Decimal | None) -> str:
    """To the last digit, and cents always.

    >>> _dollars(Decimal("0.5")), _dollars(Decimal("0.00125")), _dollars(None)
    ('$0.50', '$0.00125', '–')
    """
    if amount is None:
        return "–"
    whole, _, cents = money(amount).partition(".")
    return f"${whole}.{cents.ljust(2, '0')}"
