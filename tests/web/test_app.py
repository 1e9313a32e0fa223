"""The app as a whole: what it loads, from where, under which policy, and that each page is for everybody."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.web.browser import PHONE, Watched, fits, settled, stands_still
from tests.web.conftest import Open, Pages
from tests.web.site import Site

ROUTES = [
    "/",
    "/traces",
    "/sessions",
    "/agents",
    "/costs",
    "/budgets",
    "/prices",
    "/doctor",
    "/keys",
    "/settings",
]
"""Every page that has an address of its own; those of one thing are tested where the thing is."""

SCRIPT_BYTES = 250_000
"""The most JavaScript that a first page may bring."""


def test_the_first_page_brings_little(browser: Browser, site: Site) -> None:
    """All JavaScript that the first page loads is 250 KB at most, as it is sent to who has none of it yet."""
    pages = Pages(browser, site.url)
    page = pages.open()
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    kinds: dict[str, str] = {}
    sizes: dict[str, int] = {}
    session.on("Network.responseReceived", lambda each: kinds.update({each["requestId"]: each["type"]}))
    session.on(
        "Network.loadingFinished",
        lambda each: sizes.update({each["requestId"]: int(each["encodedDataLength"])}),
    )
    page.goto("/")
    settled(page)
    scripts = sum(size for request, size in sizes.items() if kinds.get(request) == "Script")
    print(
        f"initial JavaScript: {scripts:,} bytes; all: {sum(sizes.values()):,} bytes in {len(sizes)} requests"
    )
    assert 20_000 < scripts <= SCRIPT_BYTES
    assert not pages.end()


@pytest.mark.parametrize(
    "address",
    [
        "/?since=7d&tenant=demo-acme&model=gpt-4o&view=executive",
        "/traces?since=7d&status=failed&agent=planner&min_cost_usd=0.01",
        "/agents?since=24h&view=flows",
        "/costs?by=tenant,model&bucket=day&feature=chat&feature=triage",
    ],
)
def test_what_is_asked_early_is_what_the_page_asks(page: Page, address: str) -> None:
    """A page's question, asked while the app's code is on the way, is the page's own: none is asked twice."""
    asked: list[str] = []
    page.on("request", lambda each: asked.append(urlsplit(each.url).path))
    stands_still(page)
    page.goto(address)
    settled(page)
    asked = [each for each in asked if each.startswith("/api/v1/")]
    assert asked[0] == "/api/v1/session"
    assert len(asked) == len(set(asked)) <= 4, asked


def test_pages_are_real_links_in_one_nav(page: Page) -> None:
    """There is one <nav>; each page is a link in it, with an address that opens in another tab too."""
    page.goto("/")
    settled(page)
    nav = page.locator("nav")
    expect(nav).to_have_count(1)
    for route in ROUTES:
        expect(nav.locator(f"a[href='{route}'], a[href^='{route}?']")).to_have_count(1)


QUESTIONS = {
    "Traces": "/api/v1/explore",
    "Sessions": "/api/v1/sessions",
    "Agents and flows": "/api/v1/agents",
    "Costs": "/api/v1/costs",
    "Budgets": "/api/v1/budgets/status",
    "Prices": "/api/v1/price-book",
    "Overview": "/api/v1/overview",
}
"""What pages of the navigation ask first."""


def test_a_page_is_asked_for_when_its_link_is_pointed_at(page: Page) -> None:
    """Pointing at a link asks the question of its page, and going there asks nothing more of it."""
    stands_still(page)
    page.goto("/settings?since=7d")
    settled(page)
    asked: list[str] = []
    page.on("request", lambda each: asked.append(urlsplit(each.url).path))
    for label, question in QUESTIONS.items():
        link = page.locator("nav").get_by_role("link", name=label, exact=True)
        with page.expect_response(lambda each, path=question: urlsplit(each.url).path == path):
            link.hover()
        link.click()
        settled(page)
        expect(page.locator("h1")).to_have_text(label)
        assert asked.count(question) == 1, label


@pytest.mark.parametrize("route", ROUTES)
def test_every_page_is_for_everybody(on: Open, axe: Callable[..., None], route: str) -> None:
    """axe-core finds no violation on any page, in either theme; each has one heading and a title; and at 390
    pixels none is wider than the screen: what is wide scrolls within."""
    page = on()
    page.goto(f"{route}?since=7d")
    settled(page)
    expect(page.locator("h1")).to_have_count(1)
    expect(page).to_have_title(re.compile("watchglass"))
    axe(page)
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    axe(page, colours=True)
    page.set_viewport_size(PHONE)
    fits(page, PHONE)


def test_an_address_that_is_nothing_says_so(page: Page) -> None:
    """A path that no page has is answered by the app, with a way back."""
    page.goto("/nothing/here")
    settled(page)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.locator("main a").first).to_be_visible()


def test_a_server_that_is_away_is_waited_for(page: Page, watched: Watched) -> None:
    """Without an answer the app says so, asks again within seconds, and goes on by itself."""
    watched.expect("ERR_FAILED")
    page.clock.install()
    page.goto("/settings")
    settled(page)
    page.route("**/api/v1/**", lambda route: route.abort())
    page.get_by_role("link", name="Keys").click()
    expect(page.get_by_role("heading", name="Keys")).to_be_visible()
    away = page.get_by_text("It is asked again every few seconds")
    for _ in range(5):
        page.clock.run_for(2_000)
    expect(away).to_be_visible()
    page.unroute_all()
    page.clock.run_for(6_000)
    expect(page.get_by_text("There are no keys")).to_be_visible()
    expect(away).to_be_hidden()


def test_what_is_under_way_when_a_test_ends_counts(pages: Pages) -> None:
    """A page is closed when it has its answers: whether a fault counts is not up to how fast it came."""
    pages.open().goto(f"/traces/{'e' * 32}", wait_until="commit")
    [fault] = pages.close()
    assert "status of 404" in fault


def test_nothing_runs_that_is_not_ours(page: Page, watched: Watched) -> None:
    """What would get into a page as code is stopped by the policy: handlers, scripts, eval, other hosts."""
    watched.expect("policy|Policy|TrustedHTML|TrustedScript")
    page.goto("/settings")
    settled(page)
    page.evaluate(
        """async () => {
          window.told = [];
          const pause = () => new Promise((done) => setTimeout(done, 50));
          const tell = (each) => window.told.push(each.violatedDirective);
          document.addEventListener("securitypolicyviolation", tell);
          await pause(); // what evaluates this here may evaluate; what comes after may not
          const tries = [
            () => document.body.insertAdjacentHTML("beforeend", "<img src=x onerror='window.ran = 1'>"),
            () => document.body.setAttribute("onclick", "window.ran = 2") || document.body.click(),
            () => { window.ran = (0, eval)("3"); },
            () => setTimeout("window.ran = 4"),
            () => fetch("https://example.com/"),
          ];
          for (const each of tries) try { await each(); } catch { await pause(); }
        }"""
    )
    page.wait_for_function(
        "() => ['connect-src', 'require-trusted-types-for'].every((each) => window.told.includes(each))"
    )
    assert page.evaluate("window.ran ?? null") is None


def test_the_site_says_it_shows_the_demo(page: Page, site: Site) -> None:
    """With demo data in it the app says so on its first page."""
    assert site.http.get("/api/v1/session").json()["demo"] is True
    page.goto("/")
    settled(page)
    expect(page.get_by_text("demo", exact=False).first).to_be_visible()
