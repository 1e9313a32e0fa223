"""The reading seam: what a reader can ask, and the answers straight from a store.

The command line asks through this whether the store is in this process or behind a server, and the
server answers with it, so every surface gives the same answers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from typing import Protocol, TypeVar

from watchglass.queries.adhoc import ask
from watchglass.queries.answers import Answer
from watchglass.queries.call import CallDetail, call
from watchglass.queries.catalogue import DATABASE, Catalogue, read_catalogue
from watchglass.queries.functions import Functions, read_functions
from watchglass.queries.lists.question import ListQuestion, Page
from watchglass.queries.lists.subjects import page
from watchglass.queries.scope import EVERYTHING, Scope, row_filters
from watchglass.queries.sites import RecordedSites, SitesQuestion, sites
from watchglass.queries.trace import Trace, trace
from watchglass.queries.usage import UsageQuestion, UsageReport, usage
from watchglass.store import Engine, Limits
from watchglass.store.rollup_engine import undisturbed

T = TypeVar("T")

_SCOPES = 1000
"""Scopes whose filters are remembered; a tenant's are a few kilobytes."""


class Reader(Protocol):
    """Someone who may ask.

    MUST give answers of rows that are acknowledged, each once; MUST NOT show a row outside its
    scope; MUST raise `QueryLimit` rather than shorten an answer; MUST be safe to call from several
    threads; blocks until the answer is there.
    """

    def usage(self, question: UsageQuestion) -> UsageReport:
        """What was spent."""
        ...

    def trace(self, trace_id: str) -> Trace:
        """One trace as a tree. Raises `NotFound`."""
        ...

    def call(self, call_id: str) -> CallDetail:
        """One call with its messages. Raises `NotFound`."""
        ...

    def page(self, question: ListQuestion, now_ns: int) -> Page:
        """A page of calls, tasks, traces, flows or sessions; the newest are looked for before `now_ns`."""
        ...

    def sites(self, question: SitesQuestion) -> RecordedSites:
        """Which lines of code made calls, and what flowed through each."""
        ...

    def query(self, sql: str) -> Answer:
        """A question in SQL over the documented tables. Raises `QueryRefused` outside the fence."""
        ...


class StoreReader:
    """Answers from an engine in this process, for one scope, or for whoever is asking at the moment."""

    def __init__(
        self,
        engine: Engine,
        *,
        scope: Scope | Callable[[], Scope] = EVERYTHING,
        limits: Limits | None = None,
    ) -> None:
        """`scope` may be a function: then each question is asked within what it says just then."""
        self._engine = engine
        self._scope = scope
        self._given = limits or Limits()
        self._limits_of: dict[Scope, Limits] = {}

    def usage(self, question: UsageQuestion) -> UsageReport:
        """See `Reader.usage`."""
        return usage(self._engine, question, limits=self._limits)

    def trace(self, trace_id: str) -> Trace:
        """See `Reader.trace`."""
        return trace(self._engine, trace_id, limits=self._limits)

    def call(self, call_id: str) -> CallDetail:
        """See `Reader.call`."""
        return call(self._engine, call_id, limits=self._limits)

    def page(self, question: ListQuestion, now_ns: int) -> Page:
        """See `Reader.page`."""
        return page(self._engine, question, now_ns, limits=self._limits)

    def sites(self, question: SitesQuestion) -> RecordedSites:
        """See `Reader.sites`."""
        return sites(self._engine, question, limits=self._limits)

    def query(self, sql: str) -> Answer:
        """See `Reader.query`."""
        return undisturbed(
            self._engine,
            lambda _: ask(
                self._engine, sql, catalogue=self._catalogue, functions=self._functions, limits=self._limits
            ),
        )

    def answer(self, question: Callable[[Engine, Limits], T]) -> T:
        """The answer to a question of the house's own: what a page of the app asks, in as many statements as
        it takes. Each statement MUST be given these limits, for the scope of whoever asks is in them."""
        return question(self._engine, self._limits)

    @cached_property
    def _catalogue(self) -> Catalogue:
        return read_catalogue(self._engine)

    @cached_property
    def _functions(self) -> Functions:
        return read_functions(self._engine)

    @property
    def _limits(self) -> Limits:
        """The limits of every question asked here; the scope is in them, for all questions alike."""
        scope = self._scope() if callable(self._scope) else self._scope
        found = self._limits_of.get(scope)
        if found is None:
            filters = row_filters(scope, self._catalogue.everything)
            found = replace(self._given, read_only=True, database=DATABASE, row_filters=filters)
            if len(self._limits_of) < _SCOPES:
                self._limits_of[scope] = found
        return found
