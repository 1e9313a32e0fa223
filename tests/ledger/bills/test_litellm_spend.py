"""LiteLLM's spend logs: https://docs.litellm.ai/docs/proxy/cost_tracking, and its `schema.prisma`."""

from __future__ import annotations

import hashlib
import json
from decimal import Decimal
from typing import Any

import pytest

from tests.ledger.bills.generated import litellm_rows, litellm_spend, litellm_spend_csv, some_calls, total
from tests.ledger.bills.reading import both_of, dollars, lines_of, tokens_by_class

HASH = "88dc28d0f030c55ed4ab77ed8faf098196cb1c05df778539800c9f1243fe6b4b"


def spend(**others: Any) -> dict[str, Any]:
    row = {
        "request_id": "chatcmpl-9ZKMURhVYSi9D6r6PJ9vLcayIK0Vm",
        "call_type": "acompletion",
        "api_key": HASH,
        "spend": 0.000123,
        "total_tokens": 120,
        "prompt_tokens": 100,
        "completion_tokens": 20,
        "startTime": "2026-01-31T12:00:00.123000Z",
        "endTime": "2026-01-31T12:00:02.123000Z",
        "model": "gpt-4o-2024-08-06",
        "model_group": "smart",
        "custom_llm_provider": "openai",
        "metadata": {"usage_object": {"prompt_tokens_details": {"cached_tokens": 30}}},
        "cache_hit": "None",
        "team_id": "team-7",
        "requester_ip_address": "192.0.2.77",
        "messages": {"content": "private words"},
        "response": {"content": "private words"},
    }
    return {**row, **others}


def test_a_row_is_a_cost_and_its_tokens_of_one_request() -> None:
    """The id joins with the call's response id; the team is the project."""
    found = lines_of([spend()])
    assert dollars(found) == Decimal("0.000123")
    assert tokens_by_class(found) == {"input": 70, "cache_read": 30, "output": 20}
    assert {(line.provider, line.project, line.key) for line in found} == {("openai", "team-7", HASH)}
    assert {line.request_id for line in found} == {"chatcmpl-9ZKMURhVYSi9D6r6PJ9vLcayIK0Vm"}
    assert found[0].since_ns == 1_769_860_800_123_000_000


def test_nothing_private_is_kept() -> None:
    """No message, no response, no address; of a raw key the hash that LiteLLM itself would have there."""
    found = lines_of([spend(api_key="sk-1234abcd5678efgh")])
    assert {line.key for line in found} == {hashlib.sha256(b"sk-1234abcd5678efgh").hexdigest()}
    assert not any(word in repr(found) for word in ("private", "192.0.2", "sk-1234"))


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"cache_read_input_tokens": 30, "cache_creation_input_tokens": 20}, (50, 30, 20, 0)),
        (
            {
                "cache_read_input_tokens": 0,
                "prompt_tokens_details": {
                    "cached_tokens": 30,
                    "cache_creation_tokens": 20,
                    "cache_creation_token_details": {"ephemeral_1h_input_tokens": 5},
                },
            },
            (50, 30, 15, 5),
        ),
    ],
)
def test_the_usage_object_tells_the_cache(usage: dict[str, Any], expected: tuple[int, ...]) -> None:
    """As Anthropic names it at the top, or in the details as OpenAI does."""
    by_class = tokens_by_class(lines_of([spend(metadata={"usage_object": usage})]))
    assert (
        tuple(by_class[name] for name in ("input", "cache_read", "cache_write", "cache_write_1h")) == expected
    )


@pytest.mark.parametrize(
    "metadata",
    [None, {}, "{}", "nonsense", {"usage_object": {"cache_read_input_tokens": 500}}, '{"usage_object": 3}'],
)
def test_input_that_is_not_told_apart_is_one_total(metadata: Any) -> None:
    """No usage object, or one that has more cached than there was input (older versions, Anthropic)."""
    assert tokens_by_class(lines_of([spend(metadata=metadata)])) == {"input_total": 100, "output": 20}


def test_what_came_from_the_proxys_cache_was_served_by_nobody() -> None:
    """Its tokens were not counted by a provider."""
    [line] = lines_of([spend(cache_hit="True", spend=0.0)])
    assert (line.amount_usd, line.requests, line.tokens) == (Decimal(0), 0, None)


@pytest.mark.parametrize(
    ("said", "model", "provider"),
    [
        ("azure", "gpt-4o", "azure_openai"),
        ("", "anthropic/claude-3", "anthropic"),
        (None, "who-knows", "litellm"),
    ],
)
def test_the_provider_is_ours(said: str | None, model: str, provider: str) -> None:
    """Where the row and the model's name say none, it is the proxy that bills."""
    assert {line.provider for line in lines_of([spend(custom_llm_provider=said, model=model)])} == {provider}


def test_every_way_of_writing_the_rows_is_the_same_bill() -> None:
    """A list, lines, the answer of the interface, CSV, and PostgreSQL's own text."""
    calls = some_calls(6, 120)
    rows = litellm_rows(calls)
    listed = lines_of(litellm_spend(calls))
    assert dollars(listed) == total(call.total_usd for call in calls)
    as_lines = "\n".join(json.dumps(row, default=str) for row in rows)
    page = {
        "data": json.loads(litellm_spend(calls)),
        "total": 120,
        "page": 1,
        "page_size": 200,
        "total_pages": 1,
    }
    for written in (as_lines, json.dumps(page, default=str), litellm_spend_csv(calls), _copied(rows)):
        found = lines_of(written)
        assert dollars(found).quantize(Decimal("1e-9")) == dollars(listed).quantize(Decimal("1e-9"))
        assert tokens_by_class(found) == tokens_by_class(listed)


def _copied(rows: list[dict[str, Any]]) -> str:
    """As `pg_dump -t '"LiteLLM_SpendLogs"'` writes them."""
    names = ", ".join(f'"{name}"' for name in rows[0])
    written = ["--", "-- PostgreSQL database dump", f'COPY public."LiteLLM_SpendLogs" ({names}) FROM stdin;']
    for row in rows:
        cells = ["\\N" if value is None else _cell(value) for value in row.values()]
        written.append("\t".join(cells))
    return "\n".join([*written, "\\.", "", "-- dump complete", ""])


def _cell(value: Any) -> str:
    text = json.dumps(value) if isinstance(value, dict) else str(value)
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")


def test_pages_of_the_interface_that_are_missing_are_a_warning() -> None:
    """`/spend/logs/ui` says how many there are."""
    page = {"data": [spend()], "total": 120, "page": 1, "page_size": 50, "total_pages": 3}
    lines, [warning] = both_of(page)
    assert lines
    assert warning.warning
    assert "page 2 is not in this file" in warning.reason


def test_a_request_that_is_there_twice_is_charged_once() -> None:
    """`request_id` is the table's primary key."""
    lines, [refused] = both_of([spend(), spend(request_id="another"), spend()])
    assert dollars(lines) == Decimal("0.000246")
    assert (refused.where, "counted once" in refused.reason) == ("[2]", True)


def test_bad_rows_are_refused_and_neighbours_kept() -> None:
    """Totals of days, broken lines, senseless costs."""
    rows = [
        "{not json",
        json.dumps({"startTime": "2026-01-31", "spend": 3, "users": {}}),
        json.dumps(spend(request_id="second")),
    ]
    rows += ["[" * 5000, json.dumps(spend(request_id="n", spend=float("nan")))]
    rows += [json.dumps(spend(request_id="p", prompt_tokens=-1))]
    lines, refused = both_of("\n".join([json.dumps(spend()), *rows]))
    assert {line.where for line in lines} == {"line 1", "line 4", "line 7"}
    assert [each.where for each in refused] == ["line 2", "line 3", "line 5", "line 6", "line 7"]
    assert "its cost is kept" in refused[-1].reason
