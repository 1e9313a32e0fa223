"""The search's whole answer: the page's rows, facets, histogram and totals, and where it stopped short."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from watchglass.errors import QueryError, QueryLimit
from watchglass.queries.at_once import begin
from watchglass.queries.explore.facets import Facet, Histogram, SearchTotals, Spread, spread
from watchglass.queries.explore.patience import Patience
from watchglass.queries.explore.question import ExploreQuestion
from watchglass.queries.explore.rows import Found, FoundTrace, found
from watchglass.queries.explore.text import Hits, hits
from watchglass.queries.plain import moment
from watchglass.store import Engine, Limits
from watchglass.store.rollup_figures import within

TEXT_PART = 1 / 15
ROWS_PART = 1 / 10
FACETS_PART = 1 / 10
JUMP_PART = 1 / 30
"""How much of the time that one question may take each part has: of 30 seconds 2, 3, 3 and 1. A search in ten
million calls over 30 days needs less, but for texts."""

USUAL_S = 30.0
"""What a question has that nothing limits."""

INPUT_CHARACTERS = 240

_ID = re.compile(
    r"(?:0x)?[0-9a-f]{32}(?::[0-9a-f]{16})?|[0-9a-f]{16}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.I
)


class Jump(msgspec.Struct, frozen=True, kw_only=True):
    """What the text is the id of: a trace, or a span of it (`call_id` where it is a call)."""

    trace_id: str
    span_id: str | None = None
    call_id: str | None = None


class Explored(msgspec.Struct, frozen=True, kw_only=True):
    """The answer. Without `facets`, `histogram` and `totals` where only rows were asked for.

    `notes` say, one sentence each, what was left out and how to narrow the search; none is none.
    """

    since: str
    until: str | None
    rows: list[FoundTrace]
    next: str | None
    facets: list[Facet] | None
    histogram: Histogram | None
    totals: SearchTotals | None
    counted_since: str | None
    jump: Jump | None
    notes: list[str]


def explore(engine: Engine, question: ExploreQuestion, now_ns: int, *, limits: Limits) -> Explored:
    """Answer in bounded time. Raises `QueryError` for a cursor of another question."""
    notes: list[str] = []
    question.listed.position()
    held = None
    if question.text:
        held = hits(
            engine, question.text, question.since_ns, now_ns, _patience(limits, TEXT_PART), limits=limits
        )
        notes += [held.cut] if held.cut else []
    counting_all = (
        None if question.parts == "rows" else begin(lambda: _spread(engine, question, held, now_ns, limits))
    )
    page = found(engine, question, held, now_ns, _patience(limits, ROWS_PART), limits=limits)
    if page.reached_ns is not None:
        notes.append(
            f"time ran out: traces that were active before {moment(page.reached_ns)[:19]}Z have not been "
            "looked through; ask for the next page, or choose a shorter time or more filters"
        )
    rows = _with_inputs(engine, page, limits)
    counted, counting = counting_all.answer() if counting_all else (None, None)
    notes += [counting] if counting else []
    return Explored(
        since=moment(question.since_ns),
        until=None if question.until_ns is None else moment(question.until_ns),
        rows=rows,
        next=page.next,
        facets=counted.facets if counted else None,
        histogram=counted.histogram if counted else None,
        totals=counted.totals if counted else None,
        counted_since=counted.counted_since if counted else None,
        jump=jump(engine, question, limits) if question.text else None,
        notes=notes,
    )


def _patience(limits: Limits, part: float) -> Patience:
    return Patience(part * (USUAL_S if limits.time_s is None else limits.time_s))


def _spread(
    engine: Engine, question: ExploreQuestion, held: Hits | None, now_ns: int, limits: Limits
) -> tuple[Spread | None, str | None]:
    """Counts, and what is to be said of them."""
    try:
        counted = spread(engine, question, held, now_ns, _patience(limits, FACETS_PART), limits=limits)
    except QueryLimit:
        return None, "values could not be counted in time; choose a shorter time"
    if counted.counted_since is None:
        return counted, None
    since = counted.counted_since[:19]
    return counted, f"values are counted since {since}Z only; choose a shorter time to count all"


def _with_inputs(engine: Engine, page: Found, limits: Limits) -> list[FoundTrace]:
    """The rows with how their first question begins: the first message of a user, else the first one."""
    wanted = sorted({each for asked in page.asked for each in asked})
    if not wanted:
        return page.rows
    said = engine.execute(
        f"""
        WITH
            JSONExtractString(content, 'parts', 1, 'content') AS part,
            JSONExtractString(content, 'content') AS whole
        SELECT hash, any(role) AS role,
            any(substringUTF8(multiIf(part != '', part, whole != '', whole, content), 1, {INPUT_CHARACTERS}))
                AS begins
        FROM store.messages
        WHERE tenant IN {{tenants:Array(String)}} AND hash IN {{hashes:Array(String)}}
        GROUP BY hash
        """,
        {"tenants": sorted({row.tenant or "" for row in page.rows}), "hashes": wanted},
        limits=limits,
    ).to_pylist()
    texts = {row["hash"]: (row["role"], row["begins"]) for row in said}
    return [
        msgspec.structs.replace(row, input=_input([texts[each] for each in asked if each in texts]))
        for row, asked in zip(page.rows, page.asked, strict=True)
    ]


def _input(messages: Sequence[tuple[str, str]]) -> str | None:
    if not messages:
        return None
    return next((text for role, text in messages if role == "user"), messages[0][1])


def jump(engine: Engine, question: ExploreQuestion, limits: Limits) -> Jump | None:
    """What the text is the id of, whenever it was; a span alone only within the time asked about."""
    text = question.text.lower()
    if not _ID.fullmatch(text):
        return None
    trace_id, _, span_id = text.removeprefix("0x").partition(":")
    trace_id = trace_id.replace("-", "")
    if len(trace_id) == 16:
        return _span_alone(engine, trace_id, question, limits)
    for table in ("store.spans", "store.calls"):
        rows = engine.execute(
            f"SELECT 1 FROM {table} PREWHERE trace_id = {{trace_id:String}} LIMIT 1",
            {"trace_id": trace_id},
            limits=limits,
        )
        if rows.num_rows:
            return Jump(
                trace_id=trace_id,
                span_id=span_id or None,
                call_id=f"{trace_id}:{span_id}" if span_id else None,
            )
    return None


def _span_alone(engine: Engine, span_id: str, question: ExploreQuestion, limits: Limits) -> Jump | None:
    params: dict[str, object] = {"span_id": span_id}
    near = within([(question.since_ns, question.until_ns)], params).replace("time ", "start_time ")
    try:
        rows = engine.execute(
            f"SELECT trace_id FROM store.spans WHERE span_id = {{span_id:String}} AND {near} LIMIT 1",
            params,
            limits=_patience(limits, JUMP_PART).limits(limits),
        ).to_pylist()
    except QueryError:
        return None
    return Jump(trace_id=rows[0]["trace_id"], span_id=span_id) if rows else None
