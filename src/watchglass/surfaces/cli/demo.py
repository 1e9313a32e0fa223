"""`watchglass demo`: the life of a made-up agent product, sent the way any OpenTelemetry client would."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from watchglass.surfaces.cli import options
from watchglass.surfaces.cli.exits import INTERRUPTED, reporting

if TYPE_CHECKING:
    from watchglass.surfaces.demo.plan import Window
    from watchglass.surfaces.demo.posting import HttpPost
    from watchglass.surfaces.demo.sending import Sent

SEED = 1


def demo(
    history_only: Annotated[bool, typer.Option("--history-only", help="send the history and end")] = False,
    days: Annotated[int, typer.Option(min=0, max=366, help="how many days of history")] = 30,
    rate: Annotated[
        float, typer.Option(min=0.01, max=100, help="how much is done: 2 is twice as many runs")
    ] = 1.0,
    seed: Annotated[int, typer.Option(help="another number, another demo")] = SEED,
    remove: Annotated[
        bool, typer.Option("--remove", help="delete everything that the demo's tenants have, and end")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="with --remove: do not ask")] = False,
    data: Annotated[
        str | None,
        options.option("data", meaning="with --remove: the store in this directory", panel="Where"),
    ] = None,
    url: options.Url = None,
    key: options.Key = None,
) -> None:
    """Send a made-up product's last 30 days over OTLP, then what it does now, until Ctrl-C.

    Its tenants are demo-acme, demo-globex and demo-initech. Sending it again adds nothing but what has
    happened since: the same seed and date make the same spans.
    """
    with reporting():
        loaded = options.settings(data=data, url=url, key=key)
        if remove:
            from watchglass.surfaces.cli.demo_removal import remove_demo

            remove_demo(loaded, ask=not yes)
            return
        settings = loaded.settings
        try:
            post = poster(settings.url, settings.key)
            _run(post, window_now(seed=seed, days=days, rate=rate), history_only)
        except KeyboardInterrupt:
            raise typer.Exit(INTERRUPTED) from None


def _run(post: HttpPost, window: Window, history_only: bool) -> None:
    typer.echo(described(_send_history(window, post), window.days))
    if not history_only:
        typer.echo("Going on with what happens now, until Ctrl-C …")
        go_on(window, post)


def window_now(*, seed: int = SEED, days: int = 30, rate: float = 1.0) -> Window:
    """The demo's window as of this moment."""
    from watchglass.clock import SystemClock
    from watchglass.surfaces.demo.plan import Window

    return Window(seed=seed, now_ns=SystemClock().now_ns(), days=days, rate=rate)


def poster(url: str, key: str | None = None) -> HttpPost:
    """What sends to the server at `url`. Raises `ConfigError`."""
    from watchglass.surfaces.cli.remote import address_of, authorization, opener_for
    from watchglass.surfaces.demo.posting import HttpPost

    address = address_of(url)
    return HttpPost(address, opener_for(address), authorization(key))


def go_on(window: Window, post: HttpPost) -> None:
    """Send what happens from now on; never returns. Raises what sending raises."""
    from watchglass.clock import SystemClock
    from watchglass.surfaces.demo.sending import send_live

    for _ in send_live(window, post, time.sleep, SystemClock().now_ns):
        pass


def described(sent: Sent, days: int) -> str:
    """What was sent, as a sentence."""
    return f"Sent {sent.spans:,} demo spans in {sent.runs:,} traces of {days} days over OTLP/HTTP."


def _send_history(window: Window, post: HttpPost) -> Sent:
    from watchglass.surfaces.demo.sending import Sent, send_history

    sent = Sent(0, 0)
    with _bar(len(window.all_days())) as advance:
        for sent in send_history(window, post, time.sleep):  # noqa: B007  # the last one is what was sent
            advance()
    return sent


@contextmanager
def _bar(days: int) -> Generator[Callable[[], None]]:
    """A progress bar over the days, on a terminal only."""
    if not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("sending the demo's history", total=days)
        yield lambda: bar.advance(task)
