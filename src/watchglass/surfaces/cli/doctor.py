"""`watchglass doctor`: what is wrong, the evidence, and the command that mends it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from watchglass.errors import QueryError
from watchglass.surfaces.cli import options
from watchglass.surfaces.cli.exits import FOUND, reporting

if TYPE_CHECKING:
    from watchglass.doctor.contract import Diagnosis, Severity, Window
    from watchglass.doctor.examination import Examination

DEFAULT_SINCE = "7d"
_MARKS = {"error": "✗", "warning": "!", "info": "·"}


def doctor(
    since: Annotated[
        str | None, options.option("since", meaning=f"examine from here on, else {DEFAULT_SINCE}")
    ] = None,
    until: Annotated[str | None, options.option("until")] = None,
    fail_on: Annotated[
        str | None,
        typer.Option(
            "--fail-on", metavar="SEVERITY", help="exit with 7 on this or worse: error, warning, info"
        ),
    ] = None,
    data: options.Data = None,
    url: options.Url = None,
    key: options.Key = None,
    json: options.Json = None,
) -> None:
    """Look for what is wrong: no data, tracking that is off, senders that are refused or fell silent, calls
    without a price, a provider or a tenant, tasks that never ended, sums that disagree, a disk that fills up.

    Each finding shows its evidence and the command that mends it. What an application's process can see of
    itself is said by watchglass.selfcheck() there.
    """
    with reporting():
        import msgspec

        loaded = options.settings(since=since, until=until, data=data, url=url, key=key, json=json)
        severity = _severity(fail_on)
        found = _examined(loaded)
        if loaded.settings.json:
            typer.echo(msgspec.json.format(msgspec.json.encode(found)))
        else:
            print_examination(found)
        if severity is not None and found.at_least(severity):
            raise typer.Exit(FOUND)


def _severity(text: str | None) -> Severity | None:
    from watchglass.doctor.examination import ORDER

    for each in ORDER:
        if text == each:
            return each
    if text is not None:
        raise QueryError(f"there is no severity {text!r}; there are {', '.join(ORDER)}")
    return None


def _examined(loaded: options.config.Loaded) -> Examination:
    from watchglass.clock import SystemClock
    from watchglass.doctor.contract import Window
    from watchglass.doctor.examination import examined
    from watchglass.doctor.findings.wrong_schema import cannot_open
    from watchglass.errors import WrongSchema
    from watchglass.queries.times import parse_moment
    from watchglass.surfaces.cli.asking import remote_reader

    now_ns = SystemClock().now_ns()
    window = Window(
        parse_moment(loaded.settings.since or DEFAULT_SINCE, now_ns),
        parse_moment(loaded.settings.until or "now", now_ns),
    )
    if window.since_ns >= window.until_ns:
        raise QueryError("there is no time between since and until; give an earlier since")
    server = remote_reader(loaded)
    if server is not None:
        return server.doctor(window)
    try:
        return _examined_here(loaded, window)
    except WrongSchema as refusal:
        return examined(window, [cannot_open(refusal)])


def _examined_here(loaded: options.config.Loaded, window: Window) -> Examination:
    from pathlib import Path

    from watchglass.clock import SystemClock
    from watchglass.doctor.examination import examine
    from watchglass.doctor.findings import FINDINGS
    from watchglass.doctor.screening import ruled_out
    from watchglass.store import Space
    from watchglass.surfaces.cli.asking import local_reader, opened
    from watchglass.surfaces.examining import of_the_house

    settings = loaded.settings
    with opened(settings) as store:
        space = Space(Path(settings.data), settings.free_bytes)
        further = of_the_house(settings, store.engine, space, SystemClock())
        reader, findings = local_reader(store, settings), [*FINDINGS, *further()]
        return examine(reader.query, window, findings, ruled_out=ruled_out(reader, window, findings))


def print_examination(found: Examination) -> None:
    """The findings for people, worst first."""
    from watchglass.surfaces.cli.tables import show

    for diagnosis in found.diagnoses:
        _print(diagnosis)
    for name, reason in found.failed.items():
        show(f"? {name} could not be asked: {reason}\n")
    if not found.diagnoses and not found.failed:
        show(f"Nothing is wrong between {found.since} and {found.until}.")


def _print(diagnosis: Diagnosis) -> None:
    from watchglass.surfaces.cli.tables import cell, show, table

    show(f"{_MARKS[diagnosis.severity]} {diagnosis.symptom}")
    if diagnosis.evidence.rows:
        rows = [[cell(value) for value in row] for row in diagnosis.evidence.rows]
        numbers = [isinstance(value, int | float) for value in diagnosis.evidence.rows[0]]
        show(table(list(zip(diagnosis.evidence.columns, numbers, strict=True)), rows))
    show(f"  {diagnosis.remedy}", f"  $ {diagnosis.command}\n")
