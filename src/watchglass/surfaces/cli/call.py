"""`watchglass call`: one call with everything that is known of it, its messages included."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from watchglass.surfaces.cli import options
from watchglass.surfaces.cli.exits import reporting

if TYPE_CHECKING:
    from watchglass.queries.call import CallDetail, CallMessage


def call(
    call_id: Annotated[str, typer.Argument(help="the call's id, as `watchglass calls --json` has it")],
    data: options.Data = None,
    url: options.Url = None,
    key: options.Key = None,
    json: options.Json = None,
) -> None:
    """Show one call: what is known of it, what it was asked and what it answered."""
    with reporting():
        import msgspec

        from watchglass.queries.documents import plain
        from watchglass.surfaces.cli.asking import reader

        loaded = options.settings(data=data, url=url, key=key, json=json)
        with reader(loaded) as asked:
            found = asked.call(call_id)
        if loaded.settings.json:
            typer.echo(msgspec.json.format(msgspec.json.encode(plain(found))))
        else:
            print_call(found)


def print_call(found: CallDetail) -> None:
    """What is known, a line each; then the messages."""
    from watchglass.queries.documents import plain
    from watchglass.surfaces.cli.tables import cell, show, table

    known = {name: value for name, value in plain(found.call).items() if value not in (None, "", [], {})}
    show(table([("", False), ("", False)], [[name, cell(value)] for name, value in known.items()]))
    _print_messages("asked", found.input)
    _print_messages("answered", found.output)


def _print_messages(title: str, messages: Sequence[CallMessage]) -> None:
    from watchglass.surfaces.cli.tables import clean, show

    for message in messages:
        text = "(no longer kept)" if message.content is None else message.content
        show(f"{title} · {clean(message.role or message.hash)}", clean(text), "")
