"""Runs of repricing as the API and `--json` show them: amounts are decimals as text, moments ISO 8601."""

from __future__ import annotations

from decimal import Decimal, localcontext
from typing import Any

import msgspec

from watchglass.ledger.reprice import Progress, asked_by
from watchglass.ledger.reprice_changes import Change, Changes
from watchglass.ledger.reprice_left import Left
from watchglass.ledger.reprice_plan import Asked
from watchglass.queries.plain import moment, money
from watchglass.store.reprice_runs import run_id

Document = dict[str, Any]


def asked_document(asked: Asked) -> Document:
    """What was asked for."""
    return {
        "since": _moment(asked.since_ns),
        "until": _moment(asked.until_ns),
        "filters": {name: list(values) for name, values in asked.filters.items()},
        "unpriced": asked.unpriced,
        "detect_provider": asked.detect_provider,
    }


def run_document(progress: Progress) -> Document:
    """A run and how far it is."""
    run, did = progress.run, progress.did
    with localcontext(prec=76):
        difference = did.after_usd - did.before_usd
    return {
        "id": run.id,
        "kind": "reprice" if run.undoes is None else "undo",
        "undoes": None if run.undoes is None else run_id(run.undoes),
        "state": progress.state,
        "who": run.who,
        "why": run.why,
        "tenant": run.tenant,
        **asked_document(asked_by(run)),
        "book": run.book,
        "began": moment(run.began_ns),
        "ended": _moment(run.ended_ns),
        "fault": run.fault or None,
        "chunks": run.chunks,
        "chunks_done": run.chunks_done,
        "looked": did.looked,
        "changed": did.changed,
        "counted": did.counted,
        "undone": progress.undone,
        "before_usd": _money(did.before_usd),
        "after_usd": _money(did.after_usd),
        "difference_usd": _money(difference),
    }


def changes_document(changes: Changes) -> Document:
    """What changes, by kind, model and tenant; sums are of the rows that count."""
    return {
        "looked": changes.looked,
        "changed": changes.changed,
        "not_counted": changes.not_counted,
        "totals": _change(changes.totals),
        **{
            by: [_change(each) for each in rows]
            for by, rows in (
                ("by_kind", changes.by_kind),
                ("by_model", changes.by_model),
                ("by_tenant", changes.by_tenant),
            )
        },
    }


def left_document(left: Left) -> Document:
    """Rows that were not taken back, and the first of them."""
    return {
        "rows": left.rows,
        "by": left.by,
        "first": [
            {
                "call_id": row.call_id,
                "time": moment(row.time_ns),
                "tenant": row.tenant,
                "model": row.model,
                "price_from": row.price_from,
            }
            for row in left.first
        ],
    }


def _change(change: Change) -> Document:
    amounts = ("before_usd", "after_usd", "difference_usd")
    return {
        **msgspec.structs.asdict(change),
        **{name: _money(getattr(change, name)) for name in amounts},
    }


def _money(amount: Decimal) -> str:
    return money(amount)


def _moment(ns: int | None) -> str | None:
    return None if ns is None else moment(ns)
