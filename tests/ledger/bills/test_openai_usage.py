"""OpenAI's usage: https://platform.openai.com/docs/api-reference/usage/completions."""

from __future__ import annotations

from typing import Any

import pytest

from tests.ledger.bills.generated import openai_usage, some_calls
from tests.ledger.bills.reading import both_of, lines_of, tokens_by_class


def page(*results: dict[str, Any]) -> dict[str, Any]:
    bucket = {"object": "bucket", "start_time": 1_730_419_200, "end_time": 1_730_422_800}
    return {
        "object": "page",
        "data": [{**bucket, "results": list(results)}],
        "has_more": False,
        "next_page": None,
    }


def completions(**counts: Any) -> dict[str, Any]:
    return {"object": "organization.usage.completions.result", "num_model_requests": 5, **counts}


def test_the_documented_example_tells_cached_input_from_plain() -> None:
    """`input_tokens` has the cached ones in it; the lines have them apart."""
    found = lines_of(page(completions(input_tokens=1000, output_tokens=500, input_cached_tokens=800)))
    assert tokens_by_class(found) == {"input": 200, "cache_read": 800, "output": 500}
    assert [line.requests for line in found if line.token_class is None] == [5]


def test_input_whose_cached_part_is_not_said_is_one_total() -> None:
    """A class that the file does not tell is not made up."""
    assert tokens_by_class(lines_of(page(completions(input_tokens=9, output_tokens=1)))) == {
        "input_total": 9,
        "output": 1,
    }


def test_older_results_have_audio_beside_the_text_and_newer_within_the_whole() -> None:
    """Either way every token is in exactly one class."""
    older = completions(
        input_tokens=100,
        input_cached_tokens=40,
        input_audio_tokens=7,
        output_tokens=20,
        output_audio_tokens=3,
    )
    newer = completions(
        input_tokens=107,
        input_cached_tokens=40,
        input_cache_write_tokens=10,
        input_uncached_tokens=57,
        input_audio_tokens=7,
        output_tokens=23,
        output_text_tokens=20,
        output_audio_tokens=3,
    )
    outputs = {"output": 20, "output_audio": 3}
    assert tokens_by_class(lines_of(page(older))) == {
        "input": 60,
        "cache_read": 40,
        "input_audio": 7,
        **outputs,
    }
    assert tokens_by_class(lines_of(page(newer))) == {
        "input": 50,
        "cache_read": 40,
        "cache_write": 10,
        "input_audio": 7,
        **outputs,
    }


@pytest.mark.parametrize(
    ("batch", "said", "tier"),
    [(True, "default", "batch"), (False, "default", None), (None, None, None), (False, "flex", "flex")],
)
def test_batch_and_service_tier_are_one_tier(batch: bool | None, said: str | None, tier: str | None) -> None:
    """The standard tier is None."""
    found = lines_of(page(completions(input_tokens=1, output_tokens=1, batch=batch, service_tier=said)))
    assert {line.tier for line in found} == {tier}


def test_who_used_it_is_the_project_and_the_public_id_of_the_key() -> None:
    """The user is nobody's business."""
    result = completions(
        input_tokens=1, output_tokens=1, project_id="proj_1", api_key_id="key_9", user_id="user-7"
    )
    found = lines_of(page({**result, "model": "gpt-4o-2024-08-06"}))
    assert {(line.project, line.key, line.model) for line in found} == {
        ("proj_1", "key_9", "gpt-4o-2024-08-06")
    }
    assert "user-7" not in repr(found)


def test_other_endpoints_count_tokens_or_requests_or_are_refused() -> None:
    """Embeddings are input; searches and images are requests; bytes of storage are nothing to compare."""
    kinds: list[dict[str, Any]] = [
        {"object": "organization.usage.embeddings.result", "input_tokens": 16, "num_model_requests": 2},
        {"object": "organization.usage.web_searches.result", "num_model_requests": 2, "num_requests": 3},
        {"object": "organization.usage.images.result", "images": 4, "num_model_requests": 4},
        {"object": "organization.usage.code_interpreter_sessions.result", "num_sessions": 6},
        {"object": "organization.usage.vector_stores.result", "usage_bytes": 1024},
    ]
    lines, refused = both_of(page(*kinds))
    assert [(line.token_class, line.tokens, line.requests) for line in lines] == [
        ("input", 16, None),
        (None, None, 2),
        ("search", None, 3),
        ("other", None, 4),
        ("other", None, 6),
    ]
    assert [each.where for each in refused] == ["data[0].results[4]"]


def test_counts_that_cannot_be_are_refused_and_neighbours_kept() -> None:
    """Negative, broken, or parts that are more than the whole."""
    good = completions(input_tokens=1, output_tokens=1)
    bad = [
        completions(input_tokens=-1, output_tokens=1),
        completions(input_tokens=1.5, output_tokens=1),
        completions(input_tokens=10, input_cached_tokens=11, output_tokens=1),
        completions(output_tokens=1),
        completions(input_tokens=2**70, output_tokens=1),
        completions(input_tokens=[1], output_tokens=1),
        completions(input_tokens=float("inf"), output_tokens=1),
    ]
    lines, refused = both_of(page(*bad, good))
    assert {line.where for line in lines} == {"data[0].results[7]"}
    assert len(refused) == len(bad)


def test_the_export_of_the_dashboard_says_the_same() -> None:
    """Spreadsheets write counts as `10.0` and truth as `FALSE`."""
    names = "start_time,end_time,project_id,num_model_requests,user_id,api_key_id,model,batch,service_tier,"
    names += "input_tokens,output_tokens,input_cached_tokens,input_uncached_tokens,input_audio_tokens\n"
    row = (
        "1759622400,1759708800,proj_a,10.0,user-a,key_a,gpt-4o,FALSE,default,59200.0,10646.0,5760.0,53440,0\n"
    )
    empty = "1759881600,1759968000,,,,,,,,,,,,\n"
    found = lines_of(names + row + empty)
    assert tokens_by_class(found) == {"input": 53440, "cache_read": 5760, "input_audio": 0, "output": 10646}
    assert [line.requests for line in found if line.requests is not None] == [10]


def test_the_lines_of_a_generated_month_count_its_tokens() -> None:
    """Over pages, each class and the requests."""
    calls = some_calls(2, 300)
    found = lines_of(openai_usage(calls, page_days=5))
    by_class = tokens_by_class(found)
    for token_class in ("input", "cache_read", "cache_write", "output"):
        assert by_class[token_class] == sum(call.tokens[token_class] for call in calls)
    assert sum(line.requests or 0 for line in found) == 300
