"""What OpenRouter served and charged: by day from the activity API, by request from the activity's export.

Documented at https://openrouter.ai/docs/api/api-reference/analytics/get-user-activity (`GET
/api/v1/activity`: days of UTC; `usage` is US dollars in credits, `byok_usage_inference` what a key of one's
own was charged elsewhere, so it is none of this bill) and, that there is an export,
https://openrouter.ai/docs/guides/features/activity. Its columns are documented nowhere; `cost_total` has
what a search or a file cost in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec.structs import replace

from watchglass.ledger.bills import records
from watchglass.ledger.bills.documents import is_json
from watchglass.ledger.bills.line import BillLine, LineClass, Refused
from watchglass.ledger.bills.tables import table
from watchglass.ledger.bills.values import Unreadable, count, day, instant, money, text

_SLUG = re.compile(rb'"model_permaslug"\s*:')
_TOKENS = re.compile(rb'"(prompt_tokens|byok_usage_inference)"\s*:')
_COLUMNS = frozenset({"generation_id", "created_at", "cost_total", "model_permaslug"})
_DAILY = frozenset({"date", "model_permaslug", "usage", "prompt_tokens"})


class OpenRouterActivity:
    """See `BillFormat`."""

    name = "openrouter-activity"
    documented = "https://openrouter.ai/docs/api/api-reference/analytics/get-user-activity"

    def recognises(self, head: bytes) -> bool:
        """See `BillFormat.recognises`."""
        if is_json(head):
            return _SLUG.search(head) is not None and _TOKENS.search(head) is not None
        names = table(head).names
        return names >= _COLUMNS or names >= _DAILY

    def read(self, content: bytes, mapping: dict[str, str]) -> Iterator[BillLine | Refused]:
        """See `BillFormat.read`."""
        return records.lines(content, _lines, once="generation_id")


def _lines(found: records.Found) -> Iterator[BillLine | Refused]:
    return _of_request(found) if found.record.get("generation_id") else _of_day(found)


def _of_day(found: records.Found) -> Iterator[BillLine | Refused]:
    where, record = found
    since_ns, until_ns = day(record, "date")
    dollars = money(record, "usage")
    if dollars is None:
        raise Unreadable("usage is missing: it says no cost")
    like = BillLine(
        provider="openrouter",
        since_ns=since_ns,
        until_ns=until_ns,
        project=text(record, "workspace_id"),
        key=text(record, "api_key_hash"),
        model=text(record, "model") or text(record, "model_permaslug"),
        where=where,
    )
    yield replace(like, amount_usd=dollars, requests=count(record, "requests"))
    yield from _tokens(found, like, "prompt_tokens", "completion_tokens", "reasoning_tokens", None)


def _of_request(found: records.Found) -> Iterator[BillLine | Refused]:
    where, record = found
    at_ns = instant(record, "created_at")
    dollars = money(record, "cost_total")
    if dollars is None:
        raise Unreadable("cost_total is missing: it says no cost")
    like = BillLine(
        provider="openrouter",
        since_ns=at_ns,
        until_ns=at_ns + 1,
        key=text(record, "api_key_name"),
        model=text(record, "model_permaslug"),
        request_id=text(record, "generation_id"),
        where=where,
    )
    yield replace(like, amount_usd=dollars, requests=1)
    yield from _tokens(found, like, "tokens_prompt", "tokens_completion", "tokens_reasoning", "tokens_cached")


def _tokens(
    found: records.Found, like: BillLine, prompt: str, completion: str, reasoning: str, cached: str | None
) -> Iterator[BillLine | Refused]:
    """The tokens of a record, its cost already told: what is wrong with them leaves the cost standing."""
    try:
        whole, read = count(found.record, prompt), count(found.record, cached) if cached else None
        output, thought = count(found.record, completion), count(found.record, reasoning)
        if whole is not None and read is not None and read > whole:
            raise Unreadable(f"{cached} is more than {prompt} ({whole})")
        if output is not None and thought is not None and thought > output:
            raise Unreadable(f"{reasoning} is more than {completion} ({output})")
    except Unreadable as fault:
        yield Refused(found.where, f"{fault}; its cost is kept, its tokens are left out")
        return
    told: list[tuple[LineClass, int | None]]
    if whole is not None and read is not None:
        told = [("input", whole - read), ("cache_read", read)]
    else:
        told = [("input_total", whole)]
    if output is not None and thought is not None:
        told.extend([("output", output - thought), ("reasoning", thought)])
    else:
        told.append(("output", output))
    for token_class, tokens in told:
        if tokens is not None:
            yield replace(like, token_class=token_class, tokens=tokens)
