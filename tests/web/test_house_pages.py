"""Keys, doctor and settings in the browser. Keys on a server of their own: from the first on it is closed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.server_process import ServerProcess
from tests.web.browser import settled
from tests.web.conftest import Open, Pages


@pytest.fixture
def own(app: None, browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A page of a server without keys and without the demo."""
    server = ServerProcess(tmp_path_factory.mktemp("keys") / "data").start()
    pages = Pages(browser, server.url)
    try:
        page = pages.open()
        pages.watches[0].expect("status of 40")
        yield page
        assert not pages.end()
    finally:
        server.stop()


def test_keys_are_made_shown_once_and_revoked(own: Page, axe: Callable[[Page], None]) -> None:
    """The first key is an admin's and signs this browser in; its text is shown once; a second one is made for
    a tenant and revoked after being asked. One whose own key is revoked elsewhere is asked for another."""
    own.goto("/keys")
    expect(own.get_by_text("There are no keys")).to_be_visible()
    axe(own)
    own.get_by_role("button", name="Make a key").click()
    own.get_by_label("Name").fill("me")
    own.get_by_role("button", name="Make the key").click()
    shown = own.get_by_role("dialog", name="Here is the key")
    expect(shown).to_contain_text(re.compile("wg_[0-9a-f]{12}_"))
    axe(own)
    key = re.search(r"wg_([0-9a-f]{12})_[\w-]+", shown.inner_text())
    assert key
    shown.get_by_role("button", name="I have kept it").click()
    table = own.get_by_role("table", name="Keys")
    expect(table.get_by_role("row", name=re.compile("^me"))).to_contain_text("this browser")
    expect(shown).to_have_count(0)
    assert "wg_" not in own.content()

    own.get_by_role("button", name="Make a key").click()
    own.get_by_label("What it may do").select_option("ingest")
    own.get_by_label("Name").fill("acme's bot")
    own.get_by_role("textbox", name=re.compile("^Tenant")).fill("acme")
    own.get_by_label("Requests a second, at most").fill("lots")
    own.get_by_role("button", name="Make the key").click()
    expect(own.get_by_role("alert")).to_contain_text("A number above 0")
    own.get_by_label("Requests a second, at most").fill("50")
    own.get_by_role("button", name="Make the key").click()
    expect(own.get_by_role("dialog", name="Here is the key")).to_contain_text("OTEL_EXPORTER_OTLP_HEADERS")
    own.get_by_role("button", name="I have kept it").click()
    row = table.get_by_role("row", name=re.compile("acme's bot"))
    expect(row).to_contain_text("50 requests/s")
    row.get_by_role("button", name="Revoke acme's bot").click()
    own.get_by_role("dialog").get_by_role("button", name="Revoke", exact=True).click()
    expect(row).to_contain_text("revoked")
    axe(own)

    server = own.url.removesuffix("/keys")
    mine = {"authorization": f"Bearer {key[0]}"}
    assert httpx.delete(f"{server}/api/v1/keys/{key[1]}", headers=mine, timeout=60).status_code == 200
    own.get_by_role("link", name="Costs").click()
    expect(own.get_by_role("heading", name="Sign in to watchglass")).to_be_visible()
    own.get_by_label("Key").fill(key[0])
    own.get_by_role("button", name="Sign in").click()
    expect(own.get_by_role("alert")).to_contain_text("was revoked; paste")


def test_a_finding_leads_to_what_it_is_about(page: Page) -> None:
    """Doctor's findings come worst first, each with its evidence and a command to copy; a trace in it
    is a link to it."""
    page.goto("/doctor?since=7d")
    settled(page)
    findings = page.locator(".doctor-finding")
    unknown = findings.filter(has_text="nothing says who served them")
    unknown.get_by_role("button", name="Copy sh").click()
    page.wait_for_function("async () => (await navigator.clipboard.readText()).startsWith('watchglass ')")
    levels: list[str] = findings.evaluate_all("(found) => found.map((each) => each.className)")
    order = ["doctor-finding doctor-error", "doctor-finding doctor-warning", "doctor-finding doctor-info"]
    assert levels == sorted(levels, key=order.index)
    twice = findings.filter(has_text="reported twice")
    twice.get_by_role("region", name=re.compile("^Evidence")).get_by_role("link").first.click()
    expect(page).to_have_url(re.compile(r"/traces/[0-9a-f]{32}"))


def test_appearance_is_kept_in_the_browser(on: Open) -> None:
    """A theme that is chosen holds at once, and after the page is loaded anew."""
    page = on()
    page.goto("/settings")
    settled(page)
    page.get_by_label("Theme").select_option("dark")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_settings_say_where_they_come_from(page: Page) -> None:
    """What was set is listed with its source; defaults come on demand; tables say how long rows are kept."""
    page.goto("/settings")
    settled(page)
    settings = page.get_by_role("table", name="Settings of the server")
    expect(settings.get_by_role("row", name=re.compile("^data"))).to_contain_text("flag")
    page.get_by_role("button", name="Show defaults too").click()
    expect(settings.get_by_role("row", name=re.compile("^query_rows"))).to_contain_text("default")
    tables = page.get_by_role("table", name="Tables of the store")
    expect(tables.get_by_role("row", name=re.compile("^messages"))).to_contain_text("30 d")


@pytest.mark.long
def test_a_target_is_chosen(page: Page) -> None:
    """What is typed on Settings is what Overview holds its figure against; what is no number is told of at
    its field, and there is a way back to what it was."""
    page.goto("/settings")
    settled(page)
    field = page.get_by_label("p95 of a call, seconds")
    field.fill("fast")
    page.get_by_role("button", name="Save targets").click()
    expect(page.get_by_role("alert")).to_contain_text("Seconds above 0")
    field.fill("90.5")
    page.get_by_role("button", name="Save targets").click()
    back = page.get_by_role("button", name="As they come")
    expect(back).to_be_visible()
    page.get_by_role("link", name="Overview").click()
    figure = page.locator(".stat", has_text="p95 of a call")
    expect(figure).to_contain_text("< 1 m 31 s")
    page.go_back()
    back.click()
    expect(field).to_have_value("2")


def test_nothing_is_said_of_rights_before_they_are_known(page: Page) -> None:
    """Until the server has said whose key this is, Keys waits visibly, and Budgets asks for no other key."""
    held: list[Route] = []
    page.route("**/api/v1/session", lambda route: held.append(route))
    page.goto("/keys")
    expect(page.get_by_role("table", name="Keys")).to_have_attribute("aria-busy", "true")
    page.goto("/budgets")
    expect(
        page.get_by_text("what may be spent in an hour").or_(page.locator(".budgets-card")).first
    ).to_be_visible()
    expect(page.get_by_text("An admin key makes one")).to_have_count(0)
    held[-1].continue_()
    expect(page.get_by_role("button", name="Make a budget").first).to_be_visible()
