"""Repricing by a server, over HTTP."""

from __future__ import annotations

import threading
from typing import Any
from urllib.parse import quote

import msgspec

from watchglass.surfaces.cli.remote import RemoteReader

_PATH = "/api/v1/reprices"


class RemoteReprices:
    """See `LocalReprices`. Every method raises `Unreachable` without a server."""

    def __init__(self, url: str, *, timeout_s: float, key: str | None) -> None:
        self._server = RemoteReader(url, timeout_s=timeout_s, key=key)

    def start(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """Begin a run, or see what it would change."""
        return self._post("", wanted)

    def list(self) -> list[dict[str, Any]]:
        """All runs."""
        return self._get("")["runs"]

    def show(self, id: str, *, changes: bool = False, left: int = 0) -> dict[str, Any]:
        """One run."""
        return self._get(f"/{quote(id, safe='')}?changes={'yes' if changes else 'no'}&left={left}")

    def undo(self, id: str, why: str) -> dict[str, Any]:
        """Begin to take it back."""
        return self._post(f"/{quote(id, safe='')}/undo", {"why": why})

    def cancel(self, id: str) -> dict[str, Any]:
        """Stop it."""
        return self._post(f"/{quote(id, safe='')}/cancel", {})

    def resume(self, id: str | None) -> dict[str, Any]:
        """Go on with it."""
        return self._post(f"/{quote(id or 'last', safe='')}/resume", {})

    def wait(self, timeout_s: float) -> None:
        """Let it work."""
        threading.Event().wait(timeout_s)

    def _get(self, path: str) -> Any:
        return msgspec.json.decode(self._server.fetch(f"{_PATH}{path}", None, "GET"))

    def _post(self, path: str, body: dict[str, Any]) -> Any:
        return msgspec.json.decode(self._server.fetch(f"{_PATH}{path}", msgspec.json.encode(body), "POST"))
