"""What selfcheck finds, each in a process that has the fault."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


def run(tmp_path: Path, program: str) -> dict[str, Any]:
    """The self-check of a process that runs this program, which ends with `check = …`."""
    written = tmp_path / "program.py"
    written.write_text(
        textwrap.dedent(program)
        + "\nimport msgspec, sys\nsys.stdout.flush()"
        + "\nsys.stdout.buffer.write(msgspec.json.encode(check) + b'\\n')\n",
        "utf-8",
    )
    done = subprocess.run(
        [sys.executable, str(written)],
        env=environment(tmp_path),
        capture_output=True,
        check=True,
        cwd=tmp_path,
    )
    return json.loads(done.stdout.splitlines()[-1])


def environment(tmp_path: Path) -> dict[str, str]:
    """An environment with a spool of its own and nothing fetched."""
    given = {"WATCHGLASS_SPOOL_DIR": str(tmp_path / "spool"), "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    return {**os.environ, **given, "PYTHONPATH": str(ROOT / "src")}


def command(tmp_path: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "watchglass.capture.selfcheck", *options],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )


def found(check: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in check["findings"]}


SINK = """
    from watchglass.capture import recorder
    class Kept:
        def append(self, payload): return True
    recorder.install(Kept())
"""
"""Records go somewhere, without a server."""


def test_the_command_is_fine_where_nothing_is_wrong(tmp_path: Path) -> None:
    """With nothing wrong the command exits with 0 and shows the versions."""
    done = command(tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "All is fine." in done.stdout
    assert "litellm" in done.stdout
    told = json.loads(command(tmp_path, "--json").stdout)
    assert (told["fine"], told["recording"], told["findings"]) == (True, None, [])
    assert told["versions"]["watchglass"]


def test_a_server_that_is_away_is_a_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With --reach a server that does not answer is found, the exit code is 1, no password is shown."""
    monkeypatch.setenv("WATCHGLASS_ENDPOINT", "http://me:secret@127.0.0.1:9")
    done = command(tmp_path, "--reach")
    assert done.returncode == 1
    assert "GET http://127.0.0.1:9/ready" in done.stdout
    assert "secret" not in done.stdout + done.stderr
    assert command(tmp_path).returncode == 0


def test_the_command_needs_no_server_package(tmp_path: Path) -> None:
    """The check imports nothing that only watchglass[server] has."""
    program = """
        import sys
        for each in ("chdb", "typer", "rich", "uvicorn", "grpc", "pyarrow", "numpy", "genai_prices"):
            sys.modules[each] = None
        from watchglass.capture.selfcheck import main
        main([])
        check = {}
    """
    assert run(tmp_path, program) == {}


def test_a_process_that_records_nothing_is_a_finding(tmp_path: Path) -> None:
    """In an application that never called init, that is what is found."""
    check = run(tmp_path, "import watchglass\ncheck = watchglass.selfcheck()")
    assert check["recording"] is False
    assert found(check).keys() == {"not_recording"}


def test_it_says_how_far_records_have_come(tmp_path: Path) -> None:
    """After init the check shows what was made and waits, and people can read it."""
    program = """
    import watchglass
    from watchglass.capture import selfcheck
    watchglass.init(service_name="x", endpoint="http://127.0.0.1:9", instrument=("none",))
    with watchglass.task("t"): pass
    check = watchglass.selfcheck()
    assert "delivery   state" in selfcheck.render(check)
    watchglass.shutdown(0)
    """
    check = run(tmp_path, program)
    assert check["recording"] is True
    assert check["delivery"]["made"] == check["delivery"]["waiting"] == 2
    assert check["findings"] == []


def test_entry_points_that_are_not_ours_are_found(tmp_path: Path) -> None:
    """A function put in the place of ours is found, a name that was imported before init, and that the hook
    it depends on is gone; one wrapped around ours and a name that was imported afterwards are not."""
    program = f"""{SINK}
    import functools
    from litellm import acompletion as ask
    from watchglass.capture.litellm import install
    import litellm
    install()
    from litellm import completion
    ours = litellm.acompletion
    litellm.acompletion = functools.wraps(ours)(lambda *a, **k: ours(*a, **k))
    def other(*a, **k): pass
    litellm.embedding = other
    import watchglass
    litellm.callbacks = [watchglass.LLMUsageCallback()]
    kept = watchglass.selfcheck()
    assert not any(each.name == "callback_removed" for each in kept.findings), kept
    litellm.callbacks = []
    check = watchglass.selfcheck()
    """
    told = found(run(tmp_path, program))
    assert told["entry_points_replaced"]["evidence"] == ["litellm.embedding is __main__.other"]
    assert told["imported_before_init"]["evidence"] == ["__main__.ask"]
    assert told["callback_removed"]["evidence"] == ["litellm.callbacks = []"]


def test_two_instrumentations_of_one_library_are_found(tmp_path: Path) -> None:
    """Another active instrumentation of a library that we record is found, with both names."""
    program = f"""{SINK}
    import sys, types
    from opentelemetry.instrumentation.instrumentor import BaseInstrumentor
    from opentelemetry.instrumentation.openai_v2 import OpenAIInstrumentor
    class Other(BaseInstrumentor):
        def instrumentation_dependencies(self): return []
        def _instrument(self, **k): pass
        def _uninstrument(self, **k): pass
    theirs = types.ModuleType("openinference.instrumentation.openai")
    Other.__module__, theirs.OpenAIInstrumentor = theirs.__name__, Other
    sys.modules[theirs.__name__] = theirs
    OpenAIInstrumentor().instrument()
    import watchglass
    before = watchglass.selfcheck()
    assert not any(f.name == "double_instrumentation" for f in before.findings), before
    Other().instrument()
    check = watchglass.selfcheck()
    """
    finding = found(run(tmp_path, program))["double_instrumentation"]
    assert finding["evidence"] == [
        "openinference.instrumentation.openai.Other",
        "opentelemetry.instrumentation.openai_v2.OpenAIInstrumentor",
    ]


def test_exporters_that_send_twice_are_found(tmp_path: Path) -> None:
    """An exporter of the application's own to watchglass, and two to one address, are found."""
    program = f"""{SINK}
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    provider = TracerProvider()
    trace.set_tracer_provider(provider)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter("http://u:pw@127.0.0.1:4318/v1/traces")))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter("http://elsewhere:4318/v1/traces")))
    provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter("http://elsewhere:4318/v1/traces")))
    import watchglass
    check = watchglass.selfcheck()
    """
    told = found(run(tmp_path, program))
    assert told["double_exporter"]["evidence"] == ["http://elsewhere:4318/v1/traces"]
    assert told["exporter_beside_sdk"]["evidence"] == ["http://127.0.0.1:4318/v1/traces"]


def test_a_spool_that_cannot_be_written_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a file is in the place of the spool's directory, that is found."""
    from watchglass.capture.checks import places

    blocked = tmp_path / "file"
    blocked.write_text("x", "utf-8")
    (finding,) = places.unusable(blocked / "spool")
    assert finding.name == "spool_unwritable"


def test_what_a_spool_dropped_is_found(tmp_path: Path) -> None:
    """Records that were dropped are found by reason, and the spool is shown."""
    from watchglass.capture.checks import places
    from watchglass.capture.spool.tally import Tally

    spool = tmp_path / "abc"
    spool.mkdir()
    tally = Tally()
    tally.drop("limit", 3)
    tally.save(spool)
    (shown,) = places.spools(tmp_path)
    assert shown.dropped == {"limit": 3}
    (finding,) = places.dropped([shown])
    assert finding.evidence == [f"{spool}: 3 × limit"]


def test_faults_of_ours_are_found(tmp_path: Path) -> None:
    """What failed inside the SDK in this process is shown by place."""
    program = f"""{SINK}
    from watchglass.capture import boundary
    boundary.failed("litellm.begin", ValueError("x"))
    import watchglass
    check = watchglass.selfcheck()
    """
    assert found(run(tmp_path, program))["sdk_failures"]["evidence"] == ["litellm.begin: 1"]
