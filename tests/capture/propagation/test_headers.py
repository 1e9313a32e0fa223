"""What leaves in headers, and what is believed of those that come in, with OpenTelemetry's own clients."""

from __future__ import annotations

import json
from collections.abc import Generator
from typing import Any

import httpx
import openai
import pytest
import requests
from opentelemetry import baggage as otel_baggage
from opentelemetry import context as otel
from opentelemetry import propagate, trace
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.instrumentation.requests import RequestsInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

from tests.capture.propagation.services import http_service
from watchglass.capture import propagation
from watchglass.capture.context import EMPTY, context, current
from watchglass.capture.propagation.headers import Guarded, extract, inject

Headers = dict[str, str]

COMPLETION = {
    "id": "c",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "yes"}}],
}


class Heard:
    """An ASGI application that keeps the headers of each request, and redirects `/to?<url>`."""

    def __init__(self) -> None:
        self.headers: list[Headers] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.headers.append({name.decode(): value.decode() for name, value in scope["headers"]})
        redirected = scope["path"] == "/to"
        answer = [(b"content-type", b"application/json"), (b"location", scope["query_string"])]
        start = {"type": "http.response.start", "status": 307 if redirected else 200, "headers": answer}
        await send(start)
        await send({"type": "http.response.body", "body": json.dumps(COMPLETION).encode()})


@pytest.fixture(scope="module")
def heard_at() -> Generator[tuple[Heard, str]]:
    heard = Heard()
    with http_service(heard) as url:
        yield heard, url.replace("127.0.0.1", "localhost")


@pytest.fixture
def heard(heard_at: tuple[Heard, str]) -> Heard:
    heard_at[0].headers.clear()
    return heard_at[0]


@pytest.fixture
def url(heard_at: tuple[Heard, str]) -> str:
    return heard_at[1]


@pytest.fixture(autouse=True)
def installed() -> Generator[None]:
    propagation.install()
    yield
    propagation.uninstall()


PROVIDER = TracerProvider()


def instrumented(provider: TracerProvider = PROVIDER) -> httpx.Client:
    client = httpx.Client(follow_redirects=True, timeout=60)
    HTTPXClientInstrumentor.instrument_client(client, tracer_provider=provider)
    return client


@pytest.fixture
def requests_instrumented() -> Generator[None]:
    RequestsInstrumentor().instrument(tracer_provider=PROVIDER)
    yield
    RequestsInstrumentor().uninstrument()


def leaks(headers: list[Headers]) -> list[str]:
    """Headers that show anything of the tenant."""
    return [f"{k}: {v}" for sent in headers for k, v in sent.items() if "acme" in v or "watchglass" in k + v]


def test_a_model_provider_is_not_told_the_tenant(heard: Heard, url: str) -> None:
    """By default a request to which OpenTelemetry's instrumentation adds headers has the trace and nothing of
    ours, also where the tenant came in as somebody's baggage."""
    model = openai.OpenAI(base_url=url, api_key="k", http_client=instrumented())
    incoming = {"baggage": "watchglass.tenant=acme,theirs=1"}
    with context(tenant="acme", user="ann@acme.example"), extract(incoming, trusted=True):
        model.chat.completions.create(model="m", messages=[{"role": "user", "content": "?"}])
    token = otel.attach(W3CBaggagePropagator().extract(incoming))  # as where the propagator is not ours
    model.chat.completions.create(model="m", messages=[{"role": "user", "content": "?"}])
    otel.detach(token)
    assert "traceparent" in heard.headers[0]
    assert [sent["baggage"] for sent in heard.headers] == ["theirs=1", "theirs=1"]
    assert leaks(heard.headers) == []


def test_nor_is_it_by_requests(heard: Heard, url: str, requests_instrumented: None) -> None:
    """The same holds for requests."""
    with context(tenant="acme"):
        requests.post(url, timeout=60)
    assert "traceparent" in heard.headers[0]
    assert leaks(heard.headers) == []


def test_allowed_hosts_are_told(heard: Heard, url: str, requests_instrumented: None) -> None:
    """A host that is named is told the tenant by httpx and requests, beside the application's baggage."""
    propagation.install(destinations=["localhost"], secret="0123456789abcdef")
    with context(tenant="acme inc", user="ann"):
        token = otel.attach(otel_baggage.set_baggage("theirs", "1"))
        instrumented().get(url)
        requests.get(url, timeout=60)
        otel.detach(token)
    for sent in heard.headers:
        assert sent["baggage"] == "theirs=1,watchglass.tenant=acme%20inc,watchglass.user=ann"
        assert sent["watchglass-secret"] == "0123456789abcdef"
        assert "traceparent" in sent


def test_another_port_or_host_is_not(heard: Heard, url: str) -> None:
    """The rule looks at where the request really goes."""
    propagation.install(destinations=["localhost:1", "other"])
    with context(tenant="acme"):
        instrumented().get(url)
    assert leaks(heard.headers) == []


def test_a_redirect_to_another_host_is_not_told(heard: Heard, url: str) -> None:
    """httpx sends the headers of the first request on to where it is redirected; ours are taken out."""
    propagation.install(destinations=["localhost"])
    with context(tenant="acme"):
        instrumented().get(
            url + "to?" + url.replace("localhost", "127.0.0.1"), headers={"baggage": "theirs=1"}
        )
    told, redirected = heard.headers
    assert told["baggage"] == "theirs=1,watchglass.tenant=acme"
    assert redirected["baggage"] == "theirs=1"
    assert leaks([redirected]) == []


def test_where_nobody_says_where_to_nothing_is_told(heard: Heard, url: str) -> None:
    """A span that is not recorded does not say where a request goes, so nobody is told."""
    propagation.install(destinations=["localhost"])
    with context(tenant="acme"):
        instrumented(TracerProvider(sampler=ALWAYS_OFF)).get(url)
        sent: Headers = {}
        propagate.inject(sent)
    assert leaks([*heard.headers, sent]) == []


def test_a_span_of_the_application_is_no_destination() -> None:
    """Only a client span says where a request goes, not one within which it happens to be sent."""
    propagation.install(destinations=["localhost"])
    sent: Headers = {}
    tracer = PROVIDER.get_tracer("application")
    with (
        context(tenant="acme"),
        tracer.start_as_current_span("x", attributes={"server.address": "localhost"}),
    ):
        propagate.inject(sent)
    assert set(sent) == {"traceparent"}


def test_inject_for_a_host_follows_the_rule() -> None:
    """`inject(headers, to=…)` tells allowed hosts all and others the trace; without `to` it tells all."""
    propagation.install(destinations=["billing.internal"])
    with context(tenant="acme"), PROVIDER.get_tracer("application").start_as_current_span("x"):
        assert set(inject({}, to="https://billing.internal/x")) == {"traceparent", "baggage"}
        assert set(inject({}, to="https://api.openai.com/v1")) == {"traceparent"}
        assert inject({"a": "b", "baggage": "c=d"})["baggage"] == "c=d,watchglass.tenant=acme"


def test_the_shared_secret_goes_to_allowed_hosts_only() -> None:
    """A message in a queue has the tenant and not the secret; an allowed host has both, another neither."""
    propagation.install(destinations=["billing.internal"], secret="0123456789abcdef")
    with context(tenant="acme"):
        assert set(inject({})) == {"baggage"}
        assert inject({}, to="https://billing.internal/x") == {
            "baggage": "watchglass.tenant=acme",
            "watchglass-secret": "0123456789abcdef",
        }
        assert inject({}, to="https://api.openai.com/v1") == {}


def test_a_carrier_that_cannot_be_written_costs_nothing_but_the_headers() -> None:
    """Headers that refuse to be set raise nothing into the application."""

    class Sealed(dict[str, str]):
        def __setitem__(self, key: str, value: str) -> None:
            raise TypeError("sealed")

    with context(tenant="acme"):
        assert inject(Sealed()) == {}


def test_what_comes_in_is_trusted_only_if_one_says_so() -> None:
    """`extract` takes the trace of anybody, the tenant only with `trusted=True`, and undoes both."""
    with (
        context(tenant="acme", user="ann"),
        PROVIDER.get_tracer("application").start_as_current_span("x") as span,
    ):
        sent = inject({})
    for trusted, fields in ((False, {}), (True, {"tenant": "acme", "user": "ann"})):
        with extract(sent, trusted=trusted) as received:
            assert received.fields == current().fields == fields
            seen = trace.get_current_span().get_span_context()
            assert (seen.trace_id, seen.is_remote) == (span.get_span_context().trace_id, True)
            assert "watchglass.tenant" not in otel_baggage.get_all()
        assert current() is EMPTY
        assert not trace.get_current_span().get_span_context().is_valid


def test_baggage_that_instrumentations_take_in_is_not_ours() -> None:
    """What OpenTelemetry's server instrumentations read of anybody's headers has the trace, the application's
    baggage, and no tenant."""
    taken = propagate.extract({"baggage": "watchglass.tenant=acme,theirs=1"})
    assert otel_baggage.get_all(taken) == {"theirs": "1"}


def test_what_is_set_here_holds() -> None:
    """A caller's baggage adds to what this service has set, and is ignored if it means another tenant."""
    with context(tenant="a", feature="ours"):
        with extract({"Baggage": "watchglass.tenant=a,watchglass.feature=x,watchglass.user=u"}, trusted=True):
            assert current().fields == {"tenant": "a", "feature": "ours", "user": "u"}
        with extract({"baggage": "watchglass.tenant=b,watchglass.user=u"}, trusted=True):
            assert current().fields == {"tenant": "a", "feature": "ours"}


@pytest.mark.parametrize(
    "headers", [{}, {"traceparent": "x", "baggage": "\x00,=;"}, {"baggage": None}, {1: 2}]
)
def test_broken_headers_change_nothing(headers: dict[Any, Any]) -> None:
    """Headers that mean nothing leave the context as it is."""
    with context(tenant="a"), extract(headers, trusted=True):
        assert current().fields == {"tenant": "a"}


def test_a_propagator_of_the_applications_is_kept() -> None:
    """What the application propagates goes on as it was; installing again does not wrap twice, and it can be
    undone."""
    guarded = propagate.get_global_textmap()
    propagation.install()
    assert propagate.get_global_textmap() is guarded
    assert isinstance(guarded, Guarded)
    propagation.uninstall()
    assert propagate.get_global_textmap() is guarded.inner
