"""Prices of one's own: set one, take it back, import a list."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from watchglass.errors import BadRequest
from watchglass.surfaces.cli import options
from watchglass.surfaces.cli.exits import REJECTED, reporting
from watchglass.surfaces.cli.prices.desk import Data, Document, content, desk_of, print_json, short

Amount = Annotated[str | None, typer.Option(help="US dollars a million tokens, exactly as written")]


def set_price(
    provider: Annotated[str, typer.Argument(help="any of its names, or * for all")],
    model: Annotated[str, typer.Argument(help="a name, or a pattern with *")],
    input: Amount = None,
    output: Amount = None,
    cache_read: Amount = None,
    cache_write: Amount = None,
    cache_write_1h: Amount = None,
    reasoning: Amount = None,
    input_audio: Amount = None,
    output_audio: Amount = None,
    discount: Annotated[
        str | None, typer.Option(help="instead of prices: percent off what the list says")
    ] = None,
    above: Annotated[
        int | None,
        typer.Option(help="requests with more input tokens than this cost --above-input, --above-output …"),
    ] = None,
    above_input: Amount = None,
    above_output: Amount = None,
    above_cache_read: Amount = None,
    above_cache_write: Amount = None,
    above_cache_write_1h: Amount = None,
    above_reasoning: Amount = None,
    above_input_audio: Amount = None,
    above_output_audio: Amount = None,
    tier: Annotated[
        str | None, typer.Option("--tier", help="for this service tier only: batch, flex, priority …")
    ] = None,
    tenant: Annotated[str | None, typer.Option("--tenant", help="for calls of this tenant only")] = None,
    since: Annotated[str | None, typer.Option(help="from when on: a date, or an ISO time")] = None,
    until: Annotated[str | None, typer.Option(help="until when, not included")] = None,
    daily: Annotated[str | None, typer.Option(help="hours of the day, UTC: 16:30-00:30")] = None,
    source: Annotated[str | None, typer.Option(help="where it stands: a contract, an address")] = None,
    data: Data = None,
    url: options.Url = None,
    key: options.Key = None,
    json: options.Json = None,
) -> None:
    """Set a price or a discount, for calls from now on.

    One for the same model, tier, tenant and time is replaced. A price wins over every list; a tenant's own
    wins over everybody's. A discount is taken off what the list says, and not off a price of yours. Calls
    that are in the store keep the price that they were given until `watchglass reprice`.
    """
    asked: dict[str, Any] = {"provider": provider, "model": model, "percent": discount, "input": input}
    asked |= {"output": output, "cache_read": cache_read, "cache_write": cache_write}
    asked |= {"cache_write_1h": cache_write_1h, "reasoning": reasoning, "input_audio": input_audio}
    asked |= {"output_audio": output_audio, "tier": tier, "tenant": tenant, "daily": daily}
    asked |= {"since": since, "until": until, "source": source}
    dearer = {"input": above_input, "output": above_output}
    dearer |= {"cache_read": above_cache_read, "cache_write": above_cache_write}
    dearer |= {"cache_write_1h": above_cache_write_1h, "reasoning": above_reasoning}
    dearer |= {"input_audio": above_input_audio, "output_audio": above_output_audio}
    with reporting():
        loaded = options.settings(data=data, url=url, key=key, json=json)
        asked |= {"above": _above(above, dearer)}
        with desk_of(loaded, make=True) as desk:
            done = desk.set({name: value for name, value in asked.items() if value is not None})
        if loaded.settings.json:
            print_json(done)
            return
        for each in done["overrides"]:
            typer.echo(f"{each['id']}: {sentence(each)}")
        if not done["changed"]:
            typer.echo("It was so already.")


def unset_price(
    id: Annotated[str, typer.Argument(help="as `watchglass prices overrides` shows it")],
    data: Data = None,
    url: options.Url = None,
    key: options.Key = None,
    json: options.Json = None,
) -> None:
    """Take back a price or discount that was set, for calls from now on."""
    with reporting():
        loaded = options.settings(data=data, url=url, key=key, json=json)
        with desk_of(loaded) as desk:
            done = desk.unset(id)
        if loaded.settings.json:
            print_json(done)
            return
        typer.echo(f"{done['id']} is gone: {sentence(done)}")


def import_prices(
    file: Annotated[str, typer.Argument(help="CSV or SQL (INSERT or COPY rows)")],
    data: Data = None,
    url: options.Url = None,
    key: options.Key = None,
    json: options.Json = None,
) -> None:
    """Import a price list of your own; its prices win over all others, from their date on.

    The columns are provider, model, cost_per_1k_input_tokens, cost_per_1k_output_tokens and effective_date;
    others are left alone. Importing the same again changes nothing. Calls that are in the store already keep
    the price that they were given.
    """
    with reporting():
        loaded = options.settings(data=data, url=url, key=key, json=json)
        rows = content(file)
        with desk_of(loaded, make=True) as desk:
            done = desk.take(rows, Path(file).name)
        for each in done["refused"]:
            typer.echo(f"{file}:{each['line']}: {each['reason']}", err=True)
        if loaded.settings.json:
            print_json(done)
        else:
            typer.echo(
                f"{done['added']:,} prices added, {done['changed']:,} changed, "
                f"{done['unchanged']:,} there already, {len(done['refused']):,} refused."
            )
        if done["refused"]:
            raise typer.Exit(REJECTED)


def sentence(terms: Document) -> str:
    """What was set, for whom and when."""
    amounts = {name: terms.get(name) for name in _AMOUNTS}
    said = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in amounts.items() if value)
    for each in terms.get("above") or ():
        dearer = ", ".join(
            f"{name} {value}" for name, value in each.items() if value and name != "input_tokens"
        )
        said += f", above {each['input_tokens']:,} tokens {dearer}"
    if terms["kind"] == "discount":
        said = f"{terms['percent']}% off"
    bounds = "".join(
        f" {word} {short(terms[name])}" for word, name in (("from", "since"), ("to", "until")) if terms[name]
    )
    tier = f" in the tier {terms['tier']}" if terms["tier"] else ""
    tenant = f" for {terms['tenant']}" if terms["tenant"] else ""
    return f"{terms['provider']}/{terms['model']}{tier}{tenant}{bounds}: {said}"


_AMOUNTS = (
    *("input", "output", "cache_read", "cache_write", "cache_write_1h"),
    *("reasoning", "input_audio", "output_audio"),
)


def _above(threshold: int | None, prices: dict[str, str | None]) -> list[dict[str, Any]] | None:
    stated = {name: value for name, value in prices.items() if value is not None}
    if threshold is None:
        if stated:
            raise BadRequest("prices of longer requests need --above TOKENS")
        return None
    if not stated:
        raise BadRequest("--above needs what such a request costs: --above-input, --above-output …")
    return [{"input_tokens": threshold, **stated}]
