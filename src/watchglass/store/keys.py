"""Keys: who may send and who may ask, for which tenant, and how much.

A key is shown once and kept as its SHA-256. That is right here though it would be wrong for a
password: the secret is 256 random bits, so there is nothing to guess that a slow or salted hash would
protect, and every single request is checked. The id in front of it is public; it finds the row, so that
the secret itself is only ever compared, in constant time.
"""

from __future__ import annotations

import hmac
import re
import secrets
import sqlite3
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

import msgspec

from watchglass.clock import Clock
from watchglass.errors import BadRequest, NotFound, StoreError
from watchglass.store.control import Control

Role: TypeAlias = Literal["ingest", "read", "admin"]
Change: TypeAlias = Literal["key_created", "key_revoked", "key_forgotten"]
ROLES: tuple[Role, ...] = get_args(Role)

LOOK_S = 0.5
"""How old a server's knowledge of its keys may be: a revoked key works no longer than this."""

_KEY = re.compile(r"wg_([0-9a-f]{12})_[A-Za-z0-9_-]{43}")
_LONGEST = 200
_COLUMNS = (
    "id, name, role, tenant, bytes_per_s, requests_per_s, created_ns, created_by, revoked_ns, revoked_by"
)
COMMAND_LINE = "command line"
"""Who made or revoked a key with access to the data directory itself."""

_NO_DIGEST = bytes(32)


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a key, apart from its secret. `revoked_ns` is when it ceased to work.

    `created_by` and `revoked_by` are ids of admin keys, or `COMMAND_LINE`.
    """

    id: str
    name: str
    role: Role
    tenant: str | None = None
    bytes_per_s: int | None = None
    requests_per_s: float | None = None
    created_ns: int
    created_by: str
    revoked_ns: int | None = None
    revoked_by: str | None = None


class Wanted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key to be made. Raises `BadRequest` (by `checked`) for what makes no sense."""

    role: Role
    tenant: str | None = None
    name: str = ""
    bytes_per_s: int | None = None
    requests_per_s: float | None = None

    def checked(self) -> Wanted:
        """Itself, if it makes sense."""
        if self.role not in ROLES:
            raise BadRequest(
                f"there is no role {self.role!r}; the roles are {', '.join(ROLES)}", where="role"
            )
        if self.role == "admin" and self.tenant is not None:
            raise BadRequest(
                "an admin key is everybody's and cannot be bound to a tenant; "
                "make a read key and an ingest key for the tenant",
                where="tenant",
            )
        for where, text in (("tenant", self.tenant), ("name", self.name)):
            if text is not None and (len(text) > _LONGEST or not text.isprintable()):
                raise BadRequest(f"the {where} must be printable and at most {_LONGEST} long", where=where)
        if self.tenant is not None and not self.tenant.strip():
            raise BadRequest("the tenant is empty; leave it out for a key of no tenant", where="tenant")
        for where, rate in (("bytes_per_s", self.bytes_per_s), ("requests_per_s", self.requests_per_s)):
            if rate is not None and not 0 < rate < 2**62:
                raise BadRequest(f"a limit must be above 0, not {rate}", where=where)
        return self


def digest_of(text: str) -> bytes:
    """What is kept of a key."""
    return sha256(text.encode("utf-8", "surrogatepass")).digest()


def id_of(text: str) -> str | None:
    """The public part of what may be a key; None for what cannot be one."""
    match = _KEY.fullmatch(text)
    return match[1] if match else None


class Keys:
    """The keys of one data directory, to be made and revoked. Thread-safe; each change is durable."""

    def __init__(self, control: Control, clock: Clock) -> None:
        self._control = control
        self._clock = clock

    def create(self, wanted: Wanted, by: str = COMMAND_LINE) -> tuple[Key, str]:
        """A new key, and its text, which nobody can be told again. Raises `BadRequest`."""
        wanted.checked()
        key = Key(
            id=secrets.token_hex(6),
            name=wanted.name,
            role=wanted.role,
            tenant=wanted.tenant,
            bytes_per_s=wanted.bytes_per_s,
            requests_per_s=wanted.requests_per_s,
            created_ns=self._clock.now_ns(),
            created_by=by,
        )
        text = f"wg_{key.id}_{secrets.token_urlsafe(32)}"
        self._control.run(
            f"INSERT INTO keys ({_COLUMNS}, digest) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            *msgspec.structs.astuple(key),
            digest_of(text),
        )
        return key, text

    def list(self) -> list[Key]:
        """All of them, revoked ones too, the oldest first."""
        return [
            _key(row) for row in self._control.run(f"SELECT {_COLUMNS} FROM keys ORDER BY created_ns, id")
        ]

    def revoke(self, id: str, by: str = COMMAND_LINE) -> Key:
        """End a key, by its id (or the whole key). Revoking twice changes nothing. Raises `NotFound`."""
        key = self._named(id)
        self._control.run(
            "UPDATE keys SET revoked_ns = ?, revoked_by = ? WHERE id = ? AND revoked_ns IS NULL",
            self._clock.now_ns(),
            by,
            key.id,
        )
        return self._named(key.id)

    def forget(self, id: str) -> Key:
        """Take a key out of the list altogether. Raises `NotFound`."""
        key = self._named(id)
        self._control.run("DELETE FROM keys WHERE id = ?", key.id)
        return key

    def _named(self, id: str) -> Key:
        rows = self._control.run(f"SELECT {_COLUMNS} FROM keys WHERE id = ?", id_of(id) or id)
        if not rows:
            raise NotFound(f"there is no key {(id_of(id) or id)[:40]!r}; `watchglass keys list` shows them")
        return _key(rows[0])


class Keyring:
    """The keys as a server needs them: in memory, looked at anew whenever the file has changed.

    Another process may change them at any time (`watchglass keys create`), and SQLite says for a few
    microseconds whether somebody did (`PRAGMA data_version`). For one thread.
    """

    def __init__(
        self,
        file: Path,
        *,
        now_s: Callable[[], float] = time.monotonic,
        changed: Callable[[Change, Key], None] = lambda _, __: None,
    ) -> None:
        """`file` is an existing control database; `changed` is told what became of which key.

        Raises `StoreError` when it cannot be read.
        """
        self._changed = changed
        self._now_s = now_s
        self._db = _opened(file)
        self._seen = -1
        self._looked_s = float("-inf")
        self._keys: Mapping[str, tuple[Key, bytes]] = {}

    @property
    def any(self) -> bool:
        """Whether there is a key at all, be it a revoked one: then nobody comes in without."""
        self._look()
        return bool(self._keys)

    def find(self, text: str) -> Key | None:
        """The key that this is the text of (it may be revoked), else None; in constant time."""
        self._look()
        key, digest = self._keys.get(id_of(text) or "", (None, _NO_DIGEST))
        return key if hmac.compare_digest(digest, digest_of(text)) else None

    def look_again(self) -> None:
        """The next question looks whatever time it is: somebody here has just changed a key."""
        self._looked_s = float("-inf")

    def close(self) -> None:
        """Let go of the file. Idempotent."""
        self._db.close()

    def _look(self) -> None:
        now_s = self._now_s()
        if now_s - self._looked_s < LOOK_S:
            return
        try:
            [(version,)] = self._db.execute("PRAGMA data_version").fetchall()
            if version != self._seen:
                rows = self._db.execute(f"SELECT {_COLUMNS}, digest FROM keys").fetchall()
                before, self._keys = self._keys, {row[0]: (_key(row), row[-1]) for row in rows}
                first, self._seen = self._seen < 0, version
                if not first:
                    self._tell(before)
        except sqlite3.Error as error:
            raise StoreError(
                f"the keys cannot be read now ({error}); nobody is let in until they can"
            ) from None
        self._looked_s = now_s

    def _tell(self, before: Mapping[str, tuple[Key, bytes]]) -> None:
        for id, (key, _) in self._keys.items():
            if id not in before:
                self._changed("key_created", key)
            elif key.revoked_ns is not None and before[id][0].revoked_ns is None:
                self._changed("key_revoked", key)
        for id in before.keys() - self._keys.keys():
            self._changed("key_forgotten", before[id][0])


def any_keys(file: Path) -> bool:
    """Whether this control database, which need not exist, has a key."""
    if not file.is_file():
        return False
    with closing(_opened(file)) as db:
        if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'keys'").fetchone():
            return False
        return db.execute("SELECT 1 FROM keys LIMIT 1").fetchone() is not None


def _opened(file: Path) -> sqlite3.Connection:
    try:
        db = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
        db.execute("PRAGMA query_only = ON")
    except sqlite3.Error as error:
        raise StoreError(f"the keys in {file.name} of the data directory cannot be read: {error}") from None
    return db


def _key(row: tuple[Any, ...]) -> Key:
    return Key(**dict(zip(_COLUMNS.split(", "), row, strict=False)))
