"""GET /health, /ready and /: how the server is, whether to send to it, and where to look."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from watchglass.ingest.receiver import Receiver
from watchglass.surfaces.http.asgi import Response

_JSON = b"application/json"
_NO_STORE = ((b"cache-control", b"no-store"),)


class Life:
    """Where the process is in its life, set by whoever runs it."""

    def __init__(self, clock: Callable[[], float], version: str) -> None:
        self._clock = clock
        self._born_s = clock()
        self.version = version
        self.draining = False

    def uptime_s(self) -> float:
        """Seconds since it was made, to the millisecond."""
        return round(self._clock() - self._born_s, 3)


def _can_write(state: dict[str, Any]) -> bool:
    return state.get("can_write") is True


def _reason(state: dict[str, Any], life: Life) -> str | None:
    """Why nothing should be sent here now."""
    if life.draining:
        return "the server is stopping"
    if _can_write(state):
        return None
    room = msgspec.to_builtins(state.get("store") or {}, enc_hook=str)
    return room.get("reason") or state.get("last_error") or "what is sent could not be stored"


def health(receiver: Receiver, life: Life, refused: Mapping[str, int] = {}) -> Response:
    """Each dependency's state; 503 when what is sent could not be stored.

    `refused` counts what the audit has noted since the start, by event.
    """
    state = receiver.state()
    reason = _reason(state, life)
    status = "failing" if not _can_write(state) else "stopping" if life.draining else "ok"
    room = state.pop("store", None)
    body: dict[str, Any] = {
        "status": status,
        "reason": reason,
        "version": life.version,
        "uptime_s": life.uptime_s(),
        "dependencies": {"ingest": state} | ({} if room is None else {"store": room}),
        "audit": dict(refused),
    }
    # enc_hook: a state may name a path or an exception, and health must not fail over its type.
    encoded = msgspec.json.encode(body, enc_hook=str)
    return Response(200 if _can_write(state) else 503, _JSON, encoded, _NO_STORE)


def brief(whole: Response) -> Response:
    """As much of `health` as one of several tenants is to know."""
    status = msgspec.json.decode(whole.body)["status"]
    return msgspec.structs.replace(whole, body=msgspec.json.encode({"status": status}))


def ready(receiver: Receiver, life: Life) -> Response:
    """Whether requests should be sent here now."""
    reason = _reason(receiver.state(), life)
    body = {"ready": True} if reason is None else {"ready": False, "reason": reason}
    return Response(200 if reason is None else 503, _JSON, msgspec.json.encode(body), _NO_STORE)


def front_page(life: Life) -> Response:
    """For a person who opens the address, and for one who forgot the path."""
    body = {
        "name": "watchglass",
        "version": life.version,
        "send": {"traces": "/v1/traces", "logs": "/v1/logs", "metrics": "/v1/metrics"},
        "read": "/api/v1/usage",
        "health": "/health",
        "ready": "/ready",
    }
    return Response(200, _JSON, msgspec.json.format(msgspec.json.encode(body)) + b"\n")
