"""An endpoint of the API, declared once: the route, its documentation and its test are made of it.

A room declares its endpoints as a list in a file of its own in this package, and `surfaces/house.py`
hands the lists to `routes`. What an endpoint does not declare it does not take.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Literal, TypeAlias

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from watchglass.surfaces.access import Needs, needs

Handler: TypeAlias = Callable[[Request], Awaitable[Response]]
Method: TypeAlias = Literal["GET", "POST", "PUT", "DELETE"]
JSON = "application/json"


class Parameter(msgspec.Struct, frozen=True, kw_only=True):
    """A value in the path or after `?`. `type` is a msgspec type; `many`: may be given several times."""

    name: str
    meaning: str
    type: Any = str
    place: Literal["query", "path", "header"] = "query"
    required: bool = False
    many: bool = False


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """One method of one path.

    `body` and `answer` are msgspec types, or JSON Schema as a dictionary where a type cannot say it;
    None is no body, or one that is not JSON. What the handler raises becomes a problem response.
    `app` stands for `handler` where a body must not be read whole before it is looked at. Both are None
    where something else than a route answers (OTLP has a faster way in).
    """

    method: Method
    path: str
    summary: str
    needs: Needs
    handler: Handler | None = None
    app: ASGIApp | None = None
    details: str = ""
    parameters: tuple[Parameter, ...] = ()
    body: Any = None
    body_type: str = JSON
    answer: Any = None
    answer_type: str = JSON
    status: int = 200

    def route(self) -> Route:
        """The route that answers it, and says what it needs."""
        handler = self.handler
        if handler is None:
            return self._routed(self.app)

        async def endpoint(request: Request) -> Response:
            return await handler(request)

        return self._routed(endpoint)

    def _routed(self, endpoint: Any) -> Route:
        stated = needs(self.needs)(endpoint)
        return Route(self.path, stated, methods=[self.method], name=f"{self.method} {self.path}")
