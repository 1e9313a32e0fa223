"""What OpenAI charged, by day: the costs API's pages, and the dashboard's export of the same as CSV.

Documented at https://platform.openai.com/docs/api-reference/usage/costs (`GET /v1/organization/costs`,
`group_by=line_item,project_id`): buckets are days of UTC, `amount.value` is US dollars, `quantity` how much
of the line item. The export has the columns `start_time`, `end_time`, `amount_value`, `amount_currency`,
`line_item`, `project_id`. What a line item's text is made of is documented nowhere; see `_ITEM`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, cast

from watchglass.ledger.bills import pages
from watchglass.ledger.bills.line import BillLine, LineClass, Refused
from watchglass.ledger.bills.tables import table
from watchglass.ledger.bills.values import Record, Unreadable, count, currency, epoch, money, shown, text

_OBJECT = re.compile(rb'"organization\.costs\.result"')
_COLUMNS = frozenset({"start_time", "end_time", "amount_value", "amount_currency"})

_ITEM = re.compile(
    # As accounts show them: `gpt-4o-2024-08-06, input`, `priority | gpt-5.6-sol, output, long context`,
    # `gpt-5.6-luna, cache writes`, `gpt-audio-mini-2025-12-15 audio, output`, `gpt-image-1 text, input`.
    r"(?:(?P<tier>[a-z]+) \| )?(?P<model>[^\s,|]+)(?: (?P<kind>text|audio|image))?"
    r", (?P<of>cached input|cache writes|input|output)(?P<long>, long context)?"
)
_CLASSES: dict[tuple[str | None, str], LineClass] = {
    (None, "input"): "input",
    (None, "output"): "output",
    (None, "cached input"): "cache_read",
    (None, "cache writes"): "cache_write",
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
        return _OBJECT.search(head) is not None or table(head).names >= _COLUMNS

    def read(self, content: bytes, mapping: dict[str, str]) -> Iterator[BillLine | Refused]:
        """See `BillFormat.read`."""
        if content.lstrip()[:1] in (b"{", b"["):
            return pages.lines(content, _bounds, _result)
        return self._exported(content)

    def _exported(self, content: bytes) -> Iterator[BillLine | Refused]:
        for found in table(content).rows():
            if isinstance(found, Refused):
                yield found
                continue
            where, row = found
            try:
                since_ns, until_ns = _bounds(row)
                if any(text(row, name) for name in ("amount_value", "line_item", "quantity")):
                    yield from _lines(pages.Result(since_ns, until_ns, where, row), "amount_value", row)
            except Unreadable as fault:
                yield Refused(where, str(fault))


def _bounds(bucket: Record) -> tuple[int, int]:
    return epoch(bucket, "start_time"), epoch(bucket, "end_time")


def _result(found: pages.Result) -> list[BillLine]:
    amount = found.record.get("amount")
    if not isinstance(amount, dict):
        raise Unreadable(f"amount is {shown(amount)}: a cost has an amount with value and currency")
    currency(cast("Record", amount), "currency")
    return _lines(found, "value", cast("dict[str, Any]", amount))


def _lines(found: pages.Result, name: str, amount: Record) -> list[BillLine]:
    record = found.record
    currency(record, "amount_currency")
    dollars = money(amount, name)
    if dollars is None:
        raise Unreadable("the cost has no amount")
    item = text(record, "line_item")
    meant = _ITEM.fullmatch(item) if item else None
    kind: LineClass | None = None if item is None else "other"
    if meant:
        kind = _CLASSES.get((meant["kind"], meant["of"]), "other")
    elif item and _SEARCH.fullmatch(item.lower()):
        kind = "search"
    counted = count(record, "quantity") if kind not in (None, "other") else None
    return [
        BillLine(
            provider="openai",
            since_ns=found.since_ns,
            until_ns=found.until_ns,
            item=item,
            project=text(record, "project_id"),
            key=text(record, "api_key_id"),
            model=meant["model"] if meant else None,
            token_class=kind,
            tier=_tier(meant["tier"]) if meant else None,
            long_context=bool(meant and meant["long"]),
            tokens=None if kind == "search" else counted,
            requests=counted if kind == "search" else None,
            amount_usd=dollars,
            where=found.where,
        )
    ]


def _tier(said: str | None) -> str | None:
    return None if said in (None, "default", "standard") else said
