"""The SDK's life, in processes of its own: `init` puts all in force, and nothing of it is felt."""

from __future__ import annotations

import inspect
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

import watchglass
from tests.capture.otlp_server import OtlpServer
from watchglass.capture.settings import CaptureSettings
from watchglass.capture.spool import place
from watchglass.wire.otlp import attributes_of

SOURCE = str(Path(watchglass.__file__).parents[1])


@pytest.fixture
def server() -> Iterator[OtlpServer]:
    with_a_life = OtlpServer()
    yield with_a_life
    with_a_life.close()


@pytest.fixture
def nobody() -> Iterator[str]:
    """An address where nobody listens, nor can anybody while the test runs."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


def run(code: str, spool: Path, *, killed: bool = False, **environ: str) -> str:
    """What an application says on stdout, and after it on stderr."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "WATCHGLASS_"))
    }
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=kept | PATIENT | {"WATCHGLASS_SPOOL_DIR": str(spool), "PYTHONPATH": SOURCE} | environ,
        cwd=spool.parent,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == (-signal.SIGKILL if killed else 0), done.stderr
    return done.stdout + done.stderr


PATIENT = {"WATCHGLASS_EXIT_S": "60"}
"""A process waits at its end until all is sent. By itself it leaves the rest to the next one after two
seconds: right for an application, and chance for a test on a busy machine."""


def spans(server: OtlpServer) -> list[tuple[dict[str, Any], Any]]:
    """Each span that was taken, with its resource."""
    return [
        (attributes_of(within.resource.attributes), span)
        for request in server.taken
        if request.path == "/v1/traces"
        for within in ExportTraceServiceRequest.FromString(request.body).resource_spans
        for scope in within.scope_spans
        for span in scope.spans
    ]


WORK = """
import os, sys, watchglass
runtime = watchglass.init(endpoint={url!r}, service_name="shop", service_version="7", {more})
with watchglass.context(tenant="acme"), watchglass.task("work", agent="worker"):
    pass
{then}
"""


def test_one_line_is_enough(server: OtlpServer, tmp_path: Path) -> None:
    """After init a task is delivered when the process ends, with its tenant and who the process is."""
    said = run(WORK.format(url=server.url, more="", then=""), tmp_path / "spool", APP_ENV="staging")
    assert said == ""
    ((resource, span),) = spans(server)
    assert (resource["service.name"], resource["service.version"]) == ("shop", "7")
    assert resource["deployment.environment.name"] == "staging"
    attributes = attributes_of(span.attributes)
    assert (attributes["watchglass.tenant"], attributes["gen_ai.agent.name"]) == ("acme", "worker")


def test_nothing_is_felt_without_a_server_a_disk_and_a_port(nobody: str, tmp_path: Path) -> None:
    """With no collector, a file in the spool's place and the port taken, the application goes on and is told
    once of each."""
    (tmp_path / "spool").write_text("in the way")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        more = f"enable_prometheus=True, prometheus_port={taken.getsockname()[1]}, exit_s=0.2"
        code = WORK.replace("watchglass.init", "watchglass.initialize_observability")
        then = "runtime.flush(60); runtime.flush(60)\nprint('went on', runtime.spool.stats().waiting)"
        said = run(code.format(url=nobody, more=more, then=then), tmp_path / "spool")
    assert said.startswith("went on 2\n")
    told = said.splitlines()[1:]
    assert len(told) == len(set(told)) == 3, said
    assert "9464" not in said
    assert "Traceback" not in said


def test_what_a_killed_process_recorded_is_delivered_by_the_next(
    server: OtlpServer, nobody: str, tmp_path: Path
) -> None:
    """A task that ended before kill -9 arrives once, as the dead process's, when another process starts."""
    # On a disk that stalls for a second records are kept in memory, and this is about the disk.
    patient = "from watchglass.capture.spool import writing\nwriting.QUICK_S = writing._PATIENCE_S = 3600\n"
    kill = "import signal; os.kill(os.getpid(), signal.SIGKILL)"
    run(patient + WORK.format(url=nobody, more="", then=kill), tmp_path / "spool", killed=True)
    # The spool is that of an address, which has to be silent first and to answer later.
    (left,) = (tmp_path / "spool").iterdir()
    left.rename(place.directory(tmp_path / "spool", server.url, None))
    run(f"import watchglass; watchglass.init(endpoint={server.url!r}).flush(60)", tmp_path / "spool")
    ((resource, span),) = spans(server)
    assert (resource["service.name"], span.name) == ("shop", "execute_task work")


def test_calling_it_again_changes_nothing(server: OtlpServer, tmp_path: Path) -> None:
    """A second init gives what is in force; other settings are refused once, in the log."""
    then = """
again = watchglass.init(endpoint="http://elsewhere:1")
watchglass.init(endpoint="http://elsewhere:2")
print(again is runtime, again is watchglass.initialize_observability("shop"))
"""
    said = run(WORK.format(url=server.url, more="", then=then), tmp_path / "spool")
    assert said.startswith("True True\n")
    assert said.count("init was called again with other settings") == 1
    assert len(spans(server)) == 1


def test_it_can_be_stopped_and_started_again(server: OtlpServer, tmp_path: Path) -> None:
    """After shutdown nothing is recorded; after another init everything is, once."""
    then = f"""
watchglass.shutdown_observability()
with watchglass.task("unseen"):
    pass
watchglass.init(endpoint={server.url!r}, service_name="shop")
with watchglass.task("seen"):
    pass
watchglass.shutdown(); watchglass.shutdown()
"""
    said = run(WORK.format(url=server.url, more="", then=then), tmp_path / "spool")
    assert said == ""
    assert [span.name for _, span in spans(server)] == ["execute_task work", "execute_task seen"]


def test_it_sits_beside_a_provider_of_the_applications(server: OtlpServer, tmp_path: Path) -> None:
    """An application that traces already keeps its provider and exports its spans and our steps, whole; each
    is recorded once."""
    code = """
import json
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
theirs = TracerProvider()
exporter = InMemorySpanExporter()
theirs.add_span_processor(SimpleSpanProcessor(exporter))
trace.set_tracer_provider(theirs)
""" + WORK.format(
        url=server.url,
        more="",
        then="""
with trace.get_tracer("shop").start_as_current_span("request"), watchglass.task("more"):
    pass
exported = [each.name for each in exporter.get_finished_spans()]
print(json.dumps([trace.get_tracer_provider() is theirs, exported]))
""",
    )
    said = run(code, tmp_path / "spool")
    assert json.loads(said) == [True, ["execute_task work", "execute_task more", "request"]]
    found = spans(server)
    assert sorted(span.name for _, span in found) == ["execute_task more", "execute_task work", "request"]
    assert len({span.trace_id for _, span in found}) == 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork, which Windows has not")
def test_a_forked_child_records_as_itself(server: OtlpServer, tmp_path: Path) -> None:
    """What a child records after a fork arrives once, and says that it is another process than its parent."""
    then = """
child = os.fork()
with watchglass.task("child" if child == 0 else "parent"):
    pass
if child == 0:
    watchglass.shutdown()
    os._exit(0)
print(os.waitpid(child, 0)[1])
"""
    said = run(WORK.format(url=server.url, more="", then=then), tmp_path / "spool")
    assert said == "0\n"
    found = {span.name: resource for resource, span in spans(server)}
    assert len(spans(server)) == 3
    assert found["execute_task child"]["process.pid"] != found["execute_task parent"]["process.pid"]
    assert (
        found["execute_task child"]["service.instance.id"]
        != found["execute_task work"]["service.instance.id"]
    )


@pytest.mark.parametrize("content", ["'off'", "lambda text, key, feature: text"])
def test_a_spawned_child_records_too(server: OtlpServer, tmp_path: Path, content: str) -> None:
    """A process that multiprocessing spawns records from its first line, for the tenant of its parent."""
    script = tmp_path / "application.py"
    script.write_text(f"""
import multiprocessing, watchglass

def work():
    with watchglass.task("child", input="a text"):
        pass

if __name__ == "__main__":
    watchglass.init(endpoint={server.url!r}, service_name="shop", content={content})
    with watchglass.context(tenant="acme"):
        child = multiprocessing.get_context("spawn").Process(target=work)
        child.start()
    child.join()
    print(child.exitcode)
""")
    said = run(f"import runpy; runpy.run_path({str(script)!r}, run_name='__main__')", tmp_path / "spool")
    assert said == "0\n"
    ((resource, span),) = spans(server)
    attributes = attributes_of(span.attributes)
    assert (resource["service.name"], attributes["watchglass.tenant"]) == ("shop", "acme")
    assert "a text" not in str(attributes)


def test_every_setting_is_an_argument() -> None:
    """`init` takes each of the SDK's settings by its name, and nothing else."""
    assert set(inspect.signature(watchglass.init).parameters) == set(CaptureSettings.__struct_fields__)


def test_a_wrong_setting_is_an_error_at_the_start(tmp_path: Path) -> None:
    """init refuses a setting that means nothing, naming it, and leaves nothing in force."""
    code = """
import watchglass
wrong = {"content": "wohle", "trust": ["example.org"], "instrument": ["djanog"], "redact": {"x": "("}}
for name, value in wrong.items():
    try:
        watchglass.init(**{name: value})
    except Exception as error:
        print(type(error).__name__, str(error)[:40])
from watchglass.capture import recorder
print(recorder.recording())
"""
    said = run(code, tmp_path / "spool").splitlines()
    assert [line.split()[0] for line in said] == [*["ConfigError"] * 4, "False"]
