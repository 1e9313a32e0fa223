"""Where rows and small state live: the only room that talks to databases.

`open_store` opens a data directory and hands out what the other rooms use: `engine` (rows),
`control` (small state), `keys`, `versions` (row versions) and `place` (who holds the directory).
"""

from __future__ import annotations

from watchglass.store.bills import BillFile, BillRow, Bills, KeptFile
from watchglass.store.budgets import Budget, WantedBudget
from watchglass.store.control import Control
from watchglass.store.engine import Engine, Limits
from watchglass.store.kept_budgets import Budgets, open_budgets
from watchglass.store.kept_prices import KeptPrices
from watchglass.store.keys import Key, Keyring, Keys, Role, Wanted, any_keys
from watchglass.store.opening import Store, open_kept_prices, open_keys, open_store
from watchglass.store.place import Holder, Place, control_file, holder
from watchglass.store.removal import remove_tenants
from watchglass.store.reservations import ReservationLog
from watchglass.store.retention import Retention
from watchglass.store.rollup_keeper import RollupKeeper
from watchglass.store.space import Space
from watchglass.store.tables import SCHEMAS
from watchglass.store.versions import VersionClock

__all__ = [
    "SCHEMAS",
    "BillFile",
    "BillRow",
    "Bills",
    "Budget",
    "Budgets",
    "Control",
    "Engine",
    "Holder",
    "KeptFile",
    "KeptPrices",
    "Key",
    "Keyring",
    "Keys",
    "Limits",
    "Place",
    "ReservationLog",
    "Retention",
    "Role",
    "RollupKeeper",
    "Space",
    "Store",
    "VersionClock",
    "Wanted",
    "WantedBudget",
    "any_keys",
    "control_file",
    "holder",
    "open_budgets",
    "open_kept_prices",
    "open_keys",
    "open_store",
    "remove_tenants",
]
