"""Agents and flows in the browser: from the table to one agent, from there to a trace; what is stuck."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

from tests.web.browser import settled
from tests.web.conftest import Open
from tests.web.site import Site
from watchglass import names

HOUR_NS = 3_600 * 10**9


def test_from_agents_to_a_trace(page: Page, axe: Callable[[Page], None]) -> None:
    """A person finds the agent that costs most, looks at its latest task, and is in its trace; the time asked
    about comes along."""
    page.goto("/agents?since=7d")
    settled(page)
    table = page.get_by_role("table", name="Agents", exact=True)
    expect(table.get_by_role("row", name=re.compile("contract-reviewer"))).to_be_visible()
    table.get_by_role("link", name=re.compile("contract-reviewer")).click()
    settled(page)
    expect(page.get_by_role("heading", level=1, name="contract-reviewer")).to_be_visible()
    axe(page)
    expect(page).to_have_url(re.compile("since=7d"))
    page.get_by_role("table", name="Latest tasks").get_by_role("link").first.click()
    expect(page).to_have_url(re.compile(r"/traces/[0-9a-f]{32}\?since=7d"))


def test_the_figures_are_those_of_usage(page: Page, site: Site) -> None:
    """The number of calls on top is that of the usage question for the same time."""
    page.goto("/agents?since=2025-01-01&until=2030-01-01")
    settled(page)
    total = site.http.get(
        "/api/v1/usage", params={"by": "agent", "since": "2025-01-01", "until": "2030-01-01"}
    )
    calls = page.locator(".stat", has=page.get_by_text("Calls", exact=True)).locator(".stat-value .number")
    expect(calls).to_have_attribute("title", f"{total.json()['totals']['calls']:,}")


def test_flows_have_phases(page: Page, axe: Callable[[Page], None]) -> None:
    """A flow type that is chosen shows its phases and how long its runs take; the address says which."""
    page.goto("/agents?view=flows&since=7d")
    settled(page)
    page.get_by_role("table", name="Flow types").get_by_role("link", name=re.compile("^research")).click()
    expect(page).to_have_url(re.compile("flow=research"))
    settled(page)
    phases = page.get_by_role("table", name="Phases of research")
    expect(phases.get_by_role("row", name=re.compile("analysis"))).to_be_visible()
    expect(page.get_by_role("img", name=re.compile("Durations of runs of research"))).to_be_visible()
    axe(page)


def test_what_is_stuck_is_found(on: Open, site: Site, axe: Callable[..., None]) -> None:
    """A run that began two hours ago and was not heard of since is listed as stuck, with its trace,
    of which nothing is known but that."""
    began = time.time_ns() - 2 * HOUR_NS
    sent = site.http.post("/v1/logs", json=_begun(began, trace_id="5" * 32, span_id="6" * 16, name="hang_on"))
    assert sent.status_code == 200, sent.text
    page = on(dark=True)
    page.goto("/agents?since=7d")
    settled(page)
    expect(page.locator(".stat", has_text="Stuck now")).to_contain_text("1")
    page.get_by_role("tab", name=re.compile("Stuck and failed")).click()
    row = page.get_by_role("table", name="Stuck executions").get_by_role("row", name=re.compile("hang_on"))
    expect(row).to_contain_text("2 h")
    axe(page)
    row.get_by_role("link").click()
    expect(page).to_have_url(re.compile("/traces/" + "5" * 32))
    tree = page.get_by_role("tree")
    expect(tree.get_by_role("treeitem", name=re.compile("hang_on"))).to_contain_text("running")
    axe(page, colours=True)


def _begun(at_ns: int, *, trace_id: str, span_id: str, name: str) -> dict[str, Any]:
    """A step event as the SDK sends it, of an agent's run that begins then."""
    said: dict[str, Any] = {
        names.STEP_KIND: {"stringValue": "agent"},
        "gen_ai.operation.name": {"stringValue": "invoke_agent"},
        names.STEP_NAME: {"stringValue": name},
        names.STEP_STATE: {"stringValue": "running"},
        names.STEP_STARTED: {"intValue": str(at_ns)},
        "gen_ai.agent.name": {"stringValue": name},
    }
    record = {
        "timeUnixNano": str(at_ns),
        "eventName": names.STEP_EVENT,
        "traceId": trace_id,
        "spanId": span_id,
        "attributes": [{"key": key, "value": value} for key, value in said.items()],
    }
    scope = {"scope": {"name": "watchglass"}, "logRecords": [record]}
    return {"resourceLogs": [{"resource": {}, "scopeLogs": [scope]}]}
