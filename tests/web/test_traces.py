"""The search for traces as a person uses it: filters, words, ids, time, live, on any screen."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.web.browser import PHONE, fits, settled
from tests.web.conftest import Open, Site
from tests.web.large_trace import SECOND_NS, large_trace


def test_filtering_by_a_value(page: Page, axe: Callable[[Page], None]) -> None:
    """A value of a facet narrows the rows; it stands in the address and as a token that takes it away."""
    page.goto("/traces?since=30d")
    settled(page)
    # Not `check`, which wants it checked at once: it is when the address says so.
    page.get_by_role("group", name="Agent").get_by_role("checkbox").first.click()
    token = page.get_by_role("list", name="Filters").get_by_role("button", name=re.compile("^agent: "))
    expect(token).to_be_visible()
    expect(page).to_have_url(re.compile("agent="))
    settled(page)
    expect(page.get_by_role("group", name="Agent").get_by_role("checkbox", checked=True)).to_have_count(1)
    axe(page)
    token.click()
    expect(token).to_have_count(0)
    expect(page).not_to_have_url(re.compile("agent="))


def test_from_the_list_to_a_trace_and_back(page: Page) -> None:
    """A row is a link to its trace; going back finds the list as it was."""
    page.goto("/traces?since=30d&status=failed")
    settled(page)
    page.locator("tbody tr a").first.click()
    page.wait_for_url(re.compile("/traces/[0-9a-f]{32}"))
    expect(page.get_by_role("treeitem").first).to_be_visible()
    page.go_back()
    expect(page.get_by_role("button", name="status: failed")).to_be_visible()


def test_words_are_found_in_messages(page: Page, site: Site) -> None:
    """What was said in a message leads to its trace."""
    rows = site.http.get("/api/v1/explore", params={"since": "30d", "tenant": "demo-acme"}).json()["rows"]
    words = next(row["input"] for row in rows if row["input"])[:40]
    page.goto("/traces?since=30d")
    page.get_by_label("Search messages, span names, errors and ids").fill(words)
    page.wait_for_url("**text=**")
    settled(page)
    expect(page.locator("tbody tr a").first).to_be_attached()
    expect(page.get_by_role("status").filter(has_text=re.compile("trace"))).to_be_visible()


def test_a_pause_while_typing_takes_nothing_away(page: Page) -> None:
    """Who thinks between two words goes on where they were; what leaves the address leaves the field."""
    page.goto("/traces?since=30d")
    settled(page)
    field = page.get_by_label("Search messages, span names, errors and ids")
    field.press_sequentially("refund")
    page.wait_for_url("**text=refund**")
    settled(page)
    page.keyboard.type(" policy")
    page.wait_for_url(re.compile("text=refund.+policy"))
    expect(field).to_have_value("refund policy")
    page.go_back()
    expect(field).to_have_value("")


def test_a_pasted_id_opens_its_trace(page: Page, site: Site) -> None:
    """An id of a trace, whole, is not searched for but gone to."""
    row = site.http.get("/api/v1/explore", params={"since": "30d", "limit": 1}).json()["rows"][0]
    page.goto("/traces")
    settled(page)
    page.get_by_label("Search messages, span names, errors and ids").fill(row["trace_id"])
    page.wait_for_url(f"**/traces/{row['trace_id']}*")
    expect(page.get_by_role("heading", level=1)).to_have_text(row["name"])


@pytest.mark.long
def test_a_view_is_saved(page: Page) -> None:
    """A view has a name, is in the menu, and is an address."""
    page.goto("/traces?since=30d&status=failed")
    settled(page)
    page.get_by_role("button", name="Views").click()
    page.get_by_role("menuitem", name="Save this view…").click()
    page.get_by_role("textbox", name="Name", exact=True).fill("what failed")
    page.get_by_role("button", name="Save", exact=True).click()
    page.goto("/traces")
    settled(page)
    page.get_by_role("button", name="Views").click()
    page.get_by_role("menuitem", name="what failed", exact=True).click()
    page.wait_for_url("**status=failed**")


@pytest.mark.long
def test_following_what_comes_in(page: Page, site: Site) -> None:
    """With Live on, a trace that comes in appears by itself."""
    page.goto("/traces?since=1h&service=market-study&tenant=arriving&live=on")
    expect(page.get_by_text("No trace is like that")).to_be_visible()
    _, (body,) = large_trace(10, time.time_ns() - 60 * SECOND_NS, tenant="arriving", seed=time.time_ns())
    assert site.http.post("/v1/traces", json=body).status_code == 200
    expect(page.locator("tbody tr a").first).to_be_attached()
    site.settle()


@pytest.mark.long
def test_nothing_there_says_the_next_step(page: Page) -> None:
    """A time without traces shows programs to paste; filters that nothing meets can be cleared."""
    page.goto("/traces?since=2020-01-01T00:00:00Z&until=2020-01-02T00:00:00Z")
    expect(page.get_by_text("No traces in this time")).to_be_visible()
    expect(page.get_by_role("tab", name="Python")).to_be_visible()
    page.goto("/traces?agent=nobody")
    page.get_by_role("button", name="Clear all filters").click()
    expect(page.locator("tbody tr a").first).to_be_attached()


@pytest.mark.long
def test_traces_on_a_phone(on: Open, axe: Callable[[Page], None]) -> None:
    """Filters are behind a button, rows say the name, how long and what it cost; nothing is too wide."""
    page = on(viewport=PHONE, dark=True)
    page.goto("/traces?since=30d")
    settled(page)
    expect(page.locator("tbody tr a").first).to_be_attached()
    fits(page, PHONE)
    page.get_by_role("button", name="Filters").click()
    expect(page.get_by_role("checkbox").first).to_be_visible()
    settled(page)
    axe(page)
