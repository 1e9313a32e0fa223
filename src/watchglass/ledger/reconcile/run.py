"""A reconciliation from end to end: the store's calls against the bills that were imported into it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import localcontext

from watchglass.errors import BadRequest
from watchglass.ledger.reconcile import theirs
from watchglass.ledger.reconcile.asked import Asked, check
from watchglass.ledger.reconcile.entries import Entry
from watchglass.ledger.reconcile.figures import EXACT, ZERO, Explanation
from watchglass.ledger.reconcile.ledger import Aside, Ledger, Line, totals
from watchglass.ledger.reconcile.provider import Part, Provider
from watchglass.pricing.book import PriceBook
from watchglass.queries.catalogue import DATABASE
from watchglass.queries.usage import UsageQuestion, usage
from watchglass.store import Engine, Limits


def reconcile(engine: Engine, book: PriceBook, asked: Asked, *, live: str) -> Ledger:
    """Compare every provider that a line of a bill is of. Raises `BadRequest` where there is none.

    `live` is where the lines are that count (`Bills.live`).
    """
    check(asked)
    by_provider: dict[str, list[Entry]] = {}
    for provider, zone, by_request in theirs.providers(engine):
        if not asked.providers or provider in asked.providers:
            found = [
                each
                for each in theirs.entries(engine, live, provider, zone, by_request)
                if _within(each, asked)
            ]
            by_provider.setdefault(provider, []).extend(found)
    by_provider = {provider: found for provider, found in by_provider.items() if found}
    if not by_provider:
        raise BadRequest("no bill of this time was imported yet; give one: `watchglass reconcile FILE`")
    parts = [
        Provider(engine, book, asked, provider, found, live).run() for provider, found in by_provider.items()
    ]
    with localcontext(EXACT):
        lines = sorted((each for part in parts for each in part.lines), key=_order)
        return Ledger(
            lines=lines,
            totals=totals(lines),
            zones=[part.zone for part in parts if part.zone],
            put_aside=[each for part in parts for each in part.put_aside],
            elsewhere=_elsewhere(engine, parts),
            remarks=[each for part in parts for each in part.remarks],
            row_by_row=[part.rows for part in parts if part.rows],
        )


def _within(entry: Entry, asked: Asked) -> bool:
    if asked.since_ns is not None and entry.since_ns < asked.since_ns:
        return False
    return asked.until_ns is None or entry.until_ns <= asked.until_ns


def _order(line: Line) -> tuple[object, ...]:
    key = line.key
    return key.since_ns, key.provider, key.project or "", key.model or "", str(key.on)


def _elsewhere(engine: Engine, parts: Sequence[Part]) -> list[Aside]:
    """Calls in the bills' time of providers that none of them is of."""
    since_ns, until_ns = min(each.since_ns for each in parts), max(each.until_ns for each in parts)
    billed = {each.provider for each in parts}
    # Without FINAL, which is most of the work: mostly there is no other provider at all.
    found = engine.execute(
        """
        SELECT DISTINCT provider
        FROM store.calls
        WHERE counted
            AND time >= fromUnixTimestamp64Nano({since:Int64}, 'UTC')
            AND time < fromUnixTimestamp64Nano({until:Int64}, 'UTC')
        """,
        {"since": since_ns, "until": until_ns},
    )
    if set(found["provider"].to_pylist()) <= billed:
        return []
    question = UsageQuestion(by=("provider",), since_ns=since_ns, until_ns=until_ns, durations=False)
    rows = usage(engine, question, limits=Limits(None, None, None, database=DATABASE)).counted.rows
    return [
        Aside(provider=row.group["provider"], calls=row.calls, cost=row.cost_usd or ZERO)
        for row in rows
        if row.group["provider"] not in billed
    ]


def explanations(ledger: Ledger) -> Mapping[str, list[tuple[Line, Explanation]]]:
    """Every explanation by its kind, those of the most money first."""
    found: dict[str, list[tuple[Line, Explanation]]] = {}
    for each in ledger.lines:
        for explanation in each.explanations:
            found.setdefault(explanation.kind, []).append((each, explanation))
    for pairs in found.values():
        pairs.sort(key=lambda pair: -abs(pair[1].amount_usd))
    return found
