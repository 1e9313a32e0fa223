"""Whose word is taken for which tenant a request is for. By default nobody's.

Not loopback's either: behind a proxy on the same machine every request of the world comes from there.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from watchglass.capture import boundary
from watchglass.capture.propagation import destinations
from watchglass.errors import ConfigError

SECRET_HEADER = "watchglass-secret"
"""Header by which a service shows that it shares a secret with the one it calls."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent a request: the address it came from (None on a unix socket) and its headers in lower case."""

    address: str | None
    headers: Mapping[str, str]


Trust: TypeAlias = "Iterable[str] | Callable[[Caller], bool]"
"""Addresses and networks of callers whose baggage is believed, or a function of the `Caller`."""

Judge: TypeAlias = Callable[[Caller], bool]


def judge(trust: Trust) -> Judge:
    """Whether a caller is trusted. Raises `ConfigError` for what is no address: names can be claimed."""
    if callable(trust):
        return _safely(trust)
    if isinstance(trust, str):
        raise ConfigError(f"trust {trust!r} is one text; give a list of networks: [{trust!r}]")
    networks: list[destinations.Network] = []
    for entry in trust:
        network = destinations.network_of(entry)
        if network is None:
            raise ConfigError(
                f"trust {entry!r} is no address or network; write 10.0.0.0/8, or use watchglass.shared_secret"
            )
        networks.append(network)

    def among(caller: Caller) -> bool:
        address = destinations.address_of(caller.address) if caller.address else None
        return address is not None and any(
            address in network for network in networks if network.version == address.version
        )

    return among


def _safely(trust: Callable[[Caller], bool]) -> Judge:
    asked = boundary.guarded("propagation.trust")(trust)
    return lambda caller: asked(caller) is True


def shared_secret(secret: str) -> Judge:
    """Trust whoever sends this secret in the header `watchglass-secret`, wherever it comes from.

    The way to go behind a proxy, which hides who calls. `init(baggage_secret=…)` makes the caller send
    it, to the hosts in `baggage_to` only. Raises `ConfigError` for a secret that can be guessed.
    """
    if len(secret) < 16 or not secret.isascii() or not secret.isprintable():
        raise ConfigError(
            f"a shared secret of {len(secret)} characters can be guessed or not sent; use 16 or more of ASCII"
        )
    expected = secret.encode()

    def known(caller: Caller) -> bool:
        shown = caller.headers.get(SECRET_HEADER, "")
        return hmac.compare_digest(shown.encode("utf-8", "replace"), expected)

    return known


def either(*judges: Judge) -> Judge:
    """Trust whom any of them trusts."""
    return lambda caller: any(judge(caller) for judge in judges)
