"""What Anthropic served, by bucket: the messages usage report's pages, and the Console's export as CSV.

Documented at https://platform.claude.com/docs/en/api/admin/usage_report (`GET
/v1/organizations/usage_report/messages`, `group_by[]=workspace_id`, `api_key_id`, `model`, `service_tier`,
`context_window` …). Its classes are apart from each other: input that was not cached, read from the cache,
written to it for 5 minutes or an hour, output. It counts no requests. The columns of the Console's export
(https://support.claude.com/en/articles/9534590) are the same counts, `usage_input_tokens_no_cache` and so on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import cast

from msgspec.structs import replace

from watchglass.ledger.bills import pages
from watchglass.ledger.bills.anthropic_costs import LONG_CONTEXT, by_day, is_long, region, service_tier
from watchglass.ledger.bills.documents import is_json
from watchglass.ledger.bills.line import BillLine, LineClass, Refused
from watchglass.ledger.bills.tables import table
from watchglass.ledger.bills.values import Record, Unreadable, count, shown, text, tier

_BUCKET = re.compile(rb'"starting_at"\s*:')
_TOKENS = re.compile(rb'"uncached_input_tokens"\s*:')
_COLUMNS = frozenset(
    {"usage_date_utc", "model_version", "usage_input_tokens_no_cache", "usage_output_tokens"}
)
_RESULT: tuple[tuple[str, LineClass], ...] = (
    ("uncached_input_tokens", "input"),
    ("cache_read_input_tokens", "cache_read"),
    ("ephemeral_5m_input_tokens", "cache_write"),
    ("ephemeral_1h_input_tokens", "cache_write_1h"),
    ("output_tokens", "output"),
)
_ROW: tuple[tuple[str, LineClass], ...] = (
    ("usage_input_tokens_no_cache", "input"),
    ("usage_input_tokens_cache_read", "cache_read"),
    ("usage_input_tokens_cache_write_5m", "cache_write"),
    ("usage_input_tokens_cache_write_1h", "cache_write_1h"),
    ("usage_output_tokens", "output"),
)


class AnthropicUsage:
    """See `BillFormat`."""

    name = "anthropic-usage"
    documented = "https://platform.claude.com/docs/en/api/admin/usage_report"

    def recognises(self, head: bytes) -> bool:
        """See `BillFormat.recognises`."""
        if is_json(head):
            return _BUCKET.search(head) is not None and _TOKENS.search(head) is not None
        return table(head).names >= _COLUMNS

    def read(self, content: bytes, mapping: dict[str, str]) -> Iterator[BillLine | Refused]:
        """See `BillFormat.read`."""
        if is_json(content):
            return pages.lines_of_pages(content, pages.by_instant, _of_result)
        return pages.lines_of_rows(content, by_day, ("model_version", "usage_output_tokens"), _of_row)


def _of_result(found: pages.Result) -> list[BillLine]:
    record = found.record
    flat = {**record, **_part(record, "cache_creation"), **_part(record, "server_tool_use")}
    like = BillLine(
        provider="anthropic",
        since_ns=found.since_ns,
        until_ns=found.until_ns,
        project=text(record, "workspace_id"),
        key=text(record, "api_key_id"),
        model=text(record, "model"),
        tier=service_tier(record),
        where=found.where,
    )
    return _lines(like, flat, _RESULT, "web_search_requests")


def _of_row(found: pages.Result) -> list[BillLine]:
    row = found.record
    like = BillLine(
        provider="anthropic",
        since_ns=found.since_ns,
        until_ns=found.until_ns,
        project=text(row, "workspace"),
        key=text(row, "api_key_id") or text(row, "api_key"),
        model=text(row, "model_version"),
        tier=tier(row, "usage_type") or tier(row, "speed"),
        where=found.where,
    )
    return _lines(like, row, _ROW, "web_search_count")


def _part(record: Record, name: str) -> Record:
    part = record.get(name)
    if part is None:
        return {}
    if not isinstance(part, dict):
        raise Unreadable(f"{name} is {shown(part)}: write an object")
    return cast("Record", part)


def _lines(
    like: BillLine, record: Record, classes: tuple[tuple[str, LineClass], ...], searches: str
) -> list[BillLine]:
    long = is_long(record)
    like = replace(like, above=LONG_CONTEXT if long else None, long_context=long, region=region(record))
    tokens = [(token_class, count(record, name)) for name, token_class in classes]
    lines = [
        replace(like, token_class=token_class, tokens=number)
        for token_class, number in tokens
        if number is not None
    ]
    if not lines:
        raise Unreadable("it counts no tokens")
    searched = count(record, searches)
    return [*lines, replace(like, token_class="search", requests=searched)] if searched else lines
