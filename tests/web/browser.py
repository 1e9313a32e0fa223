"""A browser as the tests use it: it sees no other host, and a page tells of all that went wrong in it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

ROOT = Path(__file__).parents[2]
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

_OFF = (
    # What drops down from the address bar: 400 scripts of the browser's own, a second of processor, beside
    # the page of each new window.
    "WebUIOmniboxPopup",
    "WebUIOmniboxAimPopup",
    # Off in what Playwright 1.65 starts.
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsUpgrades",
    "HttpsFirstBalancedModeAutoEnable",
    "LensOverlay",
    "MediaRouter",
    "PaintHolding",
    "ThirdPartyStoragePartitioning",
    "AvoidCorsURLLoaderRestartOnRedirect",
    "OptimizationHints",
    "NetworkTimeServiceQuerying",
    "AimEnabled",
    "PreconnectToSearch",
)

OPTIONS = [
    "--no-sandbox",  # tests run as root in containers
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--no-first-run",
    "--disable-dev-shm-usage",
    "--disable-gpu",  # nor does the machine have one: what imitates it takes as long as the pages
    "--font-render-hinting=none",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    f"--disable-features={','.join(_OFF)}",  # the last list counts, so it names Playwright's, too
]

WIDE: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}

PATIENCE_MS = 180_000
"""How long anything may take: machines that build are busy, and no test is about how fast they are."""

_REPORT_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (each) =>
  console.error(`policy violated: ${each.violatedDirective} by ${each.blockedURI} ${each.sample}`));
"""

_COUNT_QUESTIONS = """
(() => {
  const { fetch, requestIdleCallback } = window, { json } = Response.prototype;
  let open = 0;
  const counted = (answer) => {
    open += 1;
    // Until what came of it is drawn, and asks the next question.
    const told = () => requestIdleCallback(() => { open -= 1; }, { timeout: 1000 });
    answer.then(told, told);
    return answer;
  };
  const endless = (what) => String(what).includes("/api/v1/live"); // what comes in is followed
  window.fetch = (what, how) => endless(what) ? fetch(what, how) : counted(fetch(what, how));
  Response.prototype.json = function () { return counted(json.call(this)); };
  window.openQuestions = () => open;
})();
"""

_SETTLED = """() => {
  const router = window.__TSR_ROUTER__;
  return router?.state.status === "idle"
    && router.state.resolvedLocation?.href === router.latestLocation.href
    && window.openQuestions() === 0
    && document.querySelector("h1") !== null
    && document.querySelector("[aria-busy=true], .skeleton") === null;
}"""

_FITS = """width => innerWidth === width && document.documentElement.scrollWidth <= width"""


def chromium() -> str | None:
    """Where this machine has a Chromium."""
    return next(filter(None, map(shutil.which, NAMES)), None)


@contextmanager
def launched(executable: str) -> Generator[Browser]:
    """The browser, for as long as the context lasts. No event loop may run in this thread meanwhile."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=OPTIONS)
        try:
            yield browser
        finally:
            browser.close()


class Watched:
    """What a page should not have done. `expect` says of what a test knows that it will happen."""

    def __init__(self, page: Page, url: str) -> None:
        self._own = urlsplit(url).netloc
        self._seen: list[str] = []
        # The machine's own doing, e.g. a container that is started beside the tests.
        self._expected = [re.compile("ERR_NETWORK_CHANGED")]
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.saw(f"uncaught: {error}"))
        page.on("request", self._on_request)
        page.on("dialog", self._on_dialog)
        page.on("popup", lambda popup: self.saw(f"opened {popup.url}"))
        page.on("crash", lambda _: self.saw("crashed"))
        page.add_init_script(_REPORT_VIOLATIONS)
        page.add_init_script(_COUNT_QUESTIONS)

    def expect(self, pattern: str) -> None:
        """Let what matches pass: `status of 404`."""
        self._expected.append(re.compile(pattern))

    def saw(self, fault: str) -> None:
        """Note what went wrong."""
        self._seen.append(fault)

    @property
    def faults(self) -> list[str]:
        """What was seen and not expected."""
        return [each for each in self._seen if not any(it.search(each) for it in self._expected)]

    def _on_console(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.saw(f"{message.type}: {message.text} ({message.location.get('url', '')})")

    def _on_request(self, request: Any) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in ("data", "blob") and parts.netloc != self._own:
            self.saw(f"asked {request.url}")

    def _on_dialog(self, dialog: Any) -> None:
        self.saw(f"dialog: {dialog.message}")
        dialog.dismiss()


def settled(page: Page) -> None:
    """Wait until a page shows what it was asked for: where it was told to go it is, no question is without
    its answer, its heading is there, and no skeleton left. What is read after that stays as it is. Not for
    the network to be idle: that is half a second of waiting each time, and proves nothing more."""
    page.wait_for_function(_SETTLED, timeout=PATIENCE_MS)


def fits(page: Page, viewport: ViewportSize) -> None:
    """Wait until nothing is wider than the window, which has this size now: charts are drawn anew a moment
    after it changed."""
    page.wait_for_function(_FITS, arg=viewport["width"], timeout=PATIENCE_MS)


def stands_still(page: Page) -> None:
    """Let nothing grow old in the next page, however slow the machine: an answer stays as fresh as it came.
    To be called before the page is gone to."""
    page.clock.set_fixed_time(datetime.now(UTC))
