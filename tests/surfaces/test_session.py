"""Signing in from a browser: a cookie that only the app's own pages can use, and that ends with its key."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.otlp_bodies import chat, request
from tests.surfaces.open_doors import OpenDoors, bearer
from tests.waiting import until
from watchglass.store import Wanted, open_keys

PATH = "/api/v1/session"
OURS = {"sec-fetch-site": "same-origin"}
WRONG = "wg_000000000000_" + "A" * 43


class Signing:
    """A server with keys, and browsers."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.doors = OpenDoors(data)
        self.before = self.browser().get(PATH).json()
        self.signed_before = self.browser().post(PATH, json={"key": WRONG})
        self.keys = {
            "read@acme": self.key(Wanted(role="read", tenant="acme")),
            "admin": self.key(Wanted(role="admin")),
            "ingest": self.key(Wanted(role="ingest")),
        }
        self.doors.until(lambda: self.doors.backend.access.keyed)
        assert (
            self.doors.export(request(chat(1, 1, tenant="demo-acme")), self.keys["ingest"]).status_code == 200
        )

    def key(self, wanted: Wanted) -> str:
        with open_keys(self.data) as keys:
            return keys.create(wanted)[1]

    def browser(self, **headers: str) -> httpx.Client:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return httpx.Client(base_url=f"http://127.0.0.1:{self.doors.port}", headers=given or OURS, timeout=60)

    def page_of(self, headers: dict[str, str]) -> httpx.Client:
        return httpx.Client(base_url=f"http://127.0.0.1:{self.doors.port}", headers=headers, timeout=60)

    def signed_in(self, key: str) -> httpx.Client:
        browser = self.browser()
        assert browser.post(PATH, json={"key": self.keys.get(key, key)}).status_code == 200
        return browser


@pytest.fixture(scope="module")
def signing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Signing]:
    made = Signing(tmp_path_factory.mktemp("session") / "data")
    yield made
    made.doors.stop()


def said(answer: httpx.Response) -> dict[str, Any]:
    found = answer.json()
    return {name: found[name] for name in ("keyed", "role", "tenant")}


def test_without_keys_nobody_signs_in(signing: Signing) -> None:
    """A server without keys says that all is allowed, and sets no cookie whatever it is shown."""
    assert (signing.before["keyed"], signing.before["role"], signing.before["demo"]) == (
        False,
        "admin",
        False,
    )
    assert signing.signed_before.status_code == 200
    assert "set-cookie" not in signing.signed_before.headers


def test_who_has_no_key_is_told_so(signing: Signing) -> None:
    """With keys the app learns that it must ask for one, which is no error and not noted in the audit."""
    noted = dict(signing.doors.backend.access.watch.counts)
    answer = signing.browser().get(PATH)
    assert answer.status_code == 200
    assert said(answer) == {"keyed": True, "role": None, "tenant": None}
    assert answer.json()["version"] and answer.json()["time"].endswith("Z")
    assert answer.headers["cache-control"] == "no-store"
    assert dict(signing.doors.backend.access.watch.counts) == noted


def test_a_key_signs_a_browser_in_and_out(signing: Signing) -> None:
    """The cookie stands for the key in reading and writing, until the browser is signed out."""
    browser = signing.signed_in("admin")
    assert said(browser.get(PATH)) == {"keyed": True, "role": "admin", "tenant": None}
    assert browser.get("/api/v1/usage").status_code == 200
    assert browser.post("/api/v1/query", json={"sql": "SELECT 1"}).status_code == 200
    assert browser.get(PATH).json()["demo"] is True
    assert said(browser.delete(PATH))["role"] is None
    assert not browser.cookies
    assert browser.get("/api/v1/usage").status_code == 401


def test_a_tenants_key_shows_that_tenant(signing: Signing) -> None:
    """A cookie has the scope of its key."""
    browser = signing.signed_in("read@acme")
    assert said(browser.get(PATH)) == {"keyed": True, "role": "read", "tenant": "acme"}
    assert browser.get(PATH).json()["demo"] is False
    assert browser.get("/api/v1/keys").status_code == 403


def test_no_script_can_take_the_cookie_away(signing: Signing) -> None:
    """It is HttpOnly, of this site and (by its name) of this port, and Secure where the page came by TLS."""
    cookie = signing.browser().post(PATH, json={"key": signing.keys["admin"]}).headers["set-cookie"]
    assert cookie.startswith(f"watchglass-{signing.doors.port}=wg_")
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))
    assert "Secure" not in cookie
    by_https = signing.browser(origin="https://watch.example", **OURS)
    proxied = by_https.post(PATH, json={"key": signing.keys["admin"]}, headers={"host": "watch.example"})
    assert proxied.headers["set-cookie"].startswith("watchglass=wg_")
    assert proxied.headers["set-cookie"].endswith("; Secure")


@pytest.mark.parametrize(
    "key", ["", "wg_", WRONG, "nonsense", "a;b", "a\r\nset-cookie: b=c", "é", "wg_" + "A" * 9000, " "]
)
def test_what_is_no_key_signs_nobody_in(signing: Signing, key: str) -> None:
    """It is a 401 with words, and no cookie."""
    answer = signing.browser().post(PATH, json={"key": key})
    assert answer.status_code == 401 and "set-cookie" not in answer.headers
    assert "key" in answer.json()["detail"] and "Authorization" not in answer.json()["detail"]


@pytest.mark.parametrize("body", [b"", b"{}", b'{"key": 1}', b'{"key": "x", "more": 1}', b"[" * 10_001])
def test_a_body_that_says_no_key_is_refused(signing: Signing, body: bytes) -> None:
    """What cannot be read is a 400, what is too long a 413."""
    assert signing.browser().post(PATH, content=body).status_code in (400, 413)


def test_an_ingest_key_cannot_sign_in(signing: Signing) -> None:
    """A key that may only send is refused with the roles that may look."""
    answer = signing.browser().post(PATH, json={"key": signing.keys["ingest"]})
    assert answer.status_code == 403 and "read or an admin key" in answer.json()["detail"]


def test_a_revoked_key_ends_its_sessions(signing: Signing) -> None:
    """As soon as the server knows a request with its cookie is a 401, and the app is told to ask anew."""
    text = signing.key(Wanted(role="read"))
    until(lambda: signing.browser().get(PATH, headers=bearer(text)).json()["role"] == "read")
    browser = signing.signed_in(text)
    assert browser.get("/api/v1/usage").status_code == 200
    with open_keys(signing.data) as keys:
        keys.revoke(text)
    until(lambda: browser.get("/api/v1/usage").status_code == 401)
    assert said(browser.get(PATH))["role"] is None


def test_the_header_wins(signing: Signing) -> None:
    """Where a request shows both, its Authorization header counts."""
    browser = signing.signed_in("admin")
    assert said(browser.get(PATH, headers=bearer(signing.keys["read@acme"])))["tenant"] == "acme"
    assert browser.get("/api/v1/usage", headers=bearer(WRONG)).status_code == 401


@pytest.mark.parametrize(
    ("headers", "read", "write"),
    [
        ({"sec-fetch-site": "same-origin"}, 200, 200),
        ({"sec-fetch-site": "none"}, 200, 403),
        ({"sec-fetch-site": "same-site"}, 401, 403),
        ({"sec-fetch-site": "cross-site"}, 401, 403),
        ({"sec-fetch-site": "cross-site", "origin": "https://evil.example"}, 401, 403),
        ({"sec-fetch-site": "same-origin", "origin": "https://behind.a.proxy"}, 200, 200),
        ({"origin": "OWN"}, 200, 200),
        ({"origin": "http://127.0.0.1:1"}, 200, 403),
        ({"accept": "*/*"}, 200, 401),
    ],
)
def test_only_our_own_pages_can_use_the_cookie(
    signing: Signing, headers: dict[str, str], read: int, write: int
) -> None:
    """Pages of other origins, ports of the same host included, neither read nor write with it; a write needs
    the browser's word that it is ours."""
    cookies = dict(signing.signed_in("admin").cookies)
    own = f"http://127.0.0.1:{signing.doors.port}"
    given = {name: own if value == "OWN" else value for name, value in headers.items()}
    with httpx.Client(base_url=own, cookies=cookies, headers=given, timeout=60) as browser:
        assert browser.get("/api/v1/usage").status_code == read
        assert browser.post("/api/v1/query", json={"sql": "SELECT 1"}).status_code == write


def test_a_foreign_page_cannot_sign_a_browser_in(signing: Signing) -> None:
    """Signing in is a write like others: of another origin it is refused, with Origin or without."""
    for headers in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}):
        with signing.page_of(headers) as page:
            assert page.post(PATH, json={"key": signing.keys["admin"]}).status_code == 403
