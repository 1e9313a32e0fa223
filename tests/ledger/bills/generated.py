"""What providers would export for calls that a test made up: the writers that the formats' readers undo.

Each writes what the provider documents (the reader's docstring says where), a bucket for each day of `zone`
from the first call to the last, an empty one where there was none, with every digit of the money.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import random
import zoneinfo
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal, localcontext
from typing import Any

import msgspec

from watchglass.ledger.bills.line import LineClass

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_ENCODER = msgspec.json.Encoder(decimal_format="number")

SPOKEN: Mapping[str, str] = {
    "input": ", input",
    "output": ", output",
    "reasoning": ", output",
    "cache_read": ", cached input",
    "cache_write": ", cache writes",
    "input_audio": " audio, input",
    "output_audio": " audio, output",
}
TOKEN_TYPES: Mapping[str, str] = {
    "input": "uncached_input_tokens",
    "cache_read": "cache_read_input_tokens",
    "cache_write": "cache_creation.ephemeral_5m_input_tokens",
    "cache_write_1h": "cache_creation.ephemeral_1h_input_tokens",
    "output": "output_tokens",
    "reasoning": "output_tokens",
}


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One request as its provider counts and charges it: classes apart, each with its cost."""

    at_ns: int
    model: str
    tokens: dict[LineClass, int]
    usd: dict[LineClass, Decimal]
    provider: str = "openai"
    project: str | None = None
    key: str | None = None
    tier: str | None = None
    long_context: bool = False
    request_id: str | None = None

    @property
    def total_usd(self) -> Decimal:
        """All that it cost."""
        return total(self.usd.values())


class Extra(msgspec.Struct, frozen=True, kw_only=True):
    """What a bill has beside calls: a credit, storage, a tax."""

    at_ns: int
    item: str
    usd: Decimal
    project: str | None = None


def total(amounts: Iterable[Decimal]) -> Decimal:
    """The exact sum."""
    with localcontext() as exactly:
        exactly.prec = 200
        return sum(amounts, Decimal(0))


def some_calls(seed: int, count: int, provider: str = "openai", days: int = 30) -> list[Call]:
    """Calls of a month at exact prices, the same ones for the same seed."""
    chance = random.Random(seed)
    start = int(dt.datetime(2026, 10, 1, tzinfo=dt.UTC).timestamp()) * 10**9
    per_token: dict[LineClass, Decimal] = {
        "input": Decimal("0.0000025"),
        "cache_read": Decimal("0.00000125"),
        "cache_write": Decimal("0.000003125"),
        "output": Decimal("0.00001"),
    }
    made: list[Call] = []
    for number in range(count):
        tokens = {each: chance.randrange(0, 40_000) for each in per_token}
        made.append(
            Call(
                at_ns=start + chance.randrange(days * 86_400 * 10**9),
                provider=provider,
                model=chance.choice(("gpt-4o-2024-08-06", "gpt-5-mini-2025-08-07", "claude-opus-4-5")),
                project=chance.choice(("proj_a", "proj_b", None)),
                key=chance.choice(("key_1", "key_2")),
                tier=chance.choice((None, None, "batch", "priority")),
                long_context=chance.random() < 0.1,
                request_id=f"gen-{number}",
                tokens=tokens,
                usd={each: n * per_token[each] for each, n in tokens.items()},
            )
        )
    return made


def openai_costs(
    calls: Sequence[Call], zone: str = "UTC", extras: Sequence[Extra] = (), page_days: int = 180
) -> bytes:
    """Pages of `GET /v1/organization/costs` by project and line item, one after the other."""
    return _pages(calls, extras, zone, page_days, _openai_bucket, _openai_costs_of)


def openai_usage(calls: Sequence[Call], zone: str = "UTC", page_days: int = 31) -> bytes:
    """Pages of `GET /v1/organization/usage/completions` by project, key, model, batch and tier."""
    return _pages(calls, (), zone, page_days, _openai_bucket, _openai_usage_of)


def anthropic_costs(
    calls: Sequence[Call], zone: str = "UTC", extras: Sequence[Extra] = (), page_days: int = 31
) -> bytes:
    """Pages of `GET /v1/organizations/cost_report` by workspace and description."""
    return _pages(calls, extras, zone, page_days, _anthropic_bucket, _anthropic_costs_of)


def anthropic_usage(calls: Sequence[Call], zone: str = "UTC", page_days: int = 31) -> bytes:
    """Pages of `GET /v1/organizations/usage_report/messages` by workspace, key, model, tier and context."""
    return _pages(calls, (), zone, page_days, _anthropic_bucket, _anthropic_usage_of)


def openai_costs_csv(calls: Sequence[Call], zone: str = "UTC", extras: Sequence[Extra] = ()) -> bytes:
    """The dashboard's export of costs."""
    rows: list[dict[str, Any]] = []
    for since, until, of_day, extra in _days(calls, extras, zone):
        bucket = {"start_time": int(since.timestamp()), "end_time": int(until.timestamp())}
        bucket |= {"start_time_iso": since.isoformat(), "end_time_iso": until.isoformat()}
        results = _openai_costs_of(of_day, extra)
        for result in results:
            amount = {"amount_value": _plain(result["amount"]["value"]), "amount_currency": "usd"}
            rows.append({**bucket, **amount, **{name: result[name] for name in ("line_item", "project_id")}})
        if not results:
            rows.append(bucket)
    return _csv(rows)


def openrouter_daily(calls: Sequence[Call], zone: str = "UTC") -> bytes:
    """`GET /api/v1/activity`: a record a day, model and provider."""
    found: list[dict[str, Any]] = []
    for since, _, of_day, _extra in _days(calls, (), zone):
        for (model,), some in _grouped(of_day, lambda call: (call.model,)):
            found.append(
                {
                    "date": since.date().isoformat(),
                    "model": f"openai/{model}",
                    "model_permaslug": f"openai/{model}",
                    "endpoint_id": "550e8400-e29b-41d4-a716-446655440000",
                    "provider_name": "OpenAI",
                    "usage": total(call.total_usd for call in some),
                    "byok_usage_inference": 0,
                    "requests": len(some),
                    "prompt_tokens": sum(_all_input(call) for call in some),
                    "completion_tokens": sum(_all_output(call) for call in some),
                    "reasoning_tokens": sum(call.tokens.get("reasoning", 0) for call in some),
                }
            )
    return _ENCODER.encode({"data": found})


def openrouter_requests(calls: Sequence[Call]) -> bytes:
    """The activity page's export: a row a request."""
    return _csv(
        [
            {
                "generation_id": call.request_id,
                "created_at": _at(call).strftime("%Y-%m-%d %H:%M:%S") + f".{call.at_ns % 10**9:09}",
                "cost_total": _plain(call.total_usd),
                "tokens_prompt": _all_input(call),
                "tokens_completion": _all_output(call),
                "tokens_reasoning": call.tokens.get("reasoning", 0),
                "tokens_cached": call.tokens.get("cache_read", 0),
                "model_permaslug": f"openai/{call.model}",
                "provider_name": "OpenAI",
                "api_key_name": call.key,
            }
            for call in calls
        ]
    )


def litellm_rows(calls: Sequence[Call]) -> list[dict[str, Any]]:
    """Rows of `LiteLLM_SpendLogs`."""
    return [
        {
            "request_id": call.request_id,
            "call_type": "acompletion",
            "api_key": call.key or "",
            "spend": call.total_usd,
            "total_tokens": _all_input(call) + _all_output(call),
            "prompt_tokens": _all_input(call),
            "completion_tokens": _all_output(call),
            "startTime": _at(call).strftime("%Y-%m-%dT%H:%M:%S") + f".{call.at_ns % 10**9:09}Z",
            "endTime": _at(call).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "model": call.model,
            "custom_llm_provider": call.provider,
            "cache_hit": "None",
            "team_id": call.project,
            "requester_ip_address": "192.0.2.7",
            "messages": {},
            "response": {},
            "metadata": {
                "usage_object": {
                    "prompt_tokens_details": {"cached_tokens": call.tokens.get("cache_read", 0)},
                    "cache_creation_input_tokens": call.tokens.get("cache_write", 0),
                    "completion_tokens_details": {"reasoning_tokens": call.tokens.get("reasoning", 0)},
                }
            },
        }
        for call in calls
    ]


def litellm_spend(calls: Sequence[Call]) -> bytes:
    """`GET /spend/logs`: a list of rows."""
    return _ENCODER.encode(litellm_rows(calls))


def litellm_spend_csv(calls: Sequence[Call]) -> bytes:
    """`\\copy (SELECT * FROM "LiteLLM_SpendLogs") TO … CSV HEADER`."""
    return _csv([{name: _cell(value) for name, value in row.items()} for row in litellm_rows(calls)])


def plain_csv(calls: Sequence[Call], zone: str = "UTC", extras: Sequence[Extra] = ()) -> bytes:
    """A table with our own names: a row a day, project, model, tier and class."""
    rows: list[dict[str, Any]] = []
    for since, _, of_day, extra in _days(calls, extras, zone):
        day = {"day": since.date().isoformat(), "zone": zone}
        for (provider, project, model, tier), some in _grouped(
            of_day, lambda call: (call.provider, call.project, call.model, call.tier)
        ):
            like = {**day, "provider": provider, "project": project, "model": model, "tier": tier}
            rows.append({**like, "requests": len(some)})
            for each in _classes(some):
                figures = {"tokens": _tokens(some, each), "amount_usd": _plain(_usd(some, each))}
                rows.append({**like, "token_class": each, **figures})
        of_extra = {**day, "provider": "openai", "token_class": "credit"}
        rows += [{**of_extra, "item": one.item, "amount_usd": _plain(one.usd)} for one in extra]
    return _csv(rows)


def _openai_bucket(since: dt.datetime, until: dt.datetime, results: list[dict[str, Any]]) -> dict[str, Any]:
    times = {"start_time": int(since.timestamp()), "end_time": int(until.timestamp())}
    return {"object": "bucket", **times, "results": results}


def _anthropic_bucket(
    since: dt.datetime, until: dt.datetime, results: list[dict[str, Any]]
) -> dict[str, Any]:
    written = [moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ") for moment in (since, until)]
    return {"starting_at": written[0], "ending_at": written[1], "results": results}


def _openai_costs_of(calls: Sequence[Call], extras: Sequence[Extra]) -> list[dict[str, Any]]:
    amounts: dict[tuple[str | None, str], Decimal] = defaultdict(Decimal)
    quantities: dict[tuple[str | None, str], int] = defaultdict(int)
    for call in calls:
        for each, usd in call.usd.items():
            tier = f"{call.tier} | " if call.tier else ""
            item = f"{tier}{call.model}{SPOKEN[each]}{', long context' if call.long_context else ''}"
            amounts[call.project, item] = total((amounts[call.project, item], usd))
            quantities[call.project, item] += call.tokens.get(each, 0)
    for extra in extras:
        amounts[extra.project, extra.item] = total((amounts[extra.project, extra.item], extra.usd))
    return [
        {
            "object": "organization.costs.result",
            "amount": {"value": usd, "currency": "usd"},
            "line_item": item,
            "project_id": project,
            "quantity": quantities.get((project, item)),
        }
        for (project, item), usd in amounts.items()
    ]


def _openai_usage_of(calls: Sequence[Call], _extras: Sequence[Extra]) -> list[dict[str, Any]]:
    results: list[dict[str, Any]] = []
    for (project, key, model, tier), some in _grouped(
        calls, lambda call: (call.project, call.key, call.model, call.tier)
    ):
        audio, written = _tokens(some, "input_audio"), _tokens(some, "cache_write")
        plain, read = _tokens(some, "input"), _tokens(some, "cache_read")
        spoken, output = _tokens(some, "output_audio"), _tokens(some, "output") + _tokens(some, "reasoning")
        results.append(
            {
                "object": "organization.usage.completions.result",
                "input_tokens": plain + read + written + audio,
                "input_cached_tokens": read,
                "input_cache_write_tokens": written,
                "input_uncached_tokens": plain + audio,
                "input_audio_tokens": audio,
                "output_tokens": output + spoken,
                "output_text_tokens": output,
                "output_audio_tokens": spoken,
                "num_model_requests": len(some),
                "project_id": project,
                "user_id": None,
                "api_key_id": key,
                "model": model,
                "batch": tier == "batch",
                "service_tier": "default" if tier in (None, "batch") else tier,
            }
        )
    return results


def _anthropic_costs_of(calls: Sequence[Call], extras: Sequence[Extra]) -> list[dict[str, Any]]:
    results: list[dict[str, Any]] = []
    for (project, model, tier, long), some in _grouped(
        calls, lambda call: (call.project, call.model, call.tier, call.long_context)
    ):
        results += [
            {
                "currency": "USD",
                "amount": _cents(_usd(some, each)),
                "workspace_id": project,
                "description": f"{model} Usage - {each}",
                "cost_type": "tokens",
                "context_window": "200k-1M" if long else "0-200k",
                "model": model,
                "service_tier": tier or "standard",
                "token_type": TOKEN_TYPES[each],
                "inference_geo": None,
            }
            for each in _classes(some)
        ]
    of_extras = {"cost_type": "code_execution", "context_window": None, "model": None, "service_tier": None}
    return results + [
        {
            "currency": "USD",
            "amount": _cents(extra.usd),
            "workspace_id": extra.project,
            "description": extra.item,
            **of_extras,
            "token_type": None,
            "inference_geo": None,
        }
        for extra in extras
    ]


def _anthropic_usage_of(calls: Sequence[Call], _extras: Sequence[Extra]) -> list[dict[str, Any]]:
    return [
        {
            "uncached_input_tokens": _tokens(some, "input"),
            "cache_creation": {
                "ephemeral_1h_input_tokens": _tokens(some, "cache_write_1h"),
                "ephemeral_5m_input_tokens": _tokens(some, "cache_write"),
            },
            "cache_read_input_tokens": _tokens(some, "cache_read"),
            "output_tokens": _tokens(some, "output") + _tokens(some, "reasoning"),
            "server_tool_use": {"web_search_requests": 0},
            "api_key_id": key,
            "workspace_id": project,
            "model": model,
            "service_tier": tier or "standard",
            "context_window": "200k-1M" if long else "0-200k",
            "inference_geo": "not_available",
        }
        for (project, key, model, tier, long), some in _grouped(
            calls, lambda call: (call.project, call.key, call.model, call.tier, call.long_context)
        )
    ]


def _pages(
    calls: Sequence[Call],
    extras: Sequence[Extra],
    zone: str,
    page_days: int,
    bucket: Callable[[dt.datetime, dt.datetime, list[dict[str, Any]]], dict[str, Any]],
    results: Callable[[Sequence[Call], Sequence[Extra]], list[dict[str, Any]]],
) -> bytes:
    days = [bucket(since, until, results(*of_day)) for since, until, *of_day in _days(calls, extras, zone)]
    starts = range(0, max(len(days), 1), page_days)
    return b"\n".join(
        _ENCODER.encode(
            {
                "object": "page",
                "data": days[start : start + page_days],
                "has_more": start + page_days < len(days),
                "next_page": f"page_{start + page_days}" if start + page_days < len(days) else None,
            }
        )
        for start in starts
    )


def _days(
    calls: Sequence[Call], extras: Sequence[Extra], zone: str
) -> Iterator[tuple[dt.datetime, dt.datetime, list[Call], list[Extra]]]:
    """Every day of the zone from the first call to the last, with what was on it."""
    place = zoneinfo.ZoneInfo(zone)
    of_calls: dict[dt.date, list[Call]] = defaultdict(list)
    of_extras: dict[dt.date, list[Extra]] = defaultdict(list)
    for call in calls:
        of_calls[_at(call).astimezone(place).date()].append(call)
    for extra in extras:
        of_extras[_at(extra).astimezone(place).date()].append(extra)
    seen = of_calls.keys() | of_extras.keys()
    if not seen:
        return
    day = min(seen)
    while day <= max(seen):
        following = day + dt.timedelta(days=1)
        midnights = [dt.datetime(each.year, each.month, each.day, tzinfo=place) for each in (day, following)]
        yield midnights[0], midnights[1], of_calls.get(day, []), of_extras.get(day, [])
        day = following


def _at(made: Call | Extra) -> dt.datetime:
    return _EPOCH + dt.timedelta(seconds=made.at_ns // 10**9)


def _grouped(
    calls: Iterable[Call], by: Callable[[Call], tuple[Any, ...]]
) -> list[tuple[tuple[Any, ...], list[Call]]]:
    groups: dict[tuple[Any, ...], list[Call]] = defaultdict(list)
    for call in calls:
        groups[by(call)].append(call)
    return list(groups.items())


def _classes(calls: Iterable[Call]) -> list[LineClass]:
    return list(dict.fromkeys(each for call in calls for each in call.usd))


def _tokens(calls: Iterable[Call], token_class: LineClass) -> int:
    return sum(call.tokens.get(token_class, 0) for call in calls)


def _usd(calls: Iterable[Call], token_class: LineClass) -> Decimal:
    return total(call.usd.get(token_class, Decimal(0)) for call in calls)


def _all_input(call: Call) -> int:
    return sum(count for each, count in call.tokens.items() if each.startswith(("input", "cache")))


def _all_output(call: Call) -> int:
    return sum(count for each, count in call.tokens.items() if each.startswith(("output", "reasoning")))


def _plain(amount: Decimal) -> str:
    return f"{amount:f}"


def _cents(amount: Decimal) -> str:
    with localcontext() as exactly:
        exactly.prec = 200
        return _plain(amount.scaleb(2))


def _cell(value: Any) -> Any:
    if isinstance(value, Decimal):
        return _plain(value)
    return _ENCODER.encode(value).decode() if isinstance(value, dict) else value


def _csv(rows: Sequence[Mapping[str, Any]]) -> bytes:
    names = list(dict.fromkeys(name for row in rows for name in row))
    written = io.StringIO(newline="")
    table = csv.DictWriter(written, names, lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    return written.getvalue().encode()
