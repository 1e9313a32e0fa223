"""The API's description: an OpenAPI 3.1 document, and a page to read it on that needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from importlib.metadata import version
from typing import Any, TypeAlias

import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from watchglass.queries.lists.subjects import LISTED
from watchglass.surfaces.api.endpoint import JSON, Endpoint, Parameter
from watchglass.surfaces.api.reading import SHARED_TYPES
from watchglass.surfaces.http.problems import Problem

_PROBLEM = "application/problem+json"
_REFERENCE = "#/components/schemas/{name}"
_Said: TypeAlias = Mapping[Any, Any]
"""The schema of each type."""

_FAULTS = {
    "400": "The question makes no sense as written.",
    "401": "A key is needed, or this one is not known.",
    "403": "This key, or this question, may not do that.",
    "404": "What was named is not there.",
    "422": "Over a limit of time, memory or rows.",
    "503": "Not now; `Retry-After` says when.",
}
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem;
  color: #1a1d21 }
h1 { font-size: 1.5rem } h2 { font-size: 1rem; margin: 2rem 0 .25rem }
code { font: 13px ui-monospace, monospace }
.method { display: inline-block; min-width: 3.5rem; color: #0b57d0; font-weight: 600 }
.needs { color: #5f6368; font-size: .85rem } p { margin: .25rem 0 }
details { margin: .25rem 0 } summary { cursor: pointer; color: #5f6368 }
table { border-collapse: collapse; width: 100%; margin: .25rem 0 }
td { border-top: 1px solid #e3e5e8; padding: .25rem .75rem .25rem 0; vertical-align: top }
pre { background: #f6f7f8; padding: .75rem; overflow: auto; font: 12px/1.45 ui-monospace, monospace }
@media (prefers-color-scheme: dark) {
  body { background: #16181b; color: #e6e8ea } td { border-color: #33363b } pre { background: #1f2226 }
  .method { color: #8ab4f8 } .needs, summary { color: #9aa0a6 }
}
"""


def documentation(endpoints: Sequence[Endpoint]) -> list[Endpoint]:
    """The endpoints that tell of these endpoints and of themselves."""

    async def get_document(_: Request) -> Response:
        return Response(encoded, media_type=JSON)

    async def get_page(_: Request) -> Response:
        return HTMLResponse(shown)

    own = [
        Endpoint(
            method="GET",
            path="/api/openapi.json",
            summary="This API as an OpenAPI 3.1 document",
            needs="any",
            handler=get_document,
            answer={"type": "object", "additionalProperties": True},
        ),
        Endpoint(
            method="GET",
            path="/api/docs",
            summary="This page",
            needs="any",
            handler=get_page,
            answer_type="text/html",
        ),
    ]
    described = document([*endpoints, *own])
    encoded, shown = msgspec.json.encode(described), page([*endpoints, *own], described)
    return own


def document(endpoints: Sequence[Endpoint]) -> dict[str, Any]:
    """The OpenAPI document."""
    said, components = _described(endpoints)
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        paths.setdefault(template(endpoint), {})[endpoint.method.lower()] = _operation(endpoint, said)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "watchglass",
            "version": version("watchglass"),
            "description": "What LLM agents cost, and how far to trust the figure. Money is text, exact; "
            "times are RFC 3339 in UTC; null is unknown.",
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "responses": {
                status: {"description": meaning, **_problem()} for status, meaning in _FAULTS.items()
            },
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "A key, once the server has any."}
            },
        },
    }


def _described(endpoints: Sequence[Endpoint]) -> tuple[_Said, dict[str, Any]]:
    """The schemas of all types at once: of two of one name, each is called by its module too, everywhere."""
    found = [each for endpoint in endpoints for each in (endpoint.body, endpoint.answer)]
    found += [parameter.type for endpoint in endpoints for parameter in endpoint.parameters]
    found += [Problem, *SHARED_TYPES, *(listed.row for listed in LISTED.values())]
    named = list(dict.fromkeys(each for each in found if each is not None and not isinstance(each, dict)))
    schemas, components = msgspec.json.schema_components(named, ref_template=_REFERENCE)
    return dict(zip(named, schemas, strict=True)), components


def _operation(endpoint: Endpoint, said: _Said) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": "The answer."}
    answer["content"] = {
        endpoint.answer_type: {} if endpoint.answer is None else {"schema": _schema(endpoint.answer, said)}
    }
    made: dict[str, Any] = {
        "operationId": operation_id(endpoint),
        "summary": endpoint.summary,
        "parameters": [_parameter(each, said) for each in endpoint.parameters],
        "responses": {
            str(endpoint.status): answer,
            **{status: {"$ref": f"#/components/responses/{status}"} for status in _FAULTS},
        },
        "security": [] if endpoint.needs == "nothing" else [{"key": []}],
    }
    if endpoint.details:
        made["description"] = endpoint.details
    if endpoint.body is not None:
        made["requestBody"] = {
            "required": True,
            "content": {endpoint.body_type: {"schema": _schema(endpoint.body, said)}},
        }
    return made


def template(endpoint: Endpoint) -> str:
    """The path as OpenAPI writes it: without the router's own kinds of parameters."""
    return endpoint.path.replace(":path}", "}")


def operation_id(endpoint: Endpoint) -> str:
    """A name for generated clients: `get_traces_by_trace_id`."""
    words = template(endpoint).removeprefix("/api/v1").replace("{", "by_").replace("}", "").strip("/")
    return f"{endpoint.method.lower()}_{words.replace('/', '_').replace('.', '_') or 'root'}"


def _problem() -> dict[str, Any]:
    return {"content": {_PROBLEM: {"schema": {"$ref": _REFERENCE.format(name="Problem")}}}}


def _parameter(parameter: Parameter, said: _Said) -> dict[str, Any]:
    schema = _schema(parameter.type, said)
    return {
        "name": parameter.name,
        "in": parameter.place,
        "required": parameter.required,
        "description": parameter.meaning,
        "schema": {"type": "array", "items": schema} if parameter.many else schema,
    }


def _schema(kind: Any, said: _Said) -> Any:
    return kind if isinstance(kind, dict) else said[kind]


def page(endpoints: Sequence[Endpoint], described: dict[str, Any]) -> str:
    """The document as a page."""
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>watchglass API</title>',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<style>{_STYLE}</style></head><body><h1>watchglass API</h1>",
        f"<p>{escape(described['info']['description'])} ",
        'The same as <a href="/api/openapi.json">an OpenAPI document</a>.</p>',
    ]
    said, _ = _described(endpoints)
    for endpoint in endpoints:
        parts += _shown(endpoint, said)
    parts.append("<h2>Schemas</h2>")
    for name, schema in sorted(described["components"]["schemas"].items()):
        parts.append(
            f'<details id="{escape(name)}"><summary>{escape(name)}</summary>{_pretty(schema)}</details>'
        )
    return "".join([*parts, "</body></html>"])


def _shown(endpoint: Endpoint, said: _Said) -> list[str]:
    needs = {"nothing": "no key", "any": "any key"}.get(endpoint.needs, f"a key with role {endpoint.needs}")
    rows = "".join(
        f"<tr><td><code>{escape(each.name)}</code></td><td>{escape(each.meaning)}"
        f"{' <b>required</b>' if each.required else ''}</td></tr>"
        for each in endpoint.parameters
    )
    parts = [
        f'<h2 id="{operation_id(endpoint)}"><span class="method">{endpoint.method}</span>',
        f"<code>{escape(template(endpoint))}</code></h2><p>{escape(endpoint.summary)}. ",
        f'<span class="needs">Needs {needs}.</span></p>',
        f"<p>{escape(endpoint.details)}</p>" if endpoint.details else "",
        f"<details><summary>Parameters</summary><table>{rows}</table></details>" if rows else "",
    ]
    for title, kind in (("Body", endpoint.body), ("Answer", endpoint.answer)):
        if kind is not None:
            parts.append(f"<details><summary>{title}</summary>{_pretty(_schema(kind, said))}</details>")
    return parts


def _pretty(schema: Any) -> str:
    return f"<pre>{escape(msgspec.json.format(msgspec.json.encode(schema)).decode())}</pre>"
