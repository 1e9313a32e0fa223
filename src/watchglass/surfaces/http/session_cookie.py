"""The cookie that shows a browser's key: the app cannot read it, other pages cannot use it.

It holds the key itself and the server keeps nothing, so a key that was revoked is refused at once. It is
`HttpOnly`, so that no script could take it away, and goes with requests of this site alone
(`SameSite=Strict`). A site is a host name without the port, though: a page of another server on this machine
counts as the same one. So the browser's own word on where a request comes from is asked for too.
"""

from __future__ import annotations

from watchglass.surfaces.http.asgi import Scope, header
from watchglass.surfaces.http.guard import READS, host_port, is_same_origin

_NAME = "watchglass"
_ATTRIBUTES = "; Path=/; HttpOnly; SameSite=Strict"
_LONGEST = 200


def shown_key(scope: Scope) -> str:
    """The key in the request's cookie, '' where it has none or is not one of our own pages."""
    name = _name(scope).encode()
    for each in header(scope, b"cookie").replace(b",", b";").split(b";"):
        key, _, value = each.strip().partition(b"=")
        if key == name and len(value) < _LONGEST and _is_own(scope):
            return value.decode("latin-1")
    return ""


def setting(scope: Scope, key: str) -> str:
    """The value of a Set-Cookie header that has the browser show `key`, until it is closed."""
    return f"{_name(scope)}={key}{_attributes(scope)}"


def ending(scope: Scope) -> str:
    """The value of a Set-Cookie header that has the browser forget it."""
    return f"{_name(scope)}={_attributes(scope)}; Max-Age=0"


def _attributes(scope: Scope) -> str:
    # Behind a proxy that does TLS only the browser knows that its page came by https.
    secure = scope["scheme"] == "https" or header(scope, b"origin").startswith(b"https://")
    return _ATTRIBUTES + "; Secure" * secure


def _name(scope: Scope) -> str:
    """With the port: cookies go to every port of a host, and two servers must not sign each other out."""
    port = host_port(header(scope, b"host"))
    return _NAME if port is None else f"{_NAME}-{port}"


def _is_own(scope: Scope) -> bool:
    """Whether the request is of a page of this server, or a person's who typed the address.

    Browsers say so in Sec-Fetch-Site, but over plain HTTP only on loopback; else Origin tells of a write.
    """
    site = header(scope, b"sec-fetch-site")
    if scope["method"] in READS:
        return site in (b"", b"same-origin", b"none")
    if site:
        return site == b"same-origin"
    return is_same_origin(header(scope, b"origin"), header(scope, b"host"), scope["scheme"])
