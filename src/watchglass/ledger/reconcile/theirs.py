"""The bill's side of the ledger: live lines of a provider summed up where they are alike."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from watchglass.ledger.reconcile.days import HOUR_NS, day_of
from watchglass.ledger.reconcile.entries import Entry
from watchglass.names import CALL_ID
from watchglass.store import Engine
from watchglass.store.bills import KEPT

_WHOLE_DAY_NS = 22 * HOUR_NS
"""Buckets shorter than the shortest day (one of 23 hours) are put into days."""

IDS = ("ifNull(response_id, '')", f"metadata['{CALL_ID}']", "metadata['litellm.call_id']")
"""What a call's request can be called on a bill: the provider's id of the answer, or the client's of the call
(LiteLLM logs the first that there is)."""

CALLED = f"""(
    SELECT arrayJoin(arrayFilter(id -> id != '', [{", ".join(IDS)}])) AS id, min(time) AS called
    FROM store.calls FINAL
    WHERE counted AND provider = {{provider:String}}
    GROUP BY id
)"""
"""Our calls by each of these, with when they were made."""


def told_ids(live: str) -> str:
    """The ids of the requests that a provider's files tell of one by one, as a subquery."""
    return f"(SELECT request_id FROM {live} WHERE provider = {{provider:String}} AND isNotNull(request_id))"


def is_told(live: str) -> str:
    """Whether a call of ours is one of these, as a condition."""
    ids = told_ids(live)
    return "(" + " OR ".join(f"{each} IN {ids}" for each in IDS) + ")"


_NOBODY = "(SELECT '' AS id, now64(9, 'UTC') AS called WHERE 0)"
"""Instead, where no line is of a single request: reading all calls takes a while."""


def providers(engine: Engine) -> list[tuple[str, str, bool]]:
    """Who bills, with the zones that their lines name, and whether lines are of single requests."""
    found = engine.execute(
        f"""
        SELECT provider, zone, countIf(isNotNull(request_id)) > 0 AS by_request
        FROM {KEPT}
        GROUP BY provider, zone
        ORDER BY provider, zone
        """
    )
    return [(row["provider"], row["zone"], bool(row["by_request"])) for row in found.to_pylist()]


def entries(engine: Engine, live: str, provider: str, zone: str, by_request: bool) -> Iterator[Entry]:
    """A provider's lines of one zone, by day where they are finer."""
    called = CALLED if by_request else _NOBODY
    found = engine.execute(
        f"""
        WITH
            isNotNull(request_id) AND id != '' AS matched,
            -- A request that both sides have is put on our day: at midnight the clocks may disagree.
            toUnixTimestamp64Nano(if(matched, called, since)) AS since_ns,
            toUnixTimestamp64Nano(until) - toUnixTimestamp64Nano(since) < {_WHOLE_DAY_NS:d} AS short,
            isNotNull(request_id) AS by_request,
            toInt64(toUnixTimestamp(toStartOfDay(if(matched, called, since), {{zone:String}}))) * 1000000000
                AS midnight_ns
        SELECT
            file, format, taken, by_request, short, project, key, model, token_class, tier,
            long_context OR isNotNull(above) AS long,
            if(token_class IN ('credit', 'tax', 'other', 'search'), item, NULL) AS said,
            if(short, midnight_ns, since_ns) AS start,
            if(short, toInt64(0), toUnixTimestamp64Nano(until)) AS end,
            matched,
            toString(sum(amount_usd)) AS amount,
            toString(sum(toInt128(tokens))) AS tokens_,
            toString(sum(toInt128(requests))) AS requests_,
            count(amount_usd) AS priced,
            count() AS lines,
            max(decimals) AS decimals
        FROM {live} AS lines
        LEFT ANY JOIN {called} AS ours ON lines.request_id = ours.id
        WHERE provider = {{provider:String}} AND zone = {{zone:String}}
        GROUP BY
            file, format, taken, by_request, short, project, key, model, token_class, tier, long, said, start,
            end, matched
        """,
        {"provider": provider, "zone": zone},
    )
    for row in found.to_pylist():
        since_ns, until_ns = int(row["start"]), int(row["end"])
        if row["short"]:
            since_ns, until_ns = day_of(since_ns + 12 * HOUR_NS, zone)
        yield Entry(
            file=row["file"],
            format=row["format"],
            taken=row["taken"],
            provider=provider,
            since_ns=since_ns,
            until_ns=until_ns,
            zone=zone,
            project=row["project"],
            key=row["key"],
            model=row["model"],
            token_class=row["token_class"],
            tier=row["tier"],
            long=bool(row["long"]),
            item=row["said"],
            tokens=None if row["tokens_"] is None else int(row["tokens_"]),
            requests=None if row["requests_"] is None else int(row["requests_"]),
            amount=None if row["amount"] is None else Decimal(row["amount"]),
            lines=row["priced"] or row["lines"],
            decimals=row["decimals"],
            by_request=bool(row["by_request"]),
            matched=bool(row["matched"]) if row["by_request"] else None,
        )
