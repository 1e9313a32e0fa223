"""What keeping one call to a model costs the thread that makes it: ours, and others' on the same payload.

    python bench/sdk_calls.py ours|otel|langfuse|logfire [--calls 2000]

One library a process, against a server that takes everything, printed as JSON: microseconds. Every call has
a prompt of 2 KB that no other has, an answer of 500 bytes and a usage. Ours is the wrapper around LiteLLM's
`completion`, with a stub in its place that sends one request through httpx (also a stub) and gives a real
`ModelResponse`, since LiteLLM itself takes milliseconds, in which ours would drown. What the stubs take
alone is subtracted.
"""

from __future__ import annotations

import argparse
import inspect
import json
import os
import random
import shutil
import statistics
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from spool import server

Call = Callable[[int], object]

WORDS = [
    "the",
    "of",
    "to",
    "and",
    "in",
    "a",
    "is",
    "that",
    "for",
    "on",
    "with",
    "as",
    "was",
    "by",
    "are",
    "from",
    "at",
    "this",
    "have",
    "an",
    "be",
    "not",
    "which",
    "or",
    "their",
    "more",
    "about",
    "service",
    "order",
    "customer",
    "report",
    "agent",
    "model",
    "invoice",
    "summary",
    "request",
    "when",
    "please",
    "write",
    "explain",
    "because,",
    "however,",
    "delivery.",
    "account.",
    "region:",
    "system;",
    "between",
    "(usually)",
    "first",
    "second",
    "2024",
    "17%",
    "next",
    "team",
    "quarter",
]
ANSWER = ("The delivery was late because the second carrier had no record of it. " * 8)[:500]
MODEL = "gpt-4o"
PROMPT_TOKENS, ANSWER_TOKENS = 450, 110
DEPTH = 10
"""Frames between LiteLLM's entry and httpx in a real call."""


def prose(many: int) -> list[str]:
    """Texts of 2 KB, no two alike."""
    rnd = random.Random(7)
    return [f"{n}: {' '.join(rnd.choices(WORDS, k=420))}"[:2048] for n in range(many)]


def code(many: int) -> list[str]:
    """The same of source code: what coding agents send."""
    source = inspect.getsource(argparse) + inspect.getsource(textwrap) + inspect.getsource(inspect)
    room = len(source) - 2048
    return [f"# {n}\n{source[(at := n * 997 % room) : at + 2040]}" for n in range(many)]


def quantiles(taken: list[int]) -> dict[str, float]:
    """The median and what 99 of 100 take at most."""
    cuts = statistics.quantiles(taken, n=100)
    return {"p50": cuts[49] / 1000, "p99": cuts[98] / 1000}


def timed(call: Call, calls: int, per_second: int = 0) -> list[int]:
    """Nanoseconds of each call: one after the other, or at a steady rate."""
    clock, taken = time.perf_counter_ns, list[int]()
    due = clock()
    for number in range(calls):
        if per_second:
            due += 10**9 // per_second
            if (early := due - clock()) > 0:
                time.sleep(early / 1e9)  # the rate is what is measured
        began = clock()
        call(number)
        taken.append(clock() - began)
    return taken


def measured(call: Call, calls: int, alone: Call | None = None) -> dict[str, dict[str, float]]:
    """Both ways; `alone` is what is in `call` and not to be counted."""
    for number in range(300):  # warm
        call(number)
        if alone:
            alone(number)
    time.sleep(1.2)  # until delivery is done with the warming up
    found: dict[str, dict[str, float]] = {}
    for way, rate, many in (("hot", 0, calls), ("paced", 200, min(calls, 1000))):
        subtract = statistics.median(timed(alone, many // 4, rate)) if alone else 0
        found[way] = quantiles([round(each - subtract) for each in timed(call, many, rate)])
    return found


def otel(url: str, calls: int) -> Iterator[tuple[str, Any]]:
    """A bare span of OpenTelemetry's SDK, with seven attributes, to an exporter that does nothing."""
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

    class Nowhere(SpanExporter):
        def export(self, spans: Any) -> SpanExportResult:
            return SpanExportResult.SUCCESS

    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(Nowhere(), max_queue_size=20_000))
    tracer = provider.get_tracer("bench")
    prompts = prose(calls)

    def call(number: int) -> None:
        with tracer.start_as_current_span(f"chat {MODEL}") as span:
            span.set_attribute("gen_ai.operation.name", "chat")
            span.set_attribute("gen_ai.provider.name", "openai")
            span.set_attribute("gen_ai.request.model", MODEL)
            span.set_attribute("gen_ai.usage.input_tokens", PROMPT_TOKENS)
            span.set_attribute("gen_ai.usage.output_tokens", ANSWER_TOKENS)
            span.set_attribute("gen_ai.input.messages", prompts[number])
            span.set_attribute("gen_ai.output.messages", ANSWER)

    yield "call", measured(call, calls)


def langfuse(url: str, calls: int) -> Iterator[tuple[str, Any]]:
    """A generation of Langfuse's SDK."""
    from langfuse import Langfuse

    client = Langfuse(public_key="pk-lf-bench", secret_key="sk-lf-bench", base_url=url)
    messages = [[{"role": "user", "content": text}] for text in prose(calls)]

    def call(number: int) -> None:
        about = {"as_type": "generation", "name": "chat", "model": MODEL, "input": messages[number]}
        with client.start_as_current_observation(**about) as made:  # type: ignore[arg-type] - one of many shapes
            made.update(
                output={"role": "assistant", "content": ANSWER},
                usage_details={"input": PROMPT_TOKENS, "output": ANSWER_TOKENS},
            )

    yield "call", measured(call, calls)


def logfire(url: str, calls: int) -> Iterator[tuple[str, Any]]:
    """A span of Logfire's, which it exports to our server that takes everything."""
    import logfire
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    logfire.configure(
        send_to_logfire=False,
        console=False,
        inspect_arguments=False,
        additional_span_processors=[BatchSpanProcessor(OTLPSpanExporter(f"{url}/v1/traces"))],
    )
    messages = [[{"role": "user", "content": text}] for text in prose(calls)]

    def call(number: int) -> None:
        with logfire.span("chat {model}", model=MODEL, provider="openai", messages=messages[number]) as made:
            made.set_attribute("gen_ai.usage.input_tokens", PROMPT_TOKENS)
            made.set_attribute("gen_ai.usage.output_tokens", ANSWER_TOKENS)
            made.set_attribute("answer", ANSWER)

    yield "call", measured(call, calls)


def stubs() -> tuple[Callable[..., Any], Callable[..., Any], Callable[..., Any]]:
    """In the place of LiteLLM's `completion`, the same streaming, and of httpx's `send`, which it uses."""
    import httpx
    from litellm.types.utils import Delta, ModelResponse, ModelResponseStream, StreamingChoices, Usage

    usage = {"prompt_tokens": PROMPT_TOKENS, "completion_tokens": ANSWER_TOKENS, "total_tokens": 560}
    said = {"message": {"role": "assistant", "content": ANSWER}, "finish_reason": "stop", "index": 0}
    whole = ModelResponse(id="chatcmpl-9f31", model=MODEL, choices=[said], usage=usage)
    whole._hidden_params = {"custom_llm_provider": "openai", "response_cost": 0.002225}
    pieces = [
        ModelResponseStream(
            id="chatcmpl-9f31", model=MODEL, choices=[StreamingChoices(delta=Delta(content=text), index=0)]
        )
        for text in textwrap.wrap(ANSWER, 10)
    ]
    pieces[-1].choices[0].finish_reason = "stop"
    pieces[-1].usage = Usage(**usage)

    class Stream:
        def __init__(self) -> None:
            self._left = iter(pieces)

        def __iter__(self) -> Stream:
            return self

        def __next__(self) -> Any:
            return next(self._left)

    response = httpx.Response(200)
    httpx.Client.send = lambda *_, **__: response  # type: ignore[method-assign] - nothing is sent here
    client = httpx.Client()
    request = client.build_request("POST", "https://api.openai.com/v1/chat/completions", content=b"{}")

    def below(depth: int) -> None:
        if depth:
            below(depth - 1)
        else:
            client.send(request)

    def completion(**kwargs: Any) -> Any:
        below(DEPTH)
        return whole

    def streamed(**kwargs: Any) -> Any:
        below(DEPTH)
        return Stream()

    return completion, streamed, httpx.Client.send


def ours(url: str, calls: int) -> Iterator[tuple[str, Any]]:
    """Ours, with the default settings: credentials, addresses and card numbers taken out of every text."""
    import litellm  # noqa: F401 - so that it is there to be recorded

    completion, streamed, send = stubs()
    import httpx

    import watchglass
    from watchglass.capture import boundary, steps
    from watchglass.capture.litellm.entry import tracked
    from watchglass.capture.spool import Spool

    folder = tempfile.mkdtemp(prefix="watchglass-bench-")
    runtime = watchglass.init(service_name="bench", endpoint=url, spool_dir=folder, instrument=["litellm"])
    watched_send = httpx.Client.send

    def asking(entry: Callable[..., Any], prompts: list[str], patched: Any) -> Call:
        asked = [[{"role": "user", "content": text}] for text in prompts]

        def call(number: int) -> None:
            answer = entry(model="openai/gpt-4o", messages=asked[number])
            if entry not in (whole, completion):
                for _ in answer:
                    pass

        def prepared(number: int) -> None:
            if httpx.Client.send is not patched:
                httpx.Client.send = patched
            call(number)

        return prepared

    whole, streaming = tracked(completion, "chat"), tracked(streamed, "chat")
    for name, entry, stub, prompts in (
        ("call", whole, completion, prose(calls)),
        ("call, code", whole, completion, code(calls)),
        ("call, one prompt again and again", whole, completion, prose(1) * calls),
        ("call, 50 streamed pieces", streaming, streamed, prose(calls)),
    ):
        yield name, measured(asking(entry, prompts, watched_send), calls, asking(stub, prompts, send))

    def step(number: int) -> None:
        steps.begin("task", "research", agent="writer", state="running").end()

    def scoped(number: int) -> None:
        with watchglass.context(tenant="acme", feature="search"):
            pass

    counter = watchglass.metric("cache_hits_total", cache="bench")
    payload = [b"x" * 3000] * calls
    yield "step", measured(step, calls)
    yield "context", measured(scoped, calls)
    yield "metric", measured(lambda number: counter.inc(), calls)
    yield (
        "metric by name",
        measured(lambda number: watchglass.metric("cache_hits_total", cache="bench").inc(), calls),
    )

    with tempfile.TemporaryDirectory() as other:
        spool = Spool(Path(other), about=b"\x80")
        yield "append of 3 KB", measured(lambda number: spool.append(payload[number]), calls)
        spool.close()
    yield "clock", measured(lambda number: None, calls)
    if boundary.failures:
        raise SystemExit(f"our own code failed: {boundary.failures}")
    runtime.shutdown(10)
    shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    """Measure one library and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("library", choices=("ours", "otel", "langfuse", "logfire"))
    parser.add_argument("--calls", type=int, default=2000)
    given = parser.parse_args()
    with server() as url:
        found = dict(globals()[given.library](url, given.calls))
    print(json.dumps(found), flush=True)
    os._exit(0)  # the others' libraries try for long to reach the server, which is gone


if __name__ == "__main__":
    main()
