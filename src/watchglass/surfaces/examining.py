"""An examination where the store is open: of its tables, and of the directory that holds them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from watchglass.clock import Clock
from watchglass.config import Settings
from watchglass.doctor.contract import Finding
from watchglass.doctor.findings.damaged import Damaged
from watchglass.doctor.findings.disk_low import DiskLow
from watchglass.doctor.findings.expiring_unpriced import ExpiringUnpriced
from watchglass.doctor.findings.wrong_schema import WrongSchema
from watchglass.store import Engine, Space
from watchglass.store.damage import damage
from watchglass.store.schema_faults import schema_faults
from watchglass.surfaces.keeping import kept


def of_the_house(
    settings: Settings, engine: Engine, space: Space, clock: Clock
) -> Callable[[], Sequence[Finding]]:
    """Findings that no reader's question tells of; made anew for each examination, with what is so just then.

    Nothing of this is of one tenant: ask them only for who may see everything.
    """

    def made() -> Sequence[Finding]:
        return (
            WrongSchema(schema_faults(engine)),
            Damaged(damage(engine)),
            DiskLow(space.look()),
            ExpiringUnpriced(kept(settings)["calls"], clock.now_ns()),
        )

    return made
