"""`watchglass reconcile`: what was computed, reported and billed, and why it differs."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from watchglass.errors import BadRequest, NotFound
from watchglass.surfaces.cli import options
from watchglass.surfaces.cli.exits import FOUND, REJECTED, reporting

if TYPE_CHECKING:
    from watchglass.config import Loaded
    from watchglass.surfaces.reconcile_desk import Wanted

Document = dict[str, Any]

SHOWN_LINES = 20
"""Lines that a terminal shows, those with the most to explain first; --csv and --json have all."""


def reconcile(
    files: Annotated[
        list[str] | None,
        typer.Argument(
            help="exports of providers: JSON or CSV, also .gz; - reads stdin; none: the last state"
        ),
    ] = None,
    format: Annotated[
        str | None, typer.Option("--format", help="what the files are, if it is not found out")
    ] = None,
    map: Annotated[
        list[str] | None,
        typer.Option(
            "--map", metavar="OURS=THEIRS", help="which column of a plain CSV is what; may be repeated"
        ),
    ] = None,
    project_by: Annotated[str | None, options.option("project_by")] = None,
    project_map: Annotated[list[str] | None, options.option("project_map")] = None,
    zone: Annotated[
        str | None,
        typer.Option("--zone", help="time zone of dates that name none; else the one in which days agree"),
    ] = None,
    provider: Annotated[list[str] | None, typer.Option("--provider", help="of this provider only")] = None,
    since: Annotated[str | None, options.option("since")] = None,
    until: Annotated[str | None, options.option("until")] = None,
    csv: Annotated[bool, typer.Option("--csv", help="print every line and class as CSV")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="print a report in Markdown")] = False,
    fail_over: Annotated[
        str | None,
        typer.Option(
            "--fail-over", metavar="AMOUNT", help="exit with 7 if more than so many dollars are unexplained"
        ),
    ] = None,
    data: Annotated[
        str | None,
        options.option("data", meaning="the store in this directory, with no server", panel="Where"),
    ] = None,
    url: options.Url = None,
    key: options.Key = None,
    prices: Annotated[str | None, options.option("prices")] = None,
    json: options.Json = None,
) -> None:
    """Compare what providers billed with what was computed and reported, and explain every difference.

    Files are kept, so that without one the last state is shown; importing one again changes nothing, and a
    newer one of the same days replaces an older one. Per day, project, model and class of tokens: calls that
    were never seen or are not billed yet, other prices, cached tokens, rounding, credits, time zones. What is
    left is the unexplained rest.
    """
    with reporting():
        most = _amount(fail_over)
        loaded = options.settings(
            data=data, url=url, key=key, prices=prices, since=since, until=until, project_by=project_by,
            project_map=project_map, json=json,
        )  # fmt: skip
        report = _report(loaded, _wanted(loaded, files or (), format, map or (), zone, provider or ()))
        refused = _say_refused(report) if files else 0
        _print(
            report, "csv" if csv else "markdown" if markdown else "json" if loaded.settings.json else "table"
        )
        if most is not None and Decimal(report["totals"]["unexplained_apart_usd"]) > most:
            raise typer.Exit(FOUND)
        if refused:
            raise typer.Exit(REJECTED)


def _amount(text: str | None) -> Decimal | None:
    try:
        found = None if text is None else Decimal(text)
        if found is None or (found.is_finite() and found >= 0):
            return found
    except InvalidOperation:
        pass
    raise BadRequest(f"--fail-over is {text!r}: write dollars, like 0.01")


def _wanted(
    loaded: Loaded,
    files: Sequence[str],
    format: str | None,
    maps: Sequence[str],
    zone: str | None,
    providers: Sequence[str],
) -> Wanted:
    from watchglass.surfaces.reconcile_desk import BillFileSent, Wanted, parse_project_map

    settings = loaded.settings
    mapping: dict[str, str] = {}
    for each in maps:
        ours, equals, theirs = each.partition("=")
        if not equals or not ours or not theirs:
            raise BadRequest(f"--map is {each!r}: write OURS=THEIRS, like model=model_name")
        mapping[ours] = theirs
    return Wanted(
        files=[BillFileSent(Path(each).name if each != "-" else "stdin", _content(each)) for each in files],
        format=format,
        map=mapping,
        project_by=settings.project_by,
        project_map=parse_project_map(settings.project_map) if settings.project_map else None,
        zone=zone,
        since=settings.since,
        until=settings.until,
        provider=list(providers),
    )


def _content(file: str) -> bytes:
    if file == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(file).read_bytes()
    except FileNotFoundError:
        raise NotFound(f"there is no file {file}") from None
    except OSError as fault:
        raise BadRequest(f"{file} cannot be read ({fault.strerror})") from None


def _report(loaded: Loaded, wanted: Wanted) -> Document:
    """From the server, or with `--data` from the directory itself."""
    from watchglass.surfaces.cli.asking import local_data, server_url

    directory = local_data(loaded)
    if directory is None:
        from watchglass.surfaces.cli.remote_reconciliations import RemoteReconciliations

        settings = loaded.settings
        return RemoteReconciliations(server_url(loaded), timeout_s=600, key=settings.key).run(wanted)
    if not (directory / "engine").is_dir():
        raise NotFound(f"there is no store in {directory}; `watchglass serve --data {directory}` makes one")
    from watchglass.clock import SystemClock
    from watchglass.store import KeptPrices, open_store
    from watchglass.surfaces.price_book import open_book
    from watchglass.surfaces.price_desk import PriceDesk
    from watchglass.surfaces.reconcile_desk import ReconcileDesk

    clock, book = SystemClock(), open_book(loaded.settings)
    with open_store(directory, program="watchglass reconcile") as store:
        PriceDesk(loaded.settings, book, KeptPrices(store.control, clock), clock)
        return ReconcileDesk(loaded.settings, store.engine, store.versions, book).run(wanted, clock.now_ns())


def _say_refused(report: Document) -> int:
    """Records of the files that are no lines, on stderr."""
    count = 0
    for file in report["files"]:
        for each in file["refused"]:
            if not each.get("warning"):
                count += 1
                typer.echo(f"{file['name']}: {each['where']}: {each['reason']}", err=True)
    return count


def _print(report: Document, how: str) -> None:
    if how == "csv":
        from watchglass.ledger.reconcile.report import csv_text

        typer.echo(csv_text(report), nl=False)
    elif how == "markdown":
        from watchglass.ledger.reconcile.report import markdown

        typer.echo(markdown(report), nl=False)
    elif how == "json":
        import msgspec

        typer.echo(msgspec.json.format(msgspec.json.encode(report)))
    else:
        print_report(report)


def print_report(report: Document) -> None:
    """The headline, then the lines with the most to explain."""
    from watchglass.ledger.reconcile.report import causes, first_line, headline, remarks
    from watchglass.surfaces.cli.tables import dollars, fitted, show

    rows = headline(report)
    amounts = dollars([Decimal(amount) for _, amount in rows])
    table = [[name, amount] for (name, _), amount in zip(rows, amounts, strict=True)]
    show(first_line(report), fitted([("", False), ("US dollars", True)], table))
    for remark in remarks(report):
        show(remark)
    found = list(_causes(report))
    if found:
        names = ("cause", "US dollars", "lines", "the largest", "model", "evidence")
        columns = [(name, name in ("US dollars", "lines")) for name in names]
        show(fitted(columns, found, droppable=("lines", "model", "the largest")))
    lines = [each for each in report["lines"] if causes(each) or Decimal(each["unexplained_usd"])]
    lines.sort(key=_weight, reverse=True)
    if not lines:
        show("Every line of the bill is what was computed, to the last digit.")
        return
    names = (
        "day",
        "provider",
        "project",
        "model",
        "calls",
        "computed",
        "billed",
        "difference",
        "unexplained",
        "why",
    )
    numbers = {"calls", "computed", "billed", "difference", "unexplained"}
    cells = [_cells(each) for each in lines[:SHOWN_LINES]]
    columns = [(name, name in numbers) for name in names]
    show(fitted(columns, cells, droppable=("project", "calls", "difference", "provider")))
    if len(lines) > SHOWN_LINES:
        show(f"{len(lines) - SHOWN_LINES:,} more lines differ; --csv has them all.")


def _causes(report: Document) -> Iterator[list[str]]:
    """A row a cause, with the evidence of its largest part."""
    from watchglass.ledger.reconcile.figures import HINTS
    from watchglass.ledger.reconcile.report import causes, kinds

    for kind, amount in kinds(report).items():
        found = [(line, each) for line in report["lines"] for each in causes(line) if each["kind"] == kind]
        line, largest = max(found, key=lambda pair: abs(Decimal(pair[1]["amount_usd"])))
        where = f"{line['day']} {line['provider']}"
        count = len({(each["day"], each["provider"], each["project"], each["model"]) for each, _ in found})
        name = f"hint: {kind}" if kind in HINTS else kind
        yield [name, amount, f"{count:,}", where, line["model"] or "–", largest["evidence"]]


def _weight(line: Document) -> tuple[Decimal, Decimal]:
    from watchglass.ledger.reconcile.report import causes

    largest = max((abs(Decimal(each["amount_usd"])) for each in causes(line)), default=Decimal(0))
    return abs(Decimal(line["unexplained_usd"])), largest


def _cells(line: Document) -> list[str]:
    from watchglass.ledger.reconcile.report import causes
    from watchglass.surfaces.cli.tables import cell, count

    by_kind: dict[str, Decimal] = {}
    for each in causes(line):
        by_kind[each["kind"]] = by_kind.get(each["kind"], Decimal(0)) + abs(Decimal(each["amount_usd"]))
    why = ", ".join(sorted(by_kind, key=lambda kind: -by_kind[kind]))
    return [
        *(cell(line[name]) for name in ("day", "provider", "project", "model")),
        count(line["calls"]),
        *(cell(line[f"{name}_usd"]) for name in ("computed", "billed", "difference", "unexplained")),
        why,
    ]
