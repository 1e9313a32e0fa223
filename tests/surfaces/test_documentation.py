"""The API's description is valid, whole, and true of the answers."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from tests.new_store import prepared
from tests.stored_rows import NOON_NS, call, insert, span
from watchglass.clock import ManualClock
from watchglass.queries.lists.question import SUBJECTS, Subject, list_question
from watchglass.queries.lists.subjects import LISTED
from watchglass.queries.reader import StoreReader
from watchglass.store import open_store
from watchglass.surfaces.access import OPEN, granted
from watchglass.surfaces.api import routes
from watchglass.surfaces.api.documentation import document as document_of
from watchglass.surfaces.api.endpoint import Endpoint
from watchglass.surfaces.api.receiving import RECEIVING

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Starlette]:
    with open_store(prepared(tmp_path_factory.mktemp("documented") / "data")) as store:
        insert(store.engine, "spans", [span(1, trace_id=TRACE)])
        said = {"trace_id": TRACE, "tenant": "acme", "session": "s", "flow": "f", "request_model": "m"}
        insert(store.engine, "calls", [call(1, **said, cost_usd=Decimal("0.1"), input_tokens=5)])
        insert(store.engine, "calls", [call(2, **said, unpriced_reason="unknown_model")])
        task = {"task_id": "t", "trace_id": TRACE, "kind": "task", "name": "n", "status": "completed"}
        insert(store.engine, "tasks", [{**task, "span_id": "1" * 16, "time": NOON_NS, "version": 1}])
        clock = ManualClock(NOON_NS + 3600 * 10**9)
        yield Starlette(routes=routes(StoreReader(store.engine), clock=clock))


@pytest.fixture(scope="module")
def client(app: Starlette) -> Iterator[TestClient]:
    with granted(OPEN), TestClient(app) as made:
        yield made


@pytest.fixture(scope="module")
def document(client: TestClient) -> dict[str, Any]:
    return client.get("/api/openapi.json").json()


def test_the_document_is_valid(document: dict[str, Any]) -> None:
    """It is OpenAPI 3.1, as the specification's own schema has it."""
    validate(document)


def test_every_route_is_in_it(app: Starlette, document: dict[str, Any]) -> None:
    """Nothing is answered that is not described, and nothing described that is not answered."""
    described = {(path, method.upper()) for path, methods in document["paths"].items() for method in methods}
    answered = {
        (route.path.replace(":path", ""), method)
        for route in app.routes
        if isinstance(route, Route)
        for method in (route.methods or set()) - {"HEAD"}
    }
    assert described == answered | {(each.path, each.method) for each in RECEIVING}


@pytest.mark.parametrize(
    "path",
    [
        *("/api/v1/usage", "/api/v1/usage?by=hour,tenant", "/api/v1/usage?by="),
        *("/api/v1/calls", "/api/v1/tasks", "/api/v1/traces", "/api/v1/flows", "/api/v1/sessions"),
        "/api/v1/calls?limit=1",
        f"/api/v1/traces/{TRACE}",
        f"/api/v1/calls/{TRACE}:{1:016x}",
        "/api/v1/doctor?since=2025-12-01",
        "/api/v1/coverage/sites?since=2025-12-01",
        "/api/v1/query?sql=SELECT 1 AS one",
    ],
)
def test_answers_are_as_described(client: TestClient, document: dict[str, Any], path: str) -> None:
    """A real answer meets the schema that the document gives for it."""
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    place = path.partition("?")[0].replace(f"{TRACE}:{1:016x}", "{call_id}").replace(TRACE, "{trace_id}")
    pointer = f"/paths/{place.replace('/', '~1')}/get/responses/200/content/application~1json/schema"
    registry = Registry().with_resource("urn:api", Resource.from_contents(document, DRAFT202012))
    Draft202012Validator({"$ref": f"urn:api#{pointer}"}, registry=registry).validate(answer.json())


@pytest.mark.parametrize("subject", SUBJECTS)
def test_described_parameters_are_taken(
    client: TestClient, document: dict[str, Any], subject: Subject
) -> None:
    """Every filter and order that a list is said to take, it takes; closed values are really asked."""
    for parameter in document["paths"][f"/api/v1/{subject}"]["get"]["parameters"]:
        name, values = parameter["name"], parameter["schema"].get("enum", ())
        for value in values:
            answer = client.get(f"/api/v1/{subject}", params={name: value})
            assert answer.status_code == 200, (name, value, answer.text)
        if not values:
            list_question(
                subject, [(name, "1h" if name in ("since", "until") else "7")], 0, LISTED[subject].askable
            )


def test_types_of_one_name_are_told_apart() -> None:
    """Two endpoints whose bodies have the same name in two modules each refer to their own."""

    def kind(module: str, field: str) -> type[msgspec.Struct]:
        return msgspec.defstruct("Wanted", [(field, int)], module=module)

    described = document_of(
        [
            Endpoint(method="POST", path=f"/{each}", summary="", needs="read", body=kind(each, f"of_{each}"))
            for each in ("first", "second")
        ]
    )
    for each in ("first", "second"):
        body = described["paths"][f"/{each}"]["post"]["requestBody"]["content"]["application/json"]
        name = body["schema"]["$ref"].removeprefix("#/components/schemas/")
        assert list(described["components"]["schemas"][name]["properties"]) == [f"of_{each}"]


def test_the_page_needs_nothing_else(client: TestClient) -> None:
    """It loads no script, style, font or picture, and shows every path."""
    page = client.get("/api/docs").text
    assert not [
        mark
        for mark in ("<script", "<link", "<img", "@import", "url(", "http://", "https://")
        if mark in page
    ]
    assert "/api/v1/usage" in page and "/v1/traces" in page


def test_no_endpoint_is_without_words(document: dict[str, Any]) -> None:
    """Every endpoint and parameter says what it is."""
    for methods in document["paths"].values():
        for operation in methods.values():
            assert operation["summary"]
            assert all(parameter["description"] for parameter in operation["parameters"])
    names = [
        operation["operationId"] for methods in document["paths"].values() for operation in methods.values()
    ]
    assert len(names) == len(set(names))


def test_the_file_names_no_machine(document: dict[str, Any]) -> None:
    """The description is the same wherever the server runs."""
    assert str(Path.home()) not in str(document)
