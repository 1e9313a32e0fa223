"""The routes of the API: those that read, those that other rooms declare, and the documentation of all."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.routing import BaseRoute

from watchglass.clock import Clock, SystemClock
from watchglass.queries.reader import Reader
from watchglass.surfaces.api.documentation import documentation
from watchglass.surfaces.api.endpoint import Endpoint
from watchglass.surfaces.api.reading import reading
from watchglass.surfaces.api.receiving import RECEIVING


def routes(reader: Reader, *, clock: Clock | None = None, others: Sequence[Endpoint] = ()) -> list[BaseRoute]:
    """Every route; `others` are endpoints that do more than ask the reader."""
    declared = [*reading(reader, clock or SystemClock()), *others]
    documented = documentation([*declared, *RECEIVING])
    return [endpoint.route() for endpoint in (*declared, *documented)]
