"""A tenant that is removed is gone from every table, in every version, and nobody else has lost a row."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.new_store import prepared
from tests.stored_rows import call, insert, span
from watchglass.store import Store, open_store, remove_tenants


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(prepared(tmp_path / "data")) as opened:
        yield opened


def add_text(store: Store, tenant: str, text: str) -> None:
    """A text of a tenant; '' is nobody in particular."""
    store.engine.execute(
        "INSERT INTO store.messages (tenant, hash, role, content, last_time, version)"
        " SELECT {tenant:String}, {text:String}, 'user', {text:String}, now64(9), 1",
        {"tenant": tenant, "text": text},
    )


def tenants(store: Store, table: str) -> list[str | None]:
    """Of each row that is left."""
    found = store.engine.execute(f"SELECT tenant FROM store.{table} FINAL ORDER BY tenant")
    return found["tenant"].to_pylist()


def test_calls_and_spans_of_the_tenant_go_and_others_stay(store: Store) -> None:
    """Only rows of the named tenant are deleted, and they are counted."""
    insert(store.engine, "calls", [call(1, tenant="demo-acme"), call(2, tenant="acme"), call(3, tenant=None)])
    insert(store.engine, "spans", [span(1, tenant="demo-acme"), span(2, tenant="acme")])
    removed = remove_tenants(store.engine, ["demo-acme"])
    assert (removed["calls"], removed["spans"]) == (1, 1)
    assert tenants(store, "calls") == ["acme", None]
    assert tenants(store, "spans") == ["acme"]


def test_what_names_no_tenant_goes_with_its_trace(store: Store) -> None:
    """The root above a span that names the tenant is the tenant's, too; another trace's root stays."""
    spans = [
        span(1, trace_id="aa", span_id="1", tenant=None),
        span(2, trace_id="aa", span_id="2", tenant="demo-acme"),
        span(3, trace_id="bb", span_id="3", tenant=None),
    ]
    insert(store.engine, "spans", spans)
    remove_tenants(store.engine, ["demo-acme"])
    left = store.engine.execute("SELECT trace_id FROM store.spans FINAL")
    assert left["trace_id"].to_pylist() == ["bb"]


def test_an_older_version_does_not_come_to_light(store: Store) -> None:
    """A row that had no tenant before it was settled is gone in both versions."""
    insert(store.engine, "calls", [call(1, trace_id="aa", tenant=None, version=1)])
    insert(store.engine, "calls", [call(1, trace_id="aa", tenant="demo-acme", version=2)])
    assert remove_tenants(store.engine, ["demo-acme"])["calls"] == 1
    assert tenants(store, "calls") == []


def test_a_text_that_others_have_stays(store: Store) -> None:
    """A text kept for nobody goes with the tenant's own, unless a call that stays without a tenant has it."""
    for tenant, text in (("demo-acme", "a"), ("", "a"), ("demo-acme", "b"), ("", "b"), ("acme", "a")):
        add_text(store, tenant, text)
    insert(
        store.engine,
        "calls",
        [call(1, tenant="demo-acme", input_messages=["a", "b"]), call(2, tenant=None, input_messages=["b"])],
    )
    assert remove_tenants(store.engine, ["demo-acme"])["messages"] == 3
    left = store.engine.execute("SELECT tenant, hash FROM store.messages FINAL ORDER BY tenant")
    assert left.to_pylist() == [{"tenant": "", "hash": "b"}, {"tenant": "acme", "hash": "a"}]


def test_removing_again_finds_nothing(store: Store) -> None:
    """It can be repeated, and leaves no table of its own behind."""
    insert(store.engine, "calls", [call(1, tenant="demo-acme")])
    remove_tenants(store.engine, ["demo-acme"])
    assert not any(remove_tenants(store.engine, ["demo-acme"]).values())
    left = store.engine.execute("SELECT name FROM system.tables WHERE database = 'store'")
    assert not [name for name in left["name"].to_pylist() if name.startswith("removing")]
