"""`watchglass usage`: what was spent, by tenant, model or any other dimension."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from watchglass.surfaces.cli import completion, options
from watchglass.surfaces.cli.exits import reporting

if TYPE_CHECKING:
    from watchglass.queries.usage import UsagePart, UsageReport, UsageRow

_DETAILS = ("reasoning", "cache write", "cache read", "avg", "p95", "unpriced", "failed")
"""Columns that a narrow terminal does without, this order."""

SHORTHANDS = ("tenant", "engagement", "feature", "agent", "provider", "model", "service", "environment")


def only(name: str) -> object:
    """An option that keeps calls with this value of a dimension; may be given several times."""
    return typer.Option(
        f"--{name}", help=f"the same as --filter {name}=…", rich_help_panel="Filters", metavar="VALUE"
    )


Only: TypeAlias = list[str] | None


def usage(
    by: Annotated[str | None, options.option("by", completed=completion.dimensions)] = None,
    since: Annotated[str | None, options.option("since")] = None,
    until: Annotated[str | None, options.option("until")] = None,
    filter: Annotated[
        Only, options.option("filter", panel="Filters", completed=completion.usage_filters)
    ] = None,
    tenant: Annotated[Only, only("tenant")] = None,
    engagement: Annotated[Only, only("engagement")] = None,
    feature: Annotated[Only, only("feature")] = None,
    agent: Annotated[Only, only("agent")] = None,
    provider: Annotated[Only, only("provider")] = None,
    model: Annotated[Only, only("model")] = None,
    service: Annotated[Only, only("service")] = None,
    environment: Annotated[Only, only("environment")] = None,
    data: options.Data = None,
    url: options.Url = None,
    key: options.Key = None,
    json: options.Json = None,
) -> None:
    """Show what was spent: calls, tokens and dollars, with totals.

    A dimension is one of tenant, engagement, feature, agent, provider, model, service, environment,
    hour, day, and also flow, session, user, task, operation … A filter with no value (--tenant "")
    keeps the calls of which it is unknown.
    """
    given = (tenant, engagement, feature, agent, provider, model, service, environment)
    shorthands = [
        (name, value) for name, values in zip(SHORTHANDS, given, strict=True) for value in values or ()
    ]
    with reporting():
        loaded = options.settings(
            by=by, since=since, until=until, filter=filter, data=data, url=url, key=key, json=json
        )
        _run(loaded, shorthands)


def _run(loaded: options.config.Loaded, shorthands: list[tuple[str, str]]) -> None:
    import msgspec

    from watchglass.clock import SystemClock
    from watchglass.queries.documents import usage_document
    from watchglass.queries.questions import usage_question
    from watchglass.surfaces.cli.asking import reader

    settings = loaded.settings
    items = [("by", ",".join(settings.by)), ("since", settings.since or ""), ("until", settings.until or "")]
    items += [("filter", each) for each in settings.filter]
    question = usage_question(items + shorthands, SystemClock().now_ns())
    with reader(loaded) as asked:
        report = asked.usage(question)
    if settings.json:
        typer.echo(msgspec.json.format(msgspec.json.encode(usage_document(report))))
    else:
        print_report(report)


def print_report(report: UsageReport) -> None:
    """The tables: counted calls, and under them what belongs to no call, if there is any."""
    from watchglass.surfaces.cli.tables import fitted, show

    if not report.counted.totals.calls and not report.unattributed.totals.calls:
        show("No calls in this time and with these filters.")
        _tell_expired(report)
        return
    columns, rows, totals = _cells(report.counted, report.by)
    show(fitted(columns, rows, totals=totals, droppable=_DETAILS))
    for line in _remarks(report.counted.totals):
        show(line)
    if report.unattributed.totals.calls:
        columns, rows, totals = _cells(report.unattributed, report.by, noun="reports")
        show("\nUnattributed usage (reported as a sum, with no call under it; not in the totals above)")
        show(fitted(columns, rows, totals=totals, droppable=_DETAILS))
    _tell_expired(report)


def _tell_expired(report: UsageReport) -> None:
    from watchglass.surfaces.cli.tables import show

    if report.expired is not None:
        hours = report.expired
        show(f"Expired: {hours.calls:,} calls from {hours.since} until {hours.until}. {hours.note}")


def _cells(
    part: UsagePart, by: tuple[str, ...], noun: str = "calls"
) -> tuple[list[tuple[str, bool]], list[list[str]], list[str]]:
    from watchglass.surfaces.cli.tables import cell, count, dollars, duration

    costs = dollars([row.cost_usd for row in (*part.rows, part.totals)])
    numbers = (
        noun,
        "failed",
        "input",
        "output",
        "cache read",
        "cache write",
        "reasoning",
        "cost USD",
        "unpriced",
    )
    columns = [(name, False) for name in by] + [(name, True) for name in (*numbers, "avg", "p95")]

    def figures(row: UsageRow, cost: str) -> list[str]:
        tokens = (row.input_tokens, row.output_tokens, row.cache_read_tokens, row.cache_write_tokens)
        return [
            count(row.calls),
            count(row.failed_calls),
            *(count(value) for value in (*tokens, row.reasoning_tokens)),
            cost,
            count(row.calls - row.priced_calls),
            duration(row.avg_duration_ns),
            duration(row.p95_duration_ns),
        ]

    rows = [
        [*(cell(row.group[name]) for name in by), *figures(row, cost)]
        for row, cost in zip(part.rows, costs, strict=False)
    ]
    if not by:  # the one row is the total
        return columns, rows, []
    return columns, rows, ["total", *([""] * (len(by) - 1)), *figures(part.totals, costs[-1])]


def _remarks(totals: UsageRow) -> list[str]:
    """What the sums leave out, said rather than hidden."""
    lines: list[str] = []
    if totals.calls_without_tokens:
        lines.append(f"Of {totals.calls_without_tokens:,} calls nobody said how many tokens they used.")
    if totals.unpriced:
        reasons = ", ".join(f"{calls:,} {reason}" for reason, calls in sorted(totals.unpriced.items()))
        lines.append(f"Without a price: {reasons}.")
    return lines
