"""Anthropic's costs: https://platform.claude.com/docs/en/api/admin/cost_report."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.ledger.bills.generated import Extra, anthropic_costs, some_calls, total
from tests.ledger.bills.reading import both_of, dollars, lines_of


def page(*results: Any, more: bool = False) -> dict[str, Any]:
    bucket = {"starting_at": "2025-08-01T00:00:00Z", "ending_at": "2025-08-02T00:00:00Z"}
    return {
        "data": [{**bucket, "results": list(results)}],
        "has_more": more,
        "next_page": "p" if more else None,
    }


def cost(amount: Any = "123.78912", **others: Any) -> dict[str, Any]:
    documented = {
        "currency": "USD",
        "amount": amount,
        "workspace_id": "wrkspc_01",
        "description": "Claude Sonnet 4 Usage - Input Tokens",
        "cost_type": "tokens",
        "context_window": "0-200k",
        "model": "claude-sonnet-4-20250514",
        "service_tier": "standard",
        "token_type": "uncached_input_tokens",
        "inference_geo": "not_available",
    }
    return {**documented, **others}


def test_amounts_are_cents_and_become_dollars_with_every_digit() -> None:
    """The documented example: "123.78912" is a dollar and some."""
    [line] = lines_of(page(cost()))
    assert line.amount_usd == Decimal("1.2378912")
    assert (line.model, line.token_class, line.tier) == ("claude-sonnet-4-20250514", "input", None)
    assert (line.project, line.region, line.above) == ("wrkspc_01", None, None)
    assert line.item == "Claude Sonnet 4 Usage - Input Tokens"
    assert line.until_ns - line.since_ns == 86_400 * 10**9


@pytest.mark.parametrize(
    ("cost_type", "token_type", "token_class"),
    [
        ("tokens", "uncached_input_tokens", "input"),
        ("tokens", "cache_read_input_tokens", "cache_read"),
        ("tokens", "cache_creation.ephemeral_5m_input_tokens", "cache_write"),
        ("tokens", "cache_creation.ephemeral_1h_input_tokens", "cache_write_1h"),
        ("tokens", "output_tokens", "output"),
        ("tokens", "tokens_of_tomorrow", "other"),
        ("web_search", None, "search"),
        ("code_execution", None, "other"),
        (None, None, None),
    ],
)
def test_the_token_type_is_the_class(
    cost_type: str | None, token_type: str | None, token_class: str | None
) -> None:
    """What is not of tokens, or of a type that nobody knows yet, is kept as `other`."""
    [line] = lines_of(page(cost(cost_type=cost_type, token_type=token_type)))
    assert line.token_class == token_class


def test_tier_context_and_region_are_told() -> None:
    """Each has its own price."""
    [line] = lines_of(page(cost(service_tier="batch", context_window="200k-1M", inference_geo="us")))
    assert (line.tier, line.above, line.long_context, line.region) == ("batch", 200_000, True, "us")


def test_the_lines_of_a_generated_month_sum_to_its_calls() -> None:
    """To the last digit, with what is charged beside tokens, over pages."""
    calls = some_calls(3, 300, "anthropic")
    extras = [Extra(at_ns=calls[0].at_ns, item="Code Execution Usage", usd=Decimal("0.0500000001"))]
    found = lines_of(anthropic_costs(calls, extras=extras, page_days=9))
    assert dollars(found) == total([*(call.total_usd for call in calls), extras[0].usd])


def test_bad_results_are_refused_and_neighbours_kept() -> None:
    """Another currency, no amount, a bucket without a time."""
    lines, refused = both_of(page(cost(currency="EUR"), cost(None), cost("1,5"), cost(), "x", cost({"a": 1})))
    assert [line.where for line in lines] == ["data[0].results[3]"]
    assert [each.where[-2] for each in refused] == ["0", "1", "2", "4", "5"]
    broken = page(cost())
    broken["data"].append({**broken["data"][0], "starting_at": "yesterday"})
    broken["data"].append({**broken["data"][0], "starting_at": "2025-08-03T00:00:00Z"})
    lines, refused = both_of(broken)
    assert (len(lines), [each.where for each in refused]) == (1, ["data[1]", "data[2]"])


def test_the_export_of_the_console_is_dollars() -> None:
    """It names what people see, and puts fast and batch in columns of their own."""
    names = "usage_date_utc,model,workspace,api_key,usage_type,context_window,token_type,cost_usd,"
    names += "list_price_usd,cost_type,inference_geo,speed,api_key_id,status\n"
    row = (
        "2026-08-15,Claude Haiku 4.5,Default,ci,api,≤ 200k,input_no_cache,0.19,0.2,token,global,,apikey_1,\n"
    )
    long = "2026-08-15,Claude Opus 5,Default,ci,batch,> 200k,output,1.03,1.03,token,us,,apikey_1,\n"
    first, second = lines_of(names + row + long)
    assert (first.model, first.token_class, first.amount_usd) == (
        "Claude Haiku 4.5",
        "input",
        Decimal("0.19"),
    )
    assert (first.key, first.region, first.above, first.tier) == ("apikey_1", "global", None, None)
    assert (second.token_class, second.above, second.tier) == ("output", 200_000, "batch")
