"""Who may do what: the one place where every request, of whatever surface, is let in or not.

A route states which role it needs (`@needs(…)`); one that states none is closed to everybody as soon
as there are keys. Who was let in is known for the length of the request (`granted`), and what reads
or writes for it asks here: rows are read within `current_scope()`, so that a route's author can neither
forget the tenant nor get it wrong.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
import time
from collections import Counter
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Literal, NoReturn, Protocol, TypeAlias, TypeVar

import msgspec

from watchglass.errors import Refused, TooMany, Unauthenticated, WatchglassError
from watchglass.ingest.shares import Bucket
from watchglass.queries.scope import EVERYTHING, Scope
from watchglass.store import Key, Role

Needs: TypeAlias = Literal["nothing", "any", "ingest", "read", "admin"]
"""What a route needs: a role, `any` key at all, or `nothing`."""

Where = tuple[str, str]
"""(route, remote address) of a request."""

F = TypeVar("F", bound=Callable[..., object])

_NEEDS = "watchglass_needs"
_HELP = (
    "send one as `Authorization: Bearer wg_…` (commands: --key or WATCHGLASS_KEY; OpenTelemetry exporters: "
    'OTEL_EXPORTER_OTLP_HEADERS="authorization=Bearer wg_…"); `watchglass keys create` makes one'
)


class Grant(msgspec.Struct, frozen=True):
    """What one request may do. Without keys everything: `key_id` is '' then."""

    key_id: str = ""
    role: Role = "admin"
    tenant: str | None = None

    @property
    def scope(self) -> Scope:
        """Whose rows it may read."""
        if self.tenant is None:
            return EVERYTHING
        return Scope(frozenset({self.tenant} if self.tenant else ()))

    def allows(self, needed: Needs | None) -> bool:
        """Whether this is enough for a route; None is a route that does not say."""
        if needed is None:
            return False
        return needed in ("nothing", "any") or self.role in ("admin", needed)


OPEN = Grant()
"""Of a server that has no keys, on loopback."""

PASSER_BY = Grant("", "read", "")
"""Of a request without a key to a route that needs none."""

_current: ContextVar[Grant | None] = ContextVar("watchglass_grant", default=None)


def needs(what: Needs) -> Callable[[F], F]:
    """States what a route's endpoint needs."""

    def state(endpoint: F) -> F:
        setattr(endpoint, _NEEDS, what)
        return endpoint

    return state


def needs_of(endpoint: object) -> Needs | None:
    """What an endpoint states, or None."""
    return getattr(endpoint, _NEEDS, None)


@contextmanager
def granted(grant: Grant) -> Generator[None]:
    """For the length of a request."""
    token = _current.set(grant)
    try:
        yield
    finally:
        _current.reset(token)


def current() -> Grant:
    """Who asks, in a request. Raises `Refused` outside of one: nobody is let in by mistake."""
    grant = _current.get()
    if grant is None:
        raise Refused("this was asked outside of a request that was let in")
    return grant


def current_scope() -> Scope:
    """Whose rows the present request may read; outside of one nobody's."""
    grant = _current.get()
    return Scope(frozenset()) if grant is None else grant.scope


def current_sender() -> str:
    """The id of the key that asks, '' where there is none: by it what is shared is shared out."""
    grant = _current.get()
    return "" if grant is None else grant.key_id


class Lookup(Protocol):
    """What knows the keys (`store.Keyring`)."""

    @property
    def any(self) -> bool:
        """Whether there is one."""
        ...

    def find(self, text: str) -> Key | None:
        """The key with this text."""
        ...


class Watch(Protocol):
    """Who is told of what was refused (`ingest.audit.Audit`)."""

    @property
    def counts(self) -> Mapping[str, int]:
        """How often each event was noted."""
        ...

    def note(
        self,
        event: str,
        *,
        key: str = "",
        tenant: str | None = None,
        where: Where = ("", ""),
        reason: str = "",
        count: int = 1,
    ) -> None:
        """Remember it; returns at once."""
        ...


class Unwatched:
    """Only counts."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def note(
        self,
        event: str,
        *,
        key: str = "",
        tenant: str | None = None,
        where: Where = ("", ""),
        reason: str = "",
        count: int = 1,
    ) -> None:
        """See `Watch.note`."""
        self.counts[event] += count


class Access:
    """Lets requests in. For one event loop."""

    def __init__(
        self,
        keys: Lookup | None = None,
        *,
        watch: Watch | None = None,
        closed: bool = False,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """`closed`: the address can be reached from elsewhere, so nobody comes in without a key ever."""
        self._keys = keys
        self._closed = closed
        self._now_s = now_s
        self._rates: dict[str, tuple[Key, Bucket | None, Bucket | None]] = {}
        self._errand: str | None = None
        self.watch: Watch = watch or Unwatched()

    @property
    def keyed(self) -> bool:
        """Whether a key is needed at all."""
        return self._closed or (self._keys is not None and self._keys.any)

    def admit(self, authorization: str, needed: Needs | None, where: Where) -> Grant:
        """What this request may do, given its Authorization header ('' for none).

        Raises `Unauthenticated`, `Refused` for the wrong role, `TooMany` beyond the key's rate.
        """
        if not self.keyed:
            return OPEN
        if needed == "nothing":
            return PASSER_BY
        key = self._key(authorization, where)
        grant = Grant(key.id, key.role, key.tenant)
        if not grant.allows(needed):
            self._refuse(
                Refused(
                    f"a key of the role {key.role} may not use {where[0]}, which needs {needed or 'more'}"
                ),
                "wrong_role",
                where,
                key,
            )
        self._within_rate(key, where)
        return grant

    def errand(self) -> str:
        """A key for this process to ask itself with; it is nowhere but here and ends with it."""
        self._errand = self._errand or f"wg_errand_{secrets.token_urlsafe(32)}"
        return self._errand

    def foreign(self, grant: Grant, count: int, where: Where) -> None:
        """Items of a request that was let in named another tenant and were rejected."""
        if count:
            self.watch.note("foreign_tenant", key=grant.key_id, tenant=grant.tenant, where=where, count=count)

    def charge(self, grant: Grant, count: int) -> None:
        """This many bytes came with a request that was let in."""
        rates = self._rates.get(grant.key_id)
        if rates is not None and rates[2] is not None:
            rates[2].spend(count, self._now_s())

    def _key(self, authorization: str, where: Where) -> Key:
        text = _secret(authorization)
        if not text:
            said = "this needs a key, and the request has none" if not authorization else _STRANGE
            self._refuse(Unauthenticated(f"{said}: {_HELP}"), "no_key", where)
        if self._errand is not None and hmac.compare_digest(text.encode(), self._errand.encode()):
            return _ERRAND
        key = self._keys.find(text) if self._keys is not None else None
        if key is None:
            self._refuse(Unauthenticated(f"there is no such key: {_HELP}"), "wrong_key", where)
        if key.revoked_ns is not None:
            self._refuse(Unauthenticated(f"the key {key.id} was revoked: {_HELP}"), "revoked_key", where, key)
        return key

    def _within_rate(self, key: Key, where: Where) -> None:
        if key.bytes_per_s is None and key.requests_per_s is None:
            return
        now_s = self._now_s()
        held = self._rates.get(key.id)
        if held is None or held[0] != key:
            requests, sent = (
                None if rate is None else Bucket(rate, now_s)
                for rate in (key.requests_per_s, key.bytes_per_s)
            )
            held = self._rates[key.id] = (key, requests, sent)
        wait_s = max(bucket.wait_s(now_s) for bucket in held[1:] if bucket is not None)
        if wait_s:
            self._refuse(
                TooMany(f"the key {key.id} is over its limit: try again in {wait_s} s", retry_after_s=wait_s),
                "limited",
                where,
                key,
            )
        if held[1] is not None:
            held[1].spend(1, now_s)

    def _refuse(self, error: WatchglassError, event: str, where: Where, key: Key | None = None) -> NoReturn:
        self.watch.note(
            event,
            key=key.id if key else "",
            tenant=key.tenant if key else None,
            where=where,
            reason=str(error).partition(": ")[0],
        )
        raise error


_ERRAND = Key(id="errand", name="", role="admin", created_ns=0, created_by="")
_STRANGE = "the Authorization header holds no key of watchglass"


def _secret(authorization: str) -> str:
    """The key in an Authorization header: a bearer's, or Basic's password (langfuse's clients send that)."""
    scheme, _, value = authorization.strip().partition(" ")
    value = value.strip()
    if scheme.lower() == "bearer":
        return value
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(value, validate=True).decode("utf-8").partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""
