"""A store of ten million spans, each an LLM call, over the last 30 days: grown inside the engine from a seed.

    python bench/grown.py DIRECTORY [--spans 10000000]

The seed is made row by row (tenants with their engagements, agents, features and models; traces of five
calls below each other; failures; calls without tokens). Each copy has ids and times of its own. A tenth
of the calls has been settled (a second version), one in a hundred was sent again: de-duplicating has
work to do. The rollup is told of nothing, so that the server that opens the store must find it all.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
from store import as_batch

from watchglass.store import Store, open_store

SEED_SPANS = 50_000
A_TRACE = 5
DAYS = 30
DAY_NS = 86_400 * 10**9
TENANTS = 12
MODELS = (
    ("openai", "gpt-4o", "gpt-4o-2024-08-06", 25, 100),
    ("openai", "gpt-4o-mini", "gpt-4o-mini-2024-07-18", 2, 6),
    ("openai", "o3-mini", "o3-mini-2025-01-31", 11, 44),
    ("openai", "gpt-4.1", "gpt-4.1-2025-04-14", 20, 80),
    ("anthropic", "claude-sonnet-4-5", "claude-sonnet-4-5-20250929", 30, 150),
    ("anthropic", "claude-haiku-4-5", "claude-haiku-4-5-20251001", 10, 50),
    ("google", "gemini-2.5-pro", "gemini-2.5-pro", 12, 100),
    ("google", "gemini-2.5-flash", "gemini-2.5-flash", 3, 25),
)
Rows = dict[str, list[dict[str, Any]]]


def seed(spans: int, first_ns: int, length_ns: int) -> dict[str, pa.RecordBatch]:
    """Rows of `spans` spans that begin in `length_ns` from `first_ns`, ids random."""
    rnd = random.Random(1)
    rows: Rows = {"spans": [], "calls": []}
    for number in range(0, spans, A_TRACE):
        at_ns = first_ns + number * length_ns // spans
        for span, call in _trace(rnd, at_ns):
            rows["spans"].append(span)
            rows["calls"].append(call)
    return {name: as_batch(name, made) for name, made in rows.items()}


def _trace(rnd: random.Random, at_ns: int) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    tenant = rnd.randrange(TENANTS)
    agent = tenant * 4 + rnd.randrange(4)
    trace_id, engagement = rnd.randbytes(16).hex(), f"e-{tenant}-{rnd.randrange(2)}"
    made: list[tuple[dict[str, Any], dict[str, Any]]] = []
    parent = ""
    for _ in range(A_TRACE):
        about = {
            "trace_id": trace_id, "span_id": rnd.randbytes(8).hex(), "parent_span_id": parent, "version": 1,
            "tenant": f"tenant-{tenant}", "service": f"crew-{tenant % 3}", "scope": "openinference.litellm",
            "process": f"crew-{tenant % 3}@host#1",
        }  # fmt: skip
        facts = {"agent": f"agent-{agent}", "engagement": engagement, "feature": f"feature-{agent % 6}"}
        model = MODELS[(agent + (rnd.random() < 0.3)) % len(MODELS)]
        made.append(_span(rnd, about, facts, model, at_ns))
        parent = str(about["span_id"])
        at_ns += rnd.randrange(10**8, 5 * 10**9)
    return made


def _span(
    rnd: random.Random, about: dict[str, Any], facts: dict[str, str], model: Any, at_ns: int
) -> tuple[dict[str, Any], dict[str, Any]]:
    provider, asked, answered, price_in, price_out = model
    failed = rnd.random() < 0.03
    tokens = (None, None) if failed else (int(rnd.lognormvariate(6.8, 1)), int(rnd.lognormvariate(5.3, 0.9)))
    cost = None if failed else Decimal((tokens[0] or 0) * price_in + (tokens[1] or 0) * price_out).scaleb(-7)
    duration = int(rnd.lognormvariate(0.7, 0.8) * 10**9)
    response_id = "" if failed else "chatcmpl-" + rnd.randbytes(12).hex()
    attributes = {
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": provider, "gen_ai.request.model": asked,
        "gen_ai.response.model": answered, "gen_ai.response.id": response_id,
        "gen_ai.usage.input_tokens": str(tokens[0]), "gen_ai.usage.output_tokens": str(tokens[1]),
        "gen_ai.agent.name": facts["agent"], "tenant.id": about["tenant"],
    }  # fmt: skip
    span = about | {
        "name": f"chat {asked}", "kind": 3, "start_time": at_ns, "duration_ns": duration,
        "status": 2 if failed else 0, "attributes": list(attributes.items()), "events": "[]", "links": "[]",
        "own_context": [("tenant", about["tenant"]), ("agent", facts["agent"])],
        "attribute_types": [("gen_ai.usage.input_tokens", "i"), ("gen_ai.usage.output_tokens", "i")],
    }  # fmt: skip
    call = about | facts | {
        "call_id": f"{about['trace_id']}:{about['span_id']}", "time": at_ns, "kind": "call",
        "session": f"s-{about['trace_id'][:6]}", "environment": "production", "provider": provider,
        "provider_source": "attribute", "request_model": asked, "response_model": answered,
        "operation": "chat", "response_id": response_id or None, "input_tokens": tokens[0],
        "output_tokens": tokens[1], "cost_usd": cost, "duration_ns": duration,
        "price_source": None if failed else "genai-prices", "price_id": None if failed else asked,
        "unpriced_reason": "failed_without_usage" if failed else None, "finish_reasons": ["stop"],
        "success": not failed, "error_type": "timeout" if failed else None,
        "counted": rnd.random() > 0.02, "dialect": "genai",
    }  # fmt: skip
    return span, call


_PARTS = """
    cache_read_tokens =
        if(sipHash64(span_id) % 2 = 0, NULL, intDiv(input_tokens * (sipHash64(span_id, 1) % 80), 100)),
    cache_write_tokens =
        if(provider != 'anthropic' OR sipHash64(span_id) % 3 != 0, NULL, intDiv(input_tokens, 10)),
    reasoning_tokens = if(sipHash64(span_id) % 4 != 0, NULL, intDiv(output_tokens, 3)),
    service_tier = if(sipHash64(span_id, 3) % 10 = 0, 'default', NULL)
    WHERE 1
"""

_NEW_TRACE = "lower(hex(sipHash128(trace_id, {copy:UInt32})))"


def grow(
    store: Store, spans: int, until_ns: int, *, only_calls: bool = False, assigned: str = _PARTS
) -> None:
    """Fill an empty store; `only_calls` leaves the spans out and gives half of the calls parts of tokens, or
    what else is `assigned` to the columns of the seed."""
    copies = max(1, spans // SEED_SPANS)
    length_ns = DAYS * DAY_NS // copies
    seeded = seed(min(spans, SEED_SPANS), until_ns - DAYS * DAY_NS, length_ns)
    engine = store.engine
    engine.execute("CREATE DATABASE IF NOT EXISTS seed")
    for table, moment in (("spans", "start_time"), ("calls", "time")):
        engine.execute(
            f"CREATE OR REPLACE TABLE seed.{table} AS store.{table} ENGINE = MergeTree ORDER BY {moment}"
        )
        engine.insert(f"seed.{table}", [seeded[table]])
    if only_calls:
        engine.execute(f"ALTER TABLE seed.calls UPDATE {assigned} SETTINGS mutations_sync = 1")
    for copy in range(copies):
        later = f"toIntervalNanosecond({copy * length_ns})"
        if not only_calls:
            engine.execute(
                f"INSERT INTO store.spans SELECT * REPLACE ({_NEW_TRACE} AS trace_id,"
                f" start_time + {later} AS start_time) FROM seed.spans", {"copy": copy},
            )  # fmt: skip
        new = (
            f"{_NEW_TRACE} AS trace_id, concat({_NEW_TRACE}, ':', span_id) AS call_id,"
            f" time + {later} AS time,"
            # Amounts of its own too, or each amount would be there once a copy.
            " cost_usd + toDecimal128(sipHash64(span_id, {copy:UInt32}) % 1000000, 18) / 1000000000"
            " AS cost_usd"
        )
        insert = f"INSERT INTO store.calls SELECT * REPLACE ({new}"
        engine.execute(f"{insert}) FROM seed.calls", {"copy": copy})
        engine.execute(f"{insert}, 2 AS version) FROM seed.calls WHERE rand() % 10 = 0", {"copy": copy})
        engine.execute(f"{insert}) FROM seed.calls WHERE rand() % 100 = 0", {"copy": copy})
        if copy % 20 == 0:
            print(f"{copy} of {copies} copies …", file=sys.stderr)
    engine.execute("DROP DATABASE seed")
    store.control.put("settled_until_ns", str(time.time_ns()))  # or a server settles all of it at its start


def main() -> None:
    """Grow a store that stays."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("directory", type=Path)
    parser.add_argument("--spans", type=int, default=10_000_000)
    given = parser.parse_args()
    with open_store(given.directory) as store:
        grow(store, given.spans, time.time_ns())


if __name__ == "__main__":
    main()
