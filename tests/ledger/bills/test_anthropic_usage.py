"""Anthropic's usage: https://platform.claude.com/docs/en/api/admin/usage_report."""

from __future__ import annotations

from typing import Any

from tests.ledger.bills.generated import anthropic_usage, some_calls
from tests.ledger.bills.reading import both_of, lines_of, tokens_by_class


def page(*results: Any) -> dict[str, Any]:
    bucket = {"starting_at": "2025-08-01T00:00:00Z", "ending_at": "2025-08-01T01:00:00Z"}
    return {"data": [{**bucket, "results": list(results)}], "has_more": False, "next_page": None}


def usage(**others: Any) -> dict[str, Any]:
    documented = {
        "uncached_input_tokens": 1500,
        "cache_creation": {"ephemeral_1h_input_tokens": 1000, "ephemeral_5m_input_tokens": 500},
        "cache_read_input_tokens": 200,
        "output_tokens": 500,
        "server_tool_use": {"web_search_requests": 10},
        "api_key_id": "apikey_01",
        "workspace_id": "wrkspc_01",
        "model": "claude-sonnet-4-20250514",
        "service_tier": "standard",
        "context_window": "0-200k",
    }
    return {**documented, **others}


def test_the_documented_example_has_a_line_of_each_class() -> None:
    """Its classes are apart from each other already; searches are requests."""
    found = lines_of(page(usage()))
    assert tokens_by_class(found) == {
        "input": 1500,
        "cache_read": 200,
        "cache_write": 500,
        "cache_write_1h": 1000,
        "output": 500,
    }
    assert [line.requests for line in found if line.token_class == "search"] == [10]
    assert {(line.provider, line.key, line.project) for line in found} == {
        ("anthropic", "apikey_01", "wrkspc_01")
    }


def test_tier_context_and_speed_are_told_of_each_line() -> None:
    """Fast is a tier of its own price."""
    found = lines_of(page(usage(service_tier="batch", context_window="200k-1M"), usage(speed="fast")))
    assert {(line.tier, line.above) for line in found} == {("batch", 200_000), ("fast", None)}


def test_bad_results_are_refused_and_neighbours_kept() -> None:
    """Wrong types, negatives, nothing counted."""
    lines, refused = both_of(
        page(
            usage(uncached_input_tokens=-5),
            usage(cache_creation=[1]),
            usage(cache_creation={"ephemeral_5m_input_tokens": "many"}),
            {"uncached_input_tokens": None},
            usage(),
        )
    )
    assert {line.where for line in lines} == {"data[0].results[4]"}
    assert len(refused) == 4


def test_the_lines_of_a_generated_month_count_its_tokens() -> None:
    """Of each class."""
    calls = some_calls(4, 200, "anthropic")
    by_class = tokens_by_class(lines_of(anthropic_usage(calls, page_days=10)))
    for token_class in ("input", "cache_read", "cache_write", "output"):
        assert by_class[token_class] == sum(call.tokens[token_class] for call in calls)


def test_the_export_of_the_console_counts_the_same_classes() -> None:
    """With the names of workspaces and keys."""
    names = "usage_date_utc,model_version,api_key,workspace,usage_type,context_window,"
    names += "usage_input_tokens_no_cache,"
    names += (
        "usage_input_tokens_cache_write_5m,usage_input_tokens_cache_write_1h,usage_input_tokens_cache_read,"
    )
    names += "usage_output_tokens,web_search_count,inference_geo,speed\n"
    row = "2026-08-05,claude-opus-5,Closer App,Default,standard,≤ 200k,46981,15969,0,7,16932,0,global,\n"
    found = lines_of(names + row)
    assert tokens_by_class(found) == {
        "input": 46981,
        "cache_read": 7,
        "cache_write": 15969,
        "cache_write_1h": 0,
        "output": 16932,
    }
    assert {(line.tier, line.key, line.region) for line in found} == {(None, "Closer App", "global")}
