"""`watchglass keys` on a data directory, and what `serve` says without keys."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from watchglass.config import Settings
from watchglass.errors import BadRequest, ConfigError
from watchglass.store import open_keys
from watchglass.surfaces.cli import make_app
from watchglass.surfaces.cli.keys import parsed_limit
from watchglass.surfaces.serve import serve


def run(*arguments: str) -> Any:
    return CliRunner().invoke(make_app(), ["keys", *arguments])


def test_a_key_from_birth_to_end(tmp_path: Path) -> None:
    """`create` shows the key alone on stdout, `list` never does, `revoke` says when none is left."""
    data = ("--data", str(tmp_path / "data"))
    made = run("create", "--role", "ingest", "--tenant", "acme", "--limit", "5MB/s", "--limit", "2/s", *data)
    text = made.stdout.strip()
    assert made.exit_code == 0 and text.startswith("wg_") and "\n" not in text
    listed = json.loads(run("list", "--json", *data).stdout)["keys"]
    assert [(key["tenant"], key["bytes_per_s"], key["requests_per_s"]) for key in listed] == [
        ("acme", 5_000_000, 2.0)
    ]
    assert text not in run("list", *data).stdout
    ended = run("revoke", listed[0]["id"], *data)
    assert ended.exit_code == 0 and "nobody gets in" in ended.stderr
    assert run("revoke", listed[0]["id"], "--forget", *data).exit_code == 0
    assert "no keys" in run("list", *data).stdout


def test_what_is_not_there_is_exit_code_3(tmp_path: Path) -> None:
    """No store, and no such key."""
    data = ("--data", str(tmp_path / "data"))
    assert run("list", *data).exit_code == 3
    assert run("create", "--role", "admin", *data).exit_code == 0
    assert run("revoke", "nobody", *data).exit_code == 3
    assert run("create", "--role", "boss", *data).exit_code == 2


@pytest.mark.parametrize("text", ["", "5", "MB/s", "-1/s", "5XB/s", "5/m", "1e3/s"])
def test_a_limit_that_is_no_rate_says_how_to_write_one(text: str) -> None:
    """The message shows what was written and two that work."""
    with pytest.raises(BadRequest, match="5MB/s"):
        parsed_limit(text)


def test_another_address_needs_a_key(tmp_path: Path) -> None:
    """Without keys `serve` refuses any address but loopback, touches no data, and says what to do."""
    data = tmp_path / "data"
    settings = Settings(data=str(data), host="0.0.0.0", port=0, grpc_port=0)
    with pytest.raises(ConfigError, match="watchglass keys create --role admin --data"):
        serve(settings)
    assert not data.exists()


def test_a_revoked_key_still_closes(tmp_path: Path) -> None:
    """A directory whose only key was revoked counts as one with keys: it stays closed rather than open."""
    from watchglass.store import any_keys, control_file
    from watchglass.store.keys import Wanted

    with open_keys(tmp_path / "data", make=True) as keys:
        keys.revoke(keys.create(Wanted(role="admin"))[0].id)
    assert any_keys(control_file(tmp_path / "data"))
