"""The bodies in ../shared/otlp against the facts beside them.

`python -m tests.corpus [-q] [-v] [part of a case's name …]` prints each case, its faults and its spans.
Nothing is stored: decode, describe, settle, add up, and compare with what the provider really served.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from watchglass.ingest.settle import CallNode, SpanNode, Verdict, settle
from watchglass.ingest.settling.agreement import model_stem
from watchglass.ingest.settling.nodes import StepNode
from watchglass.ingest.task_rows import own_with, task_id
from watchglass.model import Context, Described, LogRecord, Resource, Span, Step
from watchglass.wire.dialects import step
from watchglass.wire.otlp import Encoding, decode_logs, decode_traces

TOKENS = {
    "input_tokens": "visible_input_tokens",
    "output_tokens": "visible_output_tokens",
    "cache_read_tokens": "visible_cache_read_tokens",
    "cache_write_tokens": "visible_cache_write_tokens",
    "reasoning_tokens": "visible_reasoning_tokens",
}


@dataclass(frozen=True)
class Body:
    """One export request."""

    signal: str
    encoding: Encoding
    path: str
    content_type: str
    file: Path

    def read(self) -> bytes:
        """The bytes to post."""
        return self.file.read_bytes()


@dataclass(frozen=True)
class Case:
    """Some program's run: what it sent, and what the provider served."""

    name: str
    library: str
    notes: str
    bodies: tuple[Body, ...]
    facts: dict[str, Any]
    requests: tuple[dict[str, Any], ...]

    def __str__(self) -> str:
        return self.name


def corpus_directory() -> Path | None:
    """Where the bodies are, if they are on this machine."""
    shared = os.environ.get("WATCHGLASS_SHARED") or Path(__file__).resolve().parents[2] / "shared"
    directory = Path(shared) / "otlp"
    return directory if (directory / "INDEX.tsv").is_file() else None


@cache
def load_cases() -> tuple[Case, ...]:
    """All cases in the order of the index; none where the corpus is absent."""
    directory = corpus_directory()
    if directory is None:
        return ()
    lines = (directory / "INDEX.tsv").read_text().splitlines()
    header = lines[0].split("\t")
    rows: dict[str, list[dict[str, str]]] = {}
    for line in lines[1:]:
        row = dict(zip(header, line.split("\t"), strict=True))
        rows.setdefault(row["case"], []).append(row)
    facts = {each["case"]: each for each in map(json.loads, (directory / "FACTS.jsonl").open())}
    return tuple(
        Case(
            name=name,
            library=case_rows[0]["library"],
            notes=" | ".join(dict.fromkeys(row["notes"] for row in case_rows if row["notes"])),
            bodies=tuple(
                Body(
                    row["signal"],
                    "json" if row["encoding"].endswith("json") else "protobuf",
                    row["path"],
                    row["content_type"],
                    directory / row["file"],
                )
                for row in case_rows
            ),
            facts=facts[name]["facts"],
            requests=tuple(facts[name]["requests"]),
        )
        for name, case_rows in rows.items()
    )


def spans_of(cases: Iterable[Case]) -> list[Span]:
    """Every span of these cases, in the order sent."""
    return [
        span
        for case in cases
        for body in case.bodies
        if body.signal == "traces"
        for span in decode_traces(body.read(), body.encoding).spans
    ]


def logs_of(cases: Iterable[Case]) -> list[LogRecord]:
    """Every log record of these cases, in the order sent."""
    return [
        record
        for case in cases
        for body in case.bodies
        if body.signal == "logs"
        for record in decode_logs(body.read(), body.encoding).logs
    ]


# The rooms that other hands are building; the harness works as far as they have come.


def _optional(module: str, name: str, otherwise: Callable[..., Any]) -> Callable[..., Any]:
    try:
        return getattr(importlib.import_module(module), name, otherwise)
    except ImportError as error:
        print(f"(without {module}.{name}: {error})", file=sys.stderr)
        return otherwise


def _no_provider(**_: object) -> tuple[str | None, str | None]:
    return None, None


def _process(resource: Resource) -> str:
    return repr(sorted((key, repr(value)) for key, value in resource.attributes.items()))


describe: Callable[[Span], Described | None] = _optional(
    "watchglass.wire.dialects", "describe", lambda _span: None
)
own_context: Callable[[Span], Context] = _optional(
    "watchglass.wire.context", "own_context", lambda _span: Context()
)
resource_context: Callable[[Resource], Context] = _optional(
    "watchglass.wire.context", "resource_context", lambda _resource: Context()
)
process_identity: Callable[[Resource], str] = _optional(
    "watchglass.wire.context", "process_identity", _process
)
detect = _optional("watchglass.pricing.provider", "detect", _no_provider)


def step_of(span: Span) -> Step | None:
    """The execution that a span is."""
    said = describe(span)
    return step(span) if said is None or said.kind == "aggregate" else None


def span_node(span: Span) -> SpanNode:
    """What settling must know of any span."""
    done = step_of(span)
    return SpanNode(
        span.trace_id,
        span.span_id,
        span.parent_span_id,
        own_context(span) if done is None else own_with(done, span, own_context(span)),
        resource_context(span.resource),
        None if done is None else StepNode(task_id(span), done.kind, done.name),
    )


_SHARED_FIELDS = sorted(
    {*CallNode.__struct_fields__} & {*Described.__struct_fields__} - {"input_messages", "output_messages"}
)


def call_node(span: Span, described: Described) -> CallNode:
    """What settling must know of a described span."""
    return CallNode(
        call_id=f"{span.trace_id}:{span.span_id}",
        trace_id=span.trace_id,
        span_id=span.span_id,
        parent_span_id=span.parent_span_id,
        scope=span.scope.name,
        process=process_identity(span.resource),
        start_ns=span.start_ns,
        end_ns=span.end_ns,
        input_messages=tuple(each.content for each in described.input_messages),
        output_messages=tuple(each.content for each in described.output_messages),
        **{name: getattr(described, name) for name in _SHARED_FIELDS},
    )


@dataclass
class Outcome:
    """What we make of some spans."""

    spans: list[Span]
    verdicts: list[Verdict]
    totals: Counter[str] = field(default_factory=Counter[str])
    providers: Counter[str] = field(default_factory=Counter[str])
    models: Counter[str] = field(default_factory=Counter[str])
    by_model: dict[str, Counter[str]] = field(default_factory=dict[str, Counter[str]])
    unattributed: Counter[str] = field(default_factory=Counter[str])
    said: set[str] = field(default_factory=set[str])

    @property
    def counted(self) -> list[Verdict]:
        """The verdicts that count."""
        return [each for each in self.verdicts if each.counted]


def outcome(spans: Sequence[Span], verdicts: list[Verdict] | None = None) -> Outcome:
    """Describe, settle and add up."""
    if verdicts is None:
        nodes = [span_node(span) for span in spans]
        calls = [call_node(span, described) for span in spans if (described := describe(span)) is not None]
        verdicts = settle(nodes, calls)
    made = Outcome(list(spans), verdicts)
    for verdict in verdicts:
        if verdict.counted:
            _add(made, verdict)
        elif verdict.not_counted_reason == "unattributed":
            for name in TOKENS:
                made.unattributed[name] += getattr(verdict.call.usage, name) or 0
    return made


def _add(made: Outcome, verdict: Verdict) -> None:
    call = verdict.call
    model = call.response_model or call.request_model or "?"
    made.models[model] += 1
    made.providers[provider_of(call) or "?"] += 1
    per_model = made.by_model.setdefault(model, Counter())
    for name in TOKENS:
        value = getattr(call.usage, name)
        if value is not None:
            made.said.add(name)
            made.totals[name] += value
            per_model[name] += value


def provider_of(call: CallNode) -> str | None:
    """Who served it."""
    return detect(
        label=call.provider_label,
        server_address=call.server_address,
        request_model=call.request_model,
        response_model=call.response_model,
    )[0]


FACT_PROVIDERS: dict[str, frozenset[str]] = {
    "openai": frozenset({"openai"}),
    "anthropic": frozenset({"anthropic"}),
    "deepinfra": frozenset({"deepinfra"}),
    "google_ai_studio": frozenset({"google", "google_ai_studio", "gcp.gemini", "gemini", "gcp.gen_ai"}),
    "deepseek": frozenset({"deepseek"}),
    "aws_bedrock": frozenset({"aws", "aws.bedrock", "aws_bedrock", "bedrock"}),
    "azure_openai": frozenset({"azure", "azure.ai.openai", "azure_openai", "azure.openai"}),
    "groq": frozenset({"groq"}),
    "openai_compatible_local": frozenset({"local", "openai_compatible_local", "self_hosted", "?"}),
    "openrouter": frozenset({"openrouter"}),
}
"""The facts' names for providers, and what each may be called by us."""


def mismatches(case: Case, made: Outcome) -> list[str]:
    """Where the outcome and the facts disagree, a sentence each; models and providers only where visible."""
    found: list[str] = []
    if len(made.counted) != case.facts["calls_in_spans"]:
        found.append(f"calls {len(made.counted)}, facts {case.facts['calls_in_spans']}")
    for name, fact in TOKENS.items():
        total = made.totals[name] + made.unattributed[name]
        if total != case.facts[fact]:
            found.append(f"{name} {total}, visible {case.facts[fact]}")
    found += _model_mismatches(case, made)
    if not found and all(case.facts[fact] == case.facts[_SERVED[name]] for name, fact in TOKENS.items()):
        found += _tokens_by_model(case, made)
    return found


_SERVED = {name: name for name in TOKENS} | {"input_tokens": "input_tokens_total"}


def _tokens_by_model(case: Case, made: Outcome) -> list[str]:
    if any(made.unattributed.values()):
        return []
    served: dict[str, Counter[str]] = {}
    for request in case.requests:
        if request["api"] != "count_tokens" and request.get("usage_as_reported"):
            tokens = {name: request[fact] for name, fact in _SERVED.items()}
            served.setdefault(model_stem(request["model_requested"]), Counter()).update(tokens)
    ours: dict[str, Counter[str]] = {}
    for model, tokens in made.by_model.items():
        ours.setdefault(model_stem(model), Counter()).update(tokens)
    return [
        f"tokens of {model} {dict(ours.get(model, {}))}, served {dict(tokens)}"
        for model, tokens in served.items()
        if ours.get(model, Counter()) != tokens
    ]


def _model_mismatches(case: Case, made: Outcome) -> list[str]:
    if case.facts["calls_in_spans"] != case.facts["llm_requests"] or not made.counted:
        return []
    found: list[str] = []
    served = [each for each in case.requests if each["api"] != "count_tokens"]
    # Without vendor and date: not every library is told which dated model answered.
    facts = Counter(model_stem(each["model_requested"]) for each in served)
    models = Counter[str]()
    for name, count in made.models.items():
        models[model_stem(name)] += count
    if facts != models:
        found.append(f"models {_show(models - facts)} instead of {_show(facts - models)}")
    if detect is not _no_provider:
        found += _provider_mismatches(served, made)
    return found


def _provider_mismatches(served: Sequence[dict[str, Any]], made: Outcome) -> list[str]:
    """A call that names neither host nor provider can be anybody's: its provider is a guess by the model."""
    canonical = {ours: theirs for theirs, names in FACT_PROVIDERS.items() for ours in names}
    theirs = Counter(each["provider"] for each in served)
    named = [each.call for each in made.counted if each.call.server_address or each.call.provider_label]
    ours = Counter[str]()
    for call in named:
        name = provider_of(call) or "?"
        ours[canonical.get(name, name)] += 1
    if ours - theirs or len(named) > sum(theirs.values()):
        return [f"providers {_show(ours - theirs)} instead of {_show(theirs - ours)}"]
    return []


def _show(counts: Counter[str]) -> str:
    return ",".join(f"{name}×{count}" for name, count in sorted(counts.items())) or "none"


def tree(made: Outcome) -> Iterable[str]:
    """The spans, indented under their parents, with what was made of each."""
    by_id = {(span.trace_id, span.span_id): span for span in made.spans}
    children: dict[tuple[str, str], list[Span]] = {}
    roots: list[Span] = []
    for span in made.spans:
        parent = (span.trace_id, span.parent_span_id)
        (children.setdefault(parent, []) if parent in by_id else roots).append(span)
    verdicts = {each.call.call_id: each for each in made.verdicts}
    stack = [(span, 0) for span in sorted(roots, key=_start, reverse=True)]
    start = min((span.start_ns for span in made.spans), default=0)
    while stack:
        span, depth = stack.pop()
        yield _line(span, depth, start, verdicts.get(f"{span.trace_id}:{span.span_id}"))
        below = sorted(children.get((span.trace_id, span.span_id), []), key=_start, reverse=True)
        stack.extend((child, depth + 1) for child in below)


def _start(span: Span) -> int:
    return span.start_ns


def _line(span: Span, depth: int, start: int, verdict: Verdict | None) -> str:
    times = f"{(span.start_ns - start) / 1e6:.1f}-{(span.end_ns - start) / 1e6:.1f}ms"
    line = (
        f"    {'  ' * depth}{span.name!r} [{span.scope.name}] {span.trace_id[:4]}:{span.span_id[:4]} {times}"
    )
    if span.status == 2:
        line += " ERROR"
    if verdict is None:
        return line
    call = verdict.call
    usage = {name: value for name, value in msgspec.structs.asdict(call.usage).items() if value is not None}
    judged = (
        "COUNTED"
        if verdict.counted
        else f"not counted: {verdict.not_counted_reason} {verdict.duplicate_of or ''}"
    )
    wraps = " may_wrap" if call.may_wrap else ""
    messages = f"{len(call.input_messages)}>{len(call.output_messages)}"
    return (
        f"{line}\n    {'  ' * depth}  -> {call.kind}{wraps} {call.operation} {call.provider_label}"
        f"@{call.server_address}={provider_of(call)} {call.request_model}/{call.response_model}"
        f" id={call.response_id} ok={call.success} {call.error_type or ''} messages={messages}"
        f" {usage} {judged}"
    )


def main(arguments: Sequence[str]) -> int:
    """Print the cases whose name holds one of the arguments; 1 if any of them is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="parts of case names (all cases if none)")
    parser.add_argument("-v", action="store_true", help="show every span")
    parser.add_argument("-q", action="store_true", help="show wrong cases only")
    options = parser.parse_args(arguments)
    cases = [
        case for case in load_cases() if not options.names or any(name in case.name for name in options.names)
    ]
    wrong = 0
    for case in cases:
        made = outcome(spans_of([case]))
        faults = mismatches(case, made)
        wrong += bool(faults)
        if options.q and not faults:
            continue
        print(_summary(case, made, faults))
        if options.v:
            print(f"    notes: {case.notes}\n    served:")
            for each in case.requests:
                print(
                    "     ", {k: v for k, v in each.items() if v and k not in ("usage_as_reported", "t_unix")}
                )
            print("\n".join(tree(made)))
    print(f"{len(cases) - wrong} of {len(cases)} cases agree with the facts, {wrong} do not")
    return 1 if wrong else 0


def _summary(case: Case, made: Outcome, faults: Sequence[str]) -> str:
    totals = "/".join(str(made.totals[name]) if name in made.said else "-" for name in TOKENS)
    hidden = (
        f" unattributed {made.unattributed['input_tokens']}/{made.unattributed['output_tokens']}"
        if any(made.unattributed.values())
        else ""
    )
    line = (
        f"{'ok  ' if not faults else 'FAIL'} {case.name}: {len(made.spans)} spans,"
        f" {len(made.verdicts)} described, {len(made.counted)} counted, tokens {totals}{hidden}"
        f" | {_show(made.providers)} | {_show(made.models)}"
    )
    return "\n".join([line, *(f"     × {fault}" for fault in faults)])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
