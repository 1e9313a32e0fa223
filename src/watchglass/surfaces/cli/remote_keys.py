"""The keys of a server, over HTTP, with an admin key."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import msgspec

from watchglass.store import Wanted
from watchglass.surfaces.cli.remote import RemoteReader

_PATH = "/api/v1/keys"


class RemoteKeys:
    """Makes and revokes keys there. Every method raises `Unreachable` when no watchglass answers."""

    def __init__(self, url: str, *, timeout_s: float, key: str | None) -> None:
        self._server = RemoteReader(url, timeout_s=timeout_s, key=key)

    def create(self, wanted: Wanted) -> dict[str, Any]:
        """The new key, with its text in `key`."""
        return self._ask(_PATH, msgspec.json.encode(wanted), "POST")

    def list(self) -> list[dict[str, Any]]:
        """All of them."""
        return self._ask(_PATH, None, "GET")["keys"]

    def revoke(self, id: str, *, forget: bool) -> dict[str, Any]:
        """End one. Raises `NotFound`."""
        return self._ask(f"{_PATH}/{quote(id, safe='')}{'?forget=true' if forget else ''}", None, "DELETE")

    def _ask(self, path: str, body: bytes | None, method: str) -> dict[str, Any]:
        return msgspec.json.decode(self._server.fetch(path, body, method))
