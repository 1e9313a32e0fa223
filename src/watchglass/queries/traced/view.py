"""A trace's columns (`columns.py`) made of what the store has of it (`rows.py`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal, localcontext
from typing import Any

from watchglass.queries.figures import MONEY_DIGITS, TOKEN_FIELDS, Figures, plus, plus_money, tidy
from watchglass.queries.plain import moment, money
from watchglass.queries.trace_walk import walked
from watchglass.queries.traced.columns import CallColumns, ExecutionColumns, Odd, SpanColumns, TraceView
from watchglass.queries.traced.critical import critical_path
from watchglass.queries.traced.known import ERROR, Known, known, last_moment
from watchglass.queries.traced.neighbours import Neighbour, neighbours
from watchglass.queries.traced.rows import CONTEXT, Columns
from watchglass.store import Engine, Limits

_MOST_AGENTS = 20
_MOST_OF_A_MESSAGE = 2000


def trace_view(engine: Engine, trace_id: str, *, limits: Limits) -> TraceView:
    """The trace with this id, or with the only one that begins so. Raises `NotFound` and `QueryError`."""
    found = known(engine, trace_id, limits=limits)
    context = _context([found.calls, found.executions, found.spans])
    start_ns = min(found.spans["start_ns"])
    beside = neighbours(
        engine, found.trace_id, start_ns, context["tenant"], context["session"], limits=limits
    )
    return assembled(found, context, beside)


def _context(told: Sequence[Columns]) -> dict[str, str | None]:
    return {
        name: next((value for columns in told for value in columns.get(name, ()) if value), None)
        for name in CONTEXT
    }


class _Texts:
    def __init__(self) -> None:
        self.all: list[str] = []
        self._places: dict[str, int] = {}

    def placed(self, texts: Sequence[str | None]) -> list[int]:
        """Where each text is, -1 for none; it is put there if it is not yet."""
        for text in dict.fromkeys(texts):
            if text and text not in self._places:
                self._places[text] = len(self.all)
                self.all.append(text)
        return [self._places.get(text, -1) if text else -1 for text in texts]


def assembled(
    found: Known, context: dict[str, str | None], beside: tuple[Neighbour | None, Neighbour | None]
) -> TraceView:
    """The view of these rows; pure."""
    trace_id, spans, calls, done = found
    spans, depths, cycles = _in_order(spans)
    texts, ids = _Texts(), spans["span_id"]
    places = {span_id: place for place, span_id in enumerate(ids)}
    start_ns = min(spans["start_ns"])
    columns = _spans(spans, depths, cycles, places, start_ns, texts, calls)
    path = critical_path(columns.parent, columns.start_ns, [took or 0 for took in columns.duration_ns])
    waited = Counter[int]()
    for part in path:
        waited[part.span] += part.end_ns - part.start_ns
    failed = {
        places[span_id] for span_id, ok in zip(calls["span_id"], calls["success"], strict=True) if not ok
    }
    failed.update(place for place, status in enumerate(columns.status) if status == ERROR)
    return TraceView(
        trace_id=trace_id,
        name=spans["name"][0],
        start=moment(start_ns),
        duration_ns=last_moment(columns.start_ns, columns.duration_ns),
        **context,
        agents=list(dict.fromkeys(filter(None, [*calls["agent"], *done["agent"]])))[:_MOST_AGENTS],
        totals=_totals(calls),
        errors=len(failed),
        not_counted=_not_counted(calls),
        spans=columns,
        calls=_calls(trace_id, calls, places, texts),
        executions=_executions(trace_id, done, places, texts),
        critical=path,
        critical_ns=dict(waited),
        previous=beside[0],
        next=beside[1],
        texts=texts.all,
    )


def _in_order(spans: Columns) -> tuple[Columns, list[int], list[bool]]:
    """Parents before children, how deep each is, and whether it is a root only for hanging on a cycle."""
    walk = list(walked(spans["span_id"], spans["parent_span_id"], spans["start_ns"]))
    ordered = {name: [values[place] for place, _, _ in walk] for name, values in spans.items()}
    return ordered, [depth for _, depth, _ in walk], [cycle for _, _, cycle in walk]


def _spans(
    spans: Columns,
    depths: list[int],
    cycles: list[bool],
    places: dict[str, int],
    start_ns: int,
    texts: _Texts,
    calls: Columns,
) -> SpanColumns:
    # A root that hangs on a cycle names a parent that stands below it.
    parents = [
        places[parent] if depth else -1 for parent, depth in zip(spans["parent_span_id"], depths, strict=True)
    ]
    sums = _Sums(parents)
    for place, span_id in enumerate(calls["span_id"]):
        if calls["counted"][place]:
            sums.add(places[span_id], calls, place)
    sums.rise()
    return SpanColumns(
        span_id=spans["span_id"],
        parent=parents,
        depth=depths,
        name=texts.placed(spans["name"]),
        service=texts.placed(spans["service"]),
        start_ns=[start - start_ns for start in spans["start_ns"]],
        duration_ns=spans["duration_ns"],
        status=[status if 0 <= status <= ERROR else 0 for status in spans["status"]],
        status_message=texts.placed([said[:_MOST_OF_A_MESSAGE] for said in spans["status_message"]]),
        events=spans["events"],
        exceptions=spans["exceptions"],
        odd=[_odd(spans, place, cycle, places) for place, cycle in enumerate(cycles)],
        calls=sums.calls,
        failed_calls=sums.failed_calls,
        unpriced_calls=sums.unpriced_calls,
        input_tokens=sums.input_tokens,
        output_tokens=sums.output_tokens,
        cost_usd=[None if cost is None else money(cost) for cost in sums.cost_usd],
    )


def _odd(spans: Columns, place: int, cycle: bool, places: dict[str, int]) -> Odd:
    if spans["missing"][place]:
        return "running" if spans["running"][place] else "missing"
    if cycle:
        return "cycle"
    parent = spans["parent_span_id"][place]
    return "orphan" if parent and parent not in places else ""


class _Sums:
    """Sums of the subtree of each span, as columns."""

    def __init__(self, parents: list[int]) -> None:
        self._parents, spans = parents, len(parents)
        self.calls, self.failed_calls, self.unpriced_calls = [0] * spans, [0] * spans, [0] * spans
        self.input_tokens: list[int | None] = [None] * spans
        self.output_tokens: list[int | None] = [None] * spans
        self.cost_usd: list[Decimal | None] = [None] * spans

    def add(self, span: int, calls: Columns, place: int) -> None:
        """A counted call to its own span."""
        cost = calls["cost_usd"][place]
        self.calls[span] += 1
        self.failed_calls[span] += not calls["success"][place]
        self.unpriced_calls[span] += cost is None
        self.input_tokens[span] = plus(self.input_tokens[span], calls["input_tokens"][place])
        self.output_tokens[span] = plus(self.output_tokens[span], calls["output_tokens"][place])
        self.cost_usd[span] = plus_money(self.cost_usd[span], cost)

    def rise(self) -> None:
        """From each span to its parent, which stands before it. Most have nothing to tell."""
        for span in range(len(self._parents) - 1, 0, -1):
            parent = self._parents[span]
            if parent < 0 or not self.calls[span]:
                continue
            for counts in (self.calls, self.failed_calls, self.unpriced_calls):
                counts[parent] += counts[span]
            for tokens in (self.input_tokens, self.output_tokens):
                tokens[parent] = plus(tokens[parent], tokens[span])
            self.cost_usd[parent] = plus_money(self.cost_usd[parent], self.cost_usd[span])


def _totals(calls: Columns) -> Figures:
    counted = [place for place, counts in enumerate(calls["counted"]) if counts]

    def known(name: str) -> list[Any]:
        return [value for place in counted if (value := calls[name][place]) is not None]

    with localcontext(prec=MONEY_DIGITS):
        costs = known("cost_usd")
        cost = sum(costs, Decimal(0)) if costs else None
    tokens: dict[str, Any] = {name: sum(values) if (values := known(name)) else None for name in TOKEN_FIELDS}
    return Figures(
        calls=len(counted),
        failed_calls=sum(not calls["success"][place] for place in counted),
        calls_without_tokens=sum(
            calls["input_tokens"][place] is None and calls["output_tokens"][place] is None
            for place in counted
        ),
        **tokens,
        cost_usd=tidy(cost),
        priced_calls=len(costs),
        unpriced=_counts(
            calls["unpriced_reason"][place] or "unknown"
            for place in counted
            if calls["cost_usd"][place] is None
        ),
    )


def _not_counted(calls: Columns) -> dict[str, int]:
    told = zip(calls["not_counted_reason"], calls["counted"], strict=True)
    return _counts(reason or "unknown" for reason, counted in told if not counted)


def _counts(names: Iterable[str]) -> dict[str, int]:
    return dict(Counter(names))


_TEXTS_OF_CALLS = (
    "kind", "operation", "provider", "model", "agent", "unpriced_reason", "error_type", "not_counted_reason",
)  # fmt: skip
_VALUES_OF_CALLS = (
    "input_tokens", "output_tokens", "cache_read_tokens", "success", "ttft_ns", "counted",
)  # fmt: skip


def _calls(trace_id: str, calls: Columns, places: dict[str, int], texts: _Texts) -> CallColumns:
    told = zip(calls["call_id"], calls["span_id"], strict=True)
    return CallColumns(
        span=[places[span_id] for span_id in calls["span_id"]],
        call_id=["" if call_id == f"{trace_id}:{span_id}" else call_id for call_id, span_id in told],
        cost_usd=[None if cost is None else money(cost) for cost in calls["cost_usd"]],
        **{name: texts.placed(calls[name]) for name in _TEXTS_OF_CALLS},
        **{name: calls[name] for name in _VALUES_OF_CALLS},
    )


def _executions(trace_id: str, done: Columns, places: dict[str, int], texts: _Texts) -> ExecutionColumns:
    named = ("kind", "name", "status", "agent", "error_type", "error_message")
    told = zip(done["task_id"], done["span_id"], strict=True)
    return ExecutionColumns(
        span=[places[span_id] for span_id in done["span_id"]],
        task_id=["" if task_id == f"{trace_id}:{span_id}" else task_id for task_id, span_id in told],
        **{name: texts.placed(done[name]) for name in named},
    )
