"""Where a text is: in messages, which are kept once a tenant, in names of spans, in errors, in ids.

Messages are looked through first, a week at a time beginning with the newest, and what is found there are
hashes; calls are then asked for the hashes. A text that is in very many messages is no good to search by:
the search says so and goes on with the newest of them.
"""

from __future__ import annotations

import json

import msgspec

from watchglass.errors import QueryLimit
from watchglass.queries.explore.patience import Patience
from watchglass.store import Engine, Limits

WEEK_NS = 604_800 * 10**9
DAY_NS = 86_400 * 10**9
WEEKS = 8
"""Weeks that are looked through one by one; what is older is looked through together."""

MOST_MESSAGES = 1000
EXCERPT = 160


class Hits(msgspec.Struct, frozen=True, kw_only=True):
    """Messages with the text, by hash, each with what stands around it. `cut` says why there may be more."""

    text: str
    messages: dict[str, str]
    cut: str | None = None


def hits(
    engine: Engine, text: str, since_ns: int, now_ns: int, patience: Patience, *, limits: Limits
) -> Hits:
    """Messages that were received since a day before `since_ns`, so that those of all calls are there."""
    found: dict[str, str] = {}
    first, end = max(0, since_ns - DAY_NS), (now_ns // WEEK_NS + 2) * WEEK_NS
    begin = end - 2 * WEEK_NS
    try:
        for step in range(WEEKS):
            begin = first if step == WEEKS - 1 else max(first, begin)
            found |= _between(engine, text, begin, end, patience.limits(limits))
            if begin <= first or len(found) >= MOST_MESSAGES:
                break
            begin, end = begin - WEEK_NS, begin
    except QueryLimit:
        return Hits(text=text, messages=found, cut=_LATE)
    more = len(found) >= MOST_MESSAGES
    return Hits(text=text, messages=dict(list(found.items())[:MOST_MESSAGES]), cut=_MANY if more else None)


_MANY = (
    f"the text is in more than {MOST_MESSAGES} messages, and traces of the latest {MOST_MESSAGES} are shown; "
    "look for a longer text, or in a shorter time"
)


_LATE = (
    "not all messages could be looked through in time, so that traces may be missing; "
    "choose a shorter time, or ask with the key of one tenant"
)


def _between(engine: Engine, text: str, begin_ns: int, end_ns: int, limits: Limits) -> dict[str, str]:
    # Messages are JSON: a quote or a line's end in what was said stands there escaped.
    forms = sorted({text, json.dumps(text, ensure_ascii=False)[1:-1]})
    look = "positionCaseInsensitive" if text.isascii() else "positionCaseInsensitiveUTF8"
    params: dict[str, object] = {"since": begin_ns, "until": end_ns}
    params |= {f"form_{number}": form for number, form in enumerate(forms)}
    places = [f"{look}(content, {{form_{number}:String}})" for number in range(len(forms))]
    # Of a text in ASCII the place is in bytes: an excerpt that began there could begin within a character.
    before = "lengthUTF8(substring(content, 1, at - 1))" if text.isascii() else "at - 1"
    rows = engine.execute(
        f"""
        SELECT hash,
            substringUTF8(content, greatest(1, toInt64({before}) - 60), {EXCERPT}) AS around
        FROM
        (
            SELECT hash, content, version, greatest({", ".join(places)}, 0) AS at
            FROM store.messages
            WHERE version >= {{since:UInt64}} AND version < {{until:UInt64}} AND role != 'attribute'
        )
        WHERE at > 0
        ORDER BY version DESC
        LIMIT {MOST_MESSAGES}
        """,
        params,
        limits=limits,
    ).to_pylist()
    return {row["hash"]: row["around"] for row in rows}
