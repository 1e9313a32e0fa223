"""Real clients' requests, as they were sent: each body on the path and with the type its client used."""

from __future__ import annotations

import csv
import os
from pathlib import Path
from typing import Any

import pytest

SHARED = Path(os.environ.get("WATCHGLASS_SHARED") or Path(__file__).parents[3] / "shared") / "otlp"


def test_every_client_s_request_is_received(server: Any) -> None:
    """All bodies of the collection arrive unchanged, as their signal and encoding, and are acknowledged."""
    if not (SHARED / "INDEX.tsv").is_file():
        pytest.skip(f"the collection of real bodies is not at {SHARED} (set WATCHGLASS_SHARED)")
    with (SHARED / "INDEX.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    for row in rows:
        body = (SHARED / row["file"]).read_bytes()
        headers = {"content-type": row["content_type"], "user-agent": row["user_agent"]}
        response = server.http.post(row["path"], content=body, headers=headers)
        assert response.status_code == 200, (row["file"], response.text)
        encoding = "json" if "json" in row["content_type"] else "protobuf"
        assert server.receiver.received[-1] == (row["signal"], body, encoding)
    assert len(server.receiver.received) == len(rows) > 0
