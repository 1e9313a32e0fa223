"""What the book says: the list, one model, its history, and what was set and changed."""

from __future__ import annotations

from typing import Annotated

import typer

from watchglass.surfaces.cli import options
from watchglass.surfaces.cli.exits import reporting
from watchglass.surfaces.cli.prices.changing import sentence
from watchglass.surfaces.cli.prices.desk import (
    CLASSES,
    At,
    Data,
    Document,
    Prices,
    Provider,
    Tenant,
    Tier,
    cells,
    columns,
    desk_of,
    given,
    print_json,
    short,
)


def list_prices(
    provider: Provider = None,
    model: Annotated[
        str | None, typer.Option("--model", help="a part of the model's name, or a pattern with *")
    ] = None,
    at: At = None,
    tenant: Tenant = None,
    data: Data = None,
    url: options.Url = None,
    key: options.Key = None,
    prices: Prices = None,
    json: options.Json = None,
) -> None:
    """List the price of each model: the one that wins, in US dollars a million tokens."""
    with reporting():
        loaded = options.settings(data=data, url=url, key=key, prices=prices, json=json)
        with desk_of(loaded) as desk:
            found = desk.list(given(provider=provider, model=model, at=at, tenant=tenant))
        if loaded.settings.json:
            print_json(found)
            return
        from watchglass.surfaces.cli.tables import fitted, show

        names = ("provider", "model", *CLASSES, "since", "until", "source")
        rows = [cells(each, names) for each in found["prices"]]
        show(fitted(columns(names), rows, droppable=("until", "cache_write", "cache_read", "since")))
        show(f"{len(rows):,} prices at {found['at']}, in US dollars a million tokens.")


def show_price(
    model: Annotated[str, typer.Argument(help="the model's name, as a call has it")],
    provider: Provider = None,
    tier: Tier = None,
    at: At = None,
    tenant: Tenant = None,
    data: Data = None,
    url: options.Url = None,
    key: options.Key = None,
    prices: Prices = None,
    json: options.Json = None,
) -> None:
    """Show all that the book knows of a model, layer by layer, and which price wins; or why none does."""
    with reporting():
        loaded = options.settings(data=data, url=url, key=key, prices=prices, json=json)
        with desk_of(loaded) as desk:
            found = desk.show(model, given(provider=provider, tier=tier, at=at, tenant=tenant))
        if loaded.settings.json:
            print_json(found)
            return
        _print_shown(found)


def history(
    model: Annotated[str, typer.Argument(help="the model's name, as a call has it")],
    provider: Provider = None,
    tier: Tier = None,
    tenant: Tenant = None,
    data: Data = None,
    url: options.Url = None,
    key: options.Key = None,
    prices: Prices = None,
    json: options.Json = None,
) -> None:
    """Show what a model cost when: what won, by how much it changed, where it stands, and who set it."""
    with reporting():
        loaded = options.settings(data=data, url=url, key=key, prices=prices, json=json)
        with desk_of(loaded) as desk:
            found = desk.history(model, given(provider=provider, tier=tier, tenant=tenant))
        if loaded.settings.json:
            print_json(found)
            return
        from watchglass.surfaces.cli.tables import fitted, show

        names = ("since", "until", "daily", *CLASSES, "change", "source")
        rows = [cells({**each, "change": _change(each["change"])}, names) for each in found["prices"]]
        show(fitted(columns(names), rows, droppable=("daily", "cache_write", "cache_read", "source")))
        for each in found["prices"]:  # not a column: a citation is as long as it is
            show(f"{short(each['since'] or 'from the first')}: {_place(each)}")
        if not rows:
            show(f"nobody knows a price of {model}; `watchglass prices show {model}` says more")
        _print_changes(found["changes"])


def overrides(
    data: Data = None,
    url: options.Url = None,
    key: options.Key = None,
    json: options.Json = None,
) -> None:
    """List the prices and discounts that were set one by one, the latest first."""
    with reporting():
        loaded = options.settings(data=data, url=url, key=key, json=json)
        with desk_of(loaded) as desk:
            found = desk.overrides()
        if loaded.settings.json:
            print_json(found)
            return
        from watchglass.surfaces.cli.tables import fitted, show

        names = ("id", "what", "changed", "changed_by", "source")
        rows = [cells({**each, "what": sentence(each)}, names) for each in found["overrides"]]
        show(fitted(columns(names), rows, droppable=("source", "changed")))
        show(f"{len(rows):,} overrides; those in a price file are not among them.")


def versions(
    data: Data = None,
    url: options.Url = None,
    key: options.Key = None,
    json: options.Json = None,
) -> None:
    """Show the latest 1,000 changes of the price book: who, when, and what was there before and after."""
    with reporting():
        loaded = options.settings(data=data, url=url, key=key, json=json)
        with desk_of(loaded) as desk:
            found = desk.versions()
        if loaded.settings.json:
            print_json(found)
            return
        _print_changes(found["changes"])


def _change(changed: dict[str, str | None] | None) -> str | None:
    """By how much the price changed: once where all classes did alike, else of input and output."""
    alike = {by for by in (changed or {}).values() if by is not None}
    if not changed or not alike:
        return None
    if len(alike) == 1:
        return f"{alike.pop()}%"
    both = [f"{name} {changed[name]}%" for name in ("input", "output") if changed.get(name)]
    return ", ".join(both) or "others"


def _place(price: Document) -> str:
    return price["citation"] or price["price_id"]


def _print_changes(changes: list[Document]) -> None:
    from watchglass.surfaces.cli.tables import fitted, show

    if not changes:
        return
    names = ("number", "time", "who", "action", "before", "after")
    rows = [
        cells({**each, "before": _said(each["before"]), "after": _said(each["after"])}, names)
        for each in changes
    ]
    show(fitted(columns(names), rows, droppable=("before",)))


def _said(terms: Document | str | None) -> str | None:
    return sentence(terms) if isinstance(terms, dict) else terms


def _print_shown(found: Document) -> None:
    from watchglass.surfaces.cli.tables import fitted, show

    if found["prices"]:
        names = ("", *CLASSES, "since", "until", "daily", "source", "where it stands")
        rows = [
            [
                "→" if each["wins"] else "",
                *cells({**each, "where it stands": each["citation"] or each["price_id"]}, names[1:]),
            ]
            for each in found["prices"]
        ]
        show(
            fitted(columns(names), rows, droppable=("where it stands", "daily", "cache_write", "cache_read"))
        )
    whose = f"{found['model']} of {found['provider'] or 'an unknown provider'}"
    tier = f" in the tier {found['tier']}" if found["tier"] else ""
    if found["price_id"] and not found["unpriced_reason"]:
        show(f"{whose}{tier} at {found['at']}: {found['price_id']}, in US dollars a million tokens.")
        return
    show(f"{whose}{tier} at {found['at']} has no price: {found['unpriced_reason']}.")
    if found["elsewhere"]:
        show("Of this name there are: " + ", ".join(found["elsewhere"]) + ".")
