"""What Anthropic charged, by day: the cost report's pages, and the Console's export of the same as CSV.

Documented at https://platform.claude.com/docs/en/api/admin/cost_report (`GET /v1/organizations/cost_report`,
`group_by[]=workspace_id&group_by[]=description`): buckets are days of UTC, `amount` is a decimal text in the
currency's lowest unit, cents. A null `workspace_id` is the default workspace. The report has no Priority Tier
(https://platform.claude.com/docs/en/manage-claude/usage-cost-api). That the Console exports CSV is documented
at https://support.claude.com/en/articles/9534590, its columns are not; there, `cost_usd` is dollars, rounded
to cents, and models and keys have the names that people see. `GET /v1/organizations/analytics/cost` answers
in the same shape, and is read too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from watchglass.ledger.bills import pages
from watchglass.ledger.bills.documents import is_json
from watchglass.ledger.bills.line import BillLine, LineClass, Refused
from watchglass.ledger.bills.tables import table
from watchglass.ledger.bills.values import Record, Unreadable, count, currency, day, money, text, tier

LONG_CONTEXT = 200_000
"""Input tokens above which a request is of the long context (`200k-1M`; `> 200k` in the export)."""

_BUCKET = re.compile(rb'"starting_at"\s*:')
_AMOUNT = re.compile(rb'"amount"\s*:')
_COLUMNS = frozenset({"usage_date_utc", "model", "token_type", "cost_usd"})
_CLASSES: dict[str, LineClass] = {
    "uncached_input_tokens": "input",
    "cache_read_input_tokens": "cache_read",
    "cache_creation.ephemeral_5m_input_tokens": "cache_write",
    "cache_creation.ephemeral_1h_input_tokens": "cache_write_1h",
    "output_tokens": "output",
    # as the export names them
    "input_no_cache": "input",
    "input_cache_read": "cache_read",
    "input_cache_write_5m": "cache_write",
    "input_cache_write_1h": "cache_write_1h",
    "output": "output",
}


class AnthropicCosts:
    """See `BillFormat`."""

    name = "anthropic-costs"
    documented = "https://platform.claude.com/docs/en/api/admin/cost_report"

    def recognises(self, head: bytes) -> bool:
        """See `BillFormat.recognises`."""
        if is_json(head):
            return _BUCKET.search(head) is not None and _AMOUNT.search(head) is not None
        return table(head).names >= _COLUMNS

    def read(self, content: bytes, mapping: dict[str, str]) -> Iterator[BillLine | Refused]:
        """See `BillFormat.read`."""
        if is_json(content):
            return pages.lines_of_pages(content, pages.by_instant, _of_result)
        return pages.lines_of_rows(content, by_day, ("cost_usd", "model", "cost_type"), _of_row)


def by_day(row: Record) -> tuple[int, int]:
    """The bounds of a row of the Console's exports."""
    return day(row, "usage_date_utc")


def is_long(record: Record) -> bool:
    """Whether a result is of the long context."""
    said = (text(record, "context_window") or "").lower().replace(" ", "")
    return said.startswith(("200k-", ">200k"))


def region(record: Record) -> str | None:
    """Where the requests were processed; None where the report does not say."""
    said = text(record, "inference_geo")
    return None if said in ("not_available", "not available") else said


def service_tier(record: Record) -> str | None:
    """`batch`, `priority`, `fast` …; None for the standard tier at the standard speed."""
    return tier(record, "service_tier") or tier(record, "speed")


def _of_result(found: pages.Result) -> list[BillLine]:
    record = found.record
    currency(record, "currency")
    project, key = text(record, "workspace_id"), text(record, "api_key_id")
    return [_line(found, money(record, "amount", -2), project, key, service_tier(record))]


def _of_row(found: pages.Result) -> list[BillLine]:
    record = found.record
    batch = "batch" in (text(record, "usage_type") or "").lower()
    priced_as = "batch" if batch else tier(record, "speed")
    key = text(record, "api_key_id") or text(record, "api_key")
    return [_line(found, money(record, "cost_usd"), text(record, "workspace"), key, priced_as)]


def _line(
    found: pages.Result, dollars: Decimal | None, project: str | None, key: str | None, priced_as: str | None
) -> BillLine:
    if dollars is None:
        raise Unreadable("the cost has no amount")
    record = found.record
    long = is_long(record)
    return BillLine(
        provider="anthropic",
        since_ns=found.since_ns,
        until_ns=found.until_ns,
        item=text(record, "description"),
        project=project,
        key=key,
        model=text(record, "model"),
        token_class=_class(record),
        tier=priced_as,
        above=LONG_CONTEXT if long else None,
        long_context=long,
        region=region(record),
        requests=count(record, "requests"),  # of `analytics/cost` only
        amount_usd=dollars,
        where=found.where,
    )


def _class(record: Record) -> LineClass | None:
    """The class of a cost; None where the report was not asked to tell classes apart."""
    of, kind = text(record, "cost_type"), text(record, "token_type")
    if of in (None, "tokens", "token"):
        return None if kind is None else _CLASSES.get(kind, "other")
    return "search" if of == "web_search" else "other"
