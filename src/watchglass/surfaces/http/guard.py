"""Keeps web pages out of an open loopback server: a Host allow-list and an Origin check on writes.

A page can make a browser send requests to 127.0.0.1, and with a DNS name that it points there
(rebinding) even read the answers. The Host header then names the page's domain, and Origin its
site, so both are looked at; and no CORS header is ever sent.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from watchglass.surfaces.http.asgi import Response, Scope
from watchglass.surfaces.http.problems import problem

LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})

READS = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing."""


def host_name(value: str) -> str | None:
    """The name in a Host header value or allow-list entry, without port and brackets; None if malformed."""
    try:
        parts = urlsplit(f"//{value.strip()}")
        name, _ = parts.hostname, parts.port
    except ValueError:
        return None
    if not name or parts.username is not None or parts.path or parts.query or parts.fragment:
        return None
    return name.removesuffix(".")


def host_port(value: bytes) -> int | None:
    """The port in a Host header value; None where it has none or is malformed."""
    try:
        return urlsplit(f"//{value.decode('latin-1')}").port
    except ValueError:
        return None


class Guard:
    """Which requests may be looked at. `bound` is the address served; entries match whatever the port."""

    def __init__(self, bound: str, allowed_hosts: Iterable[str] = ()) -> None:
        names = {host_name(f"[{host}]" if host.count(":") > 1 else host) for host in (bound, *allowed_hosts)}
        self._allowed = LOOPBACK_HOSTS | {name for name in names if name}
        self._seen: dict[bytes, bool] = {}

    def refusal(self, scope: Scope, *, any_host: bool = False) -> Response | None:
        """Why the request is refused, or None.

        With `any_host` any name will do: where a key is needed, a page that reaches this server by a
        name of its own has none to show.
        """
        host, hosts, origin, site = b"", 0, None, b""
        for key, value in scope["headers"]:
            if key == b"host":
                host, hosts = value, hosts + 1
            elif key == b"origin":
                origin = value
            elif key == b"sec-fetch-site":
                site = value
        if hosts != 1 and (hosts or scope["http_version"] != "1.0"):
            return problem(400, "The request needs exactly one Host header.", where="header Host")
        if hosts and not any_host and not self._known(host):
            return problem(
                421,
                f"This server does not answer to the host {host[:200].decode('latin-1')!r}: use localhost or "
                "127.0.0.1, or add the name to the setting allowed_hosts.",
                where="header Host",
            )
        # No script can set Sec-Fetch-Site, and behind a proxy that does TLS the scheme is not the browser's.
        if scope["method"] in READS or site == b"same-origin":
            return None
        if is_same_origin(origin, host, scope["scheme"]) if origin is not None else not site:
            return None
        page = "another site" if origin is None else repr(origin[:200].decode("latin-1"))
        return problem(
            403,
            f"Web pages of {page} may not write here: "
            "send from a program, or through a page that this server serves.",
            where="header Origin",
        )

    def _known(self, host: bytes) -> bool:
        """Whether the Host value is allowed; values are few, so each is judged once."""
        known = self._seen.get(host)
        if known is None:
            known = host_name(host.decode("latin-1")) in self._allowed
            if known and len(self._seen) < 100:
                self._seen[host] = known
        return known


def is_same_origin(origin: bytes, host: bytes, scheme: str) -> bool:
    """RFC 6454 5: scheme, host and port agree; a Host without a port means the scheme's own."""
    return origin.lower() == b"%s://%s" % (scheme.encode(), host.lower())
