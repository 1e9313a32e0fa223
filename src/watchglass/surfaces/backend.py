"""What stands behind the receiving surfaces, as `serve` needs it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from starlette.routing import BaseRoute

from watchglass.ingest.receiver import Receiver
from watchglass.surfaces.access import Access


class Backend(msgspec.Struct, frozen=True):
    """Where requests go, and the routes that read."""

    receiver: Receiver
    routes: Sequence[BaseRoute] = ()
    access: Access = msgspec.field(default_factory=Access)
