"""What was recorded, beside what the provider saw."""

from __future__ import annotations

import threading
from typing import Any

from tests.capture.provider import Provider, Request
from watchglass.capture.records import Record, SpanRecord, decode

USAGE = "gen_ai.usage."


class Books:
    """A sink that keeps records in memory, and compares them with the provider's ledger."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self.payloads: list[bytes] = []
        self.threads: list[int] = []

    def append(self, payload: bytes) -> bool:
        """See `Sink`."""
        self.payloads.append(payload)
        self.threads.append(threading.get_ident())
        return True

    @property
    def records(self) -> list[Record]:
        """Everything recorded so far."""
        return [decode(payload) for payload in self.payloads]

    @property
    def calls(self) -> list[SpanRecord]:
        """The calls, in the order in which they were recorded."""
        return [each for each in self.records if isinstance(each, SpanRecord)]

    @property
    def call(self) -> SpanRecord:
        """The only call."""
        (only,) = self.calls
        return only

    @property
    def requests(self) -> list[SpanRecord]:
        """The calls that are a request, by the time that it was sent."""
        sent = [each for each in self.calls if each.attributes.get("watchglass.request_sent") is not False]
        sent = [each for each in sent if not each.attributes.get("watchglass.cache_hit")]
        return sorted(sent, key=lambda each: each.start_ns)

    def agree(self) -> None:
        """Each request of the ledger is one record with its model, status and tokens, and there is no other.

        Requests are matched by response id where the client was told it, else by model and status.
        """
        left = list(self.requests)
        for request in self.provider.ledger:
            match = next((each for each in left if _same(each, request)), None)
            assert match is not None, f"no record of {request}; left are {[each.attributes for each in left]}"
            left.remove(match)
            _check(match, request)
        assert not left, f"recorded, and never sent: {[each.attributes for each in left]}"
        self._totals_agree()

    def _totals_agree(self) -> None:
        """The sums of all records are those of the ledger."""
        billed = self.provider.billed()
        for name, key in (
            ("input_tokens", "input_tokens"),
            ("output_tokens", "output_tokens"),
            ("cache_read", "cache_read.input_tokens"),
            ("cache_write", "cache_creation.input_tokens"),
            ("reasoning", "reasoning.output_tokens"),
        ):
            assert sum(whole(each, USAGE + key) for each in self.calls) == billed[name], name


def whole(call: SpanRecord, key: str) -> int:
    """An attribute that is a number; 0 where it is absent."""
    value: Any = call.attributes.get(key, 0)
    assert type(value) is int
    return value


def _same(call: SpanRecord, request: Request) -> bool:
    own = call.attributes
    if own["gen_ai.request.model"] != request.model:
        return False
    identity = own.get("gen_ai.response.id")
    if identity is not None:
        return identity == request.response_id
    return own.get("http.response.status_code", 0) == request.status


def _check(call: SpanRecord, request: Request) -> None:
    own = call.attributes
    assert own.get("http.response.status_code", 0) == request.status
    if request.status != 200:
        assert call.status == 2 and own["error.type"]
    if not request.told:
        assert not any(key.startswith(USAGE) for key in own)
        return
    assert own[USAGE + "input_tokens"] == request.input_tokens
    assert own[USAGE + "output_tokens"] == request.output_tokens
    assert whole(call, USAGE + "cache_read.input_tokens") == request.cache_read
    assert whole(call, USAGE + "cache_creation.input_tokens") == request.cache_write
    assert whole(call, USAGE + "reasoning.output_tokens") == request.reasoning
