"""`POST /api/v1/import`: JSON lines or CSV in, what became of them out, once they are on disk."""

from __future__ import annotations

from typing import Any, Literal, get_args
from urllib.parse import parse_qsl

import msgspec

from watchglass.errors import BadRequest, ConfigError, WatchglassError
from watchglass.ingest.admission import coding_of
from watchglass.ingest.importers.columns import parse_maps
from watchglass.ingest.importers.parts import Format
from watchglass.ingest.importers.receiving import Asked, Imports
from watchglass.ingest.importers.tally import MAPPINGS, Tally
from watchglass.surfaces.access import Access, current
from watchglass.surfaces.api.endpoint import Endpoint, Parameter
from watchglass.surfaces.http.asgi import Receive, Response, Scope, Send, header, respond
from watchglass.surfaces.http.body import Body, ClientGone, Intake, SenderStalled
from watchglass.surfaces.http.media import Promise
from watchglass.surfaces.http.otlp import unread
from watchglass.surfaces.http.problems import problem, problem_for

PATH = "/api/v1/import"


_IMPORTED: dict[str, Any] = {
    "type": "object",
    "description": "What became of the rows: `rows` = `new` + `known` + `rejected`.",
    "properties": {
        **{name: {"type": "integer"} for name in Tally.__struct_fields__ if name not in MAPPINGS},
        "unpriced": {"type": "object", "additionalProperties": {"type": "integer"}},
        "differences": {"type": "object", "additionalProperties": {"type": "integer"}},
        "examples": {"type": "object", "additionalProperties": {"type": "string"}},
        "rejects": {"type": "array", "items": {"type": "object"}},
        "notices": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["rows", "new", "known", "rejected", "rejects"],
}


def import_endpoints(imports: Imports) -> list[Endpoint]:
    """The endpoint."""
    return [
        Endpoint(
            method="POST",
            path=PATH,
            summary="Import calls from JSON lines or CSV, plain or gzip",
            details="The answer comes when the rows are on disk. Importing them again changes nothing.",
            needs="ingest",
            app=ImportEndpoint(imports),
            parameters=(
                Parameter(name="name", meaning="What the table `rejects` calls the source."),
                Parameter(
                    name="format", meaning="Found out unless given.", type=Literal["auto", "jsonl", "csv"]
                ),
                Parameter(name="map", meaning="ours=theirs: the column that holds ours.", many=True),
            ),
            body={"type": "string", "description": "The rows."},
            body_type="application/octet-stream",
            answer=_IMPORTED,
        )
    ]


class ImportEndpoint:
    """Reads one body within the limits and budget of all that is received. An ASGI application of its own,
    since a framework would read the body whole before anybody asked how large it may be."""

    def __init__(self, imports: Imports) -> None:
        self._imports = imports

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        intake: Intake = scope["watchglass.intake"]
        try:
            asked, promised = _asked(scope), _promise(scope)
        except WatchglassError as error:
            await Body(receive, unread(scope), intake).refuse(send, problem_for(error))
            return
        body = Body(receive, promised, intake)
        try:
            response = await self._import(body, asked, scope["watchglass.access"])
        except ClientGone:
            return
        finally:
            body.release()
        await body.refuse(send, response) if not body.whole else await respond(send, response)

    async def _import(self, body: Body, asked: Asked, access: Access) -> Response:
        try:
            data, grant = await body.read(), current()
            access.charge(grant, len(data))
            imported = await self._imports.receive(data, asked, grant.tenant)
        except ConfigError as error:  # a header or a map, which here are the request's
            return problem_for(BadRequest(str(error)))
        except WatchglassError as error:
            return problem_for(error)
        except SenderStalled as error:
            return problem(408, str(error))
        rejects = [{"line": each.line, "reason": each.reason} for each in imported.rejects]
        document = {**msgspec.structs.asdict(imported.tally), "rejects": rejects, "notices": imported.notices}
        return Response(200, b"application/json", msgspec.json.encode(document))


def _asked(scope: Scope) -> Asked:
    given: dict[str, list[str]] = {}
    for key, value in parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True):
        given.setdefault(key, []).append(value)
    if unknown := set(given) - {"name", "format", "map"}:
        raise BadRequest(f"there is no parameter {sorted(unknown)[0][:60]!r}; there are name, format and map")
    form = given.get("format", ["auto"])[-1]
    if form not in ("auto", *get_args(Format)):
        raise BadRequest(f"format is {form[:60]!r}; write jsonl or csv, or leave it out")
    try:
        maps = parse_maps(given.get("map", ()))
    except ConfigError as error:
        raise BadRequest(str(error).replace("--map", "map")) from None
    name = given.get("name", ["import"])[-1][:200]
    return Asked(name, None if form == "auto" else msgspec.convert(form, Format), maps)


def _promise(scope: Scope) -> Promise:
    known = unread(scope)
    return Promise(
        "json", coding_of(header(scope, b"content-encoding").decode("latin-1")), known.length, known.asks
    )
