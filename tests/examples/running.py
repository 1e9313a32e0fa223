"""Programs as users run them: in a process of their own, with settings in the environment."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from pathlib import Path

from tests.capture.provider import Provider
from tests.server_process import ServerProcess

ROOT = Path(__file__).parent.parent.parent
EXAMPLES = ROOT / "examples"

_READY = re.compile(r"Uvicorn running on (http://\S+)")


def environment(home: Path, server: ServerProcess, provider: Provider, **more: str) -> dict[str, str]:
    """What a user would set, and little more: nothing of this process's own settings."""
    return {
        "PATH": os.environ.get("PATH", ""),
        "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
        "HOME": str(home),
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # it would fetch a list of prices
        "OPENAI_API_KEY": "sk-test-0000000000000000",
        "OPENAI_BASE_URL": f"{provider.url}/v1",
        "WATCHGLASS_ENDPOINT": server.url,
        "WATCHGLASS_EXIT_S": "60",  # on a busy machine the two seconds of an application may be over too soon
        **more,
    }


def run(program: Path, *arguments: str, env: dict[str, str]) -> str:
    """What it prints; it has to end well."""
    done = subprocess.run(
        [sys.executable, str(program), *arguments],
        capture_output=True,
        text=True,
        timeout=240,
        env=env,
        cwd=env["HOME"],
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


class Service:
    """A program that serves until it is told to stop; a context manager."""

    def __init__(self, program: Path, env: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(program)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env=env,
            cwd=env["HOME"],
        )
        self.said: list[str] = []
        self.url = ""

    def __enter__(self) -> Service:
        """Returns when it listens."""
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self.said.append(line)
            if found := _READY.search(line):
                self.url = found[1]
                break
        assert self.url, "".join(self.said)
        self._listening = threading.Thread(target=self.said.extend, args=(self._process.stderr,), daemon=True)
        self._listening.start()
        return self

    def __exit__(self, *_: object) -> None:
        """As an operator stops it; it has to end well."""
        self._process.terminate()
        self._process.wait(60)
        self._listening.join(60)
        assert self._process.stderr is not None
        self._process.stderr.close()
