"""The context in headers: W3C `traceparent` for everybody, our baggage for whom the rule allows.

OpenTelemetry's instrumentations of HTTP and gRPC clients ask the global propagator for headers, for a model
provider as for one's own service. So ours stands around it (`Guarded`): what it adds goes only where the
current client span says that the request goes to an allowed destination, and what came in from outside with
our keys goes nowhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any

from opentelemetry import baggage as otel_baggage
from opentelemetry import context as otel
from opentelemetry import propagate, trace
from opentelemetry.propagators.textmap import (
    CarrierT,
    Getter,
    Setter,
    TextMapPropagator,
    default_getter,
    default_setter,
)

from watchglass.capture import boundary
from watchglass.capture import context as contexts
from watchglass.capture.propagation import baggage, carrying, destinations, trust

_into_dict: Setter[dict[str, str]] = default_setter  # pyright: ignore[reportAssignmentType]  # any mapping
_HOSTS = ("server.address", "net.peer.name")
_URLS = ("url.full", "http.url")


class Rules:
    """What is sent to whom; set by `propagation.install`."""

    allowed: destinations.Rule = staticmethod(destinations.rule(()))
    trusted: trust.Judge = staticmethod(trust.judge(()))
    secret: str | None = None


rules = Rules()


def allows(target: str) -> bool:
    """Whether a URL or `host:port` may be sent our baggage."""
    return _allows(target) is True


@boundary.guarded("propagation.destination")
def _allows(target: str) -> bool:
    place = destinations.parsed(target)
    return place is not None and rules.allowed(*place)


def inject(headers: MutableMapping[str, str], to: str | None = None) -> MutableMapping[str, str]:
    """Add `traceparent` and the context in force to `headers`, and return them.

    With `to`, a URL or `host:port`, the tenant and so on only go along if that is an allowed destination.
    Without it they do: for a message in a queue of one's own, which has no host to ask about. The shared
    secret (`init(baggage_secret=…)`) goes to allowed destinations only: a queue keeps what it is given.
    """
    _inject(headers, to)
    return headers


@boundary.guarded("propagation.inject")
def _inject(headers: MutableMapping[str, str], to: str | None) -> None:
    allowed = to is not None and allows(to)
    sent = _headers(None, allowed or to is None, shown(headers), proven=allowed)
    for name, value in sent.items():
        headers[name] = value


def outgoing(there: str = "") -> dict[str, str]:
    """All headers for a destination that may be told; `there` is the `baggage` that they had already."""
    return _headers(None, True, there, proven=True)


def _headers(context: otel.Context | None, allowed: bool, there: str, *, proven: bool) -> dict[str, str]:
    """What the application's own propagator says, with our baggage or without any of it.

    `proven` adds the secret by which a service believes it.
    """
    inner = propagate.get_global_textmap()
    if isinstance(inner, Guarded):
        inner = inner.inner
    sent: dict[str, str] = {}
    inner.inject(sent, _without_ours(context), _into_dict)
    if allowed:
        ours = baggage.written(contexts.current().fields, sent.get(baggage.HEADER) or there)
        if ours:
            sent[baggage.HEADER] = ours
    if proven and rules.secret is not None:
        sent[trust.SECRET_HEADER] = rules.secret
    return sent


def _without_ours(context: otel.Context | None) -> otel.Context:
    """OpenTelemetry's context less what of ours came in with somebody's baggage and would go out with it."""
    context = otel.get_current() if context is None else context
    for key in otel_baggage.get_all(context):
        if key.startswith(baggage.PREFIX):
            context = otel_baggage.remove_baggage(key, context)
    return context


def shown(carrier: Any) -> str:
    """The `baggage` that a carrier has already, where it can be asked."""
    if not isinstance(carrier, Mapping):
        return ""
    for name, value in carrier.items():
        if isinstance(name, str) and name.lower() == baggage.HEADER and isinstance(value, str):
            return value
    return ""


class Guarded(TextMapPropagator):
    """The application's propagator, with our baggage added where it may go and taken out everywhere else."""

    def __init__(self, inner: TextMapPropagator) -> None:
        self.inner = inner

    def extract(
        self,
        carrier: CarrierT,
        context: otel.Context | None = None,
        getter: Getter[CarrierT] = default_getter,
    ) -> otel.Context:
        """What the inner propagator reads, less our keys: those are for `ContextMiddleware`, which asks who
        sends them."""
        return _without_ours(self.inner.extract(carrier, context, getter))

    def inject(
        self,
        carrier: CarrierT,
        context: otel.Context | None = None,
        setter: Setter[CarrierT] = default_setter,
    ) -> None:
        """What the inner propagator writes; with our baggage if the client span in force says where to."""
        sent = _guarded(carrier, context)
        if sent is None:
            self.inner.inject(carrier, otel_baggage.clear(context), setter)
            return
        for name, value in sent.items():
            setter.set(carrier, name, value)

    @property
    def fields(self) -> set[str]:
        """The headers that `inject` may write."""
        return {*self.inner.fields, baggage.HEADER, trust.SECRET_HEADER}


@boundary.guarded("propagation.inject")
def _guarded(carrier: Any, context: otel.Context | None) -> dict[str, str]:
    places = _destinations(context)
    allowed = bool(places) and all(map(allows, places))
    there = shown(carrier)
    sent = _headers(context, allowed, there, proven=allowed)
    if places and not allowed and baggage.HEADER not in sent and baggage.PREFIX in there:
        # A redirect to another host takes the headers of the first request along.
        sent[baggage.HEADER] = baggage.without_ours(there)
    return sent


def _destinations(context: otel.Context | None) -> list[str]:
    """Every host that the client span in force says a request goes to; none where it does not say."""
    span = trace.get_current_span(context)
    attributes: Mapping[str, Any] = getattr(span, "attributes", None) or {}
    if getattr(span, "kind", None) is not trace.SpanKind.CLIENT:
        return []
    return [str(attributes[name]) for name in (*_HOSTS, *_URLS) if name in attributes]


class extract:
    """`with watchglass.extract(headers, trusted=True):` puts what `headers` say in force.

    The trace always; tenant, engagement and so on only if `trusted`, which is for a queue that only one's own
    services write to. For requests use `ContextMiddleware` or the gRPC interceptors: they ask who calls.
    """

    def __init__(self, headers: Mapping[str, Any], *, trusted: bool = False) -> None:
        self._luggage = received(headers, trusted)
        self._worn: list[tuple[object, carrying.Luggage]] = []

    def __enter__(self) -> contexts.Context:
        luggage = self._luggage or carrying.packed()
        self._worn.append(luggage.put_on())
        return luggage.ours

    def __exit__(self, *error: object) -> None:
        carrying.take_off(self._worn.pop())


@boundary.guarded("propagation.extract")
def received(headers: Mapping[str, Any], trusted: bool) -> carrying.Luggage:
    """The context of a request with these headers (names in any case), on top of the one in force here.

    A span in force is kept: an instrumentation has made it of the same headers already.
    """
    lower = {str(name).lower(): _texts(value) for name, value in headers.items()}
    context = otel.get_current()
    if not trace.get_current_span(context).get_span_context().is_valid:
        context = propagate.extract(lower, context)
    ours = contexts.current()
    if trusted:
        ours = _joined(ours, baggage.read(lower.get(baggage.HEADER, [])))
    return carrying.Luggage(ours, _without_ours(context))


def _texts(value: Any) -> list[str]:
    values: Iterable[Any] = value if isinstance(value, (list, tuple)) else [value]
    return [v.decode("latin-1") if isinstance(v, bytes) else str(v) for v in values]


def _joined(ours: contexts.Context, said: dict[str, str]) -> contexts.Context:
    """What this service has set itself holds; if the caller means another tenant, nothing of it is taken."""
    if "tenant" in ours.fields and said.get("tenant", ours.fields["tenant"]) != ours.fields["tenant"]:
        boundary.once(
            "propagation.tenant",
            "watchglass: a caller's baggage names another tenant than this service has set, and is ignored",
        )
        return ours
    return ours.with_fields(**(said | ours.fields))
