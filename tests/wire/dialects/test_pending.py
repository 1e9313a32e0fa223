"""Spans that only announce others."""

from __future__ import annotations

from tests.wire.dialects.made import span
from watchglass.wire.dialects import describe


def test_a_pending_span_is_no_request() -> None:
    """logfire sends a copy of each span when it begins, below the real one; it is not a second call."""
    request = {"gen_ai.operation.name": "chat", "gen_ai.system": "openai", "gen_ai.request.model": "gpt-4o"}
    assert describe(span(request, scope="pydantic-ai")) is not None
    assert describe(span({**request, "logfire.span_type": "pending_span"}, scope="pydantic-ai")) is None
