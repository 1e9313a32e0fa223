"""A key as the API and the command line show it: all that is known of it, and never the key itself."""

from __future__ import annotations

from typing import Any

from watchglass.queries.plain import moment
from watchglass.store import Key


def key_document(key: Key) -> dict[str, Any]:
    """One key; moments are RFC 3339, rates a second."""
    return {
        "id": key.id,
        "name": key.name,
        "role": key.role,
        "tenant": key.tenant,
        "bytes_per_s": key.bytes_per_s,
        "requests_per_s": key.requests_per_s,
        "created": moment(key.created_ns),
        "created_by": key.created_by,
        "revoked": None if key.revoked_ns is None else moment(key.revoked_ns),
        "revoked_by": key.revoked_by,
    }
