"""One server with a week of the demo in it and one browser, for all tests of the app.

    def test_something(page: Page) -> None:  # fails for errors in the console, foreign requests, violations
        page.goto("/traces?since=7d")
        settled(page)  # nothing that is read after this is on its way
        axe(page)  # of the fixture `axe`: no accessibility violation

`site` is the server (`site.url`, `site.http`), `watched.expect(pattern)` lets an error pass that a test
wants, `on(viewport=PHONE, dark=True)` opens a page of another sort. What a click brings is waited for by
`settled` or `expect`, never read at once; a time is written out where two questions are to mean the same one.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect
from playwright.sync_api import TimeoutError as TookTooLong

from tests.web.browser import PATIENCE_MS, ROOT, WIDE, Watched, chromium, launched, settled
from tests.web.site import Site

Open = Callable[..., Page]

expect.set_options(timeout=PATIENCE_MS)
HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What waits for a browser may take longer than other tests, and the first one waits for the app to be
    built and for the demo to be sent."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.timeout(1800))


@pytest.fixture(scope="package")
def app() -> None:
    """The app as its sources are now."""
    spec = importlib.util.spec_from_file_location("build", ROOT / "web" / "build.py")
    assert spec is not None and spec.loader is not None
    builder = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(builder)
    builder.build()


@pytest.fixture(scope="package")
def site(app: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The server that all tests share: they may add to what is in it, and take nothing away."""
    made = Site(tmp_path_factory.mktemp("site") / "data")
    try:
        made.send_demo()
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Of this package alone: while it is there no event loop can run in this thread."""
    executable = chromium()
    if executable is None:
        pytest.skip("there is no Chromium on this machine (Debian: apt install chromium)")
    with launched(executable) as made:
        yield made


class Pages:
    """Opens pages of one profile and remembers what went wrong in them. The profile outlives a test, so that
    the app's scripts are fetched and compiled once: `close` forgets all else that a page left in it."""

    def __init__(self, browser: Browser, url: str) -> None:
        self._url = url
        self._context = browser.new_context(
            base_url=url,
            viewport=WIDE,
            reduced_motion="reduce",
            locale="en-GB",
            timezone_id="UTC",
            permissions=["clipboard-read", "clipboard-write"],
        )
        self._context.set_default_timeout(PATIENCE_MS)
        self.watches: list[Watched] = []

    def open(self, *, viewport: ViewportSize = WIDE, dark: bool = False) -> Page:
        """A page, at no address yet."""
        page = self._context.new_page()
        page.emulate_media(color_scheme="dark" if dark else "light", reduced_motion="reduce")
        if viewport != WIDE:
            page.set_viewport_size(viewport)
        self.watches.append(Watched(page, self._url))
        return page

    def close(self) -> list[str]:
        """All that are open; what went wrong in them until each had its answers. What is under way when a
        test ends is waited for: otherwise chance would say whether a fault of it counts. What closing cuts
        off is no fault."""
        for page in self._context.pages:
            if page.url.startswith(self._url):
                try:
                    settled(page)
                except TookTooLong:
                    self.watches[0].saw(f"{page.url} was never done")
                page.evaluate("() => { localStorage.clear(); sessionStorage.clear(); }")
        faults = [fault for watch in self.watches for fault in watch.faults]
        self.watches.clear()
        for page in self._context.pages:
            page.close()
        self._context.clear_cookies()
        return faults

    def end(self) -> list[str]:
        """As `close`, and of the profile too."""
        faults = self.close()
        self._context.close()
        return faults


@pytest.fixture(scope="package")
def profile(browser: Browser, site: Site) -> Pages:
    """The profile in which all tests look at the shared server."""
    return Pages(browser, site.url)


@pytest.fixture
def pages(profile: Pages) -> Iterator[Pages]:
    """Where pages of any sort are opened; what went wrong in them fails the test."""
    yield profile
    faults = profile.close()
    assert not faults, "\n".join(faults)


@pytest.fixture
def on(pages: Pages) -> Open:
    """`on(viewport=PHONE, dark=True)`: a page."""
    return pages.open


@pytest.fixture
def page(pages: Pages) -> Page:
    """A page 1440 pixels wide, in the light theme."""
    return pages.open()


@pytest.fixture
def watched(page: Page, pages: Pages) -> Watched:
    """What `page` is watched for."""
    return pages.watches[0]


@pytest.fixture(scope="package")
def axe() -> Callable[..., None]:
    """Fails for what axe-core finds wrong with a page, by the rules of WCAG 2.2 A and AA; with `colours` by
    those of contrast alone, which is what another theme of the same page can break."""
    source = (ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js").read_text("utf-8")

    def check(page: Page, *, colours: bool = False) -> None:
        run = _RUN.replace("RULES", _COLOURS if colours else _ALL)
        # By the debugger's own way in: the page's policy lets no script be added, which is as it should be.
        session = page.context.new_cdp_session(page)
        for script in (f"window.axe || (() => {{ {source} }})()", run):
            answer = session.send(
                "Runtime.evaluate",
                {"expression": script, "awaitPromise": script is run, "returnByValue": script is run},
            )
            assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        session.detach()
        assert not answer["result"]["value"], "\n".join(answer["result"]["value"])

    return check


_RUN = """
axe.run(document, {runOnly: RULES, resultTypes: ["violations"]})
  .then((found) => found.violations.flatMap((each) => each.nodes.map((node) =>
    `${each.id}: ${each.help}: ${node.html.slice(0, 200)} ${node.failureSummary}`)))
"""

_ALL = '["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]'
_COLOURS = '{type: "rule", values: ["color-contrast"]}'
