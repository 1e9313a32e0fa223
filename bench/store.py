"""Promise: the store takes tens of thousands of full spans a second, durably, in under 1,000 bytes each.

A full span is what one LLM call of an instrumented program becomes: a row of `spans`, one of
`calls` and two of `messages` with about 1 KB of prose each. Prose is random words of a
vocabulary of a few thousand with word lengths and frequencies like English (Zipf), because
identical or looped text would compress to nothing and flatter the figure.

    python bench/store.py [--spans 200000] [--batch 5000] [--rounds 3]
"""

from __future__ import annotations

import argparse
import hashlib
import random
import statistics
import sys
import tempfile
import threading
import time
from decimal import Decimal
from pathlib import Path

import pyarrow as pa

from watchglass.store import SCHEMAS, Store, open_store

START_NS = 1_730_000_000_000_000_000
MODELS = [
    ("openai", "gpt-4o-2024-08-06"),
    ("openai", "gpt-4o-mini"),
    ("anthropic", "claude-sonnet-4-5-20250929"),
]
AGENTS = ["researcher", "writer", "reviewer", "planner", None]
Batches = dict[str, pa.RecordBatch]


class Prose:
    """Random English-like text: every call its own."""

    def __init__(self, seed: int, words: int = 4000) -> None:
        self.random = random.Random(seed)
        letters = "etaoinshrdlucmfwypvbgkqjxz"
        weights = [
            12,
            9,
            8,
            7.5,
            7,
            6.7,
            6.3,
            6,
            6,
            4.3,
            4,
            2.8,
            2.8,
            2.4,
            2.2,
            2.4,
            2,
            1.9,
            1,
            1.5,
            2,
            0.8,
            0.1,
            0.1,
            0.1,
            0.1,
        ]
        lengths = [min(14, max(1, round(self.random.gauss(5.5, 2.2)))) for _ in range(words)]
        self.words = ["".join(self.random.choices(letters, weights, k=n)) for n in lengths]
        self.cumulative = [0.0] * words
        total = 0.0
        for rank in range(words):
            total += 1 / (rank + 2.7)
            self.cumulative[rank] = total

    def text(self, size: int) -> str:
        """About `size` bytes of words."""
        return " ".join(self.random.choices(self.words, cum_weights=self.cumulative, k=size // 6))[:size]


def full_spans(prose: Prose, first: int, count: int, text_bytes: int) -> Batches:
    """Rows for `count` spans that are all calls, ids random, everything else as in a real program."""
    rows: dict[str, list[dict[str, object]]] = {"spans": [], "calls": [], "messages": []}
    for number in range(first, first + count):
        for table, row in one(prose, number, text_bytes):
            rows[table].append(row)
    return {name: as_batch(name, made) for name, made in rows.items()}


def one(prose: Prose, number: int, text_bytes: int) -> list[tuple[str, dict[str, object]]]:
    """The rows of one span, each with its table."""
    rnd = prose.random
    trace_id, span_id, parent = rnd.randbytes(16).hex(), rnd.randbytes(8).hex(), rnd.randbytes(8).hex()
    at = START_NS + number * 1_700_000 + rnd.randrange(1_000_000)
    provider, model = rnd.choice(MODELS)
    agent, tenant = rnd.choice(AGENTS), f"tenant-{rnd.randrange(20)}"
    texts = [prose.text(text_bytes), prose.text(text_bytes)]
    contents = [
        f'{{"role":"{role}","parts":[{{"type":"text","content":"{text}"}}]}}'
        for role, text in zip(("user", "assistant"), texts, strict=True)
    ]
    hashes = [hashlib.blake2b(content.encode(), digest_size=16).hexdigest() for content in contents]
    tokens = (rnd.randrange(50, 4000), rnd.randrange(10, 900))
    duration = rnd.randrange(200_000_000, 20_000_000_000)
    shared = {"trace_id": trace_id, "span_id": span_id, "parent_span_id": parent, "version": at + 40_000_000}
    span = shared | {
        "name": f"chat {model}", "kind": 3, "start_time": at, "duration_ns": duration, "status": 0,
        "scope": "opentelemetry.instrumentation.openai", "scope_version": "0.44.1", "service": "support-bot",
        "tenant": tenant, "own_context": [("tenant", tenant)],
        "resource_context": [("environment", "production")],
        "process": "support-bot@host-3#4242",
        "resource": '{"service.name":"support-bot","host.name":"host-3"}',
        "attributes": [
            ("gen_ai.operation.name", "chat"), ("gen_ai.provider.name", provider),
            ("gen_ai.request.model", model),
            ("gen_ai.response.model", model), ("gen_ai.response.id", "chatcmpl-" + rnd.randbytes(12).hex()),
            ("gen_ai.usage.input_tokens", str(tokens[0])), ("gen_ai.usage.output_tokens", str(tokens[1])),
            ("gen_ai.request.temperature", "0.7"), ("server.address", "api.openai.com"),
            ("gen_ai.input.messages", f"\x01ref:{hashes[0]}"),
            ("gen_ai.output.messages", f"\x01ref:{hashes[1]}"),
            ("tenant.id", tenant),
        ],
        "attribute_types": [
            ("gen_ai.usage.input_tokens", "i"), ("gen_ai.usage.output_tokens", "i"),
            ("gen_ai.request.temperature", "d")],
        "content_keys": ["gen_ai.input.messages", "gen_ai.output.messages"],
        "events": "[]", "links": "[]", "flags": 1,
    }  # fmt: skip
    response_id = dict(span["attributes"])["gen_ai.response.id"]
    call = shared | {
        "call_id": f"{trace_id}:{span_id}", "time": at, "kind": "call", "tenant": tenant, "agent": agent,
        "feature": rnd.choice(["chat", "search", "summary"]), "engagement": f"e-{rnd.randrange(40)}",
        "environment": "production", "service": "support-bot", "process": "support-bot@host-3#4242",
        "scope": "opentelemetry.instrumentation.openai", "provider": provider, "provider_source": "attribute",
        "provider_label": provider, "server_address": "api.openai.com",
        "request_model": model, "response_model": model,
        "operation": "chat", "response_id": response_id, "input_tokens": tokens[0],
        "output_tokens": tokens[1],
        "total_tokens_reported": sum(tokens),
        "cost_usd": Decimal(tokens[0] * 25 + tokens[1] * 100).scaleb(-7),
        "price_source": "genai-prices", "price_id": f"{provider}/{model}@2024-08-06", "duration_ns": duration,
        "finish_reasons": ["stop"], "success": True, "counted": True, "may_wrap": False, "dialect": "genai",
        "input_messages": [hashes[0]], "output_messages": [hashes[1]],
    }  # fmt: skip
    messages = [
        {
            "tenant": tenant,
            "hash": digest,
            "role": role,
            "content": content,
            "first_time": at,
            "version": at + 40_000_000,
        }
        for role, digest, content in zip(("user", "assistant"), hashes, contents, strict=True)
    ]
    return [("spans", span), ("calls", call), *(("messages", message) for message in messages)]


_EMPTY: dict[str, object] = {"string": "", "list": [], "map": [], "bool": False}


def as_batch(table: str, rows: list[dict[str, object]]) -> pa.RecordBatch:
    """Rows of a table as Arrow; what a row does not name is empty or NULL."""
    schema = SCHEMAS[table]
    arrays = []
    for field in schema:
        missing = None if field.nullable else _EMPTY.get(str(field.type).split("<")[0], 0)
        arrays.append(pa.array([row.get(field.name, missing) for row in rows], field.type))
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def insert_all(store: Store, work: list[Batches], writers: int) -> float:
    """Seconds to insert every batch with that many threads."""
    todo = iter(work)
    lock = threading.Lock()

    def write() -> None:
        while True:
            with lock:
                batches = next(todo, None)
            if batches is None:
                return
            for table in ("messages", "spans", "calls"):
                store.engine.insert(f"store.{table}", [batches[table]])

    threads = [threading.Thread(target=write) for _ in range(writers)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - began


def sizes(store: Store) -> dict[str, int]:
    """Bytes on disk per table, active parts only, indexes and marks included."""
    found = store.engine.execute(
        "SELECT table, sum(bytes_on_disk) AS bytes FROM system.parts "
        "WHERE database = 'store' AND active GROUP BY table"
    )
    return dict(zip(found["table"].to_pylist(), found["bytes"].to_pylist(), strict=True))


def columns(store: Store, table: str, top: int = 12) -> list[tuple[str, int]]:
    """The columns that take the most."""
    found = store.engine.execute(
        """
        SELECT column, sum(column_bytes_on_disk) AS bytes
        FROM system.parts_columns
        WHERE database = 'store' AND table = {table:String} AND active
        GROUP BY column ORDER BY bytes DESC LIMIT {top:UInt32}
        """,
        {"table": table, "top": top},
    )
    return list(zip(found["column"].to_pylist(), found["bytes"].to_pylist(), strict=True))


def report_sizes(store: Store, spans: int, when: str, *, detail: bool = False) -> float:
    """Print and return bytes per span."""
    by_table = sizes(store)
    total = sum(by_table.values()) / spans
    parts = ", ".join(f"{name} {size / spans:.0f}" for name, size in sorted(by_table.items()))
    print(f"bytes per span {when}: {total:.0f} ({parts})")
    if detail:
        for table in by_table:
            print(
                f"  {table}: "
                + ", ".join(f"{name} {size / spans:.1f}" for name, size in columns(store, table))
            )
    return total


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spans", type=int, default=100_000)
    parser.add_argument("--batch", type=int, default=5_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--text-bytes", type=int, default=1_000)
    parser.add_argument("--columns", action="store_true", help="also print the largest columns")
    args = parser.parse_args()

    prose = Prose(seed=1)
    work = [full_spans(prose, n, args.batch, args.text_bytes) for n in range(0, args.spans, args.batch)]
    print(
        f"{args.spans} full spans made",
        file=sys.stderr,
    )
    for writers in (1, 2):
        rates: list[float] = []
        for _ in range(args.rounds):
            with tempfile.TemporaryDirectory() as folder, open_store(Path(folder) / "data") as store:
                rates.append(args.spans / insert_all(store, work, writers))
        spread = f"{min(rates):,.0f} to {max(rates):,.0f}"
        print(
            f"durable inserts, {writers} at once: median {statistics.median(rates):,.0f} spans/s ({spread})"
        )
    with tempfile.TemporaryDirectory() as folder, open_store(Path(folder) / "data") as store:
        store.engine.execute("SYSTEM STOP MERGES")
        insert_all(store, work, 1)
        report_sizes(store, args.spans, "right after insert", detail=args.columns)
        store.engine.execute("SYSTEM START MERGES")
        for table in ("messages", "spans", "calls"):
            store.engine.execute(f"OPTIMIZE TABLE store.{table} FINAL")
        report_sizes(store, args.spans, "after merges", detail=args.columns)


if __name__ == "__main__":
    main()
