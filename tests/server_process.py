"""`watchglass serve` as a process of its own: start it, ask it, kill it, start it again."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx

from tests.new_store import prepared

PROTOBUF = {"content-type": "application/x-protobuf"}
JSON = {"content-type": "application/json"}

_PROGRAM = Path(sys.executable).with_name("watchglass")
_READY = re.compile(r"watchglass is ready: (http://\S+) .* (\S+) \(OTLP/gRPC\)")


class ServerProcess:
    """One server over `data`, on free ports; `start` again after `kill`."""

    def __init__(self, data: Path) -> None:
        self.data = prepared(data, served=True)
        self._log = data.with_name(f"{data.name}.log")

    def start(self) -> ServerProcess:
        """Returns once it says that it is ready."""
        with self._log.open("a") as log:
            self.process = subprocess.Popen(
                [_PROGRAM, "serve", "--data", self.data, "--port", "0", "--grpc-port", "0"],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                cwd=self.data.parent,
            )
        assert self.process.stdout is not None
        found = _READY.match(self.process.stdout.readline())
        assert found, self.log()
        self.url, self.grpc_address = found.groups()
        self.http = httpx.Client(base_url=self.url, timeout=60)
        return self

    def log(self) -> str:
        """What it has said on stderr, over all its lives."""
        return self._log.read_text()

    def kill(self) -> None:
        """SIGKILL, as a power cut or the kernel's memory killer would."""
        self.process.kill()
        self.close()

    def stop(self) -> int:
        """SIGTERM; its exit code."""
        self.process.terminate()
        return self.close()

    def close(self) -> int:
        """Wait for its end."""
        code = self.process.wait(60)
        self.http.close()
        if self.process.stdout is not None:
            self.process.stdout.close()
        return code

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self.process.poll() is None

    def query(self, sql: str) -> list[dict[str, Any]]:
        """The answer's rows, by the API."""
        answer = self.http.get("/api/v1/query", params={"sql": sql})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def figures(self, sql: str) -> dict[str, Any]:
        """The only row of an answer, with its large numbers as numbers."""
        (row,) = self.query(sql)
        return row

    def command(self, *arguments: str) -> Any:
        """What `watchglass … --json` prints."""
        done = subprocess.run(
            [_PROGRAM, *arguments, "--url", self.url, "--json"],
            capture_output=True,
            text=True,
            timeout=240,
            cwd=self.data.parent,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def settle(self, within_s: float = 60.0) -> None:
        """Ask until nothing is left to settle, as a script would."""
        deadline = time.monotonic() + within_s
        while (state := self.http.get("/health").json()["dependencies"]["ingest"])["unsettled_traces"]:
            assert time.monotonic() < deadline, f"not settled within {within_s} s: {state}"
            time.sleep(0.05)
