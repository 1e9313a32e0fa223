"""Sessions: found in a list, stepped through, played to the end, and held against another."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.web.browser import PHONE, fits, settled
from tests.web.conftest import Open
from tests.web.site import Site

Axe = Callable[[Page], None]


@pytest.fixture(scope="module")
def sessions(site: Site) -> list[dict[str, Any]]:
    """Two sessions of one tenant with several calls each, all priced."""
    rows = site.http.get("/api/v1/sessions", params={"limit": 300, "tenant": "demo-acme"}).json()["rows"]
    found = [row for row in rows if row["calls"] >= 3 and not row["unpriced_calls"]]
    assert len(found) >= 2
    return found[:2]


def address(session: dict[str, Any], rest: str = "") -> str:
    return f"/sessions/{session['session']}?tenant={session['tenant']}{rest}"


def test_a_session_is_opened_from_the_list(page: Page) -> None:
    """The list's first row leads to that session, all of it shown."""
    page.goto("/sessions?since=7d")
    settled(page)
    link = page.get_by_role("table", name="Sessions").get_by_role("link").first
    name = link.inner_text()
    link.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Session {name}")
    settled(page)
    expect(page.get_by_role("region", name="Conversation").get_by_role("listitem").first).to_be_visible()


def test_a_session_is_stepped_through(page: Page, site: Site, sessions: list[dict[str, Any]]) -> None:
    """Keys go from step to step, the address holds the moment; nothing is spent at first, all at the end."""
    told = site.http.get(f"/api/v1/sessions/{sessions[0]['session']}", params={"tenant": "demo-acme"}).json()
    page.goto(address(sessions[0]))
    settled(page)
    cost = page.locator(".session-cost .number")
    calls = page.locator(".session-spent > div", has_text="Calls").locator(".number")
    expect(calls).to_have_text(str(told["totals"]["calls"]))
    page.keyboard.press("Home")
    expect(cost).to_have_text("$0.00")
    page.keyboard.press("ArrowRight")
    expect(page).to_have_url(re.compile(r"at=\d+\.\d{3}"))
    page.reload()
    settled(page)
    expect(page.locator(".session-step[aria-current=step]")).to_be_visible()
    expect(page.locator(".session-step-ahead").first).to_be_visible()
    page.keyboard.press("End")
    # The title has every digit, as the API has it.
    expect(cost).to_have_attribute("title", f"${told['totals']['cost_usd']}")


def test_a_session_is_played(page: Page, sessions: list[dict[str, Any]]) -> None:
    """At a hundred times its speed a session is soon at its end, and stands there."""
    page.goto(address(sessions[0], "&at=0"))
    settled(page)
    page.get_by_role("combobox", name="Speed").select_option("100×")
    page.get_by_role("button", name="Play").click()
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    expect(page.locator(".session-time")).to_have_text(re.compile(r"^\s*(\S.*?)\s*/\s*\1\s*$"))


@pytest.mark.long
def test_two_sessions_are_compared(page: Page, sessions: list[dict[str, Any]]) -> None:
    """A second session is chosen from the latest; it says where they part, and leads there."""
    page.goto(address(sessions[0]))
    settled(page)
    page.get_by_role("button", name="Compare").click()
    page.get_by_role("textbox", name="Session id").fill(sessions[1]["session"])
    page.get_by_role("dialog").get_by_role("button", name="Compare").click()
    expect(page).to_have_url(re.compile(f"with={sessions[1]['session']}"))
    expect(page.locator(".session-parting")).to_contain_text("They part at step")
    page.get_by_role("button", name=re.compile("Go to step")).first.click()
    expect(page.get_by_role("region", name=f"Session {sessions[1]['session']}")).to_be_visible()
    page.get_by_role("button", name="End comparison").click()
    expect(page.get_by_role("region", name="Conversation")).to_be_visible()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.long
def test_a_session_is_for_everybody(on: Open, axe: Axe, sessions: list[dict[str, Any]], dark: bool) -> None:
    """axe-core finds no violation, alone and compared; a phone has no scrolling sideways."""
    page = on(dark=dark)
    page.goto(address(sessions[0], "&at=1"))
    settled(page)
    axe(page)
    page.goto(address(sessions[0], f"&with={sessions[1]['session']}"))
    settled(page)
    axe(page)
    page.set_viewport_size(PHONE)
    fits(page, PHONE)


@pytest.mark.long
def test_a_session_that_is_not_there(page: Page, watched: Any) -> None:
    """It says so, and what to do."""
    watched.expect("status of 404")
    page.goto("/sessions/nobody")
    expect(page.get_by_role("alert")).to_contain_text("there is no session 'nobody'")
