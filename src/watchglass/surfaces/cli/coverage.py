"""`watchglass coverage`: call sites in the code beside what ran: seen, never seen, not looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from watchglass.errors import QueryError
from watchglass.surfaces.cli import options
from watchglass.surfaces.cli.exits import FOUND, reporting

if TYPE_CHECKING:
    from watchglass.doctor.contract import Finding
    from watchglass.queries.reader import Reader
    from watchglass.queries.sites import SitesQuestion
    from watchglass.surfaces.cli.coverage_shown import Report

DEFAULT_SINCE = "30d"


def coverage(
    paths: Annotated[
        list[str] | None, typer.Argument(help="files and folders of the code; . unless given")
    ] = None,
    since: Annotated[
        str | None, options.option("since", meaning=f"calls from here on, else {DEFAULT_SINCE}")
    ] = None,
    until: Annotated[str | None, options.option("until")] = None,
    service: Annotated[
        list[str] | None,
        typer.Option("--service", metavar="NAME", help="only calls of this service; repeatable"),
    ] = None,
    environment: Annotated[
        list[str] | None,
        typer.Option("--environment", metavar="NAME", help="only calls of this environment; repeatable"),
    ] = None,
    map: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="THERE=HERE",
            help="where the code was when it ran and where it is here, as /app=src; repeatable; else found "
            "out",
        ),
    ] = None,
    fail_under: Annotated[
        float | None,
        typer.Option("--fail-under", metavar="PERCENT", help="exit with 7 when fewer call sites were seen"),
    ] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="print a report for a pull request")] = False,
    data: options.Data = None,
    url: options.Url = None,
    key: options.Key = None,
    json: options.Json = None,
) -> None:
    """Say which calls to models in the code were seen as it ran, which never were, which nobody looks at.

    Of each with the money that flowed through it, that of which nobody said for whom first. Lines that moved
    since are found by their function. --fail-under makes a bad share an exit code, for CI.
    """
    with reporting():
        loaded = options.settings(since=since, until=until, data=data, url=url, key=key, json=json)
        if fail_under is not None and not 0 <= fail_under <= 100:
            raise QueryError(f"--fail-under is {fail_under:g}: write a share from 0 to 100")
        filters = {"service": tuple(service or ()), "environment": tuple(environment or ())}
        report = _report(loaded, paths or ["."], {k: v for k, v in filters.items() if v}, _maps(map or ()))
        _print(report, "markdown" if markdown else "json" if loaded.settings.json else "text")
        share = report.coverage.percent
        if fail_under is not None and share is not None and share < fail_under:
            raise typer.Exit(FOUND)


def _maps(texts: list[str] | tuple[()]) -> list[tuple[str, str]]:
    made: list[tuple[str, str]] = []
    for text in texts:
        there, equals, here = text.partition("=")
        if not equals or not there:
            raise QueryError(f"--map is {text!r}: write THERE=HERE, as /app=src")
        made.append((there, here or "."))
    return made


def _report(
    loaded: options.config.Loaded,
    paths: list[str],
    filters: dict[str, tuple[str, ...]],
    maps: list[tuple[str, str]],
) -> Report:
    from concurrent.futures import ThreadPoolExecutor

    from watchglass.clock import SystemClock
    from watchglass.queries.sites import SitesQuestion
    from watchglass.queries.times import parse_moment
    from watchglass.surfaces.cli.asking import reader
    from watchglass.surfaces.cli.call_sites import all_there, read_call_sites

    all_there(paths)  # first: a mistyped path is said without waiting for a store
    now_ns = SystemClock().now_ns()
    question = SitesQuestion(
        since_ns=parse_moment(loaded.settings.since or DEFAULT_SINCE, now_ns),
        until_ns=parse_moment(loaded.settings.until or "now", now_ns),
        filters=filters,
    )
    if question.since_ns >= question.until_ns:
        raise QueryError("there is no time between since and until; give an earlier since")
    with reader(loaded) as asked, ThreadPoolExecutor(1) as aside:
        # The server, or the engine with threads of its own, sums up while the code is read here.
        answer = aside.submit(asked.sites, question)
        code = read_call_sites(paths)
        from watchglass.doctor.contract import Window
        from watchglass.doctor.examination import examine
        from watchglass.queries.covering import cover
        from watchglass.surfaces.cli.coverage_shown import Report

        recorded = answer.result()
        # What providers and spans say was asked has no line of code: it is of all services.
        said = examine(
            asked.query, Window(question.since_ns, question.until_ns), _never_recorded(asked, question)
        )
    found = cover(code.sites, recorded, files=code.files, roots=paths, maps=maps)
    return Report(found, said.diagnoses, code.unreadable)


def _never_recorded(asked: Reader, question: SitesQuestion) -> list[Finding]:
    """The findings to ask; whose usage has no call under it only where sums say that there is any, for who
    that is takes reading all calls."""
    from watchglass.doctor.findings import NEVER_RECORDED
    from watchglass.queries.usage import UsageQuestion

    bounds = UsageQuestion(by=(), since_ns=question.since_ns, until_ns=question.until_ns, durations=False)
    reported = asked.usage(bounds).unattributed.totals.calls
    return [each for each in NEVER_RECORDED if reported or each.name != "unattributed"]


def _print(report: Report, how: str) -> None:
    import msgspec

    from watchglass.queries.documents import plain
    from watchglass.surfaces.cli import coverage_shown

    if how == "json":
        typer.echo(msgspec.json.format(msgspec.json.encode(plain(coverage_shown.document(report)))))
    elif how == "markdown":
        typer.echo(coverage_shown.markdown(report), nl=False)
    else:
        coverage_shown.print_report(report)
