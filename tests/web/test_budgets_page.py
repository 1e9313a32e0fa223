"""Budgets in the browser: made, changed, looked at and removed."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.web.browser import settled


def test_a_budget_is_made_changed_and_removed(page: Page, axe: Callable[[Page], None]) -> None:
    """A person makes a budget of a tenant, sees what is spent of it, raises its limit, and removes it."""
    page.goto("/budgets")
    settled(page)
    page.get_by_role("button", name="Make a budget").first.click()
    form = page.get_by_role("dialog", name="Make a budget")
    form.get_by_label("Name").fill("acme monthly")
    form.get_by_label("Limit, in US dollars").fill("0.01")
    form.get_by_label("Called").fill("demo-acme")
    form.get_by_role("button", name="Make it").click()
    expect(form.get_by_role("alert")).to_contain_text("letters, digits")
    form.get_by_label("Name").fill("acme-monthly")
    axe(page)
    form.get_by_role("button", name="Make it").click()
    expect(form).to_be_hidden()
    card = page.get_by_role("listitem").filter(has=page.get_by_role("heading", name="acme-monthly"))
    expect(card).to_contain_text("tenant demo-acme")
    expect(card).to_contain_text("of $0.0100 this month")

    card.get_by_role("button", name="Change acme-monthly").click()
    form = page.get_by_role("dialog", name="Change acme-monthly")
    form.get_by_label("Limit, in US dollars").fill("5000")
    form.get_by_role("button", name="Change it").click()
    expect(form).to_be_hidden()
    expect(card).to_contain_text("of $5,000.00 this month")
    card.get_by_role("button", name="Details").click()
    expect(card).to_contain_text("each month of UTC")
    settled(page)
    axe(page)

    card.get_by_role("button", name="Remove acme-monthly").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(card).to_have_count(0)
