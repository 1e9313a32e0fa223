"""What a LiteLLM proxy logged for each request: rows of its table `LiteLLM_SpendLogs`.

Documented at https://github.com/BerriAI/litellm/blob/main/schema.prisma (the table) and
https://docs.litellm.ai/docs/proxy/cost_tracking (`GET /spend/logs`). As JSON, JSON lines, CSV (`\\copy … csv
header`), or PostgreSQL's own text (`pg_dump`, `COPY`). Times are UTC, as Prisma keeps them. `prompt_tokens`
is all input; what of it was cached stands in `metadata.usage_object`. The addresses, messages and responses
in a row are not kept, and of the key its hash, which is what LiteLLM has there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import cast

from msgspec.structs import replace

from watchglass.ledger.bills import records
from watchglass.ledger.bills.documents import Document, documents, is_json
from watchglass.ledger.bills.line import BillLine, LineClass, Refused
from watchglass.ledger.bills.tables import table
from watchglass.ledger.bills.values import Record, Unreadable, count, instant, money, text
from watchglass.pricing.provider import detect

_NAMES = tuple(re.compile(rb'"%s"\s*:' % name) for name in (b"request_id", b"startTime", b"spend"))
_COLUMNS = frozenset({"request_id", "startTime", "spend"})
_NOBODY = "litellm"
"""Who bills what no provider is known for: the proxy, which says what it cost."""


class LiteLLMSpend:
    """See `BillFormat`."""

    name = "litellm-spend"
    documented = "https://docs.litellm.ai/docs/proxy/cost_tracking"

    def recognises(self, head: bytes) -> bool:
        """See `BillFormat.recognises`."""
        if is_json(head):
            return all(name.search(head) for name in _NAMES)
        return table(head).names >= _COLUMNS

    def read(self, content: bytes, mapping: dict[str, str]) -> Iterator[BillLine | Refused]:
        """See `BillFormat.read`."""
        return records.lines(content, _lines, once="request_id")


def _lines(found: records.Found) -> Iterator[BillLine | Refused]:
    where, record = found
    dollars = money(record, "spend")
    if dollars is None:
        raise Unreadable("spend is missing: the row says no cost")
    at_ns = instant(record, "startTime")
    request_id = text(record, "request_id")
    if request_id is None:
        raise Unreadable("request_id is missing: only rows of single requests are read (summarize=false)")
    model = text(record, "model")
    provider, _ = detect(
        label=text(record, "custom_llm_provider"),
        server_address=None,
        request_model=model,
        response_model=None,
        hidden_provider=text(record, "custom_llm_provider"),
    )
    cached = str(record.get("cache_hit")).lower() == "true"
    like = BillLine(
        provider=provider or _NOBODY,
        since_ns=at_ns,
        until_ns=at_ns + 1,
        item="answered from LiteLLM's cache" if cached else None,
        project=text(record, "team_id"),
        key=text(record, "api_key"),
        model=model,
        request_id=request_id,
        where=where,
    )
    yield replace(like, amount_usd=dollars, requests=0 if cached else 1)
    if cached:
        return  # nobody served its tokens
    try:
        told = _tokens(record)
    except Unreadable as fault:
        yield Refused(where, f"{fault}; its cost is kept, its tokens are left out")
        return
    for token_class, tokens in told:
        if tokens is not None:
            yield replace(like, token_class=token_class, tokens=tokens)


def _tokens(record: Record) -> list[tuple[LineClass, int | None]]:
    whole, output = count(record, "prompt_tokens"), count(record, "completion_tokens")
    usage = _inside(_inside(record, "metadata"), "usage_object")
    into, out = _inside(usage, "prompt_tokens_details"), _inside(usage, "completion_tokens_details")
    thought = count(out, "reasoning_tokens")
    told = _input(whole, usage, into)
    if output is not None and thought is not None and thought <= output:
        return [*told, ("output", output - thought), ("reasoning", thought)]
    return [*told, ("output", output)]


def _input(whole: int | None, usage: Record, details: Record) -> list[tuple[LineClass, int | None]]:
    """All input as one where the row does not tell what of it was cached, or tells more than all of it (as
    versions did that counted cached input of Anthropic's apart)."""
    read = _first(usage, details, "cache_read_input_tokens", "cached_tokens")
    written = _first(usage, details, "cache_creation_input_tokens", "cache_creation_tokens")
    hours = count(_inside(details, "cache_creation_token_details"), "ephemeral_1h_input_tokens") or 0
    audio = count(details, "audio_tokens") or 0
    plain = (whole or 0) - (read or 0) - (written or 0) - audio
    if whole is None or read is None or plain < 0 or hours > (written or 0):
        return [("input_total", whole)]
    told: list[tuple[LineClass, int | None]] = [("input", plain), ("cache_read", read)]
    if written is not None:
        told.extend([("cache_write", written - hours), ("cache_write_1h", hours)])
    return [*told, ("input_audio", audio)] if audio else told


def _first(usage: Record, details: Record, in_usage: str, in_details: str) -> int | None:
    """The count by its name at the top, as Anthropic says it, or else in the details, as OpenAI does."""
    at_the_top, detailed = count(usage, in_usage), count(details, in_details)
    return at_the_top if at_the_top or detailed is None else detailed


def _inside(record: Record, name: str) -> Record:
    """An object in a record, which tables hold as JSON text; one that is none says nothing."""
    value = record.get(name)
    if isinstance(value, str) and value[:1] == "{":
        found = next(documents(value.encode("utf-8", "surrogateescape")), None)
        value = found.value if isinstance(found, Document) else None
    return cast("Record", value) if isinstance(value, dict) else {}
