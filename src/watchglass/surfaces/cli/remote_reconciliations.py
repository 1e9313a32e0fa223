"""The ledger of a server, over HTTP."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import msgspec

from watchglass.surfaces.cli.remote import RemoteReader
from watchglass.surfaces.reconcile_desk import Wanted

_PATH = "/api/v1/reconciliations"


class RemoteReconciliations:
    """Sends bills there, and asks. Raises `Unreachable` without a server."""

    def __init__(self, url: str, *, timeout_s: float, key: str | None) -> None:
        self._server = RemoteReader(url, timeout_s=timeout_s, key=key)

    def run(self, wanted: Wanted) -> dict[str, Any]:
        """See `ReconcileDesk.run`. Without a file it only reads, for which a reader's key is enough."""
        if wanted.files:
            return msgspec.json.decode(self._server.fetch(_PATH, msgspec.json.encode(wanted), "POST"))
        given = [
            (name, value)
            for name in ("project_by", "zone", "since", "until")
            if (value := getattr(wanted, name)) is not None
        ]
        given += [("project_map", f"{theirs}={ours}") for theirs, ours in (wanted.project_map or {}).items()]
        given += [("provider", each) for each in wanted.provider]
        return msgspec.json.decode(self._server.fetch(f"{_PATH}?{urlencode(given)}", None, "GET"))
