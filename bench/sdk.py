"""Promises of the SDK: what recording costs an application, beside what others' recording costs.

    python bench/sdk.py [--rounds 2] [--quick]

Calls (`sdk_calls.py`), the event loop (`sdk_loop.py`), starting and size (`sdk_start.py`), each in processes
of its own, one after the other, in rounds; writes a part of bench/RESULTS.md. About five minutes. `--quick`
is for trying it: one round, printed and not written.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections import defaultdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from run import Figures, Promise, anchor, machine, replace_part, table

HERE = Path(__file__).parent
TITLE = "## The SDK"
OTHERS = {
    "otel": "a bare OpenTelemetry span",
    "langfuse": "Langfuse's generation",
    "logfire": "Logfire's span",
}
PACKAGES = ("opentelemetry-sdk", "litellm", "langfuse", "logfire", "msgspec")


def _calls(name: str, about: str, p50: float | None = None, p99: float | None = None) -> dict[str, Promise]:
    return {
        f"{name}.hot.p50": Promise(f"{about}: median", "µs", at_most=p50),
        f"{name}.hot.p99": Promise(f"{about}: 99 of 100 within", "µs", at_most=p99),
        f"{name}.paced.p50": Promise(f"{about}, 200 a second: median", "µs"),
        f"{name}.paced.p99": Promise(f"{about}, 200 a second: 99 of 100 within", "µs"),
    }


PROMISES: dict[str, Promise] = {
    **_calls("ours.call", "a call through LiteLLM, added", 20, 100),
    **_calls("ours.call, code", "the same, a prompt of source code", 20, 100),
    **_calls("ours.call, one prompt again and again", "the same, a prompt that was sent before", 20, 100),
    **_calls("ours.call, 50 streamed pieces", "the same, streamed in 50 pieces"),
    **{key: each for name, about in OTHERS.items() for key, each in _calls(f"{name}.call", about).items()},
    "ratio": Promise("a call of ours, in spans of OpenTelemetry's: median", "×"),
    **_calls("ours.step", "a task, begun and ended"),
    **_calls("ours.context", "`context()`, entered and left"),
    **_calls("ours.metric", "`.inc()` of a metric's handle", 1),
    **_calls("ours.metric by name", "`metric(…).inc()`, looked up each time"),
    **_calls("ours.append of 3 KB", "the spool's append of 3 KB alone"),
    **_calls("ours.clock", "an empty function, measured the same way"),
    "import": Promise("`import watchglass`, with what it needs alone", "ms", at_most=20),
    "import.cpu": Promise("the same, processor", "ms"),
    "init": Promise("`init()`, with what it needs alone", "ms", at_most=200),
    "init.cpu": Promise("the same, processor", "ms"),
    "import.all": Promise("`import watchglass`, among all that can be recorded", "ms", at_most=20),
    "init.all": Promise("`init()`, among all that can be recorded", "ms", at_most=200),
    "init.all.cpu": Promise("the same, processor", "ms"),
    "size": Promise("installed with all it needs", "MB", at_most=25),
    "size.compiled": Promise("installed with all it needs, with bytecode", "MB"),
    "cpu": Promise("processor for 100 calls/s, delivery included", "%", at_most=2),
    **{
        key: promise
        for name, server in (("away", "server away"), ("slow", "server slow"))
        for key, promise in {
            f"loop.{name}.step_p999_ms": Promise(
                f"a step of a call on the loop, 500 calls/s, {server}: 999 of 1000 within", "ms", at_most=1
            ),
            f"loop.{name}.step_cpu_p999_ms": Promise("the same, processor", "ms"),
            f"loop.{name}.lag_p99_ms": Promise(f"lag of the loop, 500 calls/s, {server}: 99 of 100", "ms"),
        }.items()
    },
    "loop.none.step_p999_ms": Promise("a step of a call on the loop, without us: 999 of 1000 within", "ms"),
    "loop.none.lag_p99_ms": Promise("lag of the loop, without us: 99 of 100 within", "ms"),
    "anchor": Promise("anchor: a loop of 10 million additions in the interpreter", "s"),
}


def measured(*command: str) -> Any:
    """What a part of the benchmark prints."""
    environment = {**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    done = subprocess.run(
        [sys.executable, HERE / command[0], *command[1:]],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def calls(figures: Figures, many: int) -> None:
    """Ours and the others', in turn."""
    for library in ("otel", "ours", "langfuse", "logfire"):
        for name, ways in measured("sdk_calls.py", library, "--calls", str(many)).items():
            for way, cuts in ways.items():
                for cut, value in cuts.items():
                    figures[f"{library}.{name}.{way}.{cut}"].append(value)
    figures["ratio"].append(figures["ours.call.hot.p50"][-1] / figures["otel.call.hot.p50"][-1])


def loop(figures: Figures, seconds: float) -> None:
    """The event loop with and without us."""
    lasting = ("--seconds", str(seconds))
    busy = [measured("sdk_loop.py", who, "up", *lasting)["cpu_percent"] for who in ("none", "ours")]
    figures["cpu"].append(busy[1] - busy[0])
    for name, who, server in (("none", "none", "up"), ("away", "ours", "away"), ("slow", "ours", "slow")):
        for key, value in measured("sdk_loop.py", who, server, "--rate", "500", *lasting).items():
            figures[f"loop.{name}.{key}"].append(value)


def start(figures: Figures) -> None:
    """Starting, and the size of what is installed."""
    found = measured("sdk_start.py")
    figures["size"], figures["size.compiled"] = [found["size"][0]], [found["size"][1]]
    for where, suffix in (("small", ""), ("all", ".all")):
        for name in ("import", "init"):
            figures[f"{name}{suffix}"] += [wall for wall, _ in found[where][name]]
            figures[f"{name}{suffix}.cpu"] += [busy for _, busy in found[where][name]]


def main() -> None:
    """Measure, and write or print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help="one round, nothing written")
    given = parser.parse_args()
    figures: Figures = defaultdict(list)
    start(figures)
    for number in range(1 if given.quick else given.rounds):
        print(f"round {number + 1} …", file=sys.stderr)
        figures["anchor"].append(anchor())
        calls(figures, 1000)
        loop(figures, 3)
    part = "\n".join(
        (
            TITLE,
            "",
            f"By `python bench/sdk.py` on {datetime.now(UTC):%Y-%m-%d %H:%M} UTC. A prompt of 2 KB that no"
            " other call has, an answer of 500 bytes, a usage. Ours is what our wrapper adds around a stub in"
            " LiteLLM's place, with one HTTP request seen, texts redacted (the default; the others keep them"
            " as they are) and the record in the spool on the disk, while another thread delivers to a server"
            " that takes everything; theirs hand over to a thread that exports there. One call after the"
            " other, unless the figure says otherwise.",
            "",
            *machine(),
            f"- {', '.join(f'{name} {version(name)}' for name in PACKAGES)}",
            "",
            *table(PROMISES, figures),
            "",
        )
    )
    print(part)
    if not given.quick:
        replace_part(TITLE, part)


if __name__ == "__main__":
    main()
