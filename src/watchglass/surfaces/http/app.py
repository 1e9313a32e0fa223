"""The one HTTP application: guards every request, hands OTLP to its raw handlers and the rest to routes.

It is also the one boundary: whatever a handler raises becomes a problem response here.
"""

from __future__ import annotations

import asyncio
import inspect
import itertools
import logging
import re
import secrets
from collections.abc import Sequence
from typing import NamedTuple

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response as StarletteResponse
from starlette.routing import BaseRoute, Match, Route

from watchglass.errors import Overloaded, QueryRefused, WatchglassError
from watchglass.ingest.receiver import Receiver
from watchglass.surfaces.access import Access, Grant, Needs, current, granted, needs, needs_of
from watchglass.surfaces.http import health
from watchglass.surfaces.http.asgi import Message, Receive, Response, Scope, Send, header, respond
from watchglass.surfaces.http.body import Body, Intake
from watchglass.surfaces.http.guard import Guard
from watchglass.surfaces.http.otlp import PATHS, Export, unread
from watchglass.surfaces.http.problems import problem, problem_for, unexpected
from watchglass.surfaces.http.session_cookie import shown_key
from watchglass.surfaces.http.web_app import WebApp

log = logging.getLogger(__name__)

_SLASHES = re.compile("//+")


class Door(NamedTuple):
    """A route: its path as it is written, its methods, and what it needs (None: it does not say)."""

    path: str
    methods: frozenset[str]
    needs: Needs | None


class Application:
    """The ASGI callable. `routes` are the reading API's, whatever they are."""

    def __init__(
        self,
        receiver: Receiver,
        life: health.Life,
        *,
        guard: Guard,
        intake: Intake,
        routes: Sequence[BaseRoute] = (),
        access: Access | None = None,
        web_app: WebApp | None = None,
    ) -> None:
        self._guard = guard
        self._web_app = web_app or WebApp({})
        self._access = access or Access()
        self._intake = intake
        self._exports = {
            path: Export(signal, receiver, intake, self._access) for path, signal in PATHS.items()
        }
        self._rest = _starlette(receiver, life, routes, self._access)
        self._direct = _direct(routes)
        self._ids = itertools.count(1)
        self._run = secrets.token_hex(3)  # tells one run's request ids from another's

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        started = False

        async def sending(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        scope["watchglass.intake"], scope["watchglass.access"] = self._intake, self._access
        scope["watchglass.request_id"] = request_id = f"{self._run}-{next(self._ids):x}"
        try:
            await self._handle(scope, receive, sending)
        except ClientDisconnect:
            return
        except asyncio.CancelledError:  # the server stops, and this request has had its time
            if not started:
                await respond(send, problem_for(Overloaded("The server is stopping: send this again.")))
        except Exception:  # broad: the one boundary of HTTP; counted in the log, by request id
            log.exception(
                "mistake in a request",
                extra={"request_id": request_id, "method": scope["method"], "path": scope["path"][:200]},
            )
            if not started:
                await respond(send, unexpected(request_id))

    async def _handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        direct = self._direct.get((scope["method"], path))
        if direct is not None:
            await self._handle_direct(direct, scope, receive, send)
            return
        export = self._exports.get(path) or self._exports.get(_tidy(path))
        page = self._web_app.answer(scope, keyed=self._access.keyed) if export is None else None
        if page is not None:
            await self._handle_page(page, scope, send)
            return
        entered = self._enter(scope, *(("/v1/*", "ingest") if export is not None else self.door(scope)))
        if isinstance(entered, Grant) and export is not None and scope["method"] != "POST":
            entered = _wrong_method(scope["method"], path, "POST")
        if isinstance(entered, Response):
            await Body(receive, unread(scope), self._intake).refuse(send, entered)
            return
        with granted(entered):
            await (self._rest if export is None else export)(scope, receive, send)

    async def _handle_page(self, page: Response, scope: Scope, send: Send) -> None:
        """Files and pages of the app need no key, but a Host that is ours as everything does."""
        entered = self._enter(scope, "the app", "nothing")
        await respond(send, entered if isinstance(entered, Response) else page)

    async def _handle_direct(self, route: Route, scope: Scope, receive: Receive, send: Send) -> None:
        entered = self._enter(scope, route.path, _needs_of(route))
        if isinstance(entered, Response):
            await Body(receive, unread(scope), self._intake).refuse(send, entered)
            return
        with granted(entered):
            await route.app(scope, receive, send)

    def _enter(self, scope: Scope, route: str, needed: Needs | None) -> Grant | Response:
        """What the request may do, or the answer that it is refused with."""
        where = (route, scope["client"][0] if scope.get("client") else "")
        scope["watchglass.where"] = where
        try:
            refusal = self._guard.refusal(scope, any_host=self._access.keyed)
            if refusal is not None:
                event = {421: "host_refused", 403: "origin_refused"}.get(refusal.status, "bad_host")
                self._access.watch.note(event, where=where)
                return refusal
            return self._access.admit(authorization(scope), needed, where)
        except WatchglassError as error:
            return problem_for(error)

    def doors(self) -> list[Door]:
        """Every route that there is, exports and the app's files included, and what each needs."""
        found = [Door(path, frozenset({"POST"}), "ingest") for path in self._exports]
        found.append(Door("/assets/{name}", frozenset({"GET", "HEAD"}), "nothing"))
        for route in self._rest.routes:
            methods = frozenset(getattr(route, "methods", None) or {"GET"})
            found.append(Door(str(getattr(route, "path", "")), methods, _needs_of(route)))
        return found

    def door(self, scope: Scope) -> tuple[str, Needs | None]:
        """The route that a request other than an export goes to, and what it needs.

        That is any key where there is no such route. A route that does not say what it needs is
        closed to all who need a key.
        """
        missed: tuple[str, Needs | None] = ("nothing there", "any")
        for route in self._rest.routes:
            match, _ = route.matches(scope)
            path = str(getattr(route, "path", ""))
            if match is Match.FULL:
                return path, _needs_of(route)
            if match is Match.PARTIAL:
                missed = (path, "any")
        return missed


def authorization(scope: Scope) -> str:
    """The Authorization header, else what the app's cookie stands for; '' for neither."""
    said = header(scope, b"authorization").decode("latin-1")
    if said:
        return said
    key = shown_key(scope)
    return f"Bearer {key}" if key else ""


def _direct(routes: Sequence[BaseRoute]) -> dict[tuple[str, str], Route]:
    """Routes that are applications of their own, which answer their errors too, by method and whole path:
    found without asking every route twice, which takes longer than some of them take to answer."""
    return {
        (method, route.path): route
        for route in routes
        if isinstance(route, Route) and not inspect.isfunction(route.endpoint) and "{" not in route.path
        for method in route.methods or ()
    }


def _needs_of(route: BaseRoute) -> Needs | None:
    return needs_of(getattr(route, "endpoint", route))


def _tidy(path: str) -> str:
    """Slashes that a base address with one at its end leads to: `//v1/traces`, `/v1/traces/`."""
    return _SLASHES.sub("/", path).rstrip("/")


def _starlette(
    receiver: Receiver, life: health.Life, routes: Sequence[BaseRoute], access: Access
) -> Starlette:
    @needs("any")
    async def get_health(_: Request) -> StarletteResponse:
        found = health.health(receiver, life, access.watch.counts)
        return _plain(found if current().tenant is None else health.brief(found))

    @needs("nothing")
    async def get_ready(_: Request) -> StarletteResponse:
        return _plain(health.ready(receiver, life))

    @needs("any")
    async def get_front_page(_: Request) -> StarletteResponse:
        return _plain(health.front_page(life))

    async def on_own_error(request: Request, error: Exception) -> StarletteResponse:
        assert isinstance(error, WatchglassError)
        if isinstance(error, QueryRefused):
            grant, where = current(), request.scope["watchglass.where"]
            access.watch.note("query_refused", key=grant.key_id, tenant=grant.tenant, where=where)
        return _plain(problem_for(error))

    application = Starlette(
        routes=[
            Route("/", get_front_page),
            Route("/health", get_health),
            Route("/ready", get_ready),
            *routes,
        ],
        exception_handlers={
            HTTPException: _on_http_error,
            WatchglassError: on_own_error,
            Exception: _on_mistake,
        },
    )
    application.router.redirect_slashes = False
    return application


async def _on_http_error(request: Request, error: Exception) -> StarletteResponse:
    assert isinstance(error, HTTPException)
    path, method = request.url.path, request.method
    if error.status_code == 404:
        return _plain(
            problem(
                404,
                f"There is nothing at {path[:200]!r}. OTLP goes to POST /v1/traces, /v1/logs and "
                "/v1/metrics; GET / names what else there is.",
            )
        )
    if error.status_code == 405:
        allow = sorted((error.headers or {}).get("Allow", "GET").split(", "))  # a set's order, else
        return _plain(_wrong_method(method, path, ", ".join(allow)))
    return _plain(problem(error.status_code, error.detail))


async def _on_mistake(request: Request, error: Exception) -> StarletteResponse:
    """Answers; Starlette then raises `error` again, and `Application` logs it."""
    return _plain(unexpected(request.scope["watchglass.request_id"]))


def _wrong_method(method: str, path: str, allow: str) -> Response:
    detail = f"{method} does not work on {path[:200]!r}; allowed is {allow}."
    if path == "/" and method == "POST":
        detail += (
            " An exporter that sends here lacks the path: traces go to /v1/traces (OpenTelemetry adds it to "
            "OTEL_EXPORTER_OTLP_ENDPOINT, not to OTEL_EXPORTER_OTLP_TRACES_ENDPOINT or an endpoint in code)."
        )
    return problem(405, detail, headers=((b"allow", allow.encode("latin-1")),))


def _plain(response: Response) -> StarletteResponse:
    """One of our responses as one of Starlette's."""
    headers = {key.decode("latin-1"): value.decode("latin-1") for key, value in response.headers}
    media_type = response.media_type.decode("latin-1")
    return StarletteResponse(response.body, response.status, headers, media_type)
