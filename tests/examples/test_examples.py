"""The programs of examples/ as users run them: the server ends up with what the provider served."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.capture.provider import Provider
from tests.examples.running import EXAMPLES, Service, environment, run
from tests.server_process import ServerProcess


def calls(server: ServerProcess, *services: str) -> list[dict[str, Any]]:
    """The counted calls of these services, as soon as all is settled."""
    server.settle()
    return server.query(
        "SELECT tenant, feature, engagement, flow_type, service, trace_id, response_id, streaming, success,"
        f" input_tokens, output_tokens FROM calls WHERE counted AND service IN {services} ORDER BY time"
    )


def agree(found: list[dict[str, Any]], provider: Provider) -> None:
    """Each request in the provider's ledger is one call with its tokens, and there is no other."""
    billed = [(each.response_id, each.input_tokens, each.output_tokens) for each in provider.ledger]
    assert sorted(
        (r["response_id"], int(r["input_tokens"]), int(r["output_tokens"])) for r in found
    ) == sorted(billed)


@pytest.fixture
def ports() -> Iterator[list[str]]:
    """Three that are free, and given to nobody else meanwhile: held, though nobody listens at them."""
    with ExitStack() as stack:
        held = [stack.enter_context(socket.socket()) for _ in range(3)]
        for each in held:
            each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            each.bind(("127.0.0.1", 0))
        yield [str(each.getsockname()[1]) for each in held]


def test_the_litellm_script(server: ServerProcess, provider: Provider, tmp_path: Path) -> None:
    """Three calls at once and a streamed one are the ledger's four requests, in one flow, each with its
    feature."""
    printed = run(EXAMPLES / "litellm_script.py", env=environment(tmp_path, server, provider))
    assert printed == f"{provider.default.text}\n"
    found = calls(server, "reviews", "")
    agree(found, provider)
    assert len(found) == 4
    assert {row["tenant"] for row in found} == {"acme"}
    assert [row["feature"] for row in found] == ["moods", "moods", "moods", "summary"]
    assert [row["engagement"] for row in found] == [None, None, None, "autumn"]
    assert {row["flow_type"] for row in found} == {"review digest"}
    assert len({row["trace_id"] for row in found}) == 1


def test_the_services(server: ServerProcess, provider: Provider, ports: list[str], tmp_path: Path) -> None:
    """A request that one service takes and two doors of another help with is one trace; all of its calls are
    of the client that the first service named, and the provider is told nothing of clients."""
    env = environment(
        tmp_path,
        server,
        provider,
        LIBRARY_PORT=ports[0],
        LIBRARY_GRPC_PORT=ports[1],
        DESK_PORT=ports[2],
    )
    env["LIBRARY_GRPC"] = f"127.0.0.1:{env['LIBRARY_GRPC_PORT']}"
    with Service(EXAMPLES / "services" / "library.py", env) as library:
        env["LIBRARY_URL"] = library.url
        with Service(EXAMPLES / "services" / "desk.py", env) as desk:
            for client in ("acme", "globex"):
                answer = httpx.get(
                    f"{desk.url}/answer",
                    params={"question": "how so"},
                    headers={"x-client": client},
                    timeout=60,
                )
                assert answer.status_code == 200, answer.text + "".join(desk.said + library.said)
    found = calls(server, "desk", "library")
    agree(found, provider)
    for client in ("acme", "globex"):
        of_client = [row for row in found if row["tenant"] == client]
        assert sorted(row["service"] for row in of_client) == ["desk", "desk", "library", "library"]
        assert {row["feature"] for row in of_client} == {"answer"}
        assert len({row["trace_id"] for row in of_client}) == 1
    assert len(found) == 8
    told = [name for request in provider.ledger for name in request.headers if name == "baggage"]
    assert told == []
