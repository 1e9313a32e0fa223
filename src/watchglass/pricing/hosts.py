"""Who answers at a host, and which hosts are on this machine or in a private network."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from watchglass.pricing.labels import exactly, is_silent
from watchglass.pricing.providers import AWS_DOMAINS, AWS_SERVICES, HOSTS, LOCAL, LOCAL_DOMAINS

STRANGER = "stranger"
"""A public host that is in no table."""

_OLLAMA = "ollama"
_OLLAMA_PORT = 11434
_NAME = re.compile(r"(?=.*[a-z])[a-z0-9]([a-z0-9_.-]*[a-z0-9])?")


def by_host(address: str | None) -> str | None:
    """The provider at a host name, address or base URL; `STRANGER`, or None where it says nothing."""
    found = _split(address.strip()) if address else None
    if found is None:
        return None
    host, port = found
    known = _by_name(host)
    if known is not None:
        return known
    number = _number(host)
    if number is not None:
        return STRANGER if number.is_global else _local(port)
    if not _NAME.fullmatch(host):
        return None
    if host == "localhost" or host.endswith(LOCAL_DOMAINS):
        return _local(port)
    return STRANGER if "." in host else _by_service(host, port)


def _split(address: str) -> tuple[str, int | None] | None:
    """Host and port, lower case."""
    if _number(address.strip("[]")) is not None:  # a bare IPv6 address is full of what looks like ports
        return address.strip("[]"), None
    try:
        parts = urlsplit(address if "//" in address else f"//{address}")
        return (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        return None


def _number(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _by_name(host: str) -> str | None:
    if host.endswith(AWS_DOMAINS):
        for label in host.split("."):
            for start, provider in AWS_SERVICES:
                if label == start or label.startswith(f"{start}-"):
                    return provider
    for suffix, provider in HOSTS:
        # On a label's boundary only: evil-openai.com is somebody else's. A suffix that starts
        # with a dash or a dot says itself where it may be cut.
        if host == suffix or host.endswith(suffix if suffix[0] in "-." else f".{suffix}"):
            return provider
    return None


def _by_service(host: str, port: int | None) -> str | None:
    """A name without a dot: a service of this machine's containers or cluster.

    One called after a proxy (`litellm`) or a provider says nothing about who is behind it.
    """
    named = exactly(host)
    if named == _OLLAMA:
        return named
    if is_silent(host) or named not in (None, LOCAL):
        return None
    return _local(port)


def _local(port: int | None) -> str:
    return _OLLAMA if port == _OLLAMA_PORT else LOCAL
