"""`watchglass trace`: one trace as a tree."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Annotated

import typer

from watchglass.surfaces.cli import options
from watchglass.surfaces.cli.exits import reporting

if TYPE_CHECKING:
    from watchglass.queries.trace import Trace, TraceCall, TraceSpan

MAX_INDENT = 40


def trace(
    trace_id: Annotated[str, typer.Argument(help="the trace's id, or the first few digits of it")],
    data: options.Data = None,
    url: options.Url = None,
    key: options.Key = None,
    json: options.Json = None,
) -> None:
    """Show one trace as a tree, with durations, tokens and costs, and what is counted."""
    import msgspec

    with reporting():
        from watchglass.queries.documents import trace_document
        from watchglass.surfaces.cli.asking import reader

        loaded = options.settings(data=data, url=url, key=key, json=json)
        with reader(loaded) as asked:
            found = asked.trace(trace_id)
        if loaded.settings.json:
            typer.echo(msgspec.json.format(msgspec.json.encode(trace_document(found))))
        else:
            print_trace(found)


def print_trace(trace: Trace) -> None:
    """The tree as an indented table, with the sums of each subtree."""
    from watchglass.surfaces.cli.tables import count, dollars, duration, show, table

    names = ("span", "duration", "model", "input", "output", "cost USD", "with all below", "")
    owns = [_own(span) for span in trace.spans]
    costs = dollars([own.cost_usd if own else None for own in owns])
    sums = dollars([span.subtree.cost_usd for span in trace.spans] + [trace.totals.cost_usd])
    rows = [
        [
            f"{'  ' * min(span.depth, MAX_INDENT)}{span.name}",
            duration(span.duration_ns),
            (own.model or "–") if own else "",
            count(own.input_tokens) if own else "",
            count(own.output_tokens) if own else "",
            cost if own else "",
            below if inner and span.subtree.calls else "",
            _remark(span),
        ]
        for span, own, cost, below, inner in zip(trace.spans, owns, costs, sums, _inner(trace), strict=False)
    ]
    totals = trace.totals
    footer = [
        "total",
        duration(trace.duration_ns),
        "",
        count(totals.input_tokens),
        count(totals.output_tokens),
    ]
    show(f"trace {trace.trace_id}  {trace.start}  {totals.calls} calls, {totals.failed_calls} failed")
    columns = [(name, name not in ("span", "model", "")) for name in names]
    show(table(columns, rows, totals=[*footer, "", sums[-1], ""]))


def _inner(trace: Trace) -> list[bool]:
    """For each span whether any is below it; the walk puts a first child right after its parent."""
    depths = [span.depth for span in trace.spans] + [0]
    return [after > depth for depth, after in pairwise(depths)]


def _own(span: TraceSpan) -> TraceCall | None:
    return span.calls[0] if span.calls else None


def _remark(span: TraceSpan) -> str:
    """What a reader must know to add up the tree by hand."""
    marks: list[str] = []
    for call in span.calls:
        if not call.counted:
            marks.append(f"not counted: {call.not_counted_reason or 'unknown reason'}")
        elif call.unpriced_reason:
            marks.append(f"no price: {call.unpriced_reason}")
        if call.duplicate_of:
            marks.append(f"duplicate of {call.duplicate_of}")
        if not call.success:
            marks.append(f"failed: {call.error_type or 'error'}")
    if not span.calls and span.status == "error":
        marks.append(f"error: {span.status_message}" if span.status_message else "error")
    flags = (
        ("parent not seen", span.orphan),
        ("its parent is below itself", span.cycle),
        ("still running", span.running),
        ("span not seen", span.missing and not span.running),
    )
    return "; ".join(marks + [text for text, is_so in flags if is_so])
