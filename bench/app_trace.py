"""Promise: a trace of 5,000 spans opens in 500 ms, holds 2,000 elements at most, scrolls without long tasks.

    python bench/app_trace.py [--spans 5000] [--rounds 5] [--json]

A server in this process, Debian's Chromium beside it. Opening is from the click on a link until the first
rows are drawn, its request included, the page's code already there (`goto` of another trace first). Tasks
are timed twice: by the clock, as the promise has it, and in processor time of the page's thread, which says
the same on a machine that does other things, too.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from playwright.sync_api import CDPSession, Page

from tests.surfaces.open_doors import OpenDoors
from tests.web.browser import chromium, launched
from tests.web.large_trace import SECOND_NS, large_trace
from watchglass.surfaces.http import web_app

OPEN = """
async (path) => {
  const link = document.createElement("a");
  link.href = path;
  const began = performance.now();
  window.history.pushState({}, "", path);
  window.dispatchEvent(new PopStateEvent("popstate", { state: {} }));
  const id = path.split("/")[2];
  while (!document.querySelector(`[data-trace="${id}"] [role=treeitem]`)) {
    await new Promise((resolve) => requestAnimationFrame(resolve));
  }
  await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
  return performance.now() - began;
}
"""
SCROLL = """
async () => {
  window.longTasks = [];
  new PerformanceObserver((list) => {
    for (const each of list.getEntries()) window.longTasks.push(each.duration);
  }).observe({ type: "longtask" });
  const scroller = document.querySelector(".waterfall-scroller");
  let nodes = 0;
  for (let step = 0; step < 80; step++) {
    scroller.scrollTop += 300;
    await new Promise((resolve) => requestAnimationFrame(resolve));
    nodes = Math.max(nodes, document.querySelectorAll("*").length);
  }
  await new Promise((resolve) => setTimeout(resolve, 200));
  return { nodes, long: window.longTasks };
}
"""


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser()
    options.add_argument("--spans", type=int, default=5000)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--json", action="store_true")
    given = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="watchglass-bench-") as place:
        doors = OpenDoors(Path(place) / "data", web_app=web_app.load())
        try:
            found = measured(doors, given.spans, given.rounds)
        finally:
            doors.stop()
    print(json.dumps(found) if given.json else "\n".join(f"{key}: {value}" for key, value in found.items()))


def measured(doors: OpenDoors, spans: int, rounds: int) -> dict[str, Any]:
    """All figures, times in ms."""
    now = time.time_ns()
    ids = [_send(doors, spans, now - (number + 1) * 3600 * SECOND_NS, number) for number in range(rounds + 1)]
    executable = chromium()
    assert executable is not None, "there is no Chromium on this machine"
    asked = [_request(doors, ids[0]) for _ in range(rounds)]
    with launched(executable) as browser:
        page = browser.new_page(
            base_url=f"http://127.0.0.1:{doors.port}", viewport={"width": 1440, "height": 900}
        )
        page.goto(f"/traces/{ids[0]}")
        page.wait_for_selector("[role=treeitem]")
        opened = [float(page.evaluate(OPEN, f"/traces/{each}")) for each in ids[1:]]
        scrolled, tasks = _scrolled(page)
    return {
        "spans": spans,
        "the request alone, median": round(statistics.median(each[0] for each in asked), 1),
        "its answer, bytes": asked[0][1],
        "open, median": round(statistics.median(opened), 1),
        "open, longest": round(max(opened), 1),
        "elements while scrolling, most": scrolled["nodes"],
        "tasks over 50 ms while scrolling, by the clock": len(scrolled["long"]),
        "longest task while scrolling, processor time": round(max(tasks, default=0.0), 1),
        "tasks over 50 ms while scrolling, processor time": sum(each > 50 for each in tasks),
    }


def _send(doors: OpenDoors, spans: int, begin_ns: int, seed: int) -> str:
    trace_id, bodies = large_trace(spans, begin_ns, seed=seed)
    for body in bodies:
        assert doors.http.post("/v1/traces", json=body).status_code == 200
    while doors.http.get("/health").json()["dependencies"]["ingest"]["unsettled_traces"]:
        pass
    return trace_id


def _request(doors: OpenDoors, trace_id: str) -> tuple[float, int]:
    began = time.perf_counter()
    answer = doors.http.get(f"/api/v1/traces/{trace_id}/view")
    assert answer.status_code == 200
    return (time.perf_counter() - began) * 1000, len(answer.content)


def _scrolled(page: Page) -> tuple[dict[str, Any], list[float]]:
    """What scrolling did, and how long its tasks took in processor time."""
    browser = page.context.browser
    assert browser is not None
    session: CDPSession = browser.new_browser_cdp_session()
    events: list[dict[str, Any]] = []
    done: list[bool] = []
    session.on("Tracing.dataCollected", lambda each: events.extend(each["value"]))
    session.on("Tracing.tracingComplete", lambda _: done.append(True))
    session.send(
        "Tracing.start", {"categories": "toplevel,devtools.timeline", "transferMode": "ReportEvents"}
    )
    found = page.evaluate(SCROLL)
    session.send("Tracing.end")
    while not done:
        page.wait_for_timeout(50)
    mains = {
        (each["pid"], each["tid"])
        for each in events
        if each.get("name") == "thread_name" and each["args"].get("name") == "CrRendererMain"
    }
    tasks = [
        each["tdur"] / 1000
        for each in events
        if each.get("name") in ("RunTask", "ThreadControllerImpl::RunTask")
        and "tdur" in each
        and (each["pid"], each["tid"]) in mains
    ]
    return found, tasks


if __name__ == "__main__":
    main()
