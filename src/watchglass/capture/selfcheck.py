"""Is the SDK as it should be here? `python -m watchglass.capture.selfcheck`, or `watchglass.selfcheck()`.

The command looks at the installation and the spool. Called in an application's process, after `init`, it also
looks at that process: is it recorded, by whom else, are our hooks where we put them.
"""

from __future__ import annotations

import argparse
import platform
import sys
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec

from watchglass import __version__
from watchglass.capture import boundary, recorder
from watchglass.capture.checks import double, litellm_hooks, places
from watchglass.capture.checks.finding import Finding
from watchglass.errors import ConfigError

if TYPE_CHECKING:
    from watchglass.capture.runtime import Runtime

T = TypeVar("T")

__all__ = ["Finding", "SelfCheck", "main", "selfcheck"]

LIBRARIES = (
    *("opentelemetry-api", "opentelemetry-sdk", "opentelemetry-instrumentation"),
    *("litellm", "crewai", "openai", "anthropic", "prometheus-client"),
    *("opentelemetry-instrumentation-openai-v2", "opentelemetry-instrumentation-anthropic"),
    *("fastapi", "starlette", "sqlalchemy", "redis", "httpx", "requests", "grpcio", "structlog"),
)
"""Distributions whose version matters."""


class SelfCheck(msgspec.Struct, frozen=True):
    """What was found. `recording` is None where there is no application to look at."""

    versions: dict[str, str]
    recording: bool | None
    libraries: dict[str, str]
    """By library that can be recorded: on, waiting for its import, or why not."""
    others: dict[str, list[str]]
    """By library: installed distributions that would record it too, once they are set up."""
    endpoint: str
    spools: list[places.Spools]
    metrics: str
    delivery: dict[str, int | str | None]
    """Of this process: its state, what was made, delivered, dropped, waits, and the last error."""
    findings: list[Finding]

    @property
    def fine(self) -> bool:
        """Whether nothing was found."""
        return not self.findings


def selfcheck(*, reach: bool = False) -> SelfCheck:
    """Look at this process, in which the application runs; `reach` asks the server too (two seconds at most).

    Never raises: a check that fails is a finding.
    """
    return _check(True, reach)


def _check(in_application: bool, reach: bool) -> SelfCheck:
    findings: list[Finding] = []
    endpoint, spool_dir = _configured(findings)
    root = Path(spool_dir)
    spools = _tried("spools", lambda: places.spools(root), findings) or []
    checks: dict[str, Callable[[], list[Finding]]] = {
        "spool": lambda: places.unusable(root),
        "dropped": lambda: places.dropped(spools),
    }
    if reach:
        checks["server"] = lambda: places.unreachable(endpoint)
    recording, libraries, metrics = None, dict[str, str](), ""
    delivery: dict[str, int | str | None] = {}
    if in_application:
        recording = recorder.recording()
        libraries, metrics = _in_force()
        delivery = _tried("delivery", _delivery, findings) or {}
        checks |= {
            "recording": lambda: _recording(libraries),
            "metrics": lambda: _metrics_off(metrics),
            "instrumentations": double.instrumentations,
            "exporters": lambda: double.exporters(endpoint),
            "entry points": litellm_hooks.overwritten,
            "callbacks": litellm_hooks.callback_removed,
            "imports": litellm_hooks.imported_before,
            "failures": places.failures,
        }
    for name, check in checks.items():
        findings += _tried(name, check, findings) or []
    others = _tried("distributions", double.installed, findings) or {}
    return SelfCheck(
        versions(), recording, libraries, others, _shown(endpoint), spools, metrics, delivery, findings
    )


def versions() -> dict[str, str]:
    """Python, the system, watchglass, and what is installed of what it works with."""
    found = {"python": platform.python_version(), "system": platform.platform(), "watchglass": __version__}
    for each in LIBRARIES:
        try:
            found[each] = version(each)
        except PackageNotFoundError:
            continue
    return found


def _tried(name: str, check: Callable[[], T], findings: list[Finding]) -> T | None:
    """What a check says; one that fails becomes a finding itself."""
    before = boundary.failures[f"selfcheck.{name}"]
    said = boundary.guarded(f"selfcheck.{name}")(check)()
    if boundary.failures[f"selfcheck.{name}"] > before:
        findings.append(
            Finding("check_failed", f"The check of {name} failed.", [], "See the log of `watchglass`.")
        )
    return said


def _configured(findings: list[Finding]) -> tuple[str, str]:
    """Endpoint and spool directory: of what is in force, else as `init()` would find them."""
    from watchglass.capture import settings

    runtime = _runtime()
    if runtime is not None:
        return runtime.settings.endpoint, runtime.settings.spool_dir
    try:
        found = settings.load({}).settings
    except ConfigError as fault:
        findings.append(
            Finding(
                "settings", "The settings mean nothing: init() will refuse them.", [str(fault)], "Mend it."
            )
        )
        found = settings.CaptureSettings()
    return found.endpoint, found.spool_dir


def _runtime() -> Runtime | None:
    module = sys.modules.get("watchglass.capture.runtime")
    return module.current() if module is not None else None


def _in_force() -> tuple[dict[str, str], str]:
    """State of each library, and where metrics are."""
    runtime = _runtime()
    libraries = dict(runtime.instrumented.state) if runtime is not None else {}
    metrics = sys.modules.get("watchglass.capture.prometheus.runtime")
    running = metrics.running() if metrics is not None else None
    if running is None:
        return libraries, "off"
    return libraries, running.problem or (
        f"port {running.port}" if running.port else "at another worker's port, or mounted"
    )


def _delivery() -> dict[str, int | str | None]:
    """How far this process's records have come."""
    runtime = _runtime()
    if runtime is None:
        return {}
    spool, sent = runtime.spool.stats(), runtime.delivery.stats
    return {
        "state": runtime.delivery.state(),
        "made": spool.appended,
        "delivered": spool.delivered,
        "dropped": sum(spool.dropped.values()),
        "waiting": spool.waiting,
        "waiting_bytes": spool.waiting_bytes,
        "sent_bytes": sent.bytes_sent,
        "thread_cpu_ms": sent.cpu_ns // 1_000_000,
        "last_error": sent.last_error,
        "spool_fault": spool.fault,
    }


def _recording(libraries: Mapping[str, str]) -> list[Finding]:
    if not recorder.recording():
        return [
            Finding(
                "not_recording",
                "Nothing is recorded in this process.",
                ["watchglass.init() was not called here, or watchglass.shutdown() was"],
                "Call watchglass.init() as the application starts, in each process that makes calls.",
            )
        ]
    bad = [
        f"{name}: {state}" for name, state in libraries.items() if state == "failed" or "install " in state
    ]
    if not bad:
        return []
    return [
        Finding(
            "not_instrumented", "Some libraries are not recorded.", bad, "Install what is named, see the log."
        )
    ]


def _metrics_off(metrics: str) -> list[Finding]:
    if "no metrics there" not in metrics:
        return []
    return [
        Finding(
            "metrics_port",
            "Metrics are counted but not served.",
            [metrics],
            "Set prometheus_port to a free one, or mount watchglass.metrics_app().",
        )
    ]


def _shown(endpoint: str) -> str:
    """Without a user and password that may be in it."""
    scheme, slashes, rest = endpoint.partition("//")
    return scheme + slashes + rest.rpartition("@")[2]


def render(check: SelfCheck) -> str:
    """For people."""
    lines = [f"{name:<42} {each}" for name, each in check.versions.items()]
    if check.recording is None:
        lines += ["", "This is no application's process: call watchglass.selfcheck() in it to look at it."]
    else:
        lines += ["", f"recording  {'yes' if check.recording else 'NO'}", f"metrics    {check.metrics}"]
        lines += [f"  {library:<14} {state}" for library, state in check.libraries.items()]
        told = ", ".join(f"{name} {each}" for name, each in check.delivery.items() if each is not None)
        lines.append(f"delivery   {told}")
    lines += ["", f"server     {check.endpoint}"]
    for each in check.spools:
        state = f"{each.living} of {each.processes} processes alive, {each.bytes:,} bytes on disk"
        lines.append(f"spool      {each.directory} → {each.endpoint}: {state}")
    if check.others:
        lines += ["", "Also installed; each would report the same requests again once it is set up:"]
        lines += [f"  {library}: {', '.join(found)}" for library, found in check.others.items()]
    lines.append("")
    for each in check.findings:
        lines += [f"✗ {each.what}", *(f"    {line}" for line in each.evidence), f"  → {each.do}", ""]
    lines.append(f"{len(check.findings)} found." if check.findings else "All is fine.")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """The command. Returns 0 if all is fine, 1 if something was found."""
    parser = argparse.ArgumentParser(prog="python -m watchglass.capture.selfcheck", description=__doc__)
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument("--reach", action="store_true", help="ask the server whether it is ready")
    given = parser.parse_args(arguments)
    check = _check(False, given.reach)
    text = (
        msgspec.json.format(msgspec.json.encode({"fine": check.fine, **msgspec.to_builtins(check)})).decode()
        if given.json
        else render(check)
    )
    sys.stdout.write(text + "\n")
    return 0 if check.fine else 1


if __name__ == "__main__":
    sys.exit(main())
