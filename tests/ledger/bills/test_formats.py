"""The registry: which format a file has, and that nothing in a file can do harm."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.ledger.bills import generated
from watchglass.errors import BadRequest, TooLarge
from watchglass.ledger.bills.formats import FORMATS, MOST_REFUSED, read_bill, recognise
from watchglass.ledger.bills.line import MOST_DECIMALS, MOST_USD, BillLine, Refused
from watchglass.ledger.bills.unpacked import MAX_BYTES
from watchglass.ledger.bills.values import unkeyed

WRITTEN: list[tuple[str, Callable[[Any], bytes]]] = [
    ("openai-costs", generated.openai_costs),
    ("openai-costs", generated.openai_costs_csv),
    ("openai-usage", generated.openai_usage),
    ("anthropic-costs", generated.anthropic_costs),
    ("anthropic-usage", generated.anthropic_usage),
    ("openrouter-activity", generated.openrouter_daily),
    ("openrouter-activity", generated.openrouter_requests),
    ("litellm-spend", generated.litellm_spend),
    ("litellm-spend", generated.litellm_spend_csv),
    ("csv", generated.plain_csv),
]


@pytest.mark.parametrize(("name", "write"), WRITTEN)
def test_each_format_recognises_its_own_files_and_no_others(name: str, write: Callable[[Any], bytes]) -> None:
    """By the content alone, packed or not, cut off after 64 KiB or not."""
    content = write(generated.some_calls(8, 50))
    assert [each.name for each in FORMATS.values() if each.recognises(content[: 64 << 10])] == [name]
    assert recognise("bill", content[:4000]).name == name
    for packed in (content, gzip.compress(content), b"\xef\xbb\xbf" + content):
        assert read_bill(packed, None, {})[0] == name


def test_every_format_says_where_it_is_documented() -> None:
    """With an address, but for the table that is documented here."""
    assert list(FORMATS) == [
        *("openai-costs", "openai-usage", "anthropic-costs", "anthropic-usage"),
        *("openrouter-activity", "litellm-spend", "csv"),
    ]
    for name, each in FORMATS.items():
        assert each.name == name
        assert each.documented.startswith("https://") or name == "csv"


def test_a_file_of_no_format_is_refused_with_those_that_are() -> None:
    """And one that is called by a name that is none."""
    with pytest.raises(BadRequest, match=r"bill.txt is of no format that is known \(openai-costs, .*--map"):
        recognise("bill.txt", b"Dear customer")
    with pytest.raises(BadRequest, match="'openai' is no format of bills; the known ones are openai-costs"):
        read_bill(b"{}", "openai", {})
    with pytest.raises(BadRequest, match="is empty"):
        read_bill(b" \n", None, {})
    with pytest.raises(BadRequest, match="--map says what the columns of a plain CSV are"):
        read_bill(b"{}", "openai-costs", {"day": "x"})


def test_what_is_packed_is_unpacked_no_further_than_the_bound() -> None:
    """A gigabyte of zeros in a megabyte, a torn archive, UTF-16, other archives."""
    bomb = gzip.compress(bytes(16 << 20)) * 64
    assert len(bomb) < 2 << 20
    with pytest.raises(TooLarge, match=f"larger than {MAX_BYTES >> 20} MiB"):
        read_bill(bomb, None, {})
    with pytest.raises(BadRequest, match="cannot be unpacked"):
        read_bill(gzip.compress(b"{}" * 1000)[:-9], None, {})
    with pytest.raises(BadRequest, match="UTF-16"):
        read_bill("{}".encode("utf-16"), None, {})
    with pytest.raises(BadRequest, match="ZIP"):
        read_bill(b"PK\x03\x04\xff\xff", None, {})


def test_refused_records_are_told_up_to_a_number_and_then_counted() -> None:
    """A file of rubbish does not fill the memory with complaints."""
    _, lines, refused = read_bill(b"day,provider,amount_usd\n" + b"x,y,z\n" * 5000, None, {})
    assert lines == []
    assert len(refused) == MOST_REFUSED + 1
    assert refused[-1].reason == "4,000 more records cannot be read"
    with pytest.raises(
        BadRequest, match="records that are not of openai-costs, such as line 1: an object is neither"
    ):
        read_bill(b"{} " * 150_000, "openai-costs", {})


@pytest.mark.parametrize(
    "secret",
    [
        "sk-proj-abcdEFGH1234567890",
        "sk-ant-api03-AbCdEfGh_12345678",
        "AIzaSyA1234567890abcdefghijkl",
        "Bearer abcdefgh12345678",
    ],
)
def test_no_credential_is_kept_wherever_it_stands(secret: str) -> None:
    """Not in a line and not in a complaint; two different ones stay two."""
    rows = f"day,provider,project,key,model,amount_usd\n2026-01-31,o,{secret},{secret},a {secret} b,1\n"
    _, lines, refused = read_bill(
        (rows + f"2026-01-31,o,p,k,m,{secret}\n{secret},o,p,k,m,1\n").encode(), None, {}
    )
    assert (len(lines), len(refused)) == (1, 2)
    assert secret not in repr((lines, refused))
    assert unkeyed(secret) != unkeyed(secret + "9")
    assert unkeyed("proj_sk-short") == "proj_sk-short"


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["usd", "USD", "2026-01-31", "2026-01-31T00:00:00Z", "1.5", "gpt-4o, input", "gen-1"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    *(
                        "data",
                        "results",
                        "has_more",
                        "next_page",
                        "start_time",
                        "end_time",
                        "amount",
                        "value",
                        "currency",
                    ),
                    *(
                        "line_item",
                        "object",
                        "input_tokens",
                        "output_tokens",
                        "starting_at",
                        "ending_at",
                        "model",
                    ),
                    *(
                        "uncached_input_tokens",
                        "cache_creation",
                        "server_tool_use",
                        "token_type",
                        "date",
                        "usage",
                    ),
                    *(
                        "generation_id",
                        "created_at",
                        "cost_total",
                        "request_id",
                        "startTime",
                        "spend",
                        "metadata",
                    ),
                    *(
                        "prompt_tokens",
                        "usage_object",
                        "page",
                        "total_pages",
                        "quantity",
                        "batch",
                        "service_tier",
                    ),
                ]
            ),
            inner,
            max_size=6,
        )
    ),
    max_leaves=30,
)


RESULTS: dict[str, Callable[[Any], bytes]] = {
    "openai-costs": generated.openai_costs,
    "openai-usage": generated.openai_usage,
    "anthropic-costs": generated.anthropic_costs,
    "anthropic-usage": generated.anthropic_usage,
    "openrouter-activity": generated.openrouter_daily,
    "litellm-spend": generated.litellm_spend,
}


@given(st.sampled_from(list(RESULTS)), st.data(), JSON | st.just(-1) | st.just("-0.5") | st.just(10**30))
def test_one_bad_value_costs_its_own_record_and_no_other(name: str, data: st.DataObject, value: Any) -> None:
    """Whatever stands in one field of one record: the lines of all others are what they were."""
    value_of = json.loads(RESULTS[name](generated.some_calls(9, 6, days=2)))
    records = value_of["data"] if isinstance(value_of, dict) else value_of
    if "results" in records[0]:
        bucket = data.draw(st.integers(0, len(records) - 1))
        place, records = f"data[{bucket}].", records[bucket]["results"]
        place += "results"
    else:
        place = "data" if isinstance(value_of, dict) else ""
    number = data.draw(st.integers(0, len(records) - 1))
    _, before, _ = read_bill(json.dumps(value_of).encode(), name, {})
    field = data.draw(st.sampled_from(sorted(records[number])))
    records[number] = {**records[number], field: value}
    _, after, refused = read_bill(json.dumps(value_of).encode(), name, {})
    where = f"{place}[{number}]"
    assert [line for line in after if line.where != where] == [line for line in before if line.where != where]
    assert {each.where for each in refused} <= {where}


def test_json_nested_to_the_limit_is_refused_where_it_stands() -> None:
    """Whichever of the ways down meets the limit first."""
    for depth in (10, 900, 960, 985, 990, 995, 2000):
        nested = "[" * depth + "]" * depth
        bucket = f'{{"start_time": 1, "end_time": 2, "results": [{{"amount": {nested}}}, {nested}]}}'
        for content in (bucket, f'{{"data": [{bucket}]}}', f"[{nested}]"):
            assert read_bill(content.encode(), "openai-costs", {})[1] == []


def _is_sound(found: list[BillLine], refused: list[Refused]) -> None:
    for line in found:
        assert 0 <= line.since_ns < line.until_ns <= 2**63
        assert line.tokens is None or 0 <= line.tokens < 2**63
        assert line.amount_usd is None or abs(line.amount_usd) < MOST_USD
        assert line.amount_usd is None or -Decimal(line.amount_usd).as_tuple().exponent <= MOST_DECIMALS  # type: ignore[operator]  # finite, as the line above shows
        repr(line).encode()
    for each in refused:
        each.reason.encode()


@given(JSON, st.sampled_from(list(FORMATS)))
@example({"data": [{"results": [{}], "start_time": 1, "end_time": 10**30}]}, "openai-costs")
@example([[[[]]]], "anthropic-costs")
@example({"data": [{"date": "9999-12-31", "usage": 1, "model": "\ud800"}]}, "openrouter-activity")
def test_any_json_is_lines_and_refusals_of_any_format(value: Any, name: str) -> None:
    """Whatever stands where: nothing but `BadRequest` is raised, and lines are sound."""
    try:
        _, found, refused = read_bill(json.dumps(value).encode(), name, {})
    except BadRequest:
        return
    _is_sound(found, refused)


@given(
    st.binary(max_size=400)
    | st.text(
        alphabet='{}[]",:;\t\n\\.0123456789eE-+ day,provider,amount_usd,COPY x (a) FROM stdin', max_size=400
    ).map(str.encode),
    st.sampled_from([None, *FORMATS]),
    st.dictionaries(st.sampled_from(["day", "provider", "amount_usd", "x"]), st.text(max_size=5), max_size=4),
)
@example(b"\x1f\x8b\x08\x00", None, {})
@example(b"day,provider,amount_usd\n2026-01-31,\xff\xfe,1\n", None, {})
@example(b"day,provider,zone,amount_usd\n2026-01-31,o,../../etc/passwd,1\n", None, {})
@example(b"day,provider,zone,amount_usd\n2026-01-31,o,\x00,1\n", None, {})
@example(b"day,provider,amount_usd\n0001-01-01,o,1\n9999-12-31,o,1\n", None, {})
def test_any_bytes_are_lines_and_refusals_of_any_format(
    content: bytes, name: str | None, mapping: dict[str, str]
) -> None:
    """Whatever it is: nothing but `BadRequest` is raised, and lines are sound."""
    try:
        _, found, refused = read_bill(content, name, mapping)
    except BadRequest:
        return
    _is_sound(found, refused)
