"""A search as SQL conditions: on spans of a window, on calls, on a call inside a trace that is known."""

from __future__ import annotations

from watchglass.queries.explore.question import OF_CALLS, OF_SPANS, ExploreQuestion
from watchglass.queries.explore.text import DAY_NS, Hits
from watchglass.queries.lists.windows import LAST_NS

BESIDE_NS = DAY_NS
"""What is found in a window of time may belong to a trace with rows so long before and after it."""

LONG_NS = 8 * DAY_NS
"""A trace that is looked for by how long it took may have begun so long before."""

_IDS = ("session", "user", "flow", "task", "task_id", "response_id", "trace_id", "span_id", "call_id")
_CALLS_NEAR = (
    "time >= fromUnixTimestamp64Nano({before:Int64}, 'UTC')"
    " AND time < fromUnixTimestamp64Nano({after:Int64}, 'UTC')"
)
_SPANS_NEAR = _CALLS_NEAR.replace("time ", "start_time ")


def seen_in(
    question: ExploreQuestion, hits: Hits | None, window: tuple[int, int]
) -> tuple[list[str], dict[str, object]]:
    """Conditions on spans of `[begin, end)` that hold for every trace to be found there, and a few more."""
    params: dict[str, object] = {"begin": window[0], "end": window[1]}
    conditions = near(question, hits, window, params)
    if question.calls:
        of_call = of_calls(question, params)
        met = f"trace_id IN (SELECT trace_id FROM store.calls WHERE counted AND {_CALLS_NEAR} AND {of_call})"
        if set(question.calls) <= set(OF_SPANS):
            met = f"({of_calls(question, params, spans=True)} OR {met})"
        conditions.append(met)
    if question.status == "failed":
        conditions.append(
            f"""(trace_id IN (SELECT trace_id FROM store.spans WHERE status = 2 AND {_SPANS_NEAR})
            OR trace_id IN (SELECT trace_id FROM store.calls WHERE NOT success AND {_CALLS_NEAR}))"""
        )
    if "min_cost_usd" in question.amounts:
        # Of all versions of a call there are, so that no trace is missed.
        conditions.append(_costing("store.calls", ["sum(cost_usd) >= {min_cost_usd:Decimal(38, 18)}"]))
        params["min_cost_usd"] = question.amounts["min_cost_usd"]
    return conditions, params


def traces_in(
    question: ExploreQuestion, hits: Hits | None, window: tuple[int, int], params: dict[str, object]
) -> list[str]:
    """Conditions on calls of a window that what is asked of traces as a whole is true of theirs."""
    conditions = near(question, hits, window, params)
    bounds = {"min_cost_usd": ">=", "max_cost_usd": "<="}
    given = [name for name in bounds if name in question.amounts]
    if given:
        params |= {name: question.amounts[name] for name in given}
        having = [f"sum(cost_usd) {bounds[name]} {{{name}:Decimal(38, 18)}}" for name in given]
        conditions.append(_costing("usage", having))
    return conditions


def near(
    question: ExploreQuestion, hits: Hits | None, window: tuple[int, int], params: dict[str, object]
) -> list[str]:
    """Conditions on a row's trace that are the same for spans and calls: on text and duration."""
    begin, end = window
    params |= {"before": max(0, begin - BESIDE_NS), "after": min(LAST_NS - BESIDE_NS, end) + BESIDE_NS}
    conditions: list[str] = []
    bounds = {"min_duration_ms": ">=", "max_duration_ms": "<="}
    given = [name for name in bounds if name in question.amounts]
    if given:
        params |= {name: question.amounts[name] for name in given}
        params["long_before"] = max(0, begin - LONG_NS)
        took = (
            "max(toUnixTimestamp64Nano(start_time) + ifNull(duration_ns, 0)) - "
            "min(toUnixTimestamp64Nano(start_time))"
        )
        having = [f"took {bounds[name]} {{{name}:Decimal(38, 18)}} * 1000000" for name in given]
        conditions.append(
            f"""trace_id IN (SELECT trace_id FROM (SELECT trace_id, {took} AS took FROM store.spans
            WHERE {_SPANS_NEAR.replace("before", "long_before")}
            GROUP BY trace_id HAVING {" AND ".join(having)}))"""
        )
    if hits is not None:
        conditions.append(_with_text(hits, params))
    return conditions


def of_calls(
    question: ExploreQuestion, params: dict[str, object], alias: str = "", *, spans: bool = False
) -> str:
    """What one call must meet; `spans`: what a span without a call must meet instead, if it can."""
    if spans and not set(question.calls) <= set(OF_SPANS):
        return "false"
    conditions: list[str] = []
    for name, values in question.calls.items():
        params[f"only_{name}"] = list(values)
        said = OF_CALLS[name]
        if alias:
            said = (
                f"coalesce({alias}.response_model, {alias}.request_model)"
                if name == "model"
                else f"{alias}.{said}"
            )
        conditions.append(f"has({{only_{name}:Array(String)}}, ifNull(toString({said}), ''))")
    return f"({' AND '.join(conditions) or 'true'})"


def _costing(table: str, having: list[str]) -> str:
    return (
        f"trace_id IN (SELECT trace_id FROM {table} WHERE {_CALLS_NEAR} "
        f"GROUP BY trace_id HAVING {' AND '.join(having)})"
    )


def _with_text(hits: Hits, params: dict[str, object]) -> str:
    look = "positionCaseInsensitive" if hits.text.isascii() else "positionCaseInsensitiveUTF8"
    params |= {"text": hits.text, "hits": list(hits.messages)}
    of_span = [f"{look}({name}, {{text:String}}) > 0" for name in ("name", "status_message")]
    of_call = [f"{look}(ifNull({name}, ''), {{text:String}}) > 0" for name in ("error_message", "error_type")]
    of_call += [f"{name} = {{text:String}}" for name in _IDS]
    if hits.messages:
        of_call.append(
            "arrayExists(h -> h IN {hits:Array(String)}, arrayConcat(input_messages, output_messages))"
        )
    return f"""trace_id IN
        (
            SELECT trace_id
            FROM store.spans
            WHERE {_SPANS_NEAR} AND ({" OR ".join([*of_span, "span_id = {text:String}"])})
            UNION ALL
            SELECT trace_id
            FROM store.calls
            WHERE {_CALLS_NEAR} AND ({" OR ".join(of_call)})
        )"""
