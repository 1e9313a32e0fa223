"""A browser as the tests use it: it sees no other host, and a page tells of all that went wrong in it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Generator
from contextlib import contextmanager
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

_REPORT_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (each) =>
  console.error(`policy violated: ${each.violatedDirective} by ${each.blockedURI} ${each.sample}`));
"""


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
        self._expected: list[re.Pattern[str]] = []
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self._seen.append(f"uncaught: {error}"))
        page.on("request", self._on_request)
        page.on("dialog", self._on_dialog)
        page.on("popup", lambda popup: self._seen.append(f"opened {popup.url}"))
        page.on("crash", lambda _: self._seen.append("crashed"))
        page.add_init_script(_REPORT_VIOLATIONS)

    def expect(self, pattern: str) -> None:
        """Let what matches pass: `status of 404`."""
        self._expected.append(re.compile(pattern))

    @property
    def faults(self) -> list[str]:
        """What was seen and not expected."""
        return [each for each in self._seen if not any(it.search(each) for it in self._expected)]

    def _on_console(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self._seen.append(f"{message.type}: {message.text} ({message.location.get('url', '')})")

    def _on_request(self, request: Any) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in ("data", "blob") and parts.netloc != self._own:
            self._seen.append(f"asked {request.url}")

    def _on_dialog(self, dialog: Any) -> None:
        self._seen.append(f"dialog: {dialog.message}")
        dialog.dismiss()


def settled(page: Page) -> None:
    """Wait until a page shows what it was asked for: its heading is there, and no skeleton left. Not for the
    network to be idle: that is half a second of waiting each time, and proves nothing more."""
    page.wait_for_function(
        "() => document.querySelector('h1') && !document.querySelector('[aria-busy=true], .skeleton')",
        timeout=60_000,
    )
