"""How the figures are served: formats, port, ASGI, namespace."""

from __future__ import annotations

import gzip
import shutil
import socket
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient

from tests.capture.prometheus.scrape import at, get, parsed, scraped
from tests.our_log import ours
from watchglass import names
from watchglass.capture.prometheus import runtime
from watchglass.capture.prometheus.asgi import metrics_app
from watchglass.errors import ConfigError


def touch_everything() -> None:
    """Give every metric of the catalogue a series."""
    for each in names.METRICS.values():
        handle = runtime.metric(each.name, **{label: "a" for label in each.labels})
        match each.kind:
            case "counter":
                handle.inc()
            case "gauge":
                handle.set(1)
            case "histogram":
                handle.observe(0.02)


def test_every_metric_is_served_with_its_help(metrics: runtime.Metrics) -> None:
    """Each row of the catalogue appears under the namespace with kind and help, in both formats."""
    touch_everything()
    text = get(metrics.port)
    for each in names.METRICS.values():
        assert f"# HELP watchglass_{each.name} {each.help}\n" in text
        assert f"# TYPE watchglass_{each.name} {each.kind}\n" in text
    modern = get(metrics.port, {"Accept": "application/openmetrics-text; version=1.0.0"})
    units = {family.name: family.unit for family in openmetrics(modern)}
    assert units["watchglass_llm_duration_seconds"] == "seconds"
    assert len(units) == len(names.METRICS)


def test_promtool_finds_no_error(metrics: runtime.Metrics) -> None:
    """Prometheus's own checker takes the whole exposition."""
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed (Debian and Ubuntu: the package prometheus)")
    touch_everything()
    checked = subprocess.run(
        [promtool, "check", "metrics"], input=get(metrics.port), text=True, capture_output=True, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert checked.stdout + checked.stderr == ""


def test_the_namespace_is_a_setting(tmp_path: Path) -> None:
    """All names begin with the namespace that was chosen."""
    metrics = runtime.start("shop", namespace="jeeves", port=0, folder=tmp_path)
    touch_everything()
    found = {name for name, _ in scraped(metrics.port)}
    assert {f"jeeves_{name}" for name in ("llm_calls_total", "db_pool_size", "interrupts_total")} <= found
    assert all(name.startswith("jeeves_") for name in found)


def test_a_namespace_that_cannot_begin_a_name_is_refused(tmp_path: Path) -> None:
    """`8-ball` is refused at set-up."""
    with pytest.raises(ConfigError, match="8-ball"):
        runtime.start("shop", namespace="8-ball", port=0, folder=tmp_path)


def test_a_taken_port_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """With the port taken by another program the application goes on, is told once, and metrics count."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        metrics = runtime.start("shop", port=port, folder=tmp_path)
        assert runtime.start("shop", port=port, folder=tmp_path) is metrics
        runtime.metric("interrupts_total", kind="a", status="b").inc()
    assert metrics.port is None
    assert metrics.problem is not None
    assert [str(port) in record.getMessage() for record in ours(caplog)] == [True]
    mounted = parsed(TestClient(metrics_app()).get("/").text)
    assert at(mounted, "watchglass_interrupts_total", kind="a", status="b") == 1


def test_the_port_answers_on_this_machine_alone(metrics: runtime.Metrics) -> None:
    """Without an address of its own the port is bound to loopback."""
    assert get(metrics.port).startswith("#")
    assert metrics._port is not None
    assert metrics._port._address == "127.0.0.1"


def test_a_service_name_cannot_leave_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where workers meet is one folder of this user's own, whatever the service is called."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    metrics = runtime.start("../../etc/x", port=0)
    runtime.metric("interrupts_total", kind="a", status="b").inc()
    assert at(scraped(metrics.port), "watchglass_worker_processes") == 1
    made = [each for each in tmp_path.rglob("*") if each.is_dir()]
    assert len(made) == 2
    assert all(each.stat().st_mode & 0o077 == 0 for each in made)


def test_a_folder_of_another_user_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Where someone else could write, the process keeps to itself and says so."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    runtime.start("shop", port=0)
    runtime.stop()
    for each in [*tmp_path.iterdir()]:
        each.chmod(0o777)
    metrics = runtime.start("shop", port=0)
    runtime.metric("interrupts_total", kind="a", status="b").inc()
    assert at(scraped(metrics.port), "watchglass_interrupts_total", kind="a", status="b") == 1
    assert any("of this process alone" in record.getMessage() for record in caplog.records)


def test_mounted_it_is_an_asgi_application(tmp_path: Path) -> None:
    """Mounted in an application it serves the same figures, compressed if asked, in the format asked for."""
    client = TestClient(Starlette(routes=[Mount("/metrics", metrics_app())]))
    off = client.get("/metrics")
    assert (off.status_code, "off" in off.text) == (503, True)
    runtime.start("shop", port=None, folder=tmp_path)
    runtime.metric("llm_calls_total", provider="p", model="m", status="success").inc()
    answer = client.get("/metrics", headers={"accept-encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert (
        at(parsed(answer.text), "watchglass_llm_calls_total", provider="p", model="m", status="success") == 1
    )
    modern = client.get("/metrics", headers={"accept": "application/openmetrics-text; version=1.0.0"})
    assert modern.headers["content-type"].startswith("application/openmetrics-text")
    assert modern.text.endswith("# EOF\n")
    assert client.post("/metrics").status_code == 405
    assert client.head("/metrics").text == ""


def test_the_port_compresses_too(metrics: runtime.Metrics) -> None:
    """A scraper that takes gzip is sent gzip."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{metrics.port}/metrics", headers={"Accept-Encoding": "gzip"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert gzip.decompress(answer.read()).startswith(b"# HELP")


def test_stopped_it_answers_no_more(metrics: runtime.Metrics) -> None:
    """After `stop` the port is free; what is counted goes on, and a new start serves it."""
    port = metrics.port
    counter = runtime.metric("interrupts_total", kind="a", status="b")
    counter.inc()
    runtime.stop()
    with pytest.raises(urllib.error.URLError):
        get(port)
    counter.inc()
    again = runtime.start("shop", port=0, folder=metrics._group.folder if metrics._group else None)
    assert at(scraped(again.port), "watchglass_interrupts_total", kind="a", status="b") == 2
