"""The prices of a server, over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from watchglass.surfaces.cli.remote import RemoteReader

_PATH = "/api/v1/prices"


class RemotePrices:
    """Asks for prices there, and takes them in. Every method raises `Unreachable` without a server."""

    def __init__(self, url: str, *, timeout_s: float, key: str | None) -> None:
        self._server = RemoteReader(url, timeout_s=timeout_s, key=key)

    def list(self, asked: Mapping[str, str]) -> dict[str, Any]:
        """The prices at a moment; `asked` has provider, model, at."""
        return self._ask(f"{_PATH}?{urlencode(asked)}", None, "GET")

    def show(self, model: str, asked: Mapping[str, str]) -> dict[str, Any]:
        """All prices of a model; `asked` has provider, tier, at."""
        return self._ask(f"{_PATH}/{quote(model)}?{urlencode(asked)}", None, "GET")

    def take(self, content: bytes, source: str) -> dict[str, Any]:
        """Import a price list."""
        return self._ask(f"{_PATH}?{urlencode({'source': source})}", content, "POST")

    def history(self, model: str, asked: Mapping[str, str]) -> dict[str, Any]:
        """What a model cost when; `asked` has provider, tier, tenant."""
        return self._ask(f"{_PATH}/history/{quote(model)}?{urlencode(asked)}", None, "GET")

    def overrides(self) -> dict[str, Any]:
        """What was set one by one."""
        return self._ask(f"{_PATH}/overrides", None, "GET")

    def versions(self) -> dict[str, Any]:
        """What became of the book."""
        return self._ask(f"{_PATH}/versions", None, "GET")

    def set(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Set a price, or a discount where there is a `percent`; amounts are text."""
        return self._ask(f"{_PATH}/overrides", msgspec.json.encode(asked), "POST")

    def unset(self, id: str) -> dict[str, Any]:
        """Take one back."""
        return self._ask(f"{_PATH}/overrides/{quote(id, safe='')}", None, "DELETE")

    def diff(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Two states of the book."""
        return self._ask(f"{_PATH}/diff", msgspec.json.encode(asked), "POST")

    def what_if(self, model: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Calls at another model's price; `asked` has provider, tenant, since, until and a list `of`."""
        query = urlencode({"model": model, **asked}, doseq=True)
        return self._ask(f"{_PATH}/what-if?{query}", None, "GET")

    def check(self, asked: Mapping[str, str]) -> dict[str, Any]:
        """What is odd in the book."""
        return self._ask(f"{_PATH}/check?{urlencode(asked)}", None, "GET")

    def update(self, content: bytes, name: str) -> dict[str, Any]:
        """Take a newer list; no content goes back to the installed ones."""
        return self._ask(f"{_PATH}/update?{urlencode({'name': name})}", content, "POST")

    def _ask(self, path: str, body: bytes | None, method: str) -> dict[str, Any]:
        return msgspec.json.decode(self._server.fetch(path, body, method))
