"""Prices and discounts that the user has set one by one, and the log of what became of the price book.

A change and its line in the log are one transaction: there is no price here that nobody set.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Literal, TypeAlias

import msgspec

from watchglass.clock import Clock
from watchglass.errors import BadRequest, NotFound
from watchglass.pricing.discounts import Discount
from watchglass.pricing.listed import ListedPrice
from watchglass.pricing.naming import entry_id
from watchglass.store.control import Control

Terms: TypeAlias = ListedPrice | Discount
Action: TypeAlias = Literal["set", "unset", "import", "file", "file_refused", "update", "sources"]
"""`file` and `file_refused`: the price file was edited, well or badly. `sources`: an installed package is
another one. `update`: a newer list was taken from a file."""

COMMAND_LINE = "command line"
MOST = 10_000
"""Overrides; a list of prices is imported or kept in a file."""

_LONGEST = 500


class Override(msgspec.Struct, frozen=True):
    """A price or discount that was set. Its id follows from what it is for: setting it again is a change."""

    id: str
    terms: Terms
    changed_ns: int
    changed_by: str


class PriceChange(msgspec.Struct, frozen=True):
    """A line of the log: who changed what, and what was there before. `tenant` None is everybody."""

    number: int
    time_ns: int
    who: str
    action: Action
    override: str
    tenant: str | None
    before: str | None
    after: str | None


class PriceOverrides:
    """The overrides of one data directory. Thread-safe; each change is durable, and on record."""

    def __init__(self, control: Control, clock: Clock) -> None:
        self._control = control
        self._clock = clock

    def set(self, terms: Terms, by: str = COMMAND_LINE) -> tuple[Override, bool]:
        """Keep it, in place of one for the same; says whether that changed anything. Raises `BadRequest`."""
        _check(terms)
        id, text, now_ns = id_of(terms), msgspec.json.encode(terms).decode(), self._clock.now_ns()
        [(others,)] = self._control.run("SELECT count(*) FROM price_overrides WHERE id <> ?", id)
        if others >= MOST:
            raise BadRequest(f"there are {MOST:,} overrides already; put prices in a file, or import them")
        latest = self._latest()
        kind = "discount" if isinstance(terms, Discount) else "price"
        self._control.change(
            (
                """
                INSERT INTO price_changes (time_ns, who, action, override, tenant, before, after)
                SELECT ?, ?, 'set', ?, ?, (SELECT terms FROM price_overrides WHERE id = ?), ?
                WHERE NOT EXISTS (SELECT 1 FROM price_overrides WHERE id = ? AND terms = ?)
                """,
                (now_ns, by, id, terms.tenant, id, text, id, text),
            ),
            (
                """
                INSERT INTO price_overrides VALUES (?, ?, ?, ?, ?)
                ON CONFLICT (id) DO UPDATE SET
                    terms = excluded.terms, changed_ns = excluded.changed_ns,
                    changed_by = excluded.changed_by
                WHERE terms <> excluded.terms
                """,
                (id, kind, text, now_ns, by),
            ),
        )
        return self._named(id), self._latest() != latest

    def unset(self, id: str, by: str = COMMAND_LINE) -> Override:
        """Take it back. Raises `NotFound`."""
        found = self._named(id)
        self._control.change(
            (
                """
                INSERT INTO price_changes (time_ns, who, action, override, tenant, before)
                SELECT ?, ?, 'unset', id, ?, terms FROM price_overrides WHERE id = ?
                """,
                (self._clock.now_ns(), by, found.terms.tenant, id),
            ),
            ("DELETE FROM price_overrides WHERE id = ?", (id,)),
        )
        return found

    def note(self, action: Action, after: str, by: str = "") -> None:
        """Put what else became of the book on record."""
        self._control.run(
            "INSERT INTO price_changes (time_ns, who, action, override, after) VALUES (?, ?, ?, '', ?)",
            self._clock.now_ns(), by, action, after,
        )  # fmt: skip

    def list(self) -> list[Override]:
        """All that hold or will, the latest set first."""
        rows = self._control.run(f"SELECT {_COLUMNS} FROM price_overrides ORDER BY changed_ns DESC, id")
        return [_override(*row) for row in rows]

    def changes(self, after: int = 0, most: int = 1000) -> list[PriceChange]:
        """The log from the change after that number on, the oldest first."""
        rows = self._control.run(
            """
            SELECT number, time_ns, who, action, override, tenant, before, after
            FROM price_changes
            WHERE number > ?
            ORDER BY number
            LIMIT ?
            """,
            after, most,
        )  # fmt: skip
        return [PriceChange(*row) for row in rows]

    def latest(self, tenant: str | None = None, most: int = 1000) -> list[PriceChange]:
        """The end of the log, the oldest first; of one tenant's own prices where one is named."""
        rows = self._control.run(
            """
            SELECT number, time_ns, who, action, override, tenant, before, after
            FROM price_changes
            WHERE ?1 IS NULL OR tenant = ?1
            ORDER BY number DESC
            LIMIT ?2
            """,
            tenant, most,
        )  # fmt: skip
        return [PriceChange(*row) for row in reversed(rows)]

    def edition(self) -> str:
        """Another text whenever something was set or unset, also by another process."""
        return str(self._latest())

    def _latest(self) -> int:
        [(number,)] = self._control.run(
            "SELECT coalesce(max(number), 0) FROM price_changes WHERE action IN ('set', 'unset', 'update')"
        )
        return int(number)

    def _named(self, id: str) -> Override:
        rows = self._control.run(f"SELECT {_COLUMNS} FROM price_overrides WHERE id = ?", id)
        if not rows:
            raise NotFound(f"there is no override {id[:40]!r}; `watchglass prices overrides` shows them")
        return _override(*rows[0])


_COLUMNS = "id, kind, terms, changed_ns, changed_by"


def id_of(terms: Terms) -> str:
    """12 signs, from what it is for: provider, model, tier, tenant and time."""
    kind, daily = ("discount", None) if isinstance(terms, Discount) else ("price", terms.daily)
    return blake2b(entry_id(kind, terms, daily).encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()


def _override(id: str, kind: str, terms: str, changed_ns: int, changed_by: str) -> Override:
    # Not a tagged union: `ListedPrice` is what files and facts are read into, and those name no kind.
    read: type[Terms] = Discount if kind == "discount" else ListedPrice
    return Override(id, msgspec.json.decode(terms, type=read), changed_ns, changed_by)


def _check(terms: Terms) -> None:
    for where in ("provider", "model", "tier", "tenant", "citation"):
        text = getattr(terms, where)
        if text is not None and (not text.strip() or len(text) > _LONGEST or not text.isprintable()):
            raise BadRequest(
                f"the {where} must be printable, not empty and at most {_LONGEST} long", where=where
            )
