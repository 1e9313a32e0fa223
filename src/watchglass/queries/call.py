"""One call with everything that is known of it, its messages included."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from watchglass.errors import NotFound, QueryError
from watchglass.queries.figures import tidy
from watchglass.queries.plain import moment
from watchglass.store import Engine, Limits

_OF_SPAN = re.compile(r"([0-9a-f]{32}):[0-9a-f]{16}")


class CallMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message as it was sent or answered; `content` is None once it is no longer kept."""

    hash: str
    role: str | None
    content: str | None


class CallDetail(msgspec.Struct, frozen=True, kw_only=True):
    """`call` holds every column of table `calls`; `input` and `output` its messages in their order."""

    call: dict[str, Any]
    input: list[CallMessage]
    output: list[CallMessage]


def call(engine: Engine, call_id: str, *, limits: Limits) -> CallDetail:
    """The call with this id. Raises `NotFound`, and `QueryError` where several tenants have one of it."""
    of_span = _OF_SPAN.fullmatch(call_id)
    # A call of a span is found by its trace, which is indexed; an imported one has an id of its own.
    beside = "AND trace_id = {trace_id:String}" if of_span else ""
    found = engine.execute(
        f"""
        SELECT * REPLACE (toUnixTimestamp64Nano(time) AS time)
        FROM calls
        WHERE call_id = {{call_id:String}} {beside}
        ORDER BY counted DESC, time_ns DESC
        """,
        {"call_id": call_id, "trace_id": of_span[1] if of_span else ""},
        limits=limits,
    ).to_pylist(maps_as_pydicts="lossy")
    if not found:
        raise NotFound(f"there is no call {call_id[:100]!r}; `watchglass calls` lists the latest")
    if len({row["tenant"] for row in found}) > 1:  # the latest of one tenant's is that tenant's latest word
        raise QueryError(
            f"several tenants have a call {call_id[:100]!r}; ask with a key of the one, or `watchglass query`"
        )
    row = found[0]
    asked, answered = list(row["input_messages"]), list(row["output_messages"])
    texts = _texts(engine, row["tenant"], [*asked, *answered], limits)
    return CallDetail(
        call=_plain(row),
        input=[_message(each, texts) for each in asked],
        output=[_message(each, texts) for each in answered],
    )


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    values = {
        name: tidy(value) if isinstance(value, Decimal) else value
        for name, value in row.items()
        if name not in ("input_messages", "output_messages")
    }
    return {**values, "time": moment(row["time_ns"])}


def _texts(
    engine: Engine, tenant: str | None, hashes: list[str], limits: Limits
) -> dict[str, tuple[str, str]]:
    if not hashes:
        return {}
    # Not of the view, whose `tenant` is NULL where there is none: the table is sorted by the one it has.
    found = engine.execute(
        """
        SELECT hash, role, content
        FROM store.messages FINAL
        WHERE tenant = {tenant:String} AND hash IN {hashes:Array(String)}
        """,
        {"tenant": tenant or "", "hashes": sorted(set(hashes))},
        limits=limits,
    ).to_pylist()
    return {row["hash"]: (row["role"], row["content"]) for row in found}


def _message(digest: str, texts: Mapping[str, tuple[str, str]]) -> CallMessage:
    role, content = texts.get(digest, (None, None))
    return CallMessage(hash=digest, role=role, content=content)
