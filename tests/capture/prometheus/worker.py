"""A worker process of an application: counts what it is told to on stdin, and says on stdout that it did."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from watchglass.capture.prometheus import runtime


def main() -> None:
    folder, port = Path(sys.argv[1]), int(sys.argv[2])
    metrics = runtime.start("shop", port=port, folder=folder)
    print("ready", metrics.port, metrics.problem, flush=True)
    for line in sys.stdin:
        match line.split():
            case ["call", provider, seconds]:
                runtime.metric("llm_calls_total", provider=provider, model="m", status="success").inc()
                runtime.metric("llm_duration_seconds", provider=provider, model="m").observe(float(seconds))
            case ["level", queue, value]:
                runtime.metric("queue_depth", queue=queue).set(float(value))
            case ["fork"]:
                counter = runtime.metric("llm_calls_total", provider="forked", model="m", status="success")
                counter.inc()
                child = os.fork()
                if child == 0:
                    counter.inc(10)
                    print("done", flush=True)
                    os.read(0, 1)  # a byte and no more: what follows is for the parent
                    os._exit(0)
                os.waitpid(child, 0)
            case _:
                break
        print("done", metrics.port, flush=True)


if __name__ == "__main__":
    main()
