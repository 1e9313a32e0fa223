"""What OpenAI charged, by day: the costs API's pages, and the dashboard's export of the same as CSV.

Documented at https://platform.openai.com/docs/api-reference/usage/costs (`GET /v1/organization/costs`,
`group_by=line_item,project_id`): buckets are days of UTC, `amount.value` is US dollars, `quantity` how much
of the line item. The export has the columns `start_time`, `end_time`, `amount_value`, `amount_currency`,
`line_item`, `project_id`. What a line item's text is made of is documented nowhere; see `_ITEM`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import cast

from watchglass.ledger.bills import pages
from watchglass.ledger.bills.documents import is_json
from watchglass.ledger.bills.line import BillLine, LineClass, Refused
from watchglass.ledger.bills.tables import table
from watchglass.ledger.bills.values import Record, Unreadable, count, currency, money, shown, text, tier

_OBJECT = re.compile(rb'"organization\.costs\.result"')
_COLUMNS = frozenset({"start_time", "end_time", "amount_value", "amount_currency"})

_ITEM = re.compile(
    # As accounts show them: `gpt-4o-2024-08-06, input`, `priority | gpt-5.6-sol, output, long context`,
    # `gpt-5.6-luna, cache writes`, `gpt-audio-mini-2025-12-15 audio, output`, `gpt-image-1 text, input`.
    r"(?:(?P<tier>[a-z]+) \| )?(?P<model>[^\s,|]+)(?: (?P<kind>text|audio|image))?"
    r", (?P<of>cached input|cache writes|input|output)(?P<long>, long context)?"
)
_CLASSES: dict[tuple[str, str], LineClass] = {
    ("text", "input"): "input",
    ("text", "output"): "output",
    ("text", "cached input"): "cache_read",
    ("text", "cache writes"): "cache_write",
    ("audio", "input"): "input_audio",
    ("audio", "output"): "output_audio",
    ("audio", "cached input"): "cache_read",
}
"""What an image is charged for has no class of ours: it is `other`, with its model."""

_SEARCH = re.compile(r"web search( preview)?( tool)? calls?\b.*")


class OpenAICosts:
    """See `BillFormat`."""

    name = "openai-costs"
    documented = "https://platform.openai.com/docs/api-reference/usage/costs"

    def recognises(self, head: bytes) -> bool:
        """See `BillFormat.recognises`."""
        if is_json(head):
            return _OBJECT.search(head) is not None
        return table(head).names >= _COLUMNS

    def read(self, content: bytes, mapping: dict[str, str]) -> Iterator[BillLine | Refused]:
        """See `BillFormat.read`."""
        if is_json(content):
            return pages.lines_of_pages(content, pages.by_epoch, _of_result)
        said = ("amount_value", "line_item", "quantity")
        return pages.lines_of_rows(content, pages.by_epoch, said, _of_row)


def _of_result(found: pages.Result) -> list[BillLine]:
    amount = found.record.get("amount")
    if not isinstance(amount, dict):
        raise Unreadable(f"amount is {shown(amount)}: a cost has an amount with value and currency")
    return [_line(found, cast("Record", amount), "value", "currency")]


def _of_row(found: pages.Result) -> list[BillLine]:
    return [_line(found, found.record, "amount_value", "amount_currency")]


def _line(found: pages.Result, amount: Record, value: str, unit: str) -> BillLine:
    record = found.record
    currency(amount, unit)
    dollars = money(amount, value)
    if dollars is None:
        raise Unreadable(f"{value} is missing: the cost has no amount")
    item = text(record, "line_item")
    meant = _ITEM.fullmatch(item) if item else None
    kind = _class(item, meant)
    quantity = None if kind in (None, "other") else count(record, "quantity")
    return BillLine(
        provider="openai",
        since_ns=found.since_ns,
        until_ns=found.until_ns,
        item=item,
        project=text(record, "project_id"),
        key=text(record, "api_key_id"),
        model=meant["model"] if meant else None,
        token_class=kind,
        tier=tier(meant.groupdict(), "tier") if meant else None,
        long_context=bool(meant and meant["long"]),
        tokens=None if kind == "search" else quantity,
        requests=quantity if kind == "search" else None,
        amount_usd=dollars,
        where=found.where,
    )


def _class(item: str | None, meant: re.Match[str] | None) -> LineClass | None:
    """The class of a line item; None where the costs were not asked to be told apart by it."""
    if meant:
        return _CLASSES.get((meant["kind"] or "text", meant["of"]), "other")
    if item is None:
        return None
    return "search" if _SEARCH.fullmatch(item.lower()) else "other"
