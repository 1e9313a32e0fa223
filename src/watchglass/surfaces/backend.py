"""What stands behind the receiving surfaces, as `serve` needs it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
from starlette.routing import BaseRoute

from watchglass.ingest.receiver import Receiver
from watchglass.surfaces.access import Access


class Backend(msgspec.Struct, frozen=True):
    """Where requests go, and the routes that read."""

    receiver: Receiver
    routes: Sequence[BaseRoute] = ()
    access: Access = msgspec.field(default_factory=Access)
    stop_questions: Callable[[], None] = lambda: None
    """Ends the questions that run; it may block for a moment."""
