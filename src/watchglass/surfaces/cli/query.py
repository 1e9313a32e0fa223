"""`watchglass query`: a question in SQL over the documented tables."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from watchglass.errors import QueryError
from watchglass.surfaces.cli import options
from watchglass.surfaces.cli.exits import reporting

if TYPE_CHECKING:
    from watchglass.queries.answers import Answer


def query(
    sql: Annotated[
        str | None, typer.Argument(help="one SELECT, SHOW TABLES, DESCRIBE <table>; - reads stdin")
    ] = None,
    file: Annotated[Path | None, typer.Option("--file", "-f", help="read the SQL from this file")] = None,
    data: options.Data = None,
    url: options.Url = None,
    key: options.Key = None,
    json: options.Json = None,
    csv: Annotated[bool, typer.Option("--csv", help="print comma-separated values with a header")] = False,
) -> None:
    """Ask in SQL, read only, over calls, spans, messages, logs, metrics and the rest (SHOW TABLES)."""
    with reporting():
        from watchglass.queries.answers import csv_lines, json_objects
        from watchglass.surfaces.cli.asking import reader

        loaded = options.settings(data=data, url=url, key=key, json=json)
        if csv and json:
            raise QueryError("--json and --csv both say what to print; give one of them")
        text = _text(sql, file)
        with reader(loaded) as asked:
            answer = asked.query(text)
        if csv:
            _write(answer, csv_lines)
        elif loaded.settings.json:
            _write(answer, json_objects)
        else:
            _print(answer)


def _text(sql: str | None, file: Path | None) -> str:
    if sql is not None and file is not None:
        raise QueryError("the question is given twice, as an argument and with --file; give it once")
    if file is not None and str(file) != "-":
        try:
            return file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as fault:
            raise QueryError(
                f"{file} cannot be read ({fault}); name a text file with the SQL in it"
            ) from None
    if sql == "-" or file is not None:
        return sys.stdin.read()
    if sql is None:
        raise QueryError(
            'the question is missing; write it as an argument: watchglass query "SELECT count() FROM calls"'
        )
    return sql


def _write(answer: Answer, form: Callable[[Answer], Iterator[bytes]]) -> None:
    pieces: Iterable[bytes] = form(answer)
    for piece in pieces:
        sys.stdout.buffer.write(piece)
    sys.stdout.buffer.flush()


def _print(answer: Answer) -> None:
    from watchglass.surfaces.cli.tables import cell, show, table

    rows = [[cell(value) for value in row] for row in answer.rows()]
    columns = [(name, column.number) for name, column in zip(answer.names, answer.columns, strict=True)]
    show(table(columns, rows))
    show(f"{len(rows):,} row{'' if len(rows) == 1 else 's'}")
