"""The app's files: which requests they answer, in what coding, for how long, and under which policy."""

from __future__ import annotations

import asyncio
import gzip
import time
from pathlib import Path
from typing import Any

import pytest
from fake_receiver import FakeReceiver

from watchglass.ingest.admission import ByteBudget
from watchglass.surfaces.http.app import Application
from watchglass.surfaces.http.body import Intake
from watchglass.surfaces.http.guard import Guard
from watchglass.surfaces.http.health import Life
from watchglass.surfaces.http.web_app import File, WebApp, load

INDEX = b"<!doctype html><title>app</title>"
SCRIPT = b"export const app = 1;\n" * 50
HTML = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


class Answer:
    """A status, headers and a body."""

    def __init__(self, messages: list[Any]) -> None:
        self.status: int = messages[0]["status"]
        self.headers = {key.decode(): value.decode() for key, value in messages[0]["headers"]}
        self.body = b"".join(each.get("body", b"") for each in messages[1:])


class Site:
    """An application in this process, asked without a socket in between."""

    def __init__(self, app: WebApp) -> None:
        life, intake = Life(time.monotonic, "0"), Intake(ByteBudget())
        self.application = Application(
            FakeReceiver(), life, guard=Guard("127.0.0.1"), intake=intake, web_app=app
        )

    def ask(self, path: str, method: str = "GET", **headers: str) -> Answer:
        messages: list[Any] = []
        given = {"host": "localhost", **headers}
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in given.items()],
            "client": ("127.0.0.1", 1),
        }

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            messages.append(message)

        asyncio.run(self.application(scope, receive, send))
        return Answer(messages)


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("site") / "web"
    (made / "assets").mkdir(parents=True)
    (made / "index.html").write_bytes(INDEX)
    (made / "favicon.svg").write_bytes(b"<svg/>")
    (made / "assets" / "app-1a2b.js").write_bytes(SCRIPT)
    (made / "assets" / "app-1a2b.js.br").write_bytes(b"brotli")
    (made / "assets" / "app-1a2b.js.gz").write_bytes(gzip.compress(SCRIPT, mtime=0))
    (made / "assets" / "font.woff2").write_bytes(b"font")
    (made / "stamp").write_text("of the sources")
    (made.parent / "secret.txt").write_text("secret")
    (made / "assets" / "app.map").write_text("no type of the app's")
    return made


@pytest.fixture(scope="module")
def site(directory: Path) -> Site:
    return Site(load(directory))


@pytest.mark.parametrize(
    "path", ["/", "/traces", "/traces/4bf9", "/index.html", "/v2/x", "/apis", "//", "/%"]
)
def test_every_other_path_is_a_page_of_the_app(site: Site, path: str) -> None:
    """A browser that opens any address that is not the server's own gets the app, and asks anew next time."""
    answer = site.ask(path, **HTML)
    assert (answer.status, answer.body) == (200, INDEX)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    head = site.ask(path, "HEAD", **HTML)
    assert head.headers == answer.headers


@pytest.mark.parametrize(
    "path", ["/api/v1/usage", "/api", "/v1/traces", "/health", "/ready", "/metrics", "//api/v1/usage"]
)
def test_what_is_the_servers_is_no_page(site: Site, path: str) -> None:
    """The paths of the API, of OTLP and of the server's state never answer with the app."""
    assert site.ask(path, **HTML).body != INDEX


def test_programs_get_no_page(site: Site) -> None:
    """Who does not ask for HTML gets JSON at /, and a 404 where nothing is."""
    front = site.ask("/", accept="*/*")
    assert (front.status, front.headers["content-type"]) == (200, "application/json")
    assert b"/v1/traces" in front.body
    assert site.ask("/traces", accept="application/json").status == 404
    assert site.ask("/traces").status == 404
    assert site.ask("/", "POST", **HTML).status == 405


def test_assets_are_kept_for_ever(site: Site) -> None:
    """A file whose name has its content's hash is never asked for again; others are each time."""
    assert "immutable" in site.ask("/assets/app-1a2b.js").headers["cache-control"]
    assert site.ask("/favicon.svg").headers["cache-control"] == "no-cache"
    assert site.ask("/favicon.svg").headers["content-type"] == "image/svg+xml"
    assert site.ask("/assets/font.woff2").headers["content-type"] == "font/woff2"
    gone = site.ask("/assets/app-0000.js", **HTML)
    assert (gone.status, gone.headers["content-type"]) == (404, "application/problem+json")


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        *(
            ("gzip, deflate, br, zstd", "br"),
            ("gzip", "gzip"),
            ("GZIP;q=0.5", "gzip"),
            ("br;q=0,gzip", "gzip"),
        ),
        *(("", ""), ("deflate", ""), ("br; q=0.0", ""), ("identity", "")),
    ],
)
def test_a_file_is_sent_as_small_as_is_accepted(site: Site, accepted: str, coding: str) -> None:
    """What was compressed at build time is sent as it is, to who takes it; each coding has its own tag."""
    answer = site.ask("/assets/app-1a2b.js", accept_encoding=accepted)
    assert answer.headers.get("content-encoding", "") == coding
    assert answer.body == {"br": b"brotli", "gzip": gzip.compress(SCRIPT, mtime=0), "": SCRIPT}[coding]
    assert answer.headers["vary"] == "accept, accept-encoding"
    assert answer.headers["etag"].endswith(f'-{coding}"' if coding else '"')


def test_who_has_a_file_is_not_sent_it_again(site: Site) -> None:
    """If-None-Match with the present tag is answered 304, without a body and a length."""
    tag = site.ask("/", **HTML).headers["etag"]
    for held in (tag, f'"other", {tag}', f"W/{tag}"):
        answer = site.ask("/", if_none_match=held, **HTML)
        assert (answer.status, answer.body) == (304, b"")
        assert "content-length" not in answer.headers and answer.headers["etag"] == tag
    assert site.ask("/", if_none_match='"other"', **HTML).status == 200


@pytest.mark.parametrize(
    "path",
    [
        *("/../secret.txt", "/assets/../../secret.txt", "/assets/..%2f..%2fsecret.txt", "/%2e%2e/secret.txt"),
        *(
            "/assets//../../secret.txt",
            "/assets/\\..\\..\\secret.txt",
            "/secret.txt",
            "/stamp",
            "/assets/app.map",
        ),
        *("/assets/app-1a2b.js.br", "/assets/app-1a2b.js/", "/assets/\0"),
    ],
)
def test_nothing_else_of_the_disk_is_sent(site: Site, path: str) -> None:
    """A path finds a file of the app by its whole name or nothing at all."""
    assert site.ask(path).status == 404


def test_everything_is_sent_under_a_strict_policy(site: Site) -> None:
    """Pages and files forbid what is inline, what is from elsewhere, frames, and guesses of their type."""
    for path in ("/", "/assets/app-1a2b.js", "/favicon.svg"):
        headers = site.ask(path, **HTML).headers
        policy = dict(each.strip().split(" ", 1) for each in headers["content-security-policy"].split(";"))
        assert policy["default-src"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
        assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
        assert "unsafe" not in headers["content-security-policy"] and "http" not in policy.values()
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cross-origin-opener-policy"] == "same-origin"


def test_pages_too_are_for_known_hosts_only(site: Site) -> None:
    """A name that points here from elsewhere (DNS rebinding) gets neither a page nor a file."""
    for path in ("/", "/assets/app-1a2b.js"):
        assert site.ask(path, host="evil.example", **HTML).status == 421


def test_without_the_app_a_page_says_how_to_build_it(tmp_path: Path) -> None:
    """An installation without the app answers every page with what to do, and all else as ever."""
    app = load(tmp_path / "nothing")
    site = Site(app)
    answer = site.ask("/traces", **HTML)
    assert not app.built and answer.status == 200
    assert b"make app" in answer.body and b"<script" not in answer.body and b"style" not in answer.body
    assert site.ask("/ready").status == 200
    assert site.ask("/assets/app.js").status == 404


def test_a_page_says_where_nobody_needs_a_key() -> None:
    """Where there are no keys the page asks at once; where there are it says nothing of who may."""
    file = File(b"text/html; charset=utf-8", {b"": b'<html lang="en"><title>app</title>'}, b"1")
    app = WebApp({"/index.html": file})
    scope: Any = {"method": "GET", "path": "/", "headers": [(b"accept", b"text/html")]}
    bodies = []
    for keyed in (False, True):
        answer = app.answer(scope, keyed=keyed)
        assert answer is not None
        bodies.append(answer.body)
    assert bodies == [b'<html lang="en" data-open><title>app</title>', file.bodies[b""]]
