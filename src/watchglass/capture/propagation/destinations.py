"""Where our baggage may go. A tenant's name is nobody else's business, so by default: nowhere.

Not even to loopback or private addresses unless named: a proxy, a gateway to model providers or a mesh's
sidecar stands there and hands headers on.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable
from typing import TypeAlias
from urllib.parse import urlsplit

from watchglass.errors import ConfigError

Destinations: TypeAlias = "Iterable[str] | Callable[[str, int | None], bool]"
"""Hosts (`billing.internal`, `*.svc.cluster.local`, `api:8080`), addresses and networks (`10.0.0.0/8`, which
matches where a URL has the address), or a function of host and port."""

Rule: TypeAlias = Callable[[str, "int | None"], bool]

Network: TypeAlias = "ipaddress.IPv4Network | ipaddress.IPv6Network"


def rule(allowed: Destinations) -> Rule:
    """Whether a host and port are among `allowed`. Raises `ConfigError` for what is no host."""
    if callable(allowed):
        return allowed
    if isinstance(allowed, str):
        raise ConfigError(f"destinations {allowed!r} is one text; give a list of hosts: [{allowed!r}]")
    tests = [_test(entry) for entry in allowed]
    return lambda host, port: any(test(host, port) for test in tests)


def _test(entry: str) -> Rule:
    network = network_of(entry)
    if network is not None:
        return lambda host, port: _within(host, network)
    host, _, port_text = entry.lower().partition(":")
    bare = host.removeprefix("*.")
    if (
        not bare
        or not all(c.isalnum() or c in "-._" for c in bare)
        or (port_text and not port_text.isdigit())
    ):
        raise ConfigError(
            f"destination {entry!r} is no host; write billing.internal, *.internal, api:8080 or 10.0.0.0/8"
        )
    only_port = int(port_text) if port_text else None
    if host == bare:
        return lambda asked, port: asked == bare and only_port in (None, port)
    return lambda asked, port: asked.endswith("." + bare) and only_port in (None, port)


def network_of(entry: str) -> Network | None:
    """The network or single address that a text names, if it names one."""
    try:
        return ipaddress.ip_network(entry.strip("[]"), strict=False)
    except ValueError:
        return None


def _within(host: str, network: Network) -> bool:
    address = address_of(host)
    return address is not None and address.version == network.version and address in network


def address_of(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address that a text is, an IPv4 one also where it is written as IPv6 (`::ffff:10.0.0.1`)."""
    try:
        address = ipaddress.ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def parsed(target: str) -> tuple[str, int | None] | None:
    """Host and port of a URL or of `host:port`; None when it is not plain which host is meant."""
    if "\\" in target or any(c.isspace() for c in target):
        return None  # parsers differ on these, and the one that sends may go elsewhere than this one says
    try:
        parts = urlsplit(target if "://" in target else f"//{target}")
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if not host:
        return None
    return host.rstrip(".").lower(), port or {"http": 80, "https": 443}.get(parts.scheme)
