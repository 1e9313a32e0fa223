"""Where spools are: one directory a server and key, so that no record goes to another's server."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

VARIABLE = "WATCHGLASS_SPOOL_DIR"
_ENDPOINT = "endpoint"


def root(environ: Mapping[str, str] | None = None) -> Path:
    """Where all spools of this user are: `WATCHGLASS_SPOOL_DIR`, else in the user's state directory."""
    named = (os.environ if environ is None else environ).get(VARIABLE)
    if named:
        return Path(named)
    import platformdirs

    return Path(platformdirs.user_state_dir("watchglass", appauthor=False)) / "spool"


def directory(root: Path, endpoint: str, key: str | None) -> Path:
    """The spool for this server and key; the key is not to be read from its name."""
    name = hashlib.blake2b(f"{endpoint.rstrip('/')}\0{key or ''}".encode(), digest_size=10).hexdigest()
    return root / name


def describe(directory: Path, endpoint: str) -> None:
    """Note for people whose spool this is. Raises `OSError`."""
    make_private(directory)
    parts = urlsplit(endpoint)
    shown = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment=""))
    (directory / _ENDPOINT).write_text(shown, "utf-8")


def endpoint_of(directory: Path) -> str | None:
    """The server that this spool's records are for, if it was noted."""
    try:
        return (directory / _ENDPOINT).read_text("utf-8")
    except OSError:
        return None


def make_private(directory: Path) -> None:
    """Make the directory with its parents, for its user alone. Raises `OSError`."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    if directory.stat().st_mode & 0o077:
        directory.chmod(0o700)
