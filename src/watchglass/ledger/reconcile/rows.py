"""A bill with a line for each request, held against our calls one by one."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from watchglass.ledger.reconcile.ours import Question
from watchglass.ledger.reconcile.theirs import IDS, is_told
from watchglass.store import Engine

EXAMPLES = 20
_CLOSE = "toDecimal256('0.000000000001', 38)"
"""A client's own price is a binary float: below this the two are the same."""


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """How many requests, and the ids of some."""

    requests: int
    amount_usd: Decimal
    examples: list[str]


class RowByRow(msgspec.Struct, frozen=True, kw_only=True):
    """What single requests say."""

    provider: str
    on_both: int
    only_on_bill: Compared
    """Amounts are what the bill says."""
    only_ours: Compared
    """Amounts are our cost; examples are call ids."""
    other_tokens: Compared
    """On both sides with other counts; amounts are billed less computed."""
    other_cost: Compared
    """With the same tokens and another cost."""


def row_by_row(engine: Engine, question: Question) -> RowByRow:
    """Join the bill's requests with our calls of the same time."""
    found = engine.execute(
        f"""
        WITH
            told AS
            (
                SELECT
                    request_id AS id, min(since) AS at, sum(amount_usd) AS usd,
                    sumIf(tokens, match(token_class, '^(input|cache)')) AS got,
                    sumIf(tokens, match(token_class, '^(output|reasoning)')) AS made,
                    count(tokens) > 0 AS has_tokens
                FROM {question.live}
                WHERE provider = {{provider:String}} AND isNotNull(request_id)
                GROUP BY id
            ),
            called AS
            (
                SELECT
                    arrayJoin(arrayFilter(id -> id != '', [{", ".join(IDS)}])) AS id,
                    any(call_id) AS call, any(cost_usd) AS cost, any(input_tokens) AS got,
                    any(output_tokens) AS made, min(time) AS when
                FROM store.calls FINAL
                WHERE counted AND provider = {{provider:String}}
                GROUP BY id
            )
        SELECT
            multiIf(
                called.id = '', 'only_on_bill',
                has_tokens AND (ifNull(told.got, 0) != ifNull(called.got, 0)
                    OR ifNull(told.made, 0) != ifNull(called.made, 0)), 'other_tokens',
                abs(ifNull(usd, 0) - ifNull(cost, 0)) > {_CLOSE} OR isNull(cost), 'other_cost',
                'same'
            ) AS verdict,
            count() AS requests,
            toString(sum(ifNull(usd, 0) - ifNull(cost, 0))) AS amount,
            groupArray({EXAMPLES:d})(told.id) AS examples
        FROM told LEFT ANY JOIN called ON told.id = called.id
        WHERE if(called.id = '', at, when) >= fromUnixTimestamp64Nano({{since:Int64}}, 'UTC')
            AND if(called.id = '', at, when) < fromUnixTimestamp64Nano({{until:Int64}}, 'UTC')
        GROUP BY verdict
        """,
        question.bounds,
    )
    rows = {row["verdict"]: row for row in found.to_pylist()}
    [ours] = engine.execute(
        f"""
        SELECT
            'only_ours' AS verdict, count() AS requests, toString(ifNull(sum(cost_usd), 0)) AS amount,
            groupArray({EXAMPLES:d})(call_id) AS examples
        FROM store.calls FINAL
        WHERE counted AND provider = {{provider:String}} AND NOT {is_told(question.live)}
            AND time >= fromUnixTimestamp64Nano({{since:Int64}}, 'UTC')
            AND time < fromUnixTimestamp64Nano({{until:Int64}}, 'UTC')
        """,
        question.bounds,
    ).to_pylist()
    differing = [rows.get(name) for name in ("same", "other_tokens", "other_cost")]
    return RowByRow(
        provider=question.provider,
        on_both=sum(row["requests"] for row in differing if row),
        only_on_bill=_compared(rows.get("only_on_bill")),
        only_ours=_compared(ours),
        other_tokens=_compared(rows.get("other_tokens")),
        other_cost=_compared(rows.get("other_cost")),
    )


def _compared(row: dict[str, Any] | None) -> Compared:
    if row is None:
        return Compared(requests=0, amount_usd=Decimal(0), examples=[])
    return Compared(
        requests=row["requests"], amount_usd=Decimal(row["amount"]), examples=sorted(row["examples"])
    )
