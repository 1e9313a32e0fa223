"""What others wrote is shown and does nothing: prompts that try to run, hide, leave or choke the page."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.otlp_bodies import chat, request
from tests.web.browser import settled
from tests.web.conftest import Open
from tests.web.site import Site

TRACE = 0xBAD
SESSION = "<img src=x onerror=window.ran=1>"

ATTACKS = {
    "script": "<script>window.ran = 'script'</script>",
    "handler": "<img src=x onerror=\"window.ran = 'handler'\"><b onmouseover='window.ran=1'>hover</b>",
    "svg": "<svg onload=\"window.ran = 'svg'\"><script>window.ran = 1</script></svg>",
    "link": "[press me](javascript:window.ran='link') <a href=\"javascript:window.ran='a'\">or me</a>",
    "autolink": "<javascript:window.ran='auto'> [data](data:text/html,<script>window.ran=1</script>)",
    "picture": "![x](https://example.com/seen.png) ![y](javascript:window.ran=1) <img src=//example.com/i>",
    "frame": '<iframe srcdoc="<script>parent.ran=1</script>"></iframe><object data="data:,x"></object>',
    "style": "<style>*{display:none}</style><link rel=stylesheet href=https://example.com/x.css>",
    "form": '<form action="https://example.com/"><button>go</button></form><base href="//example.com/">',
    "ansi": "\x1b[31mred\x1b[0m \x1b]8;;https://example.com\x07link\x1b]8;;\x07 \x07\x08\x00",
    "bidi": "access granted \u202e\u2066 detnarg sseccA \u2069\u202c\u200b\ufeff",
    "template": "{{constructor.constructor('window.ran=1')()}} ${window.ran=1} __proto__",
    "line": "x" * 5_000_000,
    "deep": "> " * 3000 + "deep",
    "brackets": "[" * 20_000 + "*a **b " * 5_000,
}


def hostile(number: int, name: str, text: str) -> Any:
    """A call whose every text is the attack."""
    short = text[:2000]
    messages = [
        {"role": "system", "parts": [{"type": "text", "content": short}]},
        {"role": "user", "parts": [{"type": "text", "content": text}]},
    ]
    answer = [
        {"role": "assistant", "parts": [{"type": "text", "content": short}], "finish_reason": short[:50]}
    ]
    made = chat(
        TRACE,
        number + 2,
        1,
        name=short[:200],
        gen_ai__input__messages=json.dumps(messages),
        gen_ai__output__messages=json.dumps(answer),
        gen_ai__agent__name=short[:100],
        gen_ai__conversation__id=SESSION,
        error__type=short[:100],
        hostile=short,
    )
    made.status.code = 2
    made.status.message = short
    event = made.events.add()
    event.name = "exception"
    return made


@pytest.fixture(scope="module")
def stored(site: Site) -> str:
    """A trace of such calls, an hour ago; its id."""
    root = chat(TRACE, 1, name="run", gen_ai__conversation__id=SESSION)
    spans = [root, *(hostile(number, *each) for number, each in enumerate(ATTACKS.items()))]
    begin = time.time_ns() - 3600 * 10**9
    for number, span in enumerate(spans):
        span.start_time_unix_nano = begin + number * 10**9
        span.end_time_unix_nano = span.start_time_unix_nano + 10**9
    body = request(*spans, resource={"service.name": SESSION, "watchglass.tenant": "hostile"})
    assert site.doors.export(body, None).status_code == 200
    site.settle()
    return f"{TRACE:032x}"


def look(page: Page) -> None:
    """Nothing ran, nothing was built of what was sent, nothing leads away; and the page still answers."""
    found: Any = page.evaluate(
        """() => ({
          ran: window.ran ?? null,
          made: [...document.querySelector("main").querySelectorAll(
              "script, iframe, object, embed, base, link, style, img, form[action], [onerror], [onload]")]
            .map((each) => each.outerHTML.slice(0, 200)),
          links: [...document.querySelectorAll("a[href]")].map((each) => each.protocol)
            .filter((each) => !["http:", "https:"].includes(each)),
        })"""
    )
    assert found == {"ran": None, "made": [], "links": []}
    page.wait_for_function(
        "() => new Promise((done) => requestAnimationFrame(() => setTimeout(() => done(true))))"
    )


def test_a_hostile_trace_is_only_shown(on: Open, stored: str) -> None:
    """The trace opens with every call of it and stays quick to answer; each call, with an attack as prompt,
    answer, error, name and agent, shows texts as texts, runs nothing and loads nothing."""
    page = on()
    page.goto(f"/traces/{stored}")
    settled(page)
    look(page)
    calls = page.locator(".waterfall-call")
    expect(calls).to_have_count(1 + len(ATTACKS))
    for number, text in enumerate(ATTACKS.values()):
        calls.nth(1 + number).click()
        page.wait_for_url(f"**span={number + 2:016x}*")
        expect(page.locator(".conversation-messages li").first).to_be_visible()
        settled(page)
        look(page)
        if text.startswith("<"):  # or all of this would prove nothing
            expect(page.locator("main")).to_contain_text(text[:20])


def test_hostile_names_are_only_shown(on: Open, stored: str) -> None:
    """Lists with such names, sessions and agents in them show them as text; a session whose name is markup
    has a page of its own like others."""
    page = on()
    session = "/sessions/" + "".join(f"%{byte:02x}" for byte in SESSION.encode())
    for path in ("/traces?since=1d&tenant=hostile", "/sessions?since=1d", "/agents?since=1d", session):
        page.goto(path)
        settled(page)
        look(page)
