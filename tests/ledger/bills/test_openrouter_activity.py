"""OpenRouter's activity: https://openrouter.ai/docs/api/api-reference/analytics/get-user-activity."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tests.ledger.bills.generated import openrouter_daily, openrouter_requests, some_calls, total
from tests.ledger.bills.reading import both_of, dollars, lines_of, tokens_by_class

HEADER = (
    "generation_id,created_at,cost_total,cost_web_search,cost_cache,cost_file_processing,byok_usage_inference,"
    "tokens_prompt,tokens_completion,tokens_reasoning,tokens_cached,model_permaslug,provider_name,api_key_name\n"
)


def activity(**others: Any) -> dict[str, Any]:
    documented = {
        "byok_usage_inference": 0.012,
        "completion_tokens": 125,
        "date": "2025-08-24",
        "endpoint_id": "550e8400-e29b-41d4-a716-446655440000",
        "model": "openai/gpt-4.1",
        "model_permaslug": "openai/gpt-4.1-2025-04-14",
        "prompt_tokens": 50,
        "provider_name": "OpenAI",
        "reasoning_tokens": 25,
        "requests": 5,
        "usage": 0.015,
    }
    return {**documented, **others}


def test_the_documented_example_is_a_cost_and_its_tokens() -> None:
    """It does not tell cached input; reasoning is a part of the completion; one's own key is not billed."""
    found = lines_of({"data": [activity()]})
    assert dollars(found) == Decimal("0.015")
    assert tokens_by_class(found) == {"input_total": 50, "output": 100, "reasoning": 25}
    assert [line.requests for line in found if line.requests is not None] == [5]
    assert {(line.provider, line.model) for line in found} == {("openrouter", "openai/gpt-4.1")}
    assert {line.until_ns - line.since_ns for line in found} == {86_400 * 10**9}


def test_the_export_is_a_request_a_row() -> None:
    """With the id of the generation, which is the response's, and the name of the key."""
    row = "gen-1,2026-04-13T10:00:00.250Z,0.12,0.01,,,0,10,20,3,1,openai/gpt-4o-mini,OpenAI,Primary\n"
    found = lines_of(HEADER + row)
    assert tokens_by_class(found) == {"input": 9, "cache_read": 1, "output": 17, "reasoning": 3}
    assert dollars(found) == Decimal("0.12")
    assert {(line.request_id, line.key, line.until_ns - line.since_ns) for line in found} == {
        ("gen-1", "Primary", 1)
    }
    assert found[0].since_ns % 10**9 == 250_000_000


def test_a_key_that_is_named_by_itself_is_kept_as_its_hash() -> None:
    """Some name a key by pasting it."""
    secret = "sk-or-v1-0123456789abcdef0123456789abcdef"
    rows = "".join(f"gen-{n},2026-04-13T10:00:00Z,0.12,,,,,1,1,0,0,m,P,{secret}\n" for n in (1, 2))
    found, refused = both_of(HEADER + rows + f"{secret},x\n")
    assert secret not in repr((found, refused))
    assert {len(line.key or "") for line in found} == {64}


def test_tokens_that_cannot_be_are_left_out_and_the_cost_stays() -> None:
    """A bill's total must not depend on what is beside it."""
    lines, refused = both_of(
        {"data": [activity(reasoning_tokens=999), activity(usage=None), activity(date="soon")]}
    )
    assert dollars(lines) == Decimal("0.015")
    assert [each.where for each in refused] == ["data[0]", "data[1]", "data[2]"]


def test_generated_months_sum_to_their_calls() -> None:
    """By day and by request, money to the last digit and tokens."""
    calls = some_calls(5, 250)
    for written in (openrouter_daily(calls), openrouter_requests(calls)):
        found = lines_of(written)
        assert dollars(found) == total(call.total_usd for call in calls)
        assert tokens_by_class(found)["output"] == sum(call.tokens["output"] for call in calls)
        assert sum(line.requests or 0 for line in found) == 250
