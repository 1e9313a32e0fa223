"""Settings: one table, four places to set them, one order of precedence."""

from __future__ import annotations

from pathlib import Path

import pytest

from watchglass.config import FILE_NAME, Settings, env_name, find_file, load, table
from watchglass.errors import ConfigError


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A working directory below which and above which there is nothing of ours."""
    (tmp_path / "user").mkdir()
    (tmp_path / "a" / "b").mkdir(parents=True)
    return tmp_path


def loaded(home: Path, *, flags: dict[str, object] | None = None, env: dict[str, str] | None = None):
    return load(flags, environ=env or {}, cwd=home / "a" / "b", user_dir=home / "user")


def write(directory: Path, text: str) -> Path:
    file = directory / FILE_NAME
    file.write_text(text)
    return file


def test_defaults(home: Path) -> None:
    """Without anything set every setting has its default, and says so."""
    found = loaded(home)
    assert found.settings == Settings()
    assert set(found.sources.values()) == {"default"}
    assert found.file is None


def test_precedence(home: Path) -> None:
    """A flag wins over the environment, that over the file, that over the default."""
    write(home / "a", "port = 1\ngrpc_port = 1\nhost = '0.0.0.0'\n")
    found = loaded(
        home, flags={"port": 3, "host": None}, env={"WATCHGLASS_PORT": "2", "WATCHGLASS_GRPC_PORT": "2"}
    )
    assert (found.settings.port, found.settings.grpc_port, found.settings.host) == (3, 2, "0.0.0.0")
    assert (found.sources["port"], found.sources["grpc_port"], found.sources["host"]) == (
        "flag",
        "environment",
        "file",
    )
    assert found.sources["data"] == "default"


def test_the_nearest_file_counts(home: Path) -> None:
    """Of several files the one nearest to the working directory is read, the user's own last."""
    user = write(home / "user", "port = 1")
    assert find_file(home / "a" / "b", home / "user") == user
    far = write(home, "port = 2")
    assert find_file(home / "a" / "b", home / "user") == far
    near = write(home / "a", "port = 3")
    assert find_file(home / "a" / "b", home / "user") == near
    assert loaded(home).settings.port == 3


def test_lists(home: Path) -> None:
    """A list is a TOML array, a text with commas, or a flag given twice."""
    write(home, "allowed_hosts = ['a', 'b']\nby = 'tenant, hour'")
    assert loaded(home).settings.allowed_hosts == ("a", "b")
    assert loaded(home).settings.by == ("tenant", "hour")
    assert loaded(home, env={"WATCHGLASS_BY": "model,day"}).settings.by == ("model", "day")
    assert loaded(home, flags={"allowed_hosts": ["c", "d"]}).settings.allowed_hosts == ("c", "d")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("port = 1\n\nprot = 4318\n", r"watchglass\.toml:3: there is no setting 'prot'; did you mean 'port'"),
        ("grpc-port = 1", r":1: .*did you mean 'grpc_port'"),
        ("# x\n[serve]\nport = 1", r":2: there is no setting 'serve'"),
        ("colour = 1", r"the settings are data, host"),
        ("port = ", r"is not valid TOML"),
        ("port = 'many'", r"port in .*toml is 'many'"),
        ("port = 70000", r"70000.*65535"),
        ("log_level = 'loud'", r"'loud'.*debug \| info \| warning \| error"),
        ("query_time_s = 0", r"query_time_s .*0"),
    ],
)
def test_a_wrong_file_is_an_error_that_says_where(home: Path, text: str, expected: str) -> None:
    """A key that means nothing has its line and the nearest name; a value shows itself and what it may be."""
    write(home, text)
    with pytest.raises(ConfigError, match=expected):
        loaded(home)


def test_a_wrong_variable_names_itself(home: Path) -> None:
    """The environment variable at fault is in the message."""
    with pytest.raises(ConfigError, match="WATCHGLASS_PORT is 'x'"):
        loaded(home, env={"WATCHGLASS_PORT": "x"})


def test_an_unreadable_file(home: Path) -> None:
    """A file that is no text is an error, not a silent default."""
    (home / FILE_NAME).write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="cannot be read"):
        loaded(home)


def test_the_table_has_every_setting_once() -> None:
    """Docs and help are made from it: each setting with type, default, meaning and variable."""
    rows = table()
    assert [row.name for row in rows] == list(Settings.__struct_fields__)
    assert all(row.type and row.default and row.meaning and row.env == env_name(row.name) for row in rows)
    assert not any("/root" in row.default or "/home" in row.default for row in rows)


def test_every_default_can_be_written_as_text(home: Path) -> None:
    """What the table shows as a default can be set through the environment to the same value."""
    shown = {
        row.env: row.default for row in table() if row.default not in ("nothing", "the user data directory")
    }
    assert loaded(home, env=shown).settings == Settings()
