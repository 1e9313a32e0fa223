"""OpenAI's costs: https://platform.openai.com/docs/api-reference/usage/costs."""

from __future__ import annotations

import gzip
from decimal import Decimal
from typing import Any

import pytest

from tests.ledger.bills.generated import Extra, openai_costs, openai_costs_csv, some_calls, total
from tests.ledger.bills.reading import both_of, dollars, lines_of, tokens_by_class

DAY = 1_730_419_200
"""2024-11-01, as the documentation's example has it."""


def bucket(*results: dict[str, Any], start: int = DAY) -> dict[str, Any]:
    return {"object": "bucket", "start_time": start, "end_time": start + 86_400, "results": list(results)}


def page(*buckets: dict[str, Any], more: bool = False) -> dict[str, Any]:
    return {"object": "page", "data": list(buckets), "has_more": more, "next_page": "abc" if more else None}


def cost(value: Any = 0.06, line_item: str | None = None, **others: Any) -> dict[str, Any]:
    amount = {"value": value, "currency": "usd"}
    return {"object": "organization.costs.result", "amount": amount, "line_item": line_item, **others}


def test_the_documented_example_is_one_line_of_a_day() -> None:
    """Without grouping a day is one cost of all models and classes together."""
    [line] = lines_of(page(bucket(cost(project_id=None))))
    assert (line.provider, line.since_ns, line.until_ns) == ("openai", DAY * 10**9, (DAY + 86_400) * 10**9)
    assert (line.amount_usd, line.model, line.token_class, line.zone) == (Decimal("0.06"), None, None, "UTC")


@pytest.mark.parametrize(
    ("item", "model", "token_class", "tier", "long_context"),
    [
        ("gpt-4o-2024-08-06, input", "gpt-4o-2024-08-06", "input", None, False),
        ("gpt-4o-2024-08-06, cached input", "gpt-4o-2024-08-06", "cache_read", None, False),
        ("gpt-4o-2024-08-06, output", "gpt-4o-2024-08-06", "output", None, False),
        ("gpt-5.6-luna, cache writes", "gpt-5.6-luna", "cache_write", None, False),
        ("priority | gpt-5.6-sol, output, long context", "gpt-5.6-sol", "output", "priority", True),
        ("flex | gpt-5-mini-2025-08-07, input", "gpt-5-mini-2025-08-07", "input", "flex", False),
        ("gpt-audio-mini-2025-12-15 audio, input", "gpt-audio-mini-2025-12-15", "input_audio", None, False),
        ("gpt-audio-mini-2025-12-15 audio, output", "gpt-audio-mini-2025-12-15", "output_audio", None, False),
        ("gpt-image-1 text, cached input", "gpt-image-1", "cache_read", None, False),
        ("gpt-image-1 image, output", "gpt-image-1", "other", None, False),
        ("ft:gpt-4o-2024-08-06:acme::abc, input", "ft:gpt-4o-2024-08-06:acme::abc", "input", None, False),
        ("web search tool calls", None, "search", None, False),
        ("Vector storage", None, "other", None, False),
        ("gpt-4o", None, "other", None, False),
        ("gpt-4o, something new", None, "other", None, False),
    ],
)
def test_a_line_item_says_model_class_tier_and_context(
    item: str, model: str | None, token_class: str, tier: str | None, long_context: bool
) -> None:
    """What a line item's text does not say in a known way is `other`, kept with its words and its money."""
    [line] = lines_of(page(bucket(cost(0.5, item))))
    assert (line.model, line.token_class, line.tier) == (model, token_class, tier)
    assert (line.long_context, line.item, line.amount_usd) == (long_context, item, Decimal("0.5"))


def test_the_quantity_is_tokens_of_token_classes_and_requests_of_searches() -> None:
    """The API says quantities as floats; of what is counted in neither it is left out."""
    found = lines_of(
        page(
            bucket(
                cost(0.1, "gpt-4o, input", quantity=12_000.0),
                cost(0.1, "web search tool calls", quantity=7),
                cost(0.1, "Vector storage", quantity=0.25),
            )
        )
    )
    assert [(line.tokens, line.requests) for line in found] == [(12_000, None), (None, 7), (None, None)]


@pytest.mark.parametrize(
    "written",
    ["0.8958740000000000", "7.500000000000001e-07", "123456789.123456789012345678901234567", "-12.5"],
)
def test_amounts_are_read_to_the_last_digit(written: str) -> None:
    """A number of JSON, or text, is the same decimal; no float is between."""
    template = page(bucket(cost("HERE"), cost("THERE")))
    text = str(template).replace("'", '"').replace("None", "null").replace("False", "false")
    found = lines_of(text.replace('"HERE"', written).replace("THERE", written))
    assert [line.amount_usd for line in found] == [Decimal(written)] * 2


@pytest.mark.parametrize("zone", ["UTC", "America/Los_Angeles"])
def test_the_lines_of_a_generated_month_sum_to_its_calls(zone: str) -> None:
    """To the last digit, with a credit, over pages one behind the other, packed, and as CSV too."""
    calls = some_calls(1, 400)
    extras = [Extra(at_ns=calls[0].at_ns, item="Credit", usd=Decimal("-3.0000000001"))]
    expected = total([*(call.total_usd for call in calls), extras[0].usd])
    for written in (
        openai_costs(calls, zone, extras, page_days=7),
        gzip.compress(openai_costs(calls, zone, extras)),
        b"\xef\xbb\xbf" + openai_costs_csv(calls, zone, extras),
    ):
        lines = lines_of(written)
        assert dollars(lines) == expected
    by_class = tokens_by_class(lines_of(openai_costs(calls, zone)))
    assert by_class["cache_read"] == sum(call.tokens["cache_read"] for call in calls)


def test_a_page_that_has_more_and_is_not_followed_is_a_warning() -> None:
    """The lines that are there are kept; the warning says where the missing part begins."""
    lines, warnings = both_of(page(bucket(cost()), more=True))
    assert len(lines) == 1
    [warning] = warnings
    assert warning.warning
    assert "not whole" in warning.reason
    assert warning.missing_from_ns == (DAY + 86_400) * 10**9


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_pages_of_a_list_are_whole_in_any_order(order: tuple[int, int]) -> None:
    """A page is followed by the one whose first bucket starts where its last one ends."""
    pages = [page(bucket(cost()), more=True), page(bucket(cost(), start=DAY + 86_400))]
    assert len(lines_of([pages[each] for each in order])) == 2


def test_a_page_that_is_there_twice_is_charged_once() -> None:
    """The same bucket, result for result; another result of the same day is another."""
    one = page(bucket(cost(0.5, "gpt-4o, input")))
    lines, [refused] = both_of([one, one, page(bucket(cost(0.25, "gpt-4o, output")))])
    assert dollars(lines) == Decimal("0.75")
    assert (refused.where, "counted once" in refused.reason) == ("[1].data[0]", True)


def test_a_bad_record_is_refused_by_its_place_and_its_neighbours_are_kept() -> None:
    """Other currencies, missing and senseless amounts, strange types."""
    euros = {**cost(), "amount": {"value": 1, "currency": "eur"}}
    bad: list[Any] = [
        euros,
        cost("NaN"),
        cost(None),
        {**cost(), "amount": 5},
        cost(1e25),
        "nonsense",
        cost(True),
    ]
    lines, refused = both_of(page(bucket(*bad, cost(1, "gpt-4o, input", quantity=-3), cost(2))))
    assert [line.amount_usd for line in lines] == [Decimal(2)]
    assert [each.where for each in refused] == [f"data[0].results[{number}]" for number in range(8)]
    assert "only US dollars" in refused[0].reason
    assert "below 10^20" in refused[4].reason


def test_a_day_without_costs_in_the_export_is_no_line() -> None:
    """The export has a row with times only for it."""
    header = (
        "start_time,end_time,start_time_iso,end_time_iso,amount_value,amount_currency,line_item,project_id\n"
    )
    days = f"{DAY},{DAY + 86_400},,,,,,\n{DAY},{DAY + 86_400},,,0.8958740000000000,usd,,proj_1\n"
    [line] = lines_of(header + days)
    assert (line.amount_usd, line.project, line.where) == (Decimal("0.895874"), "proj_1", "line 3")
