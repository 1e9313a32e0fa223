"""What OpenAI served, by bucket: the usage API's pages, and the dashboard's export of the same as CSV.

Documented at https://platform.openai.com/docs/api-reference/usage/completions (`GET
/v1/organization/usage/completions`, also `/embeddings`, `/moderations` …; `group_by=project_id,api_key_id,
model,batch,service_tier`). `input_tokens` is all input, with what was read from and written to the cache.
Until 2025 it was text only, with `input_audio_tokens` apart; a result that has `input_uncached_tokens` is of
the newer kind, where `input_audio_tokens` is the part of it that is audio and not cached.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from watchglass.ledger.bills import pages
from watchglass.ledger.bills.documents import is_json
from watchglass.ledger.bills.line import BillLine, LineClass, Refused
from watchglass.ledger.bills.tables import table
from watchglass.ledger.bills.values import Record, Unreadable, count, text, tier

_OBJECT = re.compile(rb'"organization\.usage\.\w+\.result"')
_COLUMNS = frozenset({"start_time", "end_time", "num_model_requests", "input_tokens"})
_COUNTED: dict[str, LineClass] = {"web_searches": "search", "file_searches": "other"}
_SESSIONS = "code_interpreter_sessions"
_REQUESTED = ("images", "audio_speeches", "audio_transcriptions")


class OpenAIUsage:
    """See `BillFormat`."""

    name = "openai-usage"
    documented = "https://platform.openai.com/docs/api-reference/usage/completions"

    def recognises(self, head: bytes) -> bool:
        """See `BillFormat.recognises`."""
        if is_json(head):
            return _OBJECT.search(head) is not None
        return table(head).names >= _COLUMNS

    def read(self, content: bytes, mapping: dict[str, str]) -> Iterator[BillLine | Refused]:
        """See `BillFormat.read`."""
        if is_json(content):
            return pages.lines_of_pages(content, pages.by_epoch, _lines)
        return pages.lines_of_rows(content, pages.by_epoch, ("num_model_requests", "input_tokens"), _lines)


def _lines(found: pages.Result) -> list[BillLine]:
    record = found.record
    said = text(record, "object")
    kind = (said or "").removeprefix("organization.usage.").removesuffix(".result")
    if kind == "":
        kind = "completions" if "output_tokens" in record else "embeddings"
    requests = count(record, "num_model_requests")
    if kind == "completions":
        tokens = [*_input(record), *_output(record)]
    elif kind in ("embeddings", "moderations"):
        tokens = _counted(("input", count(record, "input_tokens")))
    elif kind in _COUNTED:
        return [_line(found, _COUNTED[kind], requests=count(record, "num_requests"))]
    elif kind == _SESSIONS:
        return [_line(found, "other", requests=count(record, "num_sessions"))]
    elif kind in _REQUESTED:
        return [_line(found, "other", requests=requests)]
    else:
        raise Unreadable(
            f"object is {said}: it counts no tokens and no requests, so there is nothing to compare"
        )
    lines = [_line(found, token_class, tokens=number) for token_class, number in tokens]
    return lines if requests is None else [*lines, _line(found, None, requests=requests)]


def _line(
    found: pages.Result, token_class: LineClass | None, tokens: int | None = None, requests: int | None = None
) -> BillLine:
    record = found.record
    batch = record.get("batch") is True or str(record.get("batch")).lower() == "true"
    return BillLine(
        provider="openai",
        since_ns=found.since_ns,
        until_ns=found.until_ns,
        project=text(record, "project_id"),
        key=text(record, "api_key_id"),
        model=text(record, "model"),
        token_class=token_class,
        tier="batch" if batch else tier(record, "service_tier"),
        tokens=tokens,
        requests=requests,
        where=found.where,
    )


def _input(record: Record) -> list[tuple[LineClass, int]]:
    whole = count(record, "input_tokens")
    if whole is None:
        raise Unreadable("input_tokens is missing")
    read, written = count(record, "input_cached_tokens"), count(record, "input_cache_write_tokens")
    audio = count(record, "input_audio_tokens")
    of_whole = audio if record.get("input_uncached_tokens") not in (None, "") else None
    if read is None:
        apart = None if of_whole is not None else audio
        return [("input_total", whole), *_counted(("input_audio", apart))]
    plain = whole - read - (written or 0) - (of_whole or 0)
    if plain < 0:
        raise Unreadable(f"its parts are more than its input_tokens ({whole}): ask for the usage again")
    return [
        ("input", plain),
        *_counted(("cache_read", read), ("cache_write", written), ("input_audio", audio)),
    ]


def _output(record: Record) -> list[tuple[LineClass, int]]:
    whole = count(record, "output_tokens")
    if whole is None:
        raise Unreadable("output_tokens is missing")
    audio = count(record, "output_audio_tokens")
    of_whole = audio if record.get("output_text_tokens") not in (None, "") else None
    if (of_whole or 0) > whole:
        raise Unreadable(f"output_audio_tokens is more than its output_tokens ({whole})")
    return [("output", whole - (of_whole or 0)), *_counted(("output_audio", audio))]


def _counted(*tokens: tuple[LineClass, int | None]) -> list[tuple[LineClass, int]]:
    return [(token_class, number) for token_class, number in tokens if number is not None]
