"""Which lines made calls: sums by line, exact, of counted calls alone, within the reader's scope."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from tests.new_store import prepared
from tests.stored_rows import NOON_NS, SECOND_NS, call, insert
from watchglass.errors import QueryError
from watchglass.queries.reader import StoreReader
from watchglass.queries.scope import Scope
from watchglass.queries.sites import SitesQuestion, sites_items, sites_question
from watchglass.store import Engine, open_store

DAY_S = 86_400
WINDOW = SitesQuestion(since_ns=NOON_NS, until_ns=NOON_NS + DAY_S * SECOND_NS)
HERE: dict[str, Any] = {"code_file": "/app/a.py", "code_line": 7, "code_function": "ask"}
KNOWN = {"tenant": "acme", "feature": "chat", "service": "web", "scope": "watchglass.litellm"}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with open_store(prepared(tmp_path_factory.mktemp("sites") / "data")) as opened:
        insert(
            opened.engine,
            "calls",
            [
                call(1, **HERE, **KNOWN, cost_usd=Decimal("0.1")),
                call(2, **HERE, **KNOWN | {"tenant": None, "service": "batch"}, cost_usd=Decimal("0.2")),
                call(3, **HERE, **KNOWN, success=False),
                call(4, **HERE, **KNOWN, counted=False, cost_usd=Decimal(9)),
                call(5, **HERE | {"code_line": 9}, **KNOWN | {"tenant": "umbrella"}, cost_usd=Decimal(5)),
                call(6, **KNOWN),
                call(DAY_S, **HERE, **KNOWN, cost_usd=Decimal(9)),
            ],
        )
        yield opened.engine


def test_sums_of_a_line(engine: Engine) -> None:
    """The dearest line first; what is not counted or outside of the time is in no sum."""
    found = StoreReader(engine).sites(WINDOW)
    assert [(each.line, each.calls, each.cost_usd) for each in found.sites] == [
        (9, 1, Decimal(5)),
        (7, 3, Decimal("0.3")),
        (None, 1, None),
    ]
    site = found.sites[1]
    assert (site.failed_calls, site.unpriced_calls, site.services) == (1, 1, ["batch", "web"])
    assert (site.without_tenant, site.without_feature, site.without_context) == (1, 0, 1)
    assert site.cost_without_context_usd == Decimal("0.2")
    assert site.last == "2026-01-01T12:00:03.000000000Z"


def test_within_the_scope(engine: Engine) -> None:
    """A tenant sees the lines of its own calls."""
    reader = StoreReader(engine, scope=Scope(frozenset({"umbrella"})))
    assert [(each.line, each.calls) for each in reader.sites(WINDOW).sites] == [(9, 1)]


def test_filters(engine: Engine) -> None:
    """A filter narrows calls; an empty one is of those where nobody said; another is refused."""
    reader = StoreReader(engine)

    def lines(**filters: tuple[str, ...]) -> list[tuple[int | None, int]]:
        question = SitesQuestion(since_ns=WINDOW.since_ns, until_ns=WINDOW.until_ns, filters=filters)
        return [(each.line, each.calls) for each in reader.sites(question).sites]

    assert lines(service=("batch",)) == lines(tenant=("",)) == [(7, 1)]
    assert lines(service=("batch",), tenant=("acme",)) == []
    with pytest.raises(QueryError, match="colour"):
        lines(colour=("red",))


def test_the_question_as_parameters() -> None:
    """What is written is read back; what means nothing is refused."""
    question = SitesQuestion(since_ns=1, until_ns=5, filters={"service": ("a", "b")})
    assert sites_question(sites_items(question), 9) == question
    assert sites_question([], 40 * DAY_S * SECOND_NS).since_ns == 10 * DAY_S * SECOND_NS
    for items in ([("by", "x")], [("since", "1h"), ("until", "2h")]):
        with pytest.raises(QueryError):
            sites_question(items, NOON_NS)
