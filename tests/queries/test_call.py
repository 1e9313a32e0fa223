"""One call: every column, its messages in order, and nobody else's."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from tests.new_store import prepared
from tests.stored_rows import NOON_NS, call, insert
from watchglass.errors import NotFound, QueryError
from watchglass.queries.call import CallMessage
from watchglass.queries.reader import StoreReader
from watchglass.queries.scope import Scope
from watchglass.store import Engine, open_store

ID = f"{1:032x}:{1:016x}"


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with open_store(prepared(tmp_path_factory.mktemp("call") / "data")) as store:
        said = {"tenant": "acme", "input_messages": ["b", "a", "b"], "output_messages": ["gone"]}
        insert(store.engine, "calls", [call(1, **said, cost_usd=Decimal("0.50"), metadata={"k": "v"})])
        insert(store.engine, "calls", [call(2, call_id="my/own id", trace_id="", span_id="")])
        insert(
            store.engine,
            "calls",
            [call(3, call_id="both", tenant=each, owner=each) for each in ("acme", "umbrella")],
        )
        message = {"first_time": NOON_NS, "role": "user", "version": 1}
        insert(
            store.engine,
            "messages",
            [
                {**message, "tenant": "acme", "hash": "a", "content": "one"},
                {**message, "tenant": "acme", "hash": "b", "content": "two"},
                {**message, "tenant": "umbrella", "hash": "gone", "content": "theirs"},
            ],
        )
        yield store.engine


def test_a_call_with_its_messages(engine: Engine) -> None:
    """Messages come in their order, repeated ones too; what is no longer kept has its hash."""
    found = StoreReader(engine).call(ID)
    assert [(each.hash, each.content) for each in found.input] == [("b", "two"), ("a", "one"), ("b", "two")]
    assert found.output == [CallMessage(hash="gone", role=None, content=None)]
    assert found.call["cost_usd"] == Decimal("0.5")
    assert found.call["metadata"] == {"k": "v"}
    assert found.call["time"] == "2026-01-01T12:00:01.000000000Z"


def test_an_imported_call(engine: Engine) -> None:
    """An id may be anything."""
    assert StoreReader(engine).call("my/own id").input == []


def test_of_another_tenant(engine: Engine) -> None:
    """For who may not see it, it is not there."""
    with pytest.raises(NotFound):
        StoreReader(engine, scope=Scope(frozenset({"umbrella"}))).call(ID)
    with pytest.raises(NotFound):
        StoreReader(engine).call("nothing")


def test_of_two_tenants(engine: Engine) -> None:
    """One of several is not taken at random; a tenant's own is found."""
    with pytest.raises(QueryError, match="several tenants"):
        StoreReader(engine).call("both")
    own = StoreReader(engine, scope=Scope(frozenset({"umbrella"}))).call("both")
    assert own.call["tenant"] == "umbrella"
