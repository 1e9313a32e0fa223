"""The routes of the API: those that read, those that other rooms declare, and the documentation of all."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from starlette.routing import BaseRoute

from watchglass.clock import Clock, SystemClock
from watchglass.doctor.contract import Finding
from watchglass.queries.reader import StoreReader
from watchglass.surfaces.api.doctor import doctor_endpoints
from watchglass.surfaces.api.documentation import documentation
from watchglass.surfaces.api.endpoint import Endpoint
from watchglass.surfaces.api.reading import reading
from watchglass.surfaces.api.receiving import RECEIVING
from watchglass.surfaces.api.turns import Turns


def routes(
    reader: StoreReader,
    turns: Turns | None = None,
    *,
    clock: Clock | None = None,
    others: Sequence[Endpoint] = (),
    findings: Callable[[], Sequence[Finding]] = tuple,
) -> list[BaseRoute]:
    """Every route; `others` are endpoints that do more than ask the reader.

    `findings` are what the doctor looks for besides, for who may see everything. `turns` MUST be those of all
    others that ask the same store: each set lets a few questions in by itself.
    """
    turns, clock = turns or Turns(), clock or SystemClock()
    declared = [*reading(reader, turns, clock), *doctor_endpoints(reader, turns, clock, findings), *others]
    documented = documentation([*declared, *RECEIVING])
    return [endpoint.route() for endpoint in (*declared, *documented)]
