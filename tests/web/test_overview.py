"""Overview, as the people who open it use it: look, find why, follow a link to the cause."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.web.browser import PHONE, WIDE, settled
from tests.web.conftest import Open
from tests.web.site import Site


def test_what_is_shown_is_what_the_api_says(page: Page, site: Site) -> None:
    """Calls on the page are those of the API, each target stands beside its figure, and money is exact in
    its title."""
    # Not "3d": that is another time when the API is asked, and a call may have left it meanwhile.
    begin = (datetime.now(UTC) - timedelta(days=3)).date().isoformat()
    page.goto(f"/?since={begin}&until=2100-01-01")
    settled(page)
    said = site.http.get("/api/v1/overview", params={"since": begin, "until": "2100-01-01"}).json()["now"]
    figures = page.locator("dl.stats")
    expect(figures.get_by_text(f"{said['calls']:,}", exact=True)).to_be_visible()
    expect(figures.get_by_text("< 2 s", exact=False)).to_be_visible()
    spend = figures.locator(".stat", has_text="Spend").locator("[title^='$']")
    expect(spend).to_have_attribute("title", re.compile("^" + re.escape(f"${said['cost_usd']}"[:6])))


def test_a_change_leads_to_its_cause(page: Page) -> None:
    """Who asks what changed by feature gets a sentence and bars, and from a bar the costs of that feature."""
    page.goto("/?since=3d")
    settled(page)
    page.get_by_role("list", name="What changed, by").get_by_role("link", name="feature").click()
    expect(page).to_have_url(re.compile("by=feature"))
    settled(page)
    changes = page.get_by_role("list", name="What changed by feature")
    first = changes.get_by_role("link").first
    name = first.inner_text()
    first.click()
    settled(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Costs")
    expect(page).to_have_url(re.compile(f"feature={re.escape(name)}"))
    expect(page.get_by_role("button", name=f"Remove filter feature: {name}")).to_be_visible()


@pytest.mark.long
def test_an_error_leads_to_a_trace(page: Page) -> None:
    """The commonest error has a link to the latest trace of it."""
    page.goto("/?since=7d")
    settled(page)
    page.get_by_role("list", name="Top errors").locator(".overview-errors-trace").first.click()
    page.wait_for_url("**/traces/*")


@pytest.mark.long
def test_the_chart_zooms_by_keyboard_and_by_dragging(page: Page) -> None:
    """A stretch that is marked becomes the time asked about, on the address, for every reader of it."""
    page.goto("/?since=3d")
    settled(page)
    plot = page.get_by_role("group", name="Spend").first
    plot.focus()
    for key in ("Home", "Shift+ArrowRight", "Shift+ArrowRight", "Enter"):
        plot.press(key)
    page.wait_for_url("**until=**")
    settled(page)
    page.go_back()
    settled(page)
    box = page.locator(".time-chart-plot").first.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + 60, steps=5)
    page.mouse.up()
    page.wait_for_url("**until=**")


@pytest.mark.parametrize("view", ["team", "executive"])
@pytest.mark.long
def test_views_are_addresses(on: Open, axe: Callable[[Page], None], view: str) -> None:
    """Each reader has a view of the same answer, at an address of its own, without violations."""
    page = on()
    page.goto("/?since=3d")
    settled(page)
    page.get_by_role("list", name="View").get_by_role("link", name=view.capitalize()).click()
    expect(page).to_have_url(re.compile(f"view={view}"))
    settled(page)
    page.reload()
    settled(page)
    current = page.get_by_role("list", name="View").locator("[aria-current=true]")
    expect(current).to_have_text(view.capitalize())
    axe(page)


@pytest.mark.long
def test_who_has_a_minute_gets_sentences(page: Page) -> None:
    """The executive view is three figures, a few sentences and one chart."""
    page.goto("/?since=3d&view=executive")
    settled(page)
    expect(page.locator(".stat")).to_have_count(3)
    expect(page.locator("figure")).to_have_count(1)
    said = page.locator(".overview-sentences")
    expect(said).to_contain_text("the agents")
    expect(said).to_contain_text("targets are met")


@pytest.mark.long
def test_large_amounts_are_shown_whole(on: Open, site: Site) -> None:
    """What costs more than a million dollars is read to its cents: in figures, and in tables whose columns
    were made for less; on a phone too. On paper there is nothing to press, and it is white."""
    assert site.http.post("/v1/traces", json=_dear_call()).status_code == 200
    site.settle()
    for viewport in (WIDE, PHONE):
        page = on(viewport=viewport, dark=True)
        page.goto("/?since=2025-06-01&until=2025-06-02")
        settled(page)
        amounts = page.locator(".stat-value [data-long], .data-table-end [data-long]")
        assert amounts.count() > 1
        expect(amounts.first).to_contain_text(re.compile(r"\$[\d,]{9,}\.\d\d"))
        page.wait_for_function(NONE_CUT)
    page.emulate_media(media="print")
    expect(page.get_by_role("button", name="Columns")).to_be_hidden()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


NONE_CUT = """() => [...document.querySelectorAll('.stat-value, td.data-table-end')]
    .every((each) => each.scrollWidth <= each.clientWidth)"""


DEAR_NS = 1_748_779_200_000_000_000
"""2025-06-01T12:00:00Z, which no other test asks about."""


def _dear_call() -> dict[str, Any]:
    """A call of some million dollars."""
    said = {
        "gen_ai.operation.name": {"stringValue": "chat"},
        "gen_ai.provider.name": {"stringValue": "openai"},
        "gen_ai.request.model": {"stringValue": "o1-pro"},
        "gen_ai.usage.input_tokens": {"intValue": "987654321"},
        "gen_ai.usage.output_tokens": {"intValue": "1987654321"},
        "watchglass.tenant": {"stringValue": "dear"},
    }
    span = {
        "traceId": "d" * 32,
        "spanId": "d" * 16,
        "name": "chat o1-pro",
        "kind": 3,
        "startTimeUnixNano": str(DEAR_NS),
        "endTimeUnixNano": str(DEAR_NS + 10**9),
        "attributes": [{"key": key, "value": value} for key, value in said.items()],
    }
    scope = {"scope": {"name": "opentelemetry.instrumentation.genai.openai"}, "spans": [span]}
    return {"resourceSpans": [{"resource": {}, "scopeSpans": [scope]}]}


def test_a_time_without_calls_says_the_next_step(page: Page) -> None:
    """Where nothing was called one is told how to send a first call, with a program to copy."""
    page.goto("/?since=2001-01-01&until=2001-01-02")
    settled(page)
    expect(page.get_by_text("No calls in this time")).to_be_visible()
    expect(page.get_by_role("tab", name="Python")).to_be_visible()
    page.goto("/?since=3d&model=no-such-model")
    settled(page)
    expect(page.get_by_text("No call of this time matches")).to_be_visible()
    page.get_by_role("button", name="Remove filter model: no-such-model").click()
    settled(page)
    expect(page.locator("dl.stats")).to_be_visible()
