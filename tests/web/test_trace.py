"""One trace: the tree of its spans, what each cost and said, by mouse and by keyboard."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.web.browser import PHONE, Watched, fits, settled
from tests.web.conftest import Open, Site
from tests.web.large_trace import SECOND_NS, large_trace

SPANS = 5000
MOST_NODES = 2000
MOST_MADE = 1000
SCROLL = """
async () => {
  const scroller = document.querySelector(".waterfall-scroller");
  const most = { held: 0, made: 0 };
  let made = 0;
  const count = (each) => (each.nodeType === 1 ? 1 + each.querySelectorAll("*").length : 0);
  const seen = (changes) => {
    for (const change of changes) for (const each of change.addedNodes) made += count(each);
  };
  const observer = new MutationObserver(seen);
  observer.observe(document.body, { childList: true, subtree: true });
  for (let step = 0; step < 60; step++) {
    made = 0;
    scroller.scrollTop += 400;
    await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    seen(observer.takeRecords());
    most.held = Math.max(most.held, document.querySelectorAll("*").length);
    most.made = Math.max(most.made, made);
  }
  return most;
}
"""


@pytest.fixture(scope="module")
def large(site: Site) -> str:
    """A trace of five thousand spans."""
    trace_id, bodies = large_trace(SPANS, time.time_ns() - 3600 * SECOND_NS)
    for body in bodies:
        assert site.http.post("/v1/traces", json=body).status_code == 200
    site.settle()
    return trace_id


@pytest.fixture(scope="module")
def crew(site: Site) -> str:
    """A trace of the demo's with several calls below each other."""
    rows = site.http.get("/api/v1/explore", params={"since": "30d", "feature": "market-study"}).json()["rows"]
    assert rows
    return str(max(rows, key=lambda row: row["calls"])["trace_id"])


def test_a_call_is_found_in_the_tree_and_read(page: Page, crew: str, axe: Callable[[Page], None]) -> None:
    """A click on a call shows its conversation, then what it cost and why; the address says which span."""
    page.goto(f"/traces/{crew}")
    settled(page)
    calls = page.locator(".waterfall-call")
    calls.first.click()
    expect(calls.first).to_have_attribute("aria-selected", "true")
    expect(page).to_have_url(re.compile("span="))
    settled(page)
    panel = page.get_by_label("The chosen span")
    expect(panel.get_by_role("tab", name="Conversation")).to_have_attribute("aria-selected", "true")
    expect(panel.locator(".conversation-messages li").first).to_be_visible()
    axe(page)
    panel.get_by_role("tab", name="Cost").click()
    expect(panel.get_by_text("counted", exact=True)).to_be_visible()
    expect(panel.get_by_role("row", name="Input")).to_be_visible()
    page.reload()
    expect(panel.get_by_role("tab", name="Cost")).to_have_attribute("aria-selected", "true")


def test_what_a_step_adds_is_marked(page: Page, crew: str) -> None:
    """A later call of an agent says how many messages are as in the step before, and marks the others."""
    page.goto(f"/traces/{crew}?only=calls")
    settled(page)
    calls = page.locator(".waterfall-call")
    expect(calls.first).to_be_visible()
    link = page.get_by_role("button", name="the step before")
    for number in range(calls.count()):
        calls.nth(number).click()
        expect(calls.nth(number)).to_have_attribute("aria-selected", "true")
        settled(page)
        expect(page.locator(".span-step")).to_be_visible()
        if link.count():
            break
    expect(link).to_be_visible()
    before = page.url
    link.click()
    page.wait_for_url(lambda url: url != before)


def test_the_tree_by_keyboard(page: Page, crew: str) -> None:
    """Arrows go through rows, fold and unfold; the focus stays on the tree, which says which row is meant."""
    page.goto(f"/traces/{crew}")
    tree = page.get_by_role("tree", name="Spans")
    settled(page)
    expect(tree.get_by_role("treeitem").first).to_be_visible()
    rows = tree.get_by_role("treeitem").count()
    tree.focus()
    page.keyboard.press("ArrowDown")
    root = tree.get_by_role("treeitem").first
    expect(root).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowLeft")
    expect(tree.get_by_role("treeitem")).to_have_count(1)
    expect(root).to_have_attribute("aria-expanded", "false")
    page.keyboard.press("ArrowRight")
    expect(tree.get_by_role("treeitem")).to_have_count(rows)
    page.keyboard.press("End")
    expect(tree.get_by_role("treeitem").last).to_have_attribute("aria-selected", "true")


def test_five_thousand_spans(page: Page, large: str) -> None:
    """The page holds 2,000 elements at most, wherever one scrolls to, and half a screen further makes 1,000
    at most. How long that takes bench/app_trace.py says: here it would say how busy the machine is."""
    page.goto(f"/traces/{large}")
    expect(page.get_by_role("treeitem").first).to_be_visible()
    expect(page.get_by_text("5,0", exact=False).first).to_be_visible()
    settled(page)
    most = page.evaluate(SCROLL)
    print(f"elements while scrolling: {most}")
    assert 0 < most["held"] <= MOST_NODES
    assert 0 < most["made"] <= MOST_MADE


def test_errors_are_jumped_to_and_read(page: Page, large: str) -> None:
    """`e` goes to the next span that failed, whose stack is there at once."""
    page.goto(f"/traces/{large}")
    settled(page)
    page.keyboard.press("e")
    panel = page.get_by_label("The chosen span")
    expect(panel.get_by_text("app/tools.py", exact=False).first).to_be_visible()
    expect(page.locator(".waterfall-selected.waterfall-failed")).to_be_visible()
    page.get_by_label("Which spans").select_option("errors")
    expect(page.get_by_role("status").filter(has_text="of 5,0")).to_be_visible()


def test_finding_within(page: Page, large: str) -> None:
    """Only spans with the words are left, below what is above them."""
    page.goto(f"/traces/{large}")
    page.get_by_label("Find in names, models, errors").fill("study market 7")
    expect(page.get_by_role("treeitem", name="task 7: study market 7")).to_be_visible()
    expect(page.get_by_role("status").filter(has_text="of 5,0")).to_be_visible()
    page.wait_for_url("**find=**")


def test_a_trace_that_is_not_there(page: Page, watched: Watched) -> None:
    """Says so, and how to find those that are."""
    watched.expect("404")
    page.goto(f"/traces/{'f' * 32}")
    expect(page.get_by_role("alert")).to_contain_text("there is no trace")


def test_a_trace_on_a_phone(on: Open, crew: str, axe: Callable[[Page], None]) -> None:
    """Nothing is wider than the screen, and a span opens as a sheet over the tree."""
    page = on(viewport=PHONE, dark=True)
    page.goto(f"/traces/{crew}")
    settled(page)
    page.locator(".waterfall-call").first.click()
    expect(page.get_by_label("The chosen span").get_by_role("tab").first).to_be_visible()
    settled(page)
    fits(page, PHONE)
    axe(page)
