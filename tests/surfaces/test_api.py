"""The reading API over a real store, asked as a program would ask it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, NoReturn

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.testclient import TestClient

from tests.new_store import prepared
from tests.stored_rows import NOON_NS, call, insert, span
from watchglass.clock import ManualClock
from watchglass.errors import NotFound, WatchglassError
from watchglass.queries.answers import Answer
from watchglass.queries.reader import Reader, StoreReader
from watchglass.queries.trace import Trace
from watchglass.queries.usage import UsageQuestion, UsageReport
from watchglass.store import Limits, open_store
from watchglass.surfaces.api import routes
from watchglass.surfaces.api.agents import agent_endpoints
from watchglass.surfaces.api.replay import replay_endpoints
from watchglass.surfaces.api.traced import traced_endpoints
from watchglass.surfaces.api.turns import AT_ONCE, WAITING, Turns
from watchglass.surfaces.http.problems import problem_for

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


async def on_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, WatchglassError)
    answer = problem_for(error)
    headers = {name.decode(): value.decode() for name, value in answer.headers}
    return Response(answer.body, answer.status, headers, answer.media_type.decode())


def app_of(reader: Reader) -> Starlette:
    clock = ManualClock(NOON_NS + 3600 * 10**9)
    return Starlette(routes=routes(reader, clock=clock), exception_handlers={WatchglassError: on_error})


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with open_store(prepared(tmp_path_factory.mktemp("api") / "data")) as store:
        insert(store.engine, "spans", [span(1, trace_id=TRACE)])
        insert(
            store.engine,
            "calls",
            [
                call(
                    1,
                    trace_id=TRACE,
                    tenant="acme",
                    request_model="m",
                    cost_usd=Decimal("0.0000012"),
                    input_tokens=5,
                ),
                call(2, tenant="umbrella", request_model="m", cost_usd=Decimal("0.5")),
                call(3, time=NOON_NS - 86400 * 10**9, tenant="acme", unpriced_reason="unknown_model"),
            ],
        )
        reader = StoreReader(store.engine, limits=Limits(time_s=60, result_rows=1000))
        with TestClient(app_of(reader)) as made:
            yield made


def test_an_examination_of_some_seconds_ago(client: TestClient) -> None:
    """Who says that an older one will do gets the one that was made; who does not, a new one."""
    first = client.get("/api/v1/doctor", params={"age": "60"})
    assert first.status_code == 200 and first.json()["failed"] == {}
    assert client.get("/api/v1/doctor", params={"age": "60"}).content == first.content
    assert client.get("/api/v1/doctor").json()["diagnoses"] == first.json()["diagnoses"]
    for age in ("-1", "301", "1.5", "x"):
        assert client.get("/api/v1/doctor", params={"age": age}).status_code == 400


def test_usage(client: TestClient) -> None:
    """Rows are flat, money is text without exponents, totals add up."""
    found = client.get("/api/v1/usage", params={"by": "tenant"}).json()
    assert [(row["tenant"], row["calls"], row["cost_usd"]) for row in found["rows"]] == [
        ("umbrella", 1, "0.5"),
        ("acme", 2, "0.0000012"),
    ]
    assert found["totals"]["cost_usd"] == "0.5000012"
    assert found["unattributed"]["rows"] == []


def test_usage_filters_and_times(client: TestClient) -> None:
    """Dimensions filter by their own names, `since` may be so long ago."""
    found = client.get("/api/v1/usage", params={"by": "", "tenant": "acme", "since": "2h"}).json()
    assert found["totals"]["calls"] == 1
    assert found["since"] == "2026-01-01T11:00:00.000000000Z"
    both = client.get("/api/v1/usage?by=&tenant=acme&tenant=umbrella").json()
    assert both["totals"]["calls"] == 3


@pytest.mark.parametrize("query", ["by=colour", "colour=red", "since=soon", "limit=5", "since=1h&until=2h"])
def test_usage_ignores_nothing(client: TestClient, query: str) -> None:
    """A parameter or value that means nothing is a 400 that says so, for ignoring it would lie."""
    response = client.get(f"/api/v1/usage?{query}")
    assert response.status_code == 400
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["detail"]


def test_trace(client: TestClient) -> None:
    """A trace by its id, in any case or shortened."""
    found = client.get(f"/api/v1/traces/{TRACE}").json()
    assert found["trace_id"] == TRACE
    assert found["totals"]["cost_usd"] == "0.0000012"
    assert [call["call_id"] for call in found["spans"][0]["calls"]] == [f"{TRACE}:{1:016x}"]
    assert client.get(f"/api/v1/traces/{TRACE[:9].upper()}").json() == found


def test_no_trace(client: TestClient) -> None:
    """What is not there is a 404, what is no id a 400."""
    assert client.get(f"/api/v1/traces/{'f' * 32}").status_code == 404
    assert client.get("/api/v1/traces/nothing").status_code == 400


def test_query_by_get_and_post(client: TestClient) -> None:
    """The same question both ways gives the same array of objects."""
    sql = "SELECT tenant, sum(cost_usd) AS cost_usd FROM usage GROUP BY tenant ORDER BY tenant"
    expected = [{"tenant": "acme", "cost_usd": "0.0000012"}, {"tenant": "umbrella", "cost_usd": "0.5"}]
    assert client.get("/api/v1/query", params={"sql": sql}).json() == expected
    assert client.post("/api/v1/query", json={"sql": sql}).json() == expected


def test_query_formats(client: TestClient) -> None:
    """Columns with rows for programs that page, CSV for spreadsheets."""
    body = {"sql": "SELECT tenant, input_tokens FROM calls WHERE input_tokens = 5"}
    assert client.post("/api/v1/query", json={**body, "format": "columns"}).json() == {
        "columns": [{"name": "tenant", "number": False}, {"name": "input_tokens", "number": True}],
        "rows": [["acme", 5]],
    }
    csv = client.post("/api/v1/query", json={**body, "format": "csv"})
    assert csv.text == "tenant,input_tokens\r\nacme,5\r\n"
    assert csv.headers["content-type"].startswith("text/csv")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"sql": "SELECT * FROM system.tables"}, 403),
        ({"sql": "DROP TABLE calls"}, 403),
        ({"sql": "SELECT nothing FROM calls"}, 400),
        ({"sql": ""}, 400),
        ({"sql": "SELECT number FROM numbers(1001)"}, 422),
        ({"sql": "SELECT 1", "format": "xml"}, 400),
        ({"sql": "SELECT 1", "settings": {}}, 400),
        ({"sql": 1}, 400),
        ({}, 400),
        ([], 400),
    ],
)
def test_query_refusals(client: TestClient, body: object, status: int) -> None:
    """Outside the fence 403, nonsense 400, over a limit 422; each a problem that says why."""
    response = client.post("/api/v1/query", json=body)
    assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json")
    assert response.json()["detail"]


def test_query_bodies(client: TestClient) -> None:
    """A body that is no JSON is a 400, an endless one a 413, a GET without sql a 400."""
    assert client.post("/api/v1/query", content=b"SELECT 1").status_code == 400
    assert client.post("/api/v1/query", content=b"\xff").status_code == 400
    assert client.post("/api/v1/query", content=b" " * (2 << 20)).status_code == 413
    assert client.get("/api/v1/query").status_code == 400
    assert client.put("/api/v1/query").status_code == 405


class Gate:
    """A reader that answers only when the gate is opened, and counts who is inside."""

    def __init__(self) -> None:
        self.opened = threading.Event()
        self.inside = 0
        self.most = 0
        self._lock = threading.Lock()

    def usage(self, question: UsageQuestion) -> UsageReport:
        raise NotImplementedError

    def trace(self, trace_id: str) -> Trace:
        raise NotImplementedError

    def query(self, sql: str) -> Answer:
        self._pass()
        return Answer((), [])

    def answer(self, question: object) -> NoReturn:
        self._pass()
        raise NotFound("the gate knows nothing")

    def _pass(self) -> None:
        with self._lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
        self.opened.wait(60)
        with self._lock:
            self.inside -= 1


def test_few_questions_run_at_once_and_not_many_wait() -> None:
    """Some run, some wait, the rest get 503 with Retry-After, and those that waited get their answers."""
    gate = Gate()
    asked = AT_ONCE + WAITING + 5

    async def scenario() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app_of(gate))
        async with httpx.AsyncClient(transport=transport, base_url="http://x", timeout=60) as client:
            tasks = [asyncio.create_task(client.get("/api/v1/query?sql=x")) for _ in range(asked)]
            try:
                async with asyncio.timeout(60):
                    while sum(each.done() for each in tasks) < asked - AT_ONCE - WAITING:
                        await asyncio.sleep(0)
            finally:
                gate.opened.set()
            return await asyncio.gather(*tasks)

    responses = asyncio.run(scenario())
    refused = [response for response in responses if response.status_code == 503]
    assert len(refused) == 5
    assert all(response.headers["retry-after"] == "5" for response in refused)
    assert [r.status_code for r in responses if r not in refused] == [200] * (AT_ONCE + WAITING)
    assert gate.most <= AT_ONCE


def test_questions_of_all_pages_take_the_same_turns() -> None:
    """However many pages ask at once, no more questions are in the engine than of one page."""
    gate: Any = Gate()
    clock, turns = ManualClock(1), Turns()
    pages = [*agent_endpoints(gate, turns, clock=clock), *traced_endpoints(gate, turns)]
    pages += replay_endpoints(gate, turns, clock=clock)
    made = routes(gate, turns, clock=clock, others=pages)
    app = Starlette(routes=made, exception_handlers={WatchglassError: on_error})
    paths = ["/api/v1/query?sql=x", "/api/v1/traces/0123/view", "/api/v1/sessions/s"]

    async def scenario() -> None:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://x", timeout=60) as client:
            tasks = [asyncio.create_task(client.get(path)) for path in paths * AT_ONCE]
            try:
                async with asyncio.timeout(60):
                    while gate.inside < AT_ONCE:
                        await asyncio.sleep(0)
                await asyncio.wait(tasks, timeout=0.1)
            finally:
                gate.opened.set()
            await asyncio.gather(*tasks)

    asyncio.run(scenario())
    assert gate.most == AT_ONCE
