"""What repricing changes, or has changed: rows and dollars by model, tenant and kind of change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, localcontext

import msgspec

from watchglass.ledger.reprice_plan import Asked
from watchglass.ledger.sql_prices import Priced
from watchglass.store import Engine
from watchglass.store.reprice_runs import Run

KINDS: Mapping[str, str] = {
    "priced": "had no cost and has one",
    "price_changed": "another cost",
    "unpriced": "had a cost and has none",
    "provider_changed": "the same cost or none, from another provider",
    "reason_changed": "no cost, for another reason",
    "entry_changed": "the same cost, from another entry of the book",
}
"""The kinds of change, the first that fits."""

_KIND = """multiIf(
    old_cost_usd IS NULL AND new_cost_usd IS NOT NULL, 'priced',
    old_cost_usd IS NOT NULL AND new_cost_usd IS NULL, 'unpriced',
    old_cost_usd IS NOT NULL AND old_cost_usd != new_cost_usd, 'price_changed',
    isDistinctFrom(old_provider, new_provider)
        OR isDistinctFrom(old_provider_source, new_provider_source), 'provider_changed',
    old_cost_usd IS NULL, 'reason_changed',
    'entry_changed'
)"""

MOST_ROWS = 200
"""Lines of one breakdown; what is less is summed up in one more."""

OTHERS = "(others)"


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """Counted rows of one name; amounts are of what is known, before and after. `name` None is unknown."""

    name: str | None
    rows: int
    before_usd: Decimal
    after_usd: Decimal
    difference_usd: Decimal


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """All that changes. `not_counted` rows (duplicates of one request) change too and are in no sum."""

    looked: int
    totals: Change
    not_counted: int
    by_kind: list[Change]
    by_model: list[Change]
    by_tenant: list[Change]

    @property
    def changed(self) -> int:
        """Rows, counted or not."""
        return self.totals.rows + self.not_counted


def would_change(engine: Engine, priced: Priced, asked: Asked) -> Changes:
    """What pricing these calls anew would change; nothing is written."""
    source, params = priced.source(
        (
            "kind",
            "tenant",
            "counted",
            "cost_usd",
            "provider",
            "provider_source",
            "request_model",
            "response_model",
        ),
        ("new_cost_usd", "new_provider", "new_provider_source", "changed"),
        only=asked.only,
    )
    rows = f"""
        SELECT
            changed, kind = 'call' AS is_call, counted, tenant,
            coalesce(response_model, request_model) AS model,
            cost_usd AS old_cost_usd, new_cost_usd, provider AS old_provider, new_provider,
            provider_source AS old_provider_source, new_provider_source
        FROM ({source})
        """
    return _summed(engine, rows, params)


def have_changed(engine: Engine, run: Run, looked: int) -> Changes:
    """What a run has changed so far, of the rows that it looked at."""
    rows = """
        SELECT
            1 AS changed, 1 AS is_call, counted, tenant, model, old_cost_usd, new_cost_usd, old_provider,
            new_provider, old_provider_source, new_provider_source
        FROM store.repricings FINAL
        WHERE run = {run:String}
        """
    return msgspec.structs.replace(_summed(engine, rows, {"run": run.id}), looked=looked)


def _summed(engine: Engine, rows: str, params: Mapping[str, object]) -> Changes:
    # Versions of a row are of one month, for its hour is part of what makes it that row.
    found = engine.execute(
        f"""
        SELECT
            multiIf(
                grouping(change) = 0, 'kind', grouping(model) = 0, 'model', grouping(tenant) = 0, 'tenant', ''
            ) AS by,
            multiIf(by = 'kind', change, by = 'model', model, by = 'tenant', tenant, NULL) AS name,
            sum(looked_at) AS looked,
            sum(changes) AS rows, sum(others) AS not_counted,
            toString(ifNull(sum(before), 0)) AS before_usd, toString(ifNull(sum(after), 0)) AS after_usd
        FROM
        (
            SELECT
                if(changed, {_KIND}, '') AS change, model, tenant,
                countIf(is_call) AS looked_at,
                countIf(changed AND counted) AS changes, countIf(changed AND NOT counted) AS others,
                sumIf(old_cost_usd, changed AND counted) AS before,
                sumIf(new_cost_usd, changed AND counted) AS after
            FROM ({rows})
            GROUP BY change, model, tenant
        )
        GROUP BY GROUPING SETS ((change), (model), (tenant), ())
        SETTINGS do_not_merge_across_partitions_select_final = 1
        """,
        params,
    ).to_pylist()
    by: dict[str, list[Change]] = {"kind": [], "model": [], "tenant": [], "": []}
    looked = not_counted = 0
    for row in found:
        if row["by"] == "":
            looked, not_counted = row["looked"], row["not_counted"]
        elif not row["rows"]:
            continue
        by[row["by"]].append(
            _change(row["name"], row["rows"], Decimal(row["before_usd"]), Decimal(row["after_usd"]))
        )
    order = list(KINDS)
    return Changes(
        looked=looked,
        totals=by[""][0] if by[""] else _change(None, 0, Decimal(0), Decimal(0)),
        not_counted=not_counted,
        by_kind=sorted(by["kind"], key=lambda change: order.index(change.name or "")),
        by_model=_most(by["model"]),
        by_tenant=_most(by["tenant"]),
    )


def _change(name: str | None, rows: int, before: Decimal, after: Decimal) -> Change:
    with localcontext(prec=76):
        return Change(name=name, rows=rows, before_usd=before, after_usd=after, difference_usd=after - before)


def _most(changes: Sequence[Change]) -> list[Change]:
    ordered = sorted(changes, key=lambda each: (-abs(each.difference_usd), -each.rows, each.name or ""))
    if len(ordered) <= MOST_ROWS:
        return ordered
    return [*ordered[:MOST_ROWS], _together(ordered[MOST_ROWS:])]


def _together(changes: Iterable[Change]) -> Change:
    rows, before, after = 0, Decimal(0), Decimal(0)
    with localcontext(prec=76):
        for each in changes:
            rows, before, after = rows + each.rows, before + each.before_usd, after + each.after_usd
    return _change(OTHERS, rows, before, after)
