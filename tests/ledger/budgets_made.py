"""Budgets for tests: one names what it is about, the rest is usual."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from watchglass.store import Budget


def budget(**said: Any) -> Budget:
    """A hard budget of 10 dollars an hour for everything."""
    usual: dict[str, Any] = {
        "id": "b1",
        "name": "b1",
        "kind": "hard",
        "period": "hour",
        "zone": "UTC",
        "scope": {},
        "unsettled": "charge",
        "limit_usd": Decimal(10),
        "warn": (50, 80, 100),
        "since_ns": None,
        "until_ns": None,
        "created_ns": 0,
        "created_by": "test",
        "changed_ns": 0,
        "changed_by": "test",
    }
    return Budget(**usual | said)
