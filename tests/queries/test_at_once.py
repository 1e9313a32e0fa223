"""Statements that are asked side by side."""

from __future__ import annotations

import threading
from contextvars import ContextVar

import pytest

from watchglass.errors import QueryError
from watchglass.queries.at_once import HELPERS, begin

WHO = ContextVar("WHO", default="nobody")


def test_each_is_asked_once_as_who_asked() -> None:
    """Each answer is that of its own question, asked in the context of whoever began it."""
    WHO.set("acme")
    begun = [begin(lambda number=number: (number, WHO.get())) for number in range(20)]
    assert [each.answer() for each in begun] == [(number, "acme") for number in range(20)]


def test_nobody_waits_for_a_helper() -> None:
    """While all helpers are held up, whoever asks takes over what they have not begun."""
    go = threading.Event()
    held = [begin(lambda: go.wait(60)) for _ in range(HELPERS)]
    try:
        assert begin(threading.get_ident).answer() == threading.get_ident()
    finally:
        go.set()
    assert [each.answer() for each in held] == [True] * HELPERS


def test_what_is_raised_reaches_the_asker() -> None:
    """A question that cannot be answered raises where its answer is wanted."""

    def refuse() -> None:
        raise QueryError("no")

    with pytest.raises(QueryError, match="no"):
        begin(refuse).answer()
