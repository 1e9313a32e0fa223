"""What the search for traces can be asked, as query parameters and as a record."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Literal

import msgspec

from watchglass.errors import QueryError
from watchglass.queries.lists.question import Askable, ListQuestion, list_question

DEFAULT_SINCE = "7d"
MOST_TEXT = 500

FACETS = ("status", "tenant", "feature", "agent", "provider", "model", "service", "environment")
"""What values are counted of, in the order they are shown in."""

OF_CALLS = {
    **{
        name: name
        for name in (
            *("tenant", "engagement", "feature", "agent", "provider", "service", "environment"),
            *("flow", "flow_type", "task", "task_id", "session", "user", "operation", "error_type"),
            "unpriced_reason",
        )
    },
    "model": "coalesce(response_model, request_model)",
}
"""Filters that one and the same call of a trace must meet, as SQL over a call."""

OF_SPANS = ("tenant", "service")
"""Those of them that a trace without calls can meet, too."""

_ASKABLE = Askable(
    filters=OF_CALLS,
    least=dict.fromkeys(("min_cost_usd", "max_cost_usd", "min_duration_ms", "max_duration_ms"), ""),
    flags={"status": {"failed": "", "ok": "", "": ""}},
)

Status = Literal["ok", "failed"]
Parts = Literal["all", "rows"]


class ExploreQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """Traces that were active in `[since_ns, until_ns)` and meet every filter, the latest active first.

    `filters` name values that match, '' stands for NULL; one call must meet all of them. Amounts are of whole
    traces. `text` is looked for in messages, names of spans, errors and ids, without regard to case.
    """

    listed: ListQuestion
    text: str = ""
    parts: Parts = "all"

    @property
    def since_ns(self) -> int:
        """Where it begins; there always is a beginning."""
        assert self.listed.since_ns is not None
        return self.listed.since_ns

    @property
    def until_ns(self) -> int | None:
        """Where it ends, not included."""
        return self.listed.until_ns

    @property
    def calls(self) -> dict[str, tuple[str, ...]]:
        """The filters on calls."""
        return {name: values for name, values in self.listed.filters.items() if name != "status"}

    @property
    def status(self) -> Status | None:
        """How traces must have ended; None is either way."""
        given = set(self.listed.filters.get("status", ()))
        return None if len(given) != 1 else "failed" if "failed" in given else "ok"

    @property
    def amounts(self) -> dict[str, Decimal]:
        """Bounds of cost and duration."""
        return self.listed.least


def explore_question(items: Iterable[tuple[str, str]], now_ns: int) -> ExploreQuestion:
    """The question of query parameters. Raises `QueryError` for what means nothing: ignoring it would lie."""
    text, parts, rest = "", "all", list[tuple[str, str]]()
    for name, value in items:
        if name == "text":
            text = value.strip()
        elif name == "parts":
            parts = value
        else:
            rest.append((name, value))
    if len(text) > MOST_TEXT:
        raise QueryError(f"the text has {len(text)} characters; look for at most {MOST_TEXT} of them")
    if parts not in ("all", "rows"):
        raise QueryError(f"parts can be all or rows, not {parts!r}")
    if not any(name == "since" and value for name, value in rest):
        rest.append(("since", DEFAULT_SINCE))
    listed = list_question("traces", rest, now_ns, _ASKABLE)
    if listed.cursor is not None and text:
        listed.position()
    return ExploreQuestion(listed=listed, text=text, parts="rows" if parts == "rows" else "all")
