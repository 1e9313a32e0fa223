"""One server with a week of the demo in it and one browser, for all tests of the app.

    def test_something(page: Page) -> None:  # fails for errors in the console, foreign requests, violations
        page.goto("/traces?since=7d")
        axe(page)  # of the fixture `axe`: no accessibility violation

`site` is the server (`site.url`, `site.http`), `watched.expect(pattern)` lets an error pass that a test
wants, `on(viewport=PHONE, dark=True)` opens a page of another sort.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.web.browser import ROOT, WIDE, Watched, chromium, launched
from tests.web.site import Site

Open = Callable[..., Page]

expect.set_options(timeout=20_000)  # as for everything else here: machines that build are busy


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
    """Opens pages, each in a profile of its own, and remembers what went wrong in them."""

    def __init__(self, browser: Browser, url: str) -> None:
        self._browser, self._url = browser, url
        self._contexts: list[Any] = []
        self.watches: list[Watched] = []

    def open(self, *, viewport: ViewportSize = WIDE, dark: bool = False) -> Page:
        """A page, at no address yet."""
        context = self._browser.new_context(
            base_url=self._url,
            viewport=viewport,
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            locale="en-GB",
            timezone_id="UTC",
            permissions=["clipboard-read", "clipboard-write"],
        )
        context.set_default_timeout(20_000)
        self._contexts.append(context)
        page = context.new_page()
        self.watches.append(Watched(page, self._url))
        return page

    def close(self) -> None:
        """All of them."""
        for context in self._contexts:
            with suppress(Exception):  # broad: a test may have closed it
                context.close()


@pytest.fixture
def pages(browser: Browser, site: Site) -> Iterator[Pages]:
    """Where pages of any sort are opened; what went wrong in them fails the test."""
    made = Pages(browser, site.url)
    yield made
    made.close()
    faults = [fault for watch in made.watches for fault in watch.faults]
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
def axe() -> Callable[[Page], None]:
    """Fails for what axe-core finds wrong with a page, by the rules of WCAG 2.2 A and AA."""
    source = (ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js").read_text("utf-8")

    def check(page: Page) -> None:
        # By the debugger's own way in: the page's policy lets no script be added, which is as it should be.
        session = page.context.new_cdp_session(page)
        for script in (source, _RUN):
            answer = session.send(
                "Runtime.evaluate",
                {"expression": script, "awaitPromise": script is _RUN, "returnByValue": script is _RUN},
            )
            assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        session.detach()
        assert not answer["result"]["value"], "\n".join(answer["result"]["value"])

    return check


_RUN = """
axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]})
  .then((found) => found.violations.flatMap((each) => each.nodes.map((node) =>
    `${each.id}: ${each.help}: ${node.html.slice(0, 200)} ${node.failureSummary}`)))
"""
