"""The budgets of a server, over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import msgspec

from watchglass.surfaces.cli.remote import RemoteReader

_PATH = "/api/v1/budgets"


class RemoteBudgets:
    """Asks for budgets there and changes them. Every method raises `Unreachable` without a server."""

    def __init__(self, url: str, *, timeout_s: float, key: str | None) -> None:
        self._server = RemoteReader(url, timeout_s=timeout_s, key=key)

    def list(self) -> list[dict[str, Any]]:
        """All of them, as they are defined."""
        return self._ask(_PATH, None, "GET")["budgets"]

    def status(self) -> list[dict[str, Any]]:
        """All of them, with how they stand."""
        return self._ask(f"{_PATH}/status", None, "GET")["budgets"]

    def show(self, name: str) -> dict[str, Any]:
        """One, with what was told of it. Raises `NotFound`."""
        return self._ask(f"{_PATH}/{quote(name, safe='')}", None, "GET")

    def set(self, said: Mapping[str, Any]) -> dict[str, Any]:
        """Make or change one."""
        return self._ask(_PATH, msgspec.json.encode(said), "POST")

    def remove(self, name: str) -> dict[str, Any]:
        """End one. Raises `NotFound`."""
        return self._ask(f"{_PATH}/{quote(name, safe='')}", None, "DELETE")

    def _ask(self, path: str, body: bytes | None, method: str) -> dict[str, Any]:
        return msgspec.json.decode(self._server.fetch(path, body, method))
