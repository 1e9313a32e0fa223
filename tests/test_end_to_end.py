"""The bodies of real clients through a real server: what is counted in the end is what was served."""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest

from tests.corpus import TOKENS, Body, Case, load_cases, spans_of
from tests.ingest.test_corpus import DOUBTED
from tests.server_process import ServerProcess

CASES = load_cases()
BODIES = [body for case in CASES for body in case.bodies]
SURE = [case for case in CASES if case.name not in DOUBTED]

pytestmark = pytest.mark.skipif(not CASES, reason="the bodies of ../shared/otlp are not on this machine")

GZIP_EVERY = 3
AT_ONCE = 16
"""Cases, or bodies, under way at once: those that wait for a commit share it."""

MESSAGES_IN_LOGS = "01-openai-v2-sync-content"
"""A case whose messages come as log records only."""

SERVICES = {
    "traces": "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    "logs": "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
    "metrics": "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server that every body was sent to, those of a case in their order, and that has settled."""
    made = ServerProcess(tmp_path_factory.mktemp("corpus") / "data").start()
    send_all(made)
    yield made
    assert made.stop() == 0, made.log()


def send_all(server: ServerProcess) -> None:
    """Each body to its path with its content type, as its client did; some of them packed."""

    def send(case: Case) -> None:
        for number, body in enumerate(case.bodies):
            content, headers = body.read(), {"content-type": body.content_type}
            if (len(case.name) + number) % GZIP_EVERY == 0:
                content, headers["content-encoding"] = gzip.compress(content), "gzip"
            answer = server.http.post(body.path, content=content, headers=headers)
            assert answer.status_code == 200, (body.file.name, answer.text)
            assert answer.content in (b"", b"{}"), (body.file.name, answer.text)

    with ThreadPoolExecutor(AT_ONCE) as threads:
        list(threads.map(send, CASES))
    server.settle()


def figures(server: ServerProcess) -> dict[str, dict[str, Any]]:
    """Everything that sending again must not change."""
    sums = ", ".join(f"sum({name}) AS {name}_sum" for name in TOKENS)
    return {
        "calls": server.figures(
            f"SELECT count() AS n, uniqExact(call_id) AS ids, {sums}, sum(cost_usd) AS cost FROM calls"
        ),
        "counted": server.figures(
            f"SELECT count() AS n, {sums}, sum(cost_usd) AS cost, countIf(cost_usd IS NULL) AS unpriced"
            " FROM calls WHERE counted"
        ),
        **{
            table: server.figures(f"SELECT count() AS n FROM {table}")
            for table in ("spans", "logs", "metrics", "messages", "rejects", "unattributed_usage")
        },
    }


def tokens(server: ServerProcess, table: str, where: str) -> Counter[str]:
    """Sums by class."""
    sums = ", ".join(f"ifNull(sum({name}), 0) AS {name}_sum" for name in TOKENS)
    row = server.figures(f"SELECT {sums} FROM {table} WHERE {where}")
    return Counter({name: int(row[f"{name}_sum"]) for name in TOKENS})


def doubted_traces() -> str:
    """The traces of the cases whose facts are in doubt, as SQL."""
    found = {span.trace_id for span in spans_of(case for case in CASES if case.name in DOUBTED)}
    return ", ".join(f"'{each}'" for each in sorted(found))


def test_counted_calls_are_those_that_were_served(server: ServerProcess) -> None:
    """Over all cases, counted calls and each class of their tokens are what the facts say is visible."""
    sure = f"trace_id NOT IN ({doubted_traces()})"
    row = server.figures(f"SELECT count() AS n FROM calls WHERE counted AND {sure}")
    assert int(row["n"]) == sum(case.facts["calls_in_spans"] for case in SURE)
    counted = tokens(server, "calls", f"counted AND {sure}")
    unattributed = tokens(server, "calls", f"not_counted_reason = 'unattributed' AND {sure}")
    assert counted + unattributed == Counter(
        {name: sum(case.facts[fact] for case in SURE) for name, fact in TOKENS.items()}
    )


def test_usage_tells_the_same_as_the_rows(server: ServerProcess) -> None:
    """`watchglass usage` and `watchglass query` give the same calls and the same money."""
    usage = server.command("usage", "--by", "provider,model")
    (row,) = server.command("query", "SELECT count() AS n, sum(cost_usd) AS cost FROM calls WHERE counted")
    assert (int(usage["totals"]["calls"]), usage["totals"]["cost_usd"]) == (int(row["n"]), row["cost"])


def test_messages_that_came_as_logs_are_on_their_call(server: ServerProcess) -> None:
    """A call whose library sends its messages as log records has them, and their text can be read."""
    traces = {span.trace_id for span in spans_of(case for case in CASES if case.name == MESSAGES_IN_LOGS)}
    rows = server.query(
        "SELECT call_id, input_messages, output_messages FROM calls WHERE counted AND trace_id IN"
        f" ({', '.join(repr(each) for each in traces)})"
    )
    assert rows
    for row in rows:
        assert row["input_messages"] and row["output_messages"], row
        for digest in row["input_messages"]:
            assert server.query(f"SELECT content FROM messages WHERE hash = '{digest}'")[0]["content"]


def test_sending_everything_again_changes_nothing(server: ServerProcess) -> None:
    """Every count, sum and dollar is as before after each body has come a second time over HTTP."""
    before = figures(server)
    send_all(server)
    assert figures(server) == before


@pytest.mark.long
def test_a_grpc_sender_adds_nothing_to_what_came_by_http(server: ServerProcess) -> None:
    """All three signals by gRPC are accepted in full, and their identity is that of the same ones by HTTP."""
    before = figures(server)
    with grpc.insecure_channel(server.grpc_address) as channel:
        calls = {signal: channel.unary_unary(path) for signal, path in SERVICES.items()}

        def send(body: Body) -> None:
            assert calls[body.signal](body.read(), timeout=60) == b"", body.file.name

        with ThreadPoolExecutor(AT_ONCE) as threads:
            list(threads.map(send, [body for body in BODIES if body.encoding == "protobuf"]))
    server.settle()
    assert figures(server) == before
