"""What the user has put into the price book of a data directory, one by one or as lists."""

from __future__ import annotations

from watchglass.clock import Clock
from watchglass.store.control import Control
from watchglass.store.imported_prices import ImportedPrices
from watchglass.store.price_overrides import PriceOverrides


class KeptPrices:
    """Imported lists and single overrides, in the control database of one data directory. Thread-safe."""

    def __init__(self, control: Control, clock: Clock) -> None:
        self.control = control
        self.imported = ImportedPrices(control, clock)
        self.overrides = PriceOverrides(control, clock)

    def edition(self) -> str:
        """Another text whenever anything was changed, also by another process."""
        return f"{self.imported.edition()} {self.overrides.edition()}"
