"""What can be asked of a list, and the page that answers it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, TypeAlias, get_args

import msgspec

from watchglass.errors import QueryError
from watchglass.queries.plain import moment
from watchglass.queries.times import parse_moment

Subject: TypeAlias = Literal["calls", "tasks", "traces", "flows", "sessions"]
SUBJECTS: tuple[Subject, ...] = get_args(Subject)

DEFAULT_LIMIT = 50
MAX_LIMIT = 1000


class Position(msgspec.Struct, frozen=True, array_like=True):
    """Where a page ended: the last row's rank in the sort, its time and its identity."""

    rank: str
    time_ns: int
    id: str
    question: str = ""


class ListQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of `subject` that began in `[since_ns, until_ns)` and match every filter, best of `sort` first.

    A filter names the values that match; '' stands for NULL. `least` gives the smallest figures that
    match. `cursor` is the `next` of the page before; it only continues the question it came from.
    """

    subject: Subject
    since_ns: int | None = None
    until_ns: int | None = None
    filters: dict[str, tuple[str, ...]] = {}
    least: dict[str, Decimal] = {}
    sort: str = "time"
    limit: int = DEFAULT_LIMIT
    cursor: str | None = None

    @property
    def mark(self) -> str:
        """Tells questions apart, whatever page of them is asked for."""
        same = msgspec.structs.replace(self, cursor=None, limit=0)
        return hashlib.blake2b(msgspec.json.encode(same, order="sorted"), digest_size=6).hexdigest()

    def position(self) -> Position | None:
        """Where the page before ended. Raises `QueryError` for a cursor of another question."""
        if self.cursor is None:
            return None
        try:
            padded = self.cursor + "=" * (-len(self.cursor) % 4)
            found = msgspec.json.decode(base64.urlsafe_b64decode(padded), type=Position)
            Decimal(found.rank)
        except (ValueError, msgspec.MsgspecError, InvalidOperation, RecursionError):
            raise QueryError("the cursor is not one that a page ended with; ask without one") from None
        if found.question != self.mark:
            raise QueryError(
                "the cursor belongs to another question; "
                "keep the filters, times and order of the page that it ended"
            )
        return found

    def cursor_at(self, rank: object, time_ns: int, id: str) -> str:
        """The cursor of a page that ends there."""
        made = msgspec.json.encode(Position(str(rank), time_ns, id, self.mark))
        return base64.urlsafe_b64encode(made).decode().rstrip("=")


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Some rows. `next` is the cursor of the page after, None on the last."""

    rows: Sequence[Any]
    next: str | None = None


class Askable(msgspec.Struct, frozen=True, kw_only=True):
    """What one subject can be filtered and sorted by; names map to the SQL that says it."""

    filters: Mapping[str, str]
    least: Mapping[str, str] = {}
    sorts: Mapping[str, str] = {}
    flags: Mapping[str, Mapping[str, str]] = {}
    """Filters with a closed list of values, each with its condition; '' is that of no filter."""
    within: Mapping[str, str] = {}
    """Filters on other rows than those listed: the condition that holds theirs at `{condition}`."""

    def conditions(self, question: ListQuestion) -> tuple[list[str], dict[str, object]]:
        """SQL conditions and their parameters; values are bound, never written into the text."""
        found: list[str] = []
        params: dict[str, object] = {}
        for name, values in question.filters.items():
            if name in self.flags:
                continue
            condition = f"has({{only_{name}:Array(String)}}, ifNull(toString({self.filters[name]}), ''))"
            found.append(self.within.get(name, "{condition}").replace("{condition}", condition))
            params[f"only_{name}"] = list(values)
        for name, known in self.flags.items():
            given = [known[value] for value in question.filters.get(name, ("",))]
            found.append(f"({' OR '.join(given)})")
        for name, amount in question.least.items():
            found.append(f"{self.least[name]} >= {{{name}:Decimal(38, 18)}}")
            params[name] = amount
        return found, params


def list_question(
    subject: Subject, items: Iterable[tuple[str, str]], now_ns: int, askable: Askable
) -> ListQuestion:
    """The question of query parameters. Raises `QueryError` for what means nothing: ignoring it would lie."""
    single: dict[str, str] = {}
    filters: dict[str, tuple[str, ...]] = {}
    least: dict[str, Decimal] = {}
    for name, value in items:
        if name == "filter":
            name, _, value = value.partition("=")
        if name in askable.flags:
            filters[name] = (*filters.get(name, ()), _flag(name, value, askable.flags[name]))
        elif name in askable.filters:
            filters[name] = (*filters.get(name, ()), value)
        elif name in askable.least:
            least[name] = _amount(name, value)
        elif name in ("since", "until", "sort", "limit", "cursor"):
            single[name] = value
        else:
            raise QueryError(f"{subject} knows no {name!r}; it takes {_known(askable)}")
    question = ListQuestion(
        subject=subject,
        since_ns=_moment(single.get("since"), now_ns),
        until_ns=_moment(single.get("until"), now_ns),
        filters=filters,
        least=least,
        sort=_sort(single.get("sort") or "time", askable),
        limit=_limit(single.get("limit")),
        cursor=single.get("cursor") or None,
    )
    since, until = question.since_ns, question.until_ns
    if since is not None and until is not None and since > until:
        raise QueryError(f"since ({moment(since)}) is after until ({moment(until)})")
    return question


def list_items(question: ListQuestion) -> list[tuple[str, str]]:
    """Query parameters that `list_question` reads back to the same question."""
    items = [("sort", question.sort), ("limit", str(question.limit))]
    for name, ns in (("since", question.since_ns), ("until", question.until_ns)):
        if ns is not None:
            items.append((name, moment(ns)))
    if question.cursor is not None:
        items.append(("cursor", question.cursor))
    items += [(name, str(amount)) for name, amount in question.least.items()]
    return items + [(name, value) for name, values in question.filters.items() for value in values]


def _known(askable: Askable) -> str:
    names = sorted({*askable.filters, *askable.flags, *askable.least})
    return f"since, until, sort, limit, cursor and the filters {', '.join(names)}"


def _flag(name: str, value: str, known: Mapping[str, str]) -> str:
    if not value or value not in known:
        raise QueryError(f"{name} cannot be {value!r}; it can be {', '.join(filter(None, known))}")
    return value


def _amount(name: str, text: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or not -(10**18) < amount < 10**18:
        raise QueryError(f"{name} must be a number, not {text!r}")
    return amount


def _sort(name: str, askable: Askable) -> str:
    if name != "time" and name not in askable.sorts:
        raise QueryError(f"there is no order by {name!r}; there are {', '.join(['time', *askable.sorts])}")
    return name


def _limit(text: str | None) -> int:
    if not text:
        return DEFAULT_LIMIT
    if not text.isdecimal() or not 1 <= int(text) <= MAX_LIMIT:
        raise QueryError(f"limit must be a whole number from 1 to {MAX_LIMIT}, not {text!r}")
    return int(text)


def _moment(text: str | None, now_ns: int) -> int | None:
    return parse_moment(text, now_ns) if text else None
