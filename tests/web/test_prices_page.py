"""Prices in the browser: a price is set, seen in the history and removed; a model is found in the book."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.web.browser import Watched, settled


def test_a_price_is_set_seen_and_removed(page: Page, axe: Callable[[Page], None]) -> None:
    """A person sets a price and says why, sees it in the history, and removes it after being asked."""
    page.goto("/prices?since=7d&view=set")
    settled(page)
    page.get_by_role("button", name="Set a price", exact=True).click()
    form = page.get_by_role("dialog", name="Set a price")
    form.get_by_label("Sold by").fill("openai")
    form.get_by_label("Model").fill("own-7b")
    form.get_by_label("Input", exact=True).fill("0.10")
    form.get_by_role("textbox", name=re.compile("^Output")).fill("0.40")
    form.get_by_label(re.compile("^Why")).fill("our own machines")
    axe(page)
    form.get_by_role("button", name="Set it").click()
    expect(form).to_be_hidden()
    row = page.get_by_role("table", name="Prices that were set").get_by_role("row", name=re.compile("own-7b"))
    expect(row).to_contain_text("$0.10 in, $0.40 out")

    page.goto("/prices?since=7d&model=own-7b&of=openai")
    settled(page)
    expect(page.get_by_role("table", name="Prices of own-7b")).to_contain_text("override")
    expect(page.get_by_role("list", name="Changes")).to_contain_text(
        "own-7b to $0.10 in, $0.40 out (our own machines)"
    )

    page.goto("/prices?since=7d&view=set")
    settled(page)
    page.get_by_role("button", name="Remove the price of openai own-7b").click()
    question = page.get_by_role("dialog")
    expect(question).to_contain_text("Calls from now on cost what the lists say")
    question.get_by_role("button", name="Remove").click()
    expect(page.get_by_role("row", name=re.compile("own-7b"))).to_have_count(0)


def test_what_is_wrong_stands_at_the_field(page: Page, watched: Watched) -> None:
    """An amount that is none is refused before it is sent, one that the server refuses at its field too."""
    watched.expect("status of 400")
    page.goto("/prices?since=7d")
    settled(page)
    page.get_by_role("button", name="Set a price", exact=True).click()
    form = page.get_by_role("dialog", name="Set a price")
    form.get_by_label("Sold by").fill("openai")
    form.get_by_label("Model").fill("own-7b")
    form.get_by_label("Input", exact=True).fill("2,50")
    form.get_by_role("button", name="Set it").click()
    expect(form.get_by_role("alert")).to_contain_text("dollars a million tokens")
    expect(form.get_by_label("Input", exact=True)).to_have_attribute("aria-invalid", "true")
    form.get_by_label("Input", exact=True).fill("999999999.5")
    form.get_by_role("textbox", name=re.compile("^Output")).fill("999999999")
    form.get_by_label("Tier").fill("x" * 600)
    form.get_by_role("button", name="Set it").click()
    expect(form.get_by_role("alert").first).to_be_visible()


def test_a_model_is_found_in_the_book(page: Page, axe: Callable[[Page], None]) -> None:
    """Typing finds a model, its row leads to what it cost when; what if all calls had used it is answered."""
    page.goto("/prices?view=book&since=7d")
    settled(page)
    page.get_by_label("Find a model").fill("deepseek-chat")
    expect(page).to_have_url(re.compile("find=deepseek-chat"))
    settled(page)
    book = page.get_by_role("table", name="The price book")
    book.get_by_role("row", name=re.compile("^deepseek-chat deepseek")).get_by_role("link").first.click()
    settled(page)
    expect(page.get_by_role("table", name="Prices of deepseek-chat")).to_contain_text("watchglass")
    page.get_by_role("button", name=re.compile("^What if")).click()
    settled(page)
    expect(page.locator(".stat", has_text="They would have cost")).to_contain_text("$")
    axe(page)
