"""One session in order: what was said, asked, called and done, when, and what it had cost by then."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from hashlib import blake2b
from typing import Any, Literal, TypeAlias

import msgspec

from watchglass.errors import NotFound
from watchglass.queries.figures import plus, plus_money, tidy
from watchglass.queries.plain import moment
from watchglass.queries.replay_rows import MOST_STEPS, SessionRows, session_rows
from watchglass.store import Engine, Limits

StepKind: TypeAlias = Literal["message", "flow", "task", "agent", "tool", "call"]

_RANK = {"flow": 0, "task": 1, "agent": 2, "message": 3, "call": 4, "tool": 5}
"""Of what begins in one nanosecond, the outer comes first, and a message before the call that sends it."""


class ReplayQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """A session in `[since_ns, until_ns)`. `tenant` is '' for none, and not said where only one has it."""

    session: str
    tenant: str | None = None
    since_ns: int | None = None
    until_ns: int | None = None


class Spent(msgspec.Struct, frozen=True, kw_only=True):
    """Sums over counted calls; a sum is of what is known and null when nothing is."""

    calls: int = 0
    failed_calls: int = 0
    unpriced_calls: int = 0
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: Decimal | None = None


class ReplayMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message, once however often it was sent. `content` is null where it is not kept, or was left out.

    `size` is its bytes; `cut`: `content` is only the beginning of it, or left out for the answer's size.
    """

    hash: str
    role: str | None
    content: str | None
    size: int | None
    cut: bool


class ReplayStep(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened. `at_ns` is counted from the session's `start`.

    A `message` is the first time that something of a user was sent; `call` is one counted request. `new`
    are places in `messages` of what a call sent for the first time in the session, `said` of what it
    answered, `input` and `output` those of what an execution was given and
    gave; `repeated` counts what it sent again. `given` and `gave` are digests of everything that went
    in and came out: equal texts have equal ones; null where no text was recorded. `so_far` sums the
    calls up to this step, itself included.
    """

    kind: StepKind
    name: str
    id: str
    at_ns: int
    duration_ns: int | None
    status: Literal["ok", "failed", "running"]
    error_type: str | None
    error_message: str | None
    agent: str | None
    task: str | None
    trace_id: str
    span_id: str
    input_tokens: int | None
    output_tokens: int | None
    cost_usd: Decimal | None
    unpriced_reason: str | None
    new: list[int]
    said: list[int]
    repeated: int
    input: int | None
    output: int | None
    given: str | None
    gave: str | None
    so_far: Spent


class Replay(msgspec.Struct, frozen=True, kw_only=True):
    """A session's steps in the order in which they began.

    `totals` are of the steps asked for, also of those left out: `steps` holds the first of them only, and
    `next_since`, where it is not null, is from when to ask for the others.
    """

    session: str
    tenant: str | None
    user: str | None
    start: str
    start_ns: int
    duration_ns: int
    totals: Spent
    steps: list[ReplayStep]
    messages: list[ReplayMessage]
    traces: list[str]
    next_since: str | None


def replay(engine: Engine, question: ReplayQuestion, limits: Limits) -> Replay:
    """The session. Raises `NotFound`, and `QueryError` where several tenants have one of that name."""
    rows = session_rows(
        engine, question.session, question.tenant, question.since_ns, question.until_ns, limits
    )
    if not rows.calls and not rows.tasks:
        raise NotFound(
            f"there is no session {question.session[:100]!r} in that time; "
            "`watchglass sessions` lists the latest"
        )
    return build(question.session, rows)


def build(session: str, rows: SessionRows) -> Replay:
    """The session of these rows; pure."""
    start = min(row["time_ns"] for row in [*rows.calls, *rows.tasks])
    end = max(row["time_ns"] + (row["duration_ns"] or 0) for row in [*rows.calls, *rows.tasks])
    ordered = sorted([*_done(rows.tasks), *_called(rows.calls)], key=_order)
    shown = ordered[:MOST_STEPS]
    places: dict[str, int] = {}
    steps: list[ReplayStep] = []
    so_far = Spent()
    for kind, row in shown:
        if kind == "call":
            fresh = [digest for digest in dict.fromkeys(row["input_messages"]) if digest not in places]
            new = _at(places, fresh)
            steps += _messages(row, zip(fresh, new, strict=True), start, rows, so_far)
            so_far = _plus(so_far, row)
            said = _at(places, row["output_messages"])
            steps.append(_call(row, new, said, start, so_far))
        else:
            steps.append(_task(row, start, so_far, places))
    totals = so_far
    for kind, row in ordered[MOST_STEPS:]:
        totals = _plus(totals, row) if kind == "call" else totals
    named = [*rows.calls, *rows.tasks]
    return Replay(
        session=session,
        tenant=rows.tenant or None,
        user=next((row["user"] for row in named if row["user"]), None),
        start=moment(start),
        start_ns=start,
        duration_ns=end - start,
        totals=totals,
        steps=steps,
        messages=[_message(digest, rows) for digest in places],
        traces=list(dict.fromkeys(row["trace_id"] for _, row in shown if row["trace_id"])),
        next_since=moment(ordered[MOST_STEPS][1]["time_ns"]) if len(ordered) > MOST_STEPS else None,
    )


_Row: TypeAlias = Mapping[str, Any]


def _done(tasks: Iterable[_Row]) -> list[tuple[str, _Row]]:
    return [(row["kind"], row) for row in tasks]


def _called(calls: Iterable[_Row]) -> list[tuple[str, _Row]]:
    return [("call", row) for row in calls]


def _order(step: tuple[str, _Row]) -> tuple[int, int, str]:
    kind, row = step
    return row["time_ns"], _RANK.get(kind, 9), row["id"]


def _at(places: dict[str, int], hashes: Sequence[str]) -> list[int]:
    return [places.setdefault(digest, len(places)) for digest in hashes]


def _messages(
    row: _Row, fresh: Iterable[tuple[str, int]], start: int, rows: SessionRows, before: Spent
) -> list[ReplayStep]:
    """A step for each message of a user that this call was the first to send."""
    return [
        msgspec.structs.replace(
            _step("message", "user", digest, row, start, before),
            duration_ns=None,
            status="ok",
            error_type=None,
            error_message=None,
            new=[place],
            given=digest,
        )
        for digest, place in fresh
        if rows.texts.get(digest, {}).get("role") == "user"
    ]


def _call(row: _Row, new: list[int], said: list[int], start: int, so_far: Spent) -> ReplayStep:
    name = row["model"] or row["operation"]
    return msgspec.structs.replace(
        _step("call", name, row["id"], row, start, so_far),
        input_tokens=row["input_tokens"],
        output_tokens=row["output_tokens"],
        cost_usd=tidy(row["cost_usd"]),
        unpriced_reason=row["unpriced_reason"],
        new=new,
        said=said,
        repeated=len(row["input_messages"]) - len(new),
        given=_digest(row["input_messages"]),
        gave=_digest(row["output_messages"]),
    )


def _task(row: _Row, start: int, so_far: Spent, places: dict[str, int]) -> ReplayStep:
    given, gave = row["input"] or None, row["output"] or None
    return msgspec.structs.replace(
        _step(row["kind"], row["name"], row["id"], row, start, so_far),
        input=_at(places, [given])[0] if given else None,
        output=_at(places, [gave])[0] if gave else None,
        given=given,
        gave=gave,
    )


def _step(kind: StepKind, name: str, id: str, row: _Row, start: int, so_far: Spent) -> ReplayStep:
    return ReplayStep(
        kind=kind,
        name=name,
        id=id,
        at_ns=row["time_ns"] - start,
        duration_ns=row["duration_ns"],
        status=row["status"],
        error_type=row["error_type"],
        error_message=row["error_message"],
        agent=row["agent"],
        task=row["task"],
        trace_id=row["trace_id"],
        span_id=row["span_id"],
        input_tokens=None,
        output_tokens=None,
        cost_usd=None,
        unpriced_reason=None,
        new=[],
        said=[],
        repeated=0,
        input=None,
        output=None,
        given=None,
        gave=None,
        so_far=so_far,
    )


def _message(digest: str, rows: SessionRows) -> ReplayMessage:
    known = rows.texts.get(digest)
    if known is None:
        return ReplayMessage(hash=digest, role=None, content=None, size=None, cut=False)
    return ReplayMessage(
        hash=digest, role=known["role"], content=known["content"], size=known["size"], cut=known["cut"]
    )


def _digest(hashes: Sequence[str]) -> str | None:
    """Of messages in their order; order and number count, so that no two conversations share one."""
    return blake2b("\n".join(hashes).encode(), digest_size=8).hexdigest() if hashes else None


def _plus(spent: Spent, row: _Row) -> Spent:
    return Spent(
        calls=spent.calls + 1,
        failed_calls=spent.failed_calls + (row["status"] == "failed"),
        unpriced_calls=spent.unpriced_calls + (row["cost_usd"] is None),
        input_tokens=plus(spent.input_tokens, row["input_tokens"]),
        output_tokens=plus(spent.output_tokens, row["output_tokens"]),
        cost_usd=tidy(plus_money(spent.cost_usd, row["cost_usd"])),
    )
