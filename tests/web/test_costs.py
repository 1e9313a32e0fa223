"""Costs, as a person asks for them: by what, then by what of that, then which calls, then a file."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.web.browser import Watched, settled
from tests.web.site import Site

SPAN = {"since": "2020-01-01", "until": "2100-01-01"}
ADDRESS = "since=2020-01-01&until=2100-01-01"


def test_drilling_down_by_two_dimensions_and_back(page: Page, axe: Callable[[Page], None]) -> None:
    """One asks by client and model, follows a row, sees that client's part, and takes the filter away."""
    page.goto("/costs?since=3d")
    settled(page)
    page.get_by_label("By", exact=True).select_option("tenant")
    page.get_by_label("and", exact=True).select_option("model")
    settled(page)
    expect(page).to_have_url(re.compile("by=tenant,model"))
    table = page.get_by_role("table", name="Costs by tenant and model")
    expect(table).to_be_visible()
    axe(page)
    page.get_by_label("and", exact=True).select_option("")
    settled(page)
    first = page.get_by_role("table", name="Costs by tenant").get_by_role("link").first
    name = first.inner_text()
    first.click()
    expect(page).to_have_url(re.compile(f"tenant={re.escape(name)}"))
    settled(page)
    chip = page.get_by_role("button", name=f"Remove filter tenant: {name}")
    chip.click()
    settled(page)
    expect(chip).to_have_count(0)


def test_the_table_the_file_and_the_api_agree(page: Page, site: Site, tmp_path: Path) -> None:
    """The exported file has the groups of the page, and adds up to the total that the page and the API
    say."""
    page.goto(f"/costs?{ADDRESS}&by=feature")
    settled(page)
    with page.expect_download() as waited:
        page.get_by_role("link", name="Export CSV").click()
    file = tmp_path / "costs.csv"
    waited.value.save_as(file)
    with file.open(newline="") as lines:
        *groups, total = csv.DictReader(lines)
    said = site.http.get("/api/v1/usage", params={"by": "", **SPAN}).json()["totals"]
    assert sum(Decimal(each["cost_usd"] or 0) for each in groups) == Decimal(total["cost_usd"])
    assert Decimal(total["cost_usd"]) == Decimal(said["cost_usd"])
    table = page.get_by_role("table", name="Costs by feature")
    named = next(each["feature"] for each in groups if each["feature"])
    expect(table.get_by_text(named, exact=True)).to_be_visible()


@pytest.mark.long
def test_the_dearest_call_leads_to_its_trace(page: Page) -> None:
    """The first row of the most expensive calls is a link to its trace."""
    page.goto("/costs?since=7d")
    settled(page)
    page.get_by_role("table", name="Most expensive calls").get_by_role("link").first.click()
    page.wait_for_url("**/traces/*")


@pytest.mark.long
def test_what_has_no_price_says_why_and_what_mends_it(page: Page) -> None:
    """Each reason has its number of calls, a sentence, and a command to copy."""
    page.goto("/costs?since=7d#unpriced")
    settled(page)
    part = page.locator("#unpriced")
    expect(part.get_by_role("heading", name="Without a price")).to_be_visible()
    expect(part.locator("li").first.get_by_text("watchglass", exact=False).first).to_be_visible()


@pytest.mark.long
def test_what_a_reprice_would_change_is_looked_at_on_demand(page: Page) -> None:
    """Nothing is asked until the button is pressed; then the answer says how many calls would change."""
    asked: list[str] = []
    page.on("request", lambda each: asked.append(each.url) if "reprices" in each.url else None)
    page.goto("/costs?since=3d")
    settled(page)
    assert not asked
    page.get_by_role("button", name="What would a reprice change?").click()
    expect(page.locator(".costs-reprice [role=status]")).not_to_be_empty()
    settled(page)
    assert len(asked) == 1


@pytest.mark.long
def test_units_that_cannot_be_said_say_why(page: Page) -> None:
    """Filtered by a model, tasks have no cost each, and the reason stands where the figure would."""
    page.goto("/costs?since=7d&model=gpt-4.1-2025-04-14")
    settled(page)
    unit = page.locator(".costs-units .stat", has_text="A successful task")
    expect(unit).to_contain_text("tasks have no model to filter by")


@pytest.mark.long
def test_a_question_that_makes_no_sense_is_told(page: Page, watched: Watched) -> None:
    """An address that somebody mistyped shows what the server says of it, and not an empty page."""
    watched.expect("status of 400")
    page.goto("/costs?since=3d&by=colour")
    expect(page.get_by_role("alert")).to_contain_text("colour")
