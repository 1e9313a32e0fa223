"""Usage questions as people and programs write them: names and values as text."""

from __future__ import annotations

from collections.abc import Iterable

from watchglass.errors import QueryError
from watchglass.queries.plain import moment
from watchglass.queries.times import parse_moment
from watchglass.queries.usage import FILTERS, UsageQuestion, check


def usage_question(items: Iterable[tuple[str, str]], now_ns: int) -> UsageQuestion:
    """The question of query parameters `by`, `since`, `until`, `durations`, and any dimension as a filter.

    `durations=no` leaves out how long the calls took. A filter given twice means either;
    `filter=tenant=acme` is the same as `tenant=acme`. Raises `QueryError` for a name that means
    nothing, since ignoring it would answer another question.
    """
    single: dict[str, str] = {}
    filters: dict[str, tuple[str, ...]] = {}
    for name, value in items:
        if name == "filter":
            name, _, value = value.partition("=")
        if name in FILTERS:
            filters[name] = (*filters.get(name, ()), value)
        elif name in ("by", "since", "until", "durations"):
            single[name] = value
        else:
            raise QueryError(
                f"usage knows no {name!r}; it takes by, since, until, durations and the filters "
                f"{', '.join(sorted(FILTERS))}"
            )
    by = tuple(part.strip() for part in single["by"].split(",") if part.strip()) if "by" in single else None
    question = UsageQuestion(
        **({"by": by} if by is not None else {}),
        since_ns=_moment(single.get("since"), now_ns),
        until_ns=_moment(single.get("until"), now_ns),
        filters=filters,
        durations=_wanted(single.get("durations", "yes")),
    )
    check(question)
    return question


def usage_items(question: UsageQuestion) -> list[tuple[str, str]]:
    """Query parameters that `usage_question` reads back to the same question."""
    items = [("by", ",".join(question.by))]
    for name, ns in (("since", question.since_ns), ("until", question.until_ns)):
        if ns is not None:
            items.append((name, moment(ns)))
    if not question.durations:
        items.append(("durations", "no"))
    return items + [(name, value) for name, values in question.filters.items() for value in values]


def _wanted(text: str) -> bool:
    if text not in ("yes", "no"):
        raise QueryError(f"durations can be yes or no, not {text!r}")
    return text == "yes"


def _moment(text: str | None, now_ns: int) -> int | None:
    return parse_moment(text, now_ns) if text else None
