"""Promise: going to another page takes 200 ms, and the first page can be used within a second.

    python bench/app_change.py [--data DIRECTORY] [--since 7d] [--rounds 5] [--json]

A server process over `--data`, or over an empty directory with a week of the demo, and Debian's Chromium
beside it. A change of page is from the click on its link in the navigation until its heading and its data are
drawn and nothing says that it is busy. The link is pointed at for 150 ms before, as people do at the least.
`first`: that page was never open in this browser. `again`: it was, so what it showed is shown at once and
asked for anew behind it when it is old. Opening the first page is from its address to its data, with nothing
in the browser's cache.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from playwright.sync_api import Browser, Page
from served import Served, served

from tests.web.browser import chromium, launched
from watchglass.surfaces.cli.demo import poster
from watchglass.surfaces.demo.plan import Window
from watchglass.surfaces.demo.sending import send_history

PAGES = ("Traces", "Sessions", "Agents and flows", "Costs", "Budgets", "Prices", "Doctor", "Overview")
POINTED_MS = 150

CHANGE = """
async (label) => {
  const link = [...document.querySelectorAll("nav a")].find((each) => each.textContent.trim() === label);
  const began = performance.now();
  link.click();
  const drawn = () =>
    link.getAttribute("aria-current") === "page" &&
    document.querySelector("h1")?.textContent.trim() === label &&
    !document.querySelector("[aria-busy=true], .skeleton");
  while (!drawn()) {
    if (performance.now() - began > 60000) throw new Error(`${label} is not drawn`);
    await new Promise((resolve) => requestAnimationFrame(resolve));
  }
  await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
  return performance.now() - began;
}
"""
SHOWN = "() => document.querySelector('h1') && !document.querySelector('[aria-busy=true], .skeleton')"
PAINTED = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
LOADED = """
() => [
  performance.getEntriesByName("first-contentful-paint")[0].startTime,
  Math.max(...performance.getEntriesByType("resource")
    .filter((each) => each.name.includes("/api/v1/overview")).map((each) => each.responseEnd)),
]
"""


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser()
    options.add_argument("--data", type=Path)
    options.add_argument("--since", default="7d")
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--json", action="store_true")
    given = options.parse_args()
    executable = chromium()
    assert executable is not None, "there is no Chromium on this machine"
    with served(given.data) as server, launched(executable) as browser:
        if given.data is None:
            _send_demo(server)
        found = measured(server, browser, given.rounds, given.since)
    print(json.dumps(found) if given.json else "\n".join(f"{key}: {value}" for key, value in found.items()))


def _send_demo(server: Served) -> None:
    window = Window(seed=7, now_ns=time.time_ns(), days=8, rate=0.15)
    for _ in send_history(window, poster(server.url), time.sleep):
        pass
    while server.get("/health")["dependencies"]["ingest"]["unsettled_traces"]:
        pass


def measured(server: Served, browser: Browser, rounds: int, since: str) -> dict[str, Any]:
    """Medians of all figures, in ms."""
    opened: list[float] = []
    painted: list[float] = []
    answered: list[float] = []
    first: dict[str, list[float]] = {label: [] for label in PAGES}
    again: dict[str, list[float]] = {label: [] for label in PAGES}
    for _ in range(rounds):
        page = browser.new_page(base_url=server.url, viewport={"width": 1440, "height": 900})
        opened.append(_opened(page, since))
        paint, answer = page.evaluate(LOADED)
        painted.append(paint)
        answered.append(answer)
        for times in (first, again):
            for label in PAGES:
                times[label].append(_changed(page, label))
        page.close()
    del first["Overview"]  # it was open from the beginning
    return {
        "load of the machine over the last minute": round(os.getloadavg()[0], 1),
        "open Overview": round(statistics.median(opened), 1),
        "open Overview, first paint": round(statistics.median(painted), 1),
        "open Overview, its data are there": round(statistics.median(answered), 1),
        **{f"to {label}, first": round(statistics.median(each), 1) for label, each in first.items()},
        **{f"to {label}, again": round(statistics.median(each), 1) for label, each in again.items()},
    }


def _opened(page: Page, since: str) -> float:
    begun = time.perf_counter()
    page.goto(f"/?since={since}", wait_until="commit")
    page.wait_for_function(SHOWN, timeout=60_000)
    page.evaluate(PAINTED)
    return (time.perf_counter() - begun) * 1000


def _changed(page: Page, label: str) -> float:
    page.locator("nav").get_by_role("link", name=label, exact=True).hover()
    page.wait_for_timeout(POINTED_MS)
    return float(page.evaluate(CHANGE, label))


if __name__ == "__main__":
    main()
