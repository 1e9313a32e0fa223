"""One request as the HTTP layer saw it, kept by the call that sent it until that ends."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from watchglass.capture import ids

if TYPE_CHECKING:
    from watchglass.capture.records import Attributes

_BY_STATUS = {
    400: "BadRequestError",
    401: "AuthenticationError",
    403: "PermissionDeniedError",
    404: "NotFoundError",
    408: "Timeout",
    409: "ConflictError",
    422: "UnprocessableEntityError",
    429: "RateLimitError",
    503: "ServiceUnavailableError",
}
"""Names of LiteLLM's errors by status, so that a failure that a client hid and repeated is grouped with
those that it passed on (litellm/exceptions.py; the OpenAI client's have the same names)."""

_Headers = Sequence[tuple[bytes, bytes]]
_CREDENTIALS = frozenset((b"authorization", b"x-api-key", b"api-key", b"x-goog-api-key"))

UNUSABLE = "UnusableAnswer"
"""`error.type` of an answer that the provider gave, and billed, and the client could not use."""


def describe_failure(error: BaseException) -> str:
    """The type of an error as records name it: its class without its module."""
    return type(error).__qualname__


class Attempt:
    """One request that was sent. `status` 0: no answer. `body` is what was sent, kept until the call ends to
    tell a fallback's model from a retry's, and so are its `headers`, to take the key that they hold out of an
    error's message; nothing else of the request is."""

    __slots__ = ("body", "end_ns", "error", "headers", "host", "path", "port", "resent", "start_ns", "status")

    def __init__(
        self, host: str, port: int | None, path: str, body: bytes, resent: str, headers: _Headers = ()
    ) -> None:
        self.start_ns = ids.now_ns()
        self.end_ns = 0
        self.host, self.port, self.path = host, port, path
        self.body = body
        self.resent = resent
        self.headers = headers
        self.status = 0
        self.error = ""

    def answered(self, status: int) -> None:
        """The provider answered (the head of its answer is here)."""
        self.end_ns = ids.now_ns()
        self.status = status

    def broken(self, error: BaseException) -> None:
        """No answer came."""
        self.end_ns = ids.now_ns()
        self.error = describe_failure(error)

    @property
    def place(self) -> tuple[str, int | None, str]:
        """Where it was sent."""
        return self.host, self.port, self.path

    @property
    def failed(self) -> bool:
        """Whether there was no answer, or one that says no."""
        return not 200 <= self.status < 400

    @property
    def error_type(self) -> str:
        """`error.type` for an attempt that was followed by another one."""
        if self.error:
            return "Timeout" if "Timeout" in self.error else "APIConnectionError"
        if self.status >= 500:
            return _BY_STATUS.get(self.status, "InternalServerError")
        return _BY_STATUS.get(self.status, "APIError" if self.failed else UNUSABLE)

    @property
    def message(self) -> str:
        """What is known of why it failed; the client did not pass the provider's words on."""
        if self.error:
            return f"{self.error}; the request was sent again"
        return f"answered {self.status}; the request was sent again"

    def describe(self, attributes: Attributes) -> None:
        """Write where the request went and what the answer was."""
        attributes["server.address"] = self.host
        if self.port is not None:
            attributes["server.port"] = self.port
        if self.status:
            attributes["http.response.status_code"] = self.status
        if self.resent and self.resent != "0":
            attributes["http.request.resend_count"] = int(self.resent) if self.resent.isdigit() else 1

    def secrets(self) -> list[str]:
        """The credentials that it was sent with."""
        found: list[str] = []
        for name, value in self.headers:
            if name.lower() in _CREDENTIALS:
                found.append(value.decode("latin-1").rpartition(" ")[2])  # without `Bearer`
        return found

    def model(self) -> str:
        """The model that was asked, as the provider is told it; empty where the body does not say."""
        try:
            body = json.loads(self.body)
        except ValueError:
            return ""
        model = cast("dict[str, object]", body).get("model") if isinstance(body, dict) else None
        return model if isinstance(model, str) else ""
