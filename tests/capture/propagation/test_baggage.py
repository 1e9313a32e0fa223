"""Our entries in the header `baggage`."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.baggage import get_all
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.context import Context as OtelContext

from watchglass.capture.context import ATTRIBUTES
from watchglass.capture.propagation import baggage

texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Zl", "Zp")), min_size=1, max_size=80)
contexts = st.dictionaries(st.sampled_from([*ATTRIBUTES]), texts)


@given(fields=contexts)
def test_what_is_written_is_read(fields: dict[str, str]) -> None:
    """Whatever is in a name, the receiver reads what the sender meant."""
    assert baggage.read([baggage.written(fields)]) == fields


@given(fields=contexts)
def test_opentelemetry_reads_it_too(fields: dict[str, str]) -> None:
    """OpenTelemetry's own propagator reads the same names and values (which it strips of spaces)."""
    read = get_all(W3CBaggagePropagator().extract({"baggage": baggage.written(fields)}, OtelContext()))
    assert read == {baggage.KEYS[field]: text.strip() for field, text in fields.items()}


def test_other_entries_stay() -> None:
    """The application's own entries are kept as they are; of ours only those of the context remain."""
    header = "theirs=a%20b;ttl=1, watchglass.tenant=old ,watchglass%2Euser=old,x=y"
    assert baggage.written({"tenant": "new"}, header) == "theirs=a%20b;ttl=1,x=y,watchglass.tenant=new"
    assert baggage.without_ours(header) == "theirs=a%20b;ttl=1,x=y"


@pytest.mark.parametrize(
    ("headers", "fields"),
    [
        (["watchglass.tenant=a;secret, watchglass.user = b "], {"tenant": "a", "user": "b"}),
        (["watchglass.tenant=a", "watchglass.user=b"], {"tenant": "a", "user": "b"}),
        (["watchglass.tenant=a,watchglass.tenant=a"], {"tenant": "a"}),
        (["watchglass.tenant=a,watchglass.tenant=b,watchglass.user=c"], {"user": "c"}),
        (["watchglass.tenant=a%0Ab,watchglass.user=c"], {"user": "c"}),
        (["watchglass.tenant=,,=,watchglass.other=1,x"], {}),
        (["watchglass.tenant=" + "a" * 1025], {}),
        (["watchglass.tenant=a," + "x" * 8192], {}),
        (["watchglass.tenant=a+b"], {"tenant": "a+b"}),
        (["watchglass.tenant=%ff"], {"tenant": "\ufffd"}),
    ],
)
def test_only_what_can_be_meant_is_read(headers: list[str], fields: dict[str, str]) -> None:
    """What is contradictory, broken, too long or has control characters in it is left out, field by field."""
    assert baggage.read(headers) == fields


def test_the_header_has_a_bound() -> None:
    """What does not fit into the bytes that every receiver takes is left out; the tenant goes first."""
    fields = {"tenant": "t", **dict.fromkeys(("session", "user", "flow", "phase"), "ü" * 600)}
    written = baggage.written(fields)
    assert len(written) <= baggage.MAX_HEADER
    assert baggage.read([written])["tenant"] == "t"
    assert 1 < len(baggage.read([written])) < len(fields)
