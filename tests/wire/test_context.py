"""For whom and what for, out of attributes and resources."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire.dialects.made import span
from watchglass.model import Context, Resource
from watchglass.wire.context import (
    code_location,
    own_context,
    own_context_of,
    process_identity,
    resource_context,
    service,
)


def test_plain_names() -> None:
    """Each field by a plain name."""
    assert own_context_of(
        {
            "client_account_id": "t",
            "engagement_id": "e",
            "feature_context": "f",
            "flow_id": "fl",
            "gen_ai.agent.name": "a",
            "gen_ai.conversation.id": "s",
            "enduser.id": "u",
            "deployment.environment.name": "prod",
        }
    ) == Context(
        tenant="t",
        engagement="e",
        feature="f",
        flow="fl",
        agent="a",
        session="s",
        user="u",
        environment="prod",
    )


def test_order_of_trust() -> None:
    """The most telling name wins, wherever it stands; a bag comes after every name of the span's own."""
    attributes: dict[str, Any] = {
        "tenant": "last",
        "metadata": '{"watchglass.tenant": "bag"}',
        "client_account_id": "second",
        "watchglass.tenant": "first",
    }
    for expected in ("first", "second", "last", "bag"):
        assert own_context_of(attributes).tenant == expected
        key = {"first": "watchglass.tenant", "second": "client_account_id", "last": "tenant"}.get(expected)
        attributes.pop(key or "metadata")
    assert own_context_of(attributes).tenant is None


@pytest.mark.parametrize(
    "attributes",
    [
        {"metadata": '{"client_account_id": "t", "user_id": "u"}'},
        {"metadata": "{'client_account_id': 't', 'user_id': 'u', 'x': None}"},
        {"metadata": {"client_account_id": "t", "user_id": "u"}},
        {"metadata.client_account_id": "t", "metadata.user_id": "u"},
        {"metadata.requester_metadata": "{'client_account_id': 't', 'user_id': 'u'}"},
        {"metadata": '{"requester_metadata": {"client_account_id": "t", "user_id": "u"}}'},
        {"langfuse.trace.metadata.client_account_id": '"t"', "langfuse.trace.metadata.user_id": "u"},
        {
            "traceloop.association.properties.client_account_id": "t",
            "traceloop.association.properties.user_id": "u",
        },
        {"ai.telemetry.metadata.clientAccountId": "t", "ai.telemetry.metadata.userId": "u"},
        {"langsmith.metadata.client_account_id": "t", "langsmith.metadata.user_id": "u"},
    ],
)
def test_bags(attributes: dict[str, Any]) -> None:
    """The same names inside every bag, flat, as JSON, as a Python literal or in camel case."""
    assert own_context_of(attributes) == Context(tenant="t", user="u")


def test_nothing_said() -> None:
    """Words for nothing are nothing, and a name that is too common outside a bag says nothing there."""
    assert own_context_of({"tenant": "", "user.id": "None", "session.id": "null", "user": "x"}) == Context()


def test_dialect_speaks_last() -> None:
    """What a span says by a common name holds against the name that its dialect alone uses."""
    about = {"traceloop.span.kind": "agent", "traceloop.entity.name": "entity"}
    assert own_context(span(about)).agent == "entity"
    assert own_context(span({**about, "gen_ai.agent.name": "named"})).agent == "named"


def test_resource() -> None:
    """A resource names tenant, environment and service; the SDKs' placeholder names no service."""
    resource = Resource({"tenant.id": "t", "deployment.environment": "dev", "service.name": "shop"})
    assert resource_context(resource) == Context(tenant="t", environment="dev")
    assert service(resource) == "shop"
    assert service(Resource({"service.name": "unknown_service:python"})) is None


def test_process_identity() -> None:
    """The instance id, else host and process, else whatever the resource holds; equal for equal resources."""
    assert process_identity(Resource({"service.instance.id": "i", "process.pid": 7})) == "i"
    first = process_identity(Resource({"host.name": "h", "process.pid": 7, "service.name": "s"}))
    second = process_identity(Resource({"host.name": "h", "process.pid": 8, "service.name": "s"}))
    assert first == "h:7:s" != second
    bare = Resource({"service.name": "s", "x": b"\xff"})
    assert process_identity(bare) == process_identity(Resource({"x": b"\xff", "service.name": "s"}))


def test_code_location() -> None:
    """Both generations of the `code.*` names; nothing where nobody says."""
    new = span({"code.file.path": "/app/a.py", "code.line.number": 12, "code.function.name": "m.f"})
    old = span({"code.filepath": "/app/a.py", "code.lineno": "12", "code.function": "m.f"})
    assert code_location(new) == code_location(old) == ("/app/a.py", 12, "m.f")
    assert code_location(span({"gen_ai.system": "x"})) == (None, None, None)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.binary(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
KEYS = st.sampled_from(
    [
        "metadata",
        "tenant",
        "metadata.requester_metadata",
        "metadata.tenant",
        "langfuse.trace.metadata",
        "user.id",
    ]
) | st.text(max_size=12)


@given(st.dictionaries(KEYS, VALUES, max_size=6))
def test_never_raises(attributes: dict[str, Any]) -> None:
    """Whatever the attributes hold, the context is text or nothing."""
    found = own_context(span(attributes))
    assert all(value is None or isinstance(value, str) for value in (found.tenant, found.user, found.session))
