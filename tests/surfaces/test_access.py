"""Closed by default: every route, over HTTP and gRPC, against every kind of key."""

from __future__ import annotations

import base64
import contextlib
import itertools
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import grpc
import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from tests.otlp_bodies import chat, request
from tests.surfaces.open_doors import TRACES, OpenDoors, bearer
from tests.waiting import until
from watchglass.errors import Refused, TooMany, Unauthenticated
from watchglass.queries.scope import EVERYTHING, Scope
from watchglass.store import Key, Role, Wanted, open_keys
from watchglass.surfaces import access
from watchglass.surfaces.access import Access, Grant, current_scope, granted
from watchglass.surfaces.grpc_server import SERVICES

SECRET = "hunter2"
FOREIGN = f"umbrella-{SECRET}"
TRACE = f"{7:032x}"
WRONG = "wg_000000000000_" + "A" * 43

ASKED: dict[str, dict[str, str]] = {"/api/v1/query": {"sql": "SELECT * FROM calls"}}
"""Parameters without which a route only complains."""

ENDLESS = {"/api/v1/backup"}
"""Routes whose answer goes on for as long as somebody listens."""


class Answer(NamedTuple):
    """What came back."""

    status_code: int
    text: str
    headers: httpx.Headers


async def _forgotten(_: Request) -> PlainTextResponse:
    return PlainTextResponse(SECRET)


class House:
    """The doors, and a key of each kind."""

    def __init__(self, data: Path) -> None:
        self.doors = OpenDoors(data, extra=(Route("/forgotten", _forgotten),))
        self.without_keys = {
            "health": self.doors.http.get("/health").status_code,
            "query": self.doors.query("SELECT 1", None).status_code,
        }
        self.keys: dict[str, str] = {}
        with open_keys(data) as keys:
            for name, wanted in {
                "ingest": Wanted(role="ingest"),
                "read": Wanted(role="read"),
                "admin": Wanted(role="admin"),
                "ingest@acme": Wanted(role="ingest", tenant="acme"),
                "read@acme": Wanted(role="read", tenant="acme"),
                "revoked": Wanted(role="admin"),
            }.items():
                self.keys[name] = keys.create(wanted)[1]
            keys.revoke(self.keys["revoked"])
        self.doors.until(lambda: self.doors.backend.access.keyed)
        foreign = request(chat(7, 1, tenant=FOREIGN, agent_name=SECRET, session_id=SECRET, flow_id=SECRET))
        assert self.doors.export(foreign, self.keys["ingest"]).status_code == 200
        assert self.doors.export(request(chat(8, 1)), self.keys["ingest@acme"]).status_code == 200

    def role(self, name: str) -> str:
        """The role that a key's name says."""
        return name.partition("@")[0]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = House(tmp_path_factory.mktemp("access") / "data")
    yield made
    made.doors.stop()


def every_door(house: House) -> Iterator[tuple[str, str, str | None]]:
    """(method, path with its parameters filled in, what it needs)."""
    for door in house.doors.application.doors():
        path = re.sub(r"\{\w+\}", "0" * 12, door.path.replace("{trace_id}", TRACE))
        for method in sorted(door.methods):
            yield method, path, door.needs


def ask(house: House, method: str, path: str, key: str | None) -> Answer:
    content = b"{}" if method in ("POST", "PUT", "PATCH") else None
    if path.startswith(("/v1/", "/api/public/otel/v1/")):
        content = request(chat(8, 2)).SerializeToString()
    headers = {"content-type": "application/x-protobuf", **bearer(key)}
    params = ASKED.get(path) if method == "GET" else None
    with house.doors.http.stream(method, path, params=params, content=content, headers=headers) as answer:
        if path in ENDLESS and answer.status_code == 200:
            text = next(answer.iter_text())
        else:
            text = answer.read().decode("utf-8", "replace")
    return Answer(answer.status_code, text, answer.headers)


def test_without_keys_loopback_is_open(house: House) -> None:
    """Until the first key is made, everybody on this machine is answered."""
    assert house.without_keys == {"health": 200, "query": 200}


def test_a_route_that_states_no_role_is_closed(house: House) -> None:
    """A new route whose author forgot what it needs is open to nobody, and not even to admins."""
    for key in (None, *house.keys.values()):
        answer = house.doors.http.get("/forgotten", headers=bearer(key))
        assert answer.status_code in (401, 403) and SECRET not in answer.text


def test_every_route_states_its_role(house: House) -> None:
    """No route of the house was forgotten."""
    silent = [door.path for door in house.doors.application.doors() if door.needs is None]
    assert silent == ["/forgotten"]


@pytest.mark.parametrize(
    "body",
    [
        b"{%s}"
        % b", ".join(
            b'"%s": "\xff"' % name for name in (b"name", b"key", b"role", b"sql", b"why", b"a", b"model")
        ),
        b"\xff",
        b"[" * 9000,
        b'{"a": ' + b"[" * 4000 + b"]" * 4000 + b"}",
        b"7",
    ],
    ids=["no UTF-8 in it", "nothing readable", "unfinished", "deep", "another kind"],
)
def test_no_body_is_too_odd_to_be_answered(house: House, body: bytes) -> None:
    """Every route that takes a body says what is wrong with one that it cannot read; none answers 500."""
    headers = bearer(house.keys["admin"])
    for method, path, _ in every_door(house):
        if method in ("POST", "PUT") and path not in ENDLESS:
            answer = house.doors.http.request(method, path, content=body, headers=headers)
            assert answer.status_code < 500, (method, path, answer.text)


def test_only_readiness_and_the_app_need_no_key(house: House) -> None:
    """With keys, everything but /ready, the app's files and signing in answers 401 to who has none."""
    open_doors = {door.path for door in house.doors.application.doors() if door.needs == "nothing"}
    assert open_doors == {"/ready", "/assets/{name}", "/api/v1/session"}
    for path, method in itertools.product(
        ("/", "/health", "/nowhere", "/api/v1/query", "/v1/traces"), ("GET", "POST", "DELETE", "OPTIONS")
    ):
        assert ask(house, method, path, None).status_code == 401, (method, path)


def test_every_route_against_every_key(house: House) -> None:
    """Each method of each route lets in exactly the roles that it needs, and shows no foreign row."""
    seen = 0
    for method, path, needed in every_door(house):
        for name, key in {"none": None, "wrong": WRONG, **house.keys}.items():
            if method == "HEAD" and house.role(name) in ("read", "admin"):
                continue  # as GET, which has the same handler and is asked with every key
            answer = ask(house, method, path, key)
            where = (method, path, name, answer.status_code, answer.text[:200])
            seen += 1
            if needed == "nothing":
                assert answer.status_code not in (401, 403), where
            elif name in ("none", "wrong", "revoked"):
                assert answer.status_code == 401, where
                assert answer.headers["www-authenticate"].startswith("Bearer"), where
            elif needed is None or (needed != "any" and house.role(name) not in ("admin", needed)):
                assert answer.status_code == 403, where
            else:
                assert answer.status_code not in (401, 403, 500), where
            if name not in ("read", "admin"):
                assert SECRET not in answer.text, where
            assert key is None or key.split("_", 2)[2] not in answer.text, where
    assert seen > 100


def test_every_rpc_against_every_key(house: House) -> None:
    """Each gRPC method, and one that does not exist, lets in ingest and admin keys only."""
    body = b""
    for service, (name, key) in itertools.product(
        [*SERVICES, "made.up.Service"], {"none": None, "wrong": WRONG, **house.keys}.items()
    ):
        expected = grpc.StatusCode.UNIMPLEMENTED if service not in SERVICES else None
        if name in ("none", "wrong", "revoked"):
            expected = grpc.StatusCode.UNAUTHENTICATED
        elif house.role(name) == "read":
            expected = grpc.StatusCode.PERMISSION_DENIED
        try:
            house.doors.rpc(f"/{service}/Export", body, key)
            found = None
        except grpc.RpcError as error:
            found = error.code()  # pyright: ignore[reportAttributeAccessIssue]  # grpc's errors are calls too
        assert found == expected, (service, name)


def test_a_bound_key_writes_only_as_its_tenant(house: House) -> None:
    """What names nobody becomes the key's tenant's, what names another is rejected; over both protocols."""
    key = house.keys["ingest@acme"]
    body = request(chat(20, 1), chat(20, 2, 1, tenant="umbrella"))
    over_http = house.doors.export(body, key)
    answer = ExportTraceServiceResponse.FromString(over_http.content)
    over_grpc = ExportTraceServiceResponse.FromString(house.doors.rpc(TRACES, body.SerializeToString(), key))
    assert answer.partial_success.rejected_spans == over_grpc.partial_success.rejected_spans == 1
    assert "umbrella" in answer.partial_success.error_message
    rows = house.doors.query(
        f"SELECT tenant, span_id FROM spans WHERE trace_id = '{20:032x}'", house.keys["admin"]
    ).json()
    assert rows == [{"tenant": "acme", "span_id": f"{1:016x}"}]


def test_a_bound_key_cannot_overwrite_what_others_sent(house: House) -> None:
    """Another tenant's ids, sent again by a bound key, leave that tenant's rows as they are."""
    stolen = request(chat(7, 1, name="stolen", gen_ai__usage__input_tokens=9))
    assert house.doors.export(stolen, house.keys["ingest@acme"]).status_code == 200
    rows = house.doors.query(
        f"SELECT tenant, input_tokens FROM calls WHERE trace_id = '{TRACE}' ORDER BY tenant",
        house.keys["admin"],
    ).json()
    assert rows == [{"tenant": "acme", "input_tokens": 9}, {"tenant": FOREIGN, "input_tokens": 100}]


def test_a_bound_reader_sees_its_tenant_through_every_table(house: House) -> None:
    """Whatever table a tenant's key asks, all rows are the tenant's; an unbound one sees all tenants."""
    tables = [row["name"] for row in house.doors.query("SHOW TABLES", house.keys["read@acme"]).json()]
    assert len(tables) > 6
    for table in tables:
        answer = house.doors.query(f"SELECT * FROM {table}", house.keys["read@acme"])
        assert answer.status_code == 200 and SECRET not in answer.text, table
        assert all(row.get("tenant", "acme") == "acme" for row in answer.json()), table
    everyone = house.doors.query("SELECT DISTINCT tenant FROM calls", house.keys["read"]).json()
    assert {FOREIGN, "acme"} <= {row["tenant"] for row in everyone}


def test_health_tells_a_tenant_no_more_than_that(house: House) -> None:
    """A tenant's key learns whether the server is well, an unbound one also how it is inside."""
    assert house.doors.http.get("/health").status_code == 401
    bound = house.doors.http.get("/health", headers=bearer(house.keys["read@acme"])).json()
    whole = house.doors.http.get("/health", headers=bearer(house.keys["admin"])).json()
    assert bound == {"status": "ok"}
    assert whole["audit"]["no_key"] > 0 and "ingest" in whole["dependencies"]


def test_langfuse_clients_show_their_secret_key(house: House) -> None:
    """Basic credentials whose password is a key are as good as a bearer's; any other Basic is not."""
    for password, status in ((house.keys["admin"], 200), (WRONG, 401), ("", 401)):
        credentials = base64.b64encode(f"pk-lf-1:{password}".encode()).decode()
        answer = house.doors.http.get("/health", headers={"authorization": f"Basic {credentials}"})
        assert answer.status_code == status


@pytest.mark.parametrize("header", ["Bearer", "Basic !!!", "Digest x", "wg_1_2", "\xff"])
def test_strange_authorization_is_a_401(house: House, header: str) -> None:
    """Whatever stands in the header, the answer is a sentence and not a mistake of ours."""
    answer = house.doors.http.get("/health", headers=[(b"authorization", header.encode("latin-1"))])
    assert answer.status_code == 401 and "wg_" in answer.json()["detail"]


def test_keys_are_made_listed_and_revoked_over_http(house: House) -> None:
    """An admin key makes a key that works at once, and revokes it; its text is shown that one time only."""
    headers = bearer(house.keys["admin"])
    made = house.doors.http.post("/api/v1/keys", json={"role": "read", "name": "new"}, headers=headers)
    assert made.status_code == 201
    text, id = made.json()["key"], made.json()["id"]
    house.doors.until(lambda: house.doors.backend.access.keyed)
    listed = house.doors.http.get("/api/v1/keys", headers=headers)
    assert text not in listed.text and id in listed.text

    def status() -> int:
        return house.doors.query("SELECT 1", text).status_code

    until(lambda: status() == 200)
    assert house.doors.http.delete(f"/api/v1/keys/{id}", headers=headers).json()["revoked"]
    until(lambda: status() == 401)
    for body in (b"{", b'{"role": "boss"}', b'{"role": "read", "tenant": ""}', b'{"role": "read", "x": 1}'):
        assert house.doors.http.post("/api/v1/keys", content=body, headers=headers).status_code == 400


def test_a_key_made_in_another_process_works_at_once(house: House) -> None:
    """A key of the command line is known to a running server, and a revoked one is not, without a restart."""
    with open_keys(Path(house.doors.settings.data)) as keys:
        key, text = keys.create(Wanted(role="read"))
        until(lambda: house.doors.query("SELECT 1", text).status_code == 200)
        keys.revoke(key.id)
        until(lambda: house.doors.query("SELECT 1", text).status_code == 401)


def written(data: Path) -> Iterator[bytes]:
    """What stands in the files of a directory in which a server is at work: it removes some meanwhile."""
    for folder, _, files in os.walk(data):
        for name in files:
            with contextlib.suppress(FileNotFoundError):
                yield Path(folder, name).read_bytes()


def test_no_key_is_written_or_said_anywhere(house: House, caplog: pytest.LogCaptureFixture) -> None:
    """After all that, no key stands in a file of the data directory, the audit, rejects or health."""
    admin = house.keys["admin"]
    said = house.doors.http.get("/health", headers=bearer(admin)).text + caplog.text
    for table in ("audit", "rejects"):
        said += house.doors.query(f"SELECT * FROM {table}", admin).text
    data = Path(house.doors.settings.data)
    held = b"".join(written(data))
    for key in (*house.keys.values(), WRONG):
        secret = key.split("_", 2)[2]
        assert secret not in said and secret.encode() not in held


def test_refusals_are_in_the_audit(house: House) -> None:
    """Who was refused what is counted in a row for all alike, and a tenant sees only its own keys' rows."""
    for _ in range(5):
        house.doors.query("SELECT 1", house.keys["ingest@acme"])
    house.doors.query("SELECT * FROM system.one", house.keys["read@acme"])
    for key in (None, WRONG, house.keys["revoked"]):
        assert house.doors.query("SELECT 1", key).status_code == 401
    house.doors.export(request(chat(21, 1, tenant="umbrella")), house.keys["ingest@acme"])
    expected = {"no_key", "wrong_key", "revoked_key", "foreign_tenant", "key_created", "key_revoked"}
    found: dict[str, int] = {}

    def written() -> bool:
        rows = house.doors.query(
            "SELECT event, sum(count) AS n FROM audit GROUP BY event", house.keys["admin"]
        )
        found.update({row["event"]: int(row["n"]) for row in rows.json()})
        return found.get("wrong_role", 0) >= 5 and expected | {"query_refused"} <= set(found)

    until(written)
    mine = house.doors.query("SELECT DISTINCT tenant FROM audit", house.keys["read@acme"]).json()
    assert mine == [{"tenant": "acme"}]


class Two:
    """A lookup with one key for each role, named like it."""

    any = True

    def __init__(self, **limits: Any) -> None:
        self._limits = limits

    def find(self, text: str) -> Key | None:
        roles: dict[str, Role] = {"ingest": "ingest", "read": "read", "admin": "admin"}
        if text not in roles:
            return None
        return Key(id=text, name="", role=roles[text], created_ns=0, created_by="", **self._limits)


def test_a_key_beyond_its_rate_is_told_when_to_come_back() -> None:
    """Requests and bytes are each limited on average; other keys are not touched by it."""
    now = [0.0]
    door = Access(Two(requests_per_s=2.0, bytes_per_s=100), now_s=lambda: now[0])
    grant = door.admit("Bearer ingest", "ingest", ("/", ""))
    for _ in range(3):  # with it, two seconds' worth at once
        door.admit("Bearer ingest", "ingest", ("/", ""))
    with pytest.raises(TooMany) as refused:
        door.admit("Bearer ingest", "ingest", ("/", ""))
    assert refused.value.retry_after_s >= 1
    door.admit("Bearer admin", "ingest", ("/", ""))
    now[0] += 10
    door.admit("Bearer ingest", "ingest", ("/", ""))
    door.charge(grant, 1200)  # 1000 more than there was room for: ten seconds
    now[0] += 9
    with pytest.raises(TooMany):
        door.admit("Bearer ingest", "ingest", ("/", ""))
    now[0] += 2
    door.admit("Bearer ingest", "ingest", ("/", ""))


def test_a_server_that_others_can_reach_is_closed_without_keys() -> None:
    """Should its last key be forgotten, a server on another address than loopback opens to nobody."""
    door = Access(None, closed=True)
    with pytest.raises(Unauthenticated):
        door.admit("", "read", ("/", ""))
    assert door.admit("", "nothing", ("/ready", "")).scope == Scope(frozenset())


def test_a_process_asks_itself_with_a_key_of_its_own() -> None:
    """The key of `up` works in its own process, and one that is nearly the same does not."""
    door = Access(Two())
    own = door.errand()
    assert door.admit(f"Bearer {own}", "read", ("/", "")).scope == EVERYTHING
    with pytest.raises(Unauthenticated):
        door.admit(f"Bearer {own[:-1]}", "read", ("/", ""))


def test_outside_of_a_request_nobody_may_anything() -> None:
    """Who was not let in reads no row and writes for nobody."""
    assert current_scope() == Scope(frozenset())
    with pytest.raises(Refused):
        access.current()
    with granted(Grant("k", "read", "acme")):
        assert current_scope() == Scope(frozenset({"acme"}))
    assert current_scope() == Scope(frozenset())
