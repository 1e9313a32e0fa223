"""One span of a trace with all it holds, and its calls with their messages, each once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from watchglass.errors import NotFound, QueryError
from watchglass.queries.figures import tidy
from watchglass.queries.plain import moment
from watchglass.queries.traced.ids import ID_DIGITS, normal_id
from watchglass.queries.traced.stand_in import of_call, of_execution
from watchglass.queries.traced.steps import Said, Step, steps
from watchglass.store import Engine, Limits

REFERENCE = "\x01ref:"
"""What stands in place of a long text that is kept with the messages (`ingest.content`)."""

MOST_CHARACTERS = 200_000
"""Of one text; a longer one is cut, and says so. The whole is there by `/api/v1/query`."""

MOST_TOGETHER = 4_000_000
"""Of all texts of an answer."""


class SpanValue(msgspec.Struct, frozen=True, kw_only=True):
    """An attribute: its text, what it was (`text`, `bool`, `int`, `float`, `bytes`, `json`), how much is cut.

    `value` is null for a text that is no longer kept.
    """

    value: str | None
    type: str
    cut: int = 0


class SpanMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message; `content` is null once it is no longer kept. `cut` characters are left out at its end."""

    role: str | None
    content: str | None
    cut: int = 0


class SpanCall(msgspec.Struct, frozen=True, kw_only=True):
    """A call of the span; columns of table `calls`. `input` and `output` are keys of `messages`.

    `new` are the places in `input` of what the call before it (`goes_on_from`) did not have.
    """

    call_id: str
    kind: str
    time: str
    operation: str
    agent: str | None
    task: str | None
    task_id: str | None
    provider: str | None
    provider_source: str | None
    server_address: str | None
    request_model: str | None
    response_model: str | None
    response_id: str | None
    service_tier: str | None
    streaming: bool | None
    finish_reasons: list[str]
    duration_ns: int | None
    ttft_ns: int | None
    input_tokens: int | None
    output_tokens: int | None
    cache_read_tokens: int | None
    cache_write_tokens: int | None
    cache_write_1h_tokens: int | None
    reasoning_tokens: int | None
    input_audio_tokens: int | None
    output_audio_tokens: int | None
    total_tokens_reported: int | None
    cost_usd: Decimal | None
    reported_cost_usd: Decimal | None
    price_source: str | None
    price_id: str | None
    unpriced_reason: str | None
    success: bool
    error_type: str | None
    error_message: str | None
    counted: bool
    not_counted_reason: str | None
    duplicate_of: str | None
    code_file: str | None
    code_line: int | None
    code_function: str | None
    dialect: str
    input: list[str]
    output: list[str]
    goes_on_from: str | None
    new: list[int]
    left_out: int


class SpanEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event, `offset_ns` after the span's start. An exception's type and stack are attributes."""

    name: str
    time: str
    offset_ns: int
    attributes: dict[str, SpanValue]


class SpanLink(msgspec.Struct, frozen=True, kw_only=True):
    """A link to another span."""

    trace_id: str
    span_id: str
    attributes: dict[str, SpanValue]


class SpanDetail(msgspec.Struct, frozen=True, kw_only=True):
    """All of a span. `messages` are by hash, each once, whichever calls have them."""

    trace_id: str
    span_id: str
    parent_span_id: str
    name: str
    kind: int
    start: str
    duration_ns: int | None
    status: int
    status_message: str
    service: str | None
    tenant: str | None
    scope: str
    scope_version: str
    trace_state: str
    attributes: dict[str, SpanValue]
    resource: dict[str, SpanValue]
    events: list[SpanEvent]
    links: list[SpanLink]
    calls: list[SpanCall]
    messages: dict[str, SpanMessage]
    missing: bool = False


class TraceConversation(msgspec.Struct, frozen=True, kw_only=True):
    """Every call of a trace that counts, in order, with its messages by hash, each once."""

    trace_id: str
    calls: list[SpanCall]
    spans: list[str]
    messages: dict[str, SpanMessage]


_TYPES = {"b": "bool", "i": "int", "f": "float", "d": "float", "y": "bytes", "j": "json"}


class _Room:
    """How many characters may still be sent."""

    def __init__(self) -> None:
        self.left = MOST_TOGETHER

    def fitting(self, text: str) -> tuple[str, int]:
        """The text, or its beginning, and how many characters are left out."""
        most = min(MOST_CHARACTERS, max(self.left, 200))
        self.left -= min(len(text), most)
        return (text, 0) if len(text) <= most else (text[:most], len(text) - most)


def span_detail(engine: Engine, trace_id: str, span_id: str, *, limits: Limits) -> SpanDetail:
    """The span with this id. Raises `NotFound`."""
    trace = _whole_id(trace_id)
    rows = engine.execute(
        "SELECT * EXCEPT (start_time) FROM spans WHERE trace_id = {trace:String} AND span_id = {span:String}",
        {"trace": trace, "span": span_id.lower()},
        limits=limits,
    ).to_pylist(maps_as_pydicts="lossy")
    calls = _calls_of(engine, trace, limits)
    own = [row for row in calls if row["span_id"] == span_id.lower()]
    if rows:
        row = rows[0]
    elif own:
        row = of_call(own[0])
    else:
        row = of_execution(engine, trace, span_id.lower(), limits=limits)
    if row is None:
        raise NotFound(
            f"there is no span {span_id[:100]!r} in trace {trace}; the trace itself lists its spans"
        )
    wanted = [*_references(row), *(each for call in own for each in _hashes(call))]
    texts, room = _texts(engine, {row["tenant"], *(call["tenant"] for call in own)}, wanted, limits), _Room()
    changes = {step.call_id: step for step in steps([_said(call) for call in calls])}
    start_ns: int = row["start_time_ns"]
    return SpanDetail(
        trace_id=trace,
        span_id=row["span_id"],
        parent_span_id=row["parent_span_id"],
        name=row["name"],
        kind=row["kind"],
        start=moment(start_ns),
        duration_ns=row["duration_ns"],
        status=row["status"],
        status_message=row["status_message"],
        service=row["service"],
        tenant=row["tenant"],
        scope=row["scope"],
        scope_version=row["scope_version"],
        trace_state=row["trace_state"],
        attributes=_values(row["attributes"], row["attribute_types"], texts, room),
        resource=_plain_values(_json(row["resource"], {}), room),
        events=[
            SpanEvent(
                name=str(each.get("name", "")),
                time=moment(int(each.get("time_ns", 0))),
                offset_ns=int(each.get("time_ns", 0)) - start_ns,
                attributes=_plain_values(each.get("attributes") or {}, room),
            )
            for each in _json(row["events"], [])
        ],
        links=[
            SpanLink(
                trace_id=str(each.get("trace_id", "")),
                span_id=str(each.get("span_id", "")),
                attributes=_plain_values(each.get("attributes") or {}, room),
            )
            for each in _json(row["links"], [])
        ],
        calls=[_call(call, changes[call["call_id"]]) for call in own],
        messages=_messages([each for call in own for each in _hashes(call)], texts, room),
        missing=not rows,
    )


def trace_conversation(engine: Engine, trace_id: str, *, limits: Limits) -> TraceConversation:
    """What was said in a whole trace."""
    trace = _whole_id(trace_id)
    calls = [row for row in _calls_of(engine, trace, limits) if row["counted"]]
    if not calls:
        raise NotFound(f"there are no counted calls in trace {trace}")
    changes = {step.call_id: step for step in steps([_said(call) for call in calls])}
    hashes = list(dict.fromkeys(each for call in calls for each in _hashes(call)))
    texts = _texts(engine, {call["tenant"] for call in calls}, hashes, limits)
    return TraceConversation(
        trace_id=trace,
        calls=[_call(call, changes[call["call_id"]]) for call in calls],
        spans=[call["span_id"] for call in calls],
        messages=_messages(hashes, texts, _Room()),
    )


def _whole_id(text: str) -> str:
    digits = normal_id(text)
    if len(digits) != ID_DIGITS:
        raise QueryError(f"{text[:100]!r} is only the beginning of a trace id; give all {ID_DIGITS} digits")
    return digits


def _calls_of(engine: Engine, trace_id: str, limits: Limits) -> list[dict[str, Any]]:
    names = [name for name in SpanCall.__struct_fields__ if name not in _MADE]
    more = ("span_id", "parent_span_id", "tenant", "session", "service", "scope", "time_ns")
    return engine.execute(
        f"""
        SELECT {", ".join([*names, *more])}, input_messages, output_messages
        FROM calls
        WHERE trace_id = {{trace:String}}
        ORDER BY time, call_id
        """,
        {"trace": trace_id},
        limits=limits,
    ).to_pylist()


_MADE = frozenset({"time", "input", "output", "goes_on_from", "new", "left_out"})


def _said(row: Mapping[str, Any]) -> Said:
    return Said(
        call_id=row["call_id"],
        thread=(row["tenant"], row["agent"], row["kind"]),
        input=row["input_messages"],
        output=row["output_messages"],
    )


def _hashes(row: Mapping[str, Any]) -> list[str]:
    return [*row["input_messages"], *row["output_messages"]]


def _call(row: Mapping[str, Any], step: Step) -> SpanCall:
    values = {name: row[name] for name in SpanCall.__struct_fields__ if name not in _MADE}
    for name in ("cost_usd", "reported_cost_usd"):
        values[name] = tidy(values[name])
    return SpanCall(
        **values,
        time=moment(row["time_ns"]),
        input=row["input_messages"],
        output=row["output_messages"],
        goes_on_from=step.goes_on_from,
        new=step.new,
        left_out=step.left_out,
    )


def _references(row: Mapping[str, Any]) -> list[str]:
    return [
        value.removeprefix(REFERENCE) for value in row["attributes"].values() if value.startswith(REFERENCE)
    ]


def _texts(
    engine: Engine, tenants: set[str | None], hashes: Sequence[str], limits: Limits
) -> dict[str, tuple[str, str]]:
    if not hashes:
        return {}
    rows = engine.execute(
        """
        SELECT hash, role, content
        FROM store.messages FINAL
        WHERE tenant IN {tenants:Array(String)} AND hash IN {hashes:Array(String)}
        """,
        {"tenants": sorted(tenant or "" for tenant in tenants), "hashes": sorted(set(hashes))},
        limits=limits,
    ).to_pylist()
    return {row["hash"]: (row["role"], row["content"]) for row in rows}


def _messages(
    hashes: Sequence[str], texts: Mapping[str, tuple[str, str]], room: _Room
) -> dict[str, SpanMessage]:
    made: dict[str, SpanMessage] = {}
    for digest in dict.fromkeys(hashes):
        role, content = texts.get(digest, (None, None))
        cut = 0
        if content is not None:
            content, cut = room.fitting(content)
        made[digest] = SpanMessage(role=role, content=content, cut=cut)
    return made


def _values(
    attributes: Mapping[str, str],
    types: Mapping[str, str],
    texts: Mapping[str, tuple[str, str]],
    room: _Room,
) -> dict[str, SpanValue]:
    made: dict[str, SpanValue] = {}
    for name in sorted(attributes):
        text = attributes[name]
        kept = text if not text.startswith(REFERENCE) else texts.get(text.removeprefix(REFERENCE), _GONE)[1]
        shown, cut = (None, 0) if kept is None else room.fitting(kept)
        made[name] = SpanValue(value=shown, type=_TYPES.get(types.get(name, ""), "text"), cut=cut)
    return made


def _plain_values(values: Mapping[str, Any], room: _Room) -> dict[str, SpanValue]:
    made: dict[str, SpanValue] = {}
    for name in sorted(values):
        value = values[name]
        text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
        shown, cut = room.fitting(text)
        made[name] = SpanValue(value=shown, type=_type(value), cut=cut)
    return made


_GONE: tuple[None, None] = (None, None)


def _type(value: object) -> str:
    if isinstance(value, str):
        return "text"
    if isinstance(value, bool):
        return "bool"
    return "int" if isinstance(value, int) else "float" if isinstance(value, float) else "json"


def _json(text: str, otherwise: Any) -> Any:
    if not text:
        return otherwise
    found = msgspec.json.decode(text)
    return found if isinstance(found, type(otherwise)) else otherwise
