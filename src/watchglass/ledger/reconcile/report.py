"""A reconciliation as a document, and that as CSV and Markdown; amounts are text with all their digits."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from watchglass.ledger.reconcile.days import short
from watchglass.ledger.reconcile.figures import HINTS, KINDS, Explanation, SlotOutcome
from watchglass.ledger.reconcile.ledger import Ledger, Line, Totals
from watchglass.ledger.reconcile.rows import RowByRow
from watchglass.queries.plain import moment, money
from watchglass.store import KeptFile

Document = dict[str, Any]

HINT = " (a hint, unexplained all the same)"

MOST_EVIDENCE = 20
"""Explanations of a kind that Markdown names one by one, those of the most money first."""

CSV_COLUMNS = (
    *(
        "level",
        "day",
        "since",
        "until",
        "provider",
        "project",
        "model",
        "tier",
        "long_context",
        "token_class",
    ),
    *("calls", "unpriced_calls", "requests_billed", "tokens_computed", "tokens_billed"),
    *("computed_usd", "reported_usd", "billed_usd", "difference_usd"),
    *KINDS,
    "unexplained_usd",
    *HINTS,
    "evidence",
)
"""`level` is `line` for a day, project and model, and `class` for a class of its tokens: add up either.
Columns after `unexplained_usd` are hints, parts of it."""


def document(ledger: Ledger, files: Sequence[KeptFile]) -> Document:
    """All of it."""
    return {
        "totals": _totals(ledger.totals),
        "zones": [msgspec.to_builtins(each) for each in ledger.zones],
        "remarks": ledger.remarks,
        "put_aside": [
            {**msgspec.structs.asdict(each), "amount_usd": money(each.amount_usd)}
            for each in ledger.put_aside
        ],
        "not_on_any_bill": [
            {"provider": each.provider, "calls": each.calls, "computed_usd": money(each.cost)}
            for each in ledger.elsewhere
        ],
        "row_by_row": [_row_by_row(each) for each in ledger.row_by_row],
        "files": [file_document(each) for each in files],
        "lines": [_line(each) for each in ledger.lines],
    }


def file_document(file: KeptFile) -> Document:
    """An imported file."""
    return {**msgspec.structs.asdict(file), "taken": moment(file.taken_ns)}


def _row_by_row(found: RowByRow) -> Document:
    compared = {
        name: {**msgspec.structs.asdict(each), "amount_usd": money(each.amount_usd)}
        for name in ("only_on_bill", "only_ours", "other_tokens", "other_cost")
        for each in [getattr(found, name)]
    }
    return {"provider": found.provider, "on_both": found.on_both, **compared}


def _totals(totals: Totals) -> Document:
    return {
        "lines": totals.lines,
        "calls": totals.calls,
        "unpriced_calls": totals.unpriced_calls,
        "billed_usd": money(totals.billed),
        "computed_usd": money(totals.compared),
        "computed_without_a_bill_usd": money(totals.computed - totals.compared),
        "reported_usd": money(totals.reported),
        "reported_calls": totals.reported_calls,
        "computed_of_reported_usd": money(totals.cost_of_reported),
        "difference_usd": money(totals.difference),
        "explained_usd": {kind: money(amount) for kind, amount in totals.explained.items()},
        "unexplained_usd": money(totals.unexplained),
        "hints_usd": {kind: money(amount) for kind, amount in totals.hints.items()},
        "unexplained_apart_usd": money(totals.unexplained_apart),
    }


def _line(line: Line) -> Document:
    key = line.key
    return {
        "day": line.day,
        "since": short(key.since_ns),
        "until": short(key.until_ns),
        "provider": key.provider,
        "project": key.project,
        "model": key.model,
        "on": key.on,
        "calls": line.calls,
        "unpriced_calls": line.unpriced_calls,
        "requests_billed": line.requests,
        "computed_usd": money(line.computed),
        "reported_usd": _money(line.reported),
        "reported_calls": line.reported_calls,
        "computed_of_reported_usd": money(line.cost_of_reported),
        "billed_usd": _money(line.billed),
        "difference_usd": _money(line.difference),
        "explanations": [_explanation(each) for each in line.explanations],
        "unexplained_usd": money(line.unexplained),
        "hints": [_explanation(each) for each in line.hints],
        "classes": [_class(each) for each in line.classes],
    }


def _class(slot: SlotOutcome) -> Document:
    return {
        "token_class": slot.slot.token_class,
        "tier": slot.slot.tier,
        "long_context": slot.slot.long,
        "tokens_computed": slot.tokens_computed,
        "tokens_billed": slot.tokens_billed,
        "computed_usd": money(slot.computed),
        "billed_usd": _money(slot.billed),
        "difference_usd": None if slot.billed is None else money(slot.billed - slot.computed),
        "explanations": [_explanation(each) for each in slot.explanations],
        "unexplained_usd": money(slot.unexplained),
        "hints": [_explanation(each) for each in slot.hints],
        "note": slot.note or None,
    }


def _explanation(each: Explanation) -> Document:
    return {**msgspec.structs.asdict(each), "amount_usd": money(each.amount_usd)}


def _money(amount: Decimal | None) -> str | None:
    return None if amount is None else money(amount)


def csv_text(report: Mapping[str, Any]) -> str:
    """A row for each line and, below it, one for each class of its tokens."""
    out = io.StringIO()
    writer = csv.DictWriter(out, CSV_COLUMNS, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    for line in report["lines"]:
        for row in _rows(line):
            writer.writerow({name: _plain(value) for name, value in row.items()})
    return out.getvalue()


def _rows(line: Document) -> Iterator[Document]:
    yield {**line, "level": "line", **_by_kind(line)}
    shared = {name: line[name] for name in ("day", "since", "until", "provider", "project", "model")}
    for each in line["classes"]:
        yield {**shared, **each, "level": "class", **_by_kind(each)}


def _by_kind(row: Document) -> Document:
    found: dict[str, Decimal] = {}
    said: list[str] = []
    for each in causes(row):
        found[each["kind"]] = found.get(each["kind"], Decimal(0)) + Decimal(each["amount_usd"])
        said.append(f"{each['kind']}: {each['evidence']}")
    return {**{kind: money(amount) for kind, amount in found.items()}, "evidence": "; ".join(said)}


def causes(row: Mapping[str, Any]) -> list[Document]:
    """What explains a line or class, and the hints at what does not."""
    return [*row["explanations"], *row["hints"]]


def kinds(report: Mapping[str, Any]) -> Document:
    """Sums by kind, hints last."""
    return {**report["totals"]["explained_usd"], **report["totals"]["hints_usd"]}


def first_line(report: Mapping[str, Any]) -> str:
    """The headline."""
    totals = report["totals"]
    left, billed = totals["unexplained_apart_usd"], totals["billed_usd"]
    if left == "0":
        return f"Unexplained: 0 of {billed} US dollars billed."
    if Decimal(billed) <= 0:
        return f"Unexplained: {left} US dollars."
    share = (Decimal(left) * 100 / Decimal(billed)).quantize(Decimal("0.01"))
    percent = "less than 0.01" if not share else f"{share}"
    return f"Unexplained: {left} of {billed} US dollars billed ({percent} %)."


def _plain(value: object) -> object:
    """Text that a spreadsheet would take for a formula is marked as text; it may be a stranger's."""
    if isinstance(value, str) and value[:1] in ("=", "@", "+", "\t", "\r"):
        return "'" + value
    return value


def markdown(report: Mapping[str, Any]) -> str:
    """The headline, the causes with their evidence, and the days that differ."""
    parts = ["# Reconciliation", "", f"**{first_line(report)}**", ""]
    parts += _table(("", "US dollars"), headline(report))
    for remark in remarks(report):
        parts.append(f"- {_escaped(remark)}")
    for kind, amount in kinds(report).items():
        found = sorted(
            ((line, each) for line in report["lines"] for each in causes(line) if each["kind"] == kind),
            key=lambda pair: -abs(Decimal(pair[1]["amount_usd"])),
        )
        parts += ["", f"## {kind}: {amount}{HINT if kind in HINTS else ''}", ""]
        rows = [(*_where(line), each["amount_usd"], each["evidence"]) for line, each in found[:MOST_EVIDENCE]]
        parts += _table(("day", "provider", "project", "model", "US dollars", "evidence"), rows)
        if len(found) > MOST_EVIDENCE:
            parts.append(f"… and {len(found) - MOST_EVIDENCE:,} more.")
    left = [line for line in report["lines"] if Decimal(line["unexplained_usd"]) or _left(line)]
    if left:
        parts += ["", "## unexplained", ""]
        rows = [
            (
                *_where(line),
                each["token_class"],
                *(each[f"{name}_usd"] for name in ("computed", "billed", "unexplained")),
                each["note"],
            )
            for line in left
            for each in line["classes"]
            if Decimal(each["unexplained_usd"])
        ]  # fmt: skip
        names = ("day", "provider", "project", "model", "class", "computed", "billed", "unexplained", "note")
        parts += _table(names, rows)
    return "\n".join(parts) + "\n"


def headline(report: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Billed, computed, reported, the difference, what explains it, and the rest."""
    totals = report["totals"]
    rows = [
        ("billed", totals["billed_usd"]),
        ("computed", totals["computed_usd"]),
        (
            f"reported by clients, of {totals['reported_calls']:,} of {totals['calls']:,} calls",
            totals["reported_usd"],
        ),
        ("computed of those calls", totals["computed_of_reported_usd"]),
        ("billed less computed", totals["difference_usd"]),
        *((f"  {kind}", amount) for kind, amount in totals["explained_usd"].items()),
        ("unexplained", totals["unexplained_usd"]),
        *((f"  of it {kind}", amount) for kind, amount in totals["hints_usd"].items()),
    ]
    if totals["unexplained_apart_usd"].lstrip("-") != totals["unexplained_usd"].lstrip("-"):
        rows.append(("unexplained, without cancelling out", totals["unexplained_apart_usd"]))
    return rows


def remarks(report: Mapping[str, Any]) -> list[str]:
    """What to know when reading the figures."""
    lines = list[str](report["remarks"])
    for each in report["zones"]:
        lines.append(
            f"{each['provider']}: the bill's days are cut in {each['zone']} ({each['agree']} of "
            f"{each['compared']} agree; in UTC {each['agree_in_utc']})"
        )
    for each in report["put_aside"]:
        lines.append(
            f"{each['provider']}: {each['amount_usd']} dollars of {each['format']} are not added, "
            f"since {each['instead']} says the same days"
        )
    for each in report["not_on_any_bill"]:
        lines.append(
            f"{each['provider'] or 'no known provider'}: {each['calls']:,} calls "
            f"({each['computed_usd']} dollars) in this time, and no bill"
        )
    for each in report["row_by_row"]:
        lines.append(
            f"{each['provider']}, request by request: {each['on_both']:,} on both sides "
            f"({each['other_tokens']['requests']:,} with other tokens, "
            f"{each['other_cost']['requests']:,} with another cost), "
            f"{each['only_on_bill']['requests']:,} only on the bill, "
            f"{each['only_ours']['requests']:,} only here"
        )
    without = report["totals"]["computed_without_a_bill_usd"]
    if without != "0":
        lines.append(f"{without} dollars were computed where no file says what was charged")
    for each in report["files"]:
        lines += [f"{each['name']}: {one['reason']}" for one in each["refused"] if one.get("warning")]
    return lines


def _left(line: Document) -> bool:
    return any(Decimal(each["unexplained_usd"]) for each in line["classes"])


def _where(line: Document) -> tuple[str, str, str, str]:
    return line["day"], line["provider"], line["project"] or "", line["model"] or ""


def _table(names: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    lines = [f"| {' | '.join(names)} |", f"|{'---|' * len(names)}"]
    lines += [f"| {' | '.join(_escaped(str(cell or '')) for cell in row)} |" for row in rows]
    return [*lines, ""]


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")
