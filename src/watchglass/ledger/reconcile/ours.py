"""Our side of the ledger: counted calls summed by day, project, model, tier and price, tokens by class."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

import msgspec

from watchglass.errors import BadRequest
from watchglass.ledger.reconcile.days import Day
from watchglass.ledger.reconcile.figures import Names
from watchglass.ledger.reconcile.quotes import Quotes
from watchglass.ledger.reconcile.split import Group
from watchglass.ledger.reconcile.theirs import is_told
from watchglass.pricing.rates import CLASSES
from watchglass.store import Engine

PROJECTS = ("tenant", "engagement", "feature", "service", "environment", "agent", "flow_type")
"""What a provider's project can be here, beside `metadata.KEY`."""

# Each token is in one class, as the prices see it (`pricing/rates.py`): a part never has more tokens than
# what the parts before it have left of the whole.
_CLASSES = """
    greatest(ifNull(input_tokens, 0), 0) AS whole,
    least(greatest(ifNull(cache_read_tokens, 0), 0), whole) AS c_read,
    coalesce(cache_write_tokens, cache_write_1h_tokens, 0) AS said_written,
    least(greatest(said_written, 0), whole - c_read) AS c_written,
    least(greatest(ifNull(input_audio_tokens, 0), 0), whole - c_read - c_written) AS c_heard,
    least(greatest(ifNull(cache_write_1h_tokens, 0), 0), c_written) AS c_hour,
    greatest(ifNull(output_tokens, 0), 0) AS made,
    least(greatest(ifNull(output_audio_tokens, 0), 0), made) AS c_spoken,
    least(greatest(ifNull(reasoning_tokens, 0), 0), made - c_spoken) AS c_thought
"""
_SUMS: Mapping[str, str] = {
    "input": "whole - c_read - c_written - c_heard",
    "output": "made - c_spoken - c_thought",
    "cache_read": "c_read",
    "cache_write": "c_written - c_hour",
    "cache_write_1h": "c_hour",
    "reasoning": "c_thought",
    "input_audio": "c_heard",
    "output_audio": "c_spoken",
}


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """Whose calls: of one provider, in these days."""

    provider: str
    days: Sequence[Day]
    project_by: str | None = None
    live: str = ""
    """The bills' lines, where they are of single requests and calls are matched with them one by one."""

    @property
    def bounds(self) -> dict[str, object]:
        """The question's parameters of time and provider."""
        return {
            "provider": self.provider,
            "since": self.days[0].since_ns,
            "until": self.days[-1].until_ns,
        }


class Gathered(NamedTuple):
    """A group of calls, and where it is in the ledger."""

    day: Day
    project: str | None
    matched: bool | None
    group: Group


_OURS = """counted AND provider = {provider:String}
    AND time >= fromUnixTimestamp64Nano({since:Int64}, 'UTC')
    AND time < fromUnixTimestamp64Nano({until:Int64}, 'UTC')"""


def project_expression(project_by: str | None) -> tuple[str, dict[str, object]]:
    """What the provider calls a project, as SQL. Raises `BadRequest` for what is no dimension."""
    if project_by is None:
        return "CAST(NULL, 'Nullable(String)')", {}
    if project_by in PROJECTS:
        return f"CAST({project_by}, 'Nullable(String)')", {}
    kind, dot, name = project_by.partition(".")
    if kind == "metadata" and dot and name:
        return "nullIf(metadata[{project_key:String}], '')", {"project_key": name}
    raise BadRequest(
        f"projects cannot be told apart by {project_by[:60]!r}; they can by "
        f"{', '.join(PROJECTS)} or metadata.KEY"
    )


def models(engine: Engine, question: Question) -> list[tuple[Names, str | None, str | None]]:
    """The models that were used, with their tiers and the ids of their prices.

    Without FINAL, which is most of the work: a name of a row that has been replaced since does no harm.
    """
    found = engine.execute(
        f"""
        SELECT response_model, request_model, service_tier, price_id, any(tenant) AS whose
        FROM store.calls
        WHERE {_OURS}
        GROUP BY response_model, request_model, service_tier, price_id
        """,
        question.bounds,
    )
    return [
        (
            Names(row["response_model"], row["request_model"], row["whose"]),
            row["service_tier"],
            row["price_id"],
        )
        for row in found.to_pylist()
    ]


def thresholds(used: Sequence[tuple[Names, str | None, str | None]], quotes: Quotes) -> list[int]:
    """Input tokens above which any of the prices that were used is another."""
    found: set[int] = set()
    for names, tier, price_id in used:
        for rates in quotes.entry(names, tier, price_id) if price_id else ():
            found |= {threshold for threshold, _ in rates.above}
    return sorted(found)


def gather(engine: Engine, question: Question, steps: Sequence[int]) -> Iterator[Gathered]:
    """The calls of the days, in groups that are alike in all that a price looks at."""
    project, more = project_expression(question.project_by)
    matched = "CAST(NULL, 'Nullable(Bool)')"
    if question.live:
        matched = f"CAST({is_told(question.live)}, 'Nullable(Bool)')"
    sums = ", ".join(f"toString(sum(toInt128({sql}))) AS t_{name}" for name, sql in _SUMS.items())
    found = engine.execute(
        f"""
        WITH {_CLASSES}
        SELECT
            roundDown(toUnixTimestamp64Nano(time), {{starts:Array(Int64)}}) AS started,
            {project} AS in_project,
            {matched} AS is_matched,
            response_model, request_model, service_tier, price_id, unpriced_reason,
            arrayCount(step -> input_tokens > step, {{steps:Array(Int64)}}) AS longer,
            any(tenant) AS whose,
            count() AS calls,
            countIf(isNull(input_tokens) AND isNull(output_tokens)) AS uncounted,
            {sums},
            toString(ifNull(sum(cost_usd), 0)) AS cost,
            toString(sum(reported_cost_usd)) AS reported,
            count(reported_cost_usd) AS reported_calls,
            toString(ifNull(sumIf(cost_usd, isNotNull(reported_cost_usd)), 0)) AS cost_of_reported
        FROM store.calls FINAL
        WHERE {_OURS}
        GROUP BY started, in_project, is_matched, response_model, request_model, service_tier, price_id,
            unpriced_reason, longer
        """,
        {
            **question.bounds,
            **more,
            "starts": [each.since_ns for each in question.days],
            "steps": list(steps) or [2**62],
        },
    )
    days = {each.since_ns: each for each in question.days}
    for row in found.to_pylist():
        group = Group(
            names=Names(row["response_model"], row["request_model"], row["whose"]),
            tier=row["service_tier"],
            above=steps[row["longer"] - 1] if row["longer"] else 0,
            price_id=row["price_id"],
            unpriced=row["unpriced_reason"],
            calls=row["calls"],
            uncounted_calls=row["uncounted"],
            tokens={name: int(row[f"t_{name}"]) for name in CLASSES},
            cost=Decimal(row["cost"]),
            reported=None if row["reported"] is None else Decimal(row["reported"]),
            reported_calls=row["reported_calls"],
            cost_of_reported=Decimal(row["cost_of_reported"]),
        )
        yield Gathered(days[row["started"]], row["in_project"], row["is_matched"], group)
