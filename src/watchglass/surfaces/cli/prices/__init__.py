"""`watchglass prices`: what the book says, what became of it, and prices of one's own."""

from __future__ import annotations

import typer

from watchglass.surfaces.cli.prices.changing import import_prices, set_price, unset_price
from watchglass.surfaces.cli.prices.comparing import check, diff, update, what_if
from watchglass.surfaces.cli.prices.reading import history, list_prices, overrides, show_price, versions

prices = typer.Typer(
    name="prices", no_args_is_help=True, help="List, show, compare, check, set and import prices."
)
prices.command("list")(list_prices)
prices.command("show")(show_price)
prices.command("history")(history)
prices.command("overrides")(overrides)
prices.command("set")(set_price)
prices.command("unset")(unset_price)
prices.command("import")(import_prices)
prices.command("versions")(versions)
prices.command("diff")(diff)
prices.command("what-if")(what_if)
prices.command("check")(check)
prices.command("update")(update)
