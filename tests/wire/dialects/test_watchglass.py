"""What the SDK records, as the server reads it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.wire.dialects.made import INTERNAL, described, span, tokens
from watchglass import names
from watchglass.wire.context import own_context
from watchglass.wire.dialects import describe, dialect_of, step

LITELLM = "watchglass.litellm"

CALL: dict[str, Any] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.response.model": "gpt-4o-2024-08-06",
    "gen_ai.response.id": "chatcmpl-1",
    "gen_ai.usage.input_tokens": 100,
    "gen_ai.usage.output_tokens": 20,
    "gen_ai.usage.cache_read.input_tokens": 40,
    "gen_ai.usage.reasoning.output_tokens": 5,
    names.TOTAL_TOKENS: 120,
    names.INPUT_AUDIO: 7,
    names.REPORTED_COST: "0.000123456789",
    names.TTFT: 250_000_000,
    names.STREAMING: True,
    names.SERVICE_TIER: "flex",
    names.CALL_ID: "c-1",
    names.ATTEMPT: 2,
    "watchglass.metadata.ticket": "T-7",
    "watchglass.tenant": "acme",
}


def test_a_call() -> None:
    """Tokens, reported cost to the last digit, time to first token, tier and what the caller attached."""
    found = described(CALL, scope=LITELLM)
    assert (found.dialect, found.kind, found.operation) == ("watchglass", "call", "chat")
    assert tokens(found) == (100, 20, 40, None, 5)
    assert (found.usage.total_tokens, found.usage.input_audio_tokens) == (120, 7)
    assert found.reported_cost_usd == Decimal("0.000123456789")
    assert (found.ttft_ns, found.streaming, found.service_tier) == (250_000_000, True, "flex")
    assert found.metadata == {"ticket": "T-7", names.CALL_ID: "c-1", names.ATTEMPT: "2"}
    assert own_context(span(CALL, scope=LITELLM)).tenant == "acme"


@pytest.mark.parametrize("key", [names.CACHE_HIT, names.MOCK])
def test_what_no_provider_answered_is_no_call(key: str) -> None:
    """A hit in the application's cache and a mock made no request, and cost nothing."""
    assert describe(span({**CALL, key: True}, scope=LITELLM)) is None
    assert describe(span({**CALL, key: False}, scope=LITELLM)) is not None


def test_a_call_that_failed_before_it_was_sent_is_a_failed_call() -> None:
    """The application asked and got an error; without an error nothing was asked of anybody."""
    bare = {key: value for key, value in CALL.items() if "usage" not in key}
    failed = {**bare, names.REQUEST_SENT: False, "error.type": "litellm.AuthenticationError"}
    found = described(failed, scope=LITELLM, status=2)
    assert (found.success, found.error_type, found.usage.known) == (
        False,
        "litellm.AuthenticationError",
        False,
    )
    assert describe(span({**bare, names.REQUEST_SENT: False}, scope=LITELLM)) is None


@pytest.mark.parametrize(
    ("key", "value"),
    [(names.TTFT, "soon"), (names.TTFT, -1), (names.TTFT, True), (names.REPORTED_COST, "much")],
)
def test_a_value_of_the_wrong_type_is_absent(key: str, value: Any) -> None:
    """It is as if it had not been said."""
    found = described({**CALL, key: value}, scope=LITELLM)
    assert (found.ttft_ns if key == names.TTFT else found.reported_cost_usd) is None


def test_a_step() -> None:
    """By its operation, with input, output and what was attached; it is no call."""
    made = span(
        {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "search",
            "gen_ai.tool.call.arguments": '{"q":1}',
            "gen_ai.tool.call.result": "found",
            "watchglass.metadata.batch": "7",
        },
        scope=names.STEPS_SCOPE,
        name="execute_tool search",
        kind=INTERNAL,
    )
    assert describe(made) is None
    found = step(made)
    assert found is not None
    assert (found.kind, found.name, found.input, found.output) == ("tool", "search", '{"q":1}', "found")
    assert found.metadata == {"batch": "7"}


def test_a_scope_of_another_name_is_not_ours() -> None:
    """Spans of other libraries go to their own dialects, whatever attributes of ours they carry."""
    dialect = dialect_of(span(CALL, scope="litellm"))
    assert dialect is not None
    assert dialect.name == "litellm"


def test_every_name_has_a_meaning() -> None:
    """Each attribute and event of the catalogue says its type and what it means."""
    declared = {
        value
        for key, value in vars(names).items()
        if key.isupper() and isinstance(value, str) and "." in value and not key.endswith(("SCOPE", "EVENT"))
    }
    assert declared == set(names.ATTRIBUTES)
    assert all(kind and meaning[-1] in ".…" for kind, meaning in names.ATTRIBUTES.values())
