"""The SDK's life in a process: `init` puts everything in force, once; `shutdown` takes it down.

Whatever is missing (a server, a disk, a port, a library) is said once, and the application goes on.
"""

from __future__ import annotations

import atexit
import os
import pickle
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider

from watchglass.capture import boundary, ids, logs, propagation, recorder, settings, tracing, unfinished
from watchglass.capture import content as texts
from watchglass.capture.delivery import Delivery, Pace
from watchglass.capture.detail import Sampled
from watchglass.capture.instrumentations import Instrumented, chosen
from watchglass.capture.process import describe_process
from watchglass.capture.propagation import processes
from watchglass.capture.records import Attributes, about_process
from watchglass.capture.settings import CaptureSettings, Kept
from watchglass.capture.spans import AsTheApplication, RecordSpans, ToTheApplication
from watchglass.capture.spool import Spool, place
from watchglass.errors import ConfigError

if TYPE_CHECKING:
    from watchglass.capture.encoder import Request


@dataclass(slots=True)
class Runtime:
    """What is in force since `init`. Hold it for `flush`; everything else is found by itself."""

    settings: CaptureSettings
    resource: Attributes
    spool: Spool
    delivery: Delivery
    provider: TracerProvider
    instrumented: Instrumented
    undo: list[Callable[[], object]] = field(default_factory=list[Callable[[], object]])
    metrics: Any = None

    def flush(self, timeout_s: float = 5.0) -> bool:
        """Send what waits; whether the server has it all, after at most `timeout_s`."""
        return self.delivery.flush(timeout_s)

    def shutdown(self, timeout_s: float | None = None) -> bool:
        """See `shutdown`."""
        return shutdown(timeout_s)


_lock = threading.RLock()
_runtime: Runtime | None = None


def current() -> Runtime | None:
    """What is in force, if `init` was called in this process or before it was forked."""
    return _runtime


def init(
    *,
    service_name: str | None = None,
    endpoint: str | None = None,
    key: str | None = None,
    service_version: str | None = None,
    environment: str | None = None,
    content: Kept | Callable[[str, str, str | None], str | None] | None = None,
    content_features: Mapping[str, Kept] | None = None,
    redact: Mapping[str, str] | None = None,
    content_bytes: int | None = None,
    sample_rate: float | None = None,
    sample: Literal["head", "tail"] | None = None,
    slow_s: float | None = None,
    expensive_tokens: int | None = None,
    instrument: Sequence[str] | None = None,
    prometheus: bool | None = None,
    prometheus_port: int | None = None,
    prometheus_address: str | None = None,
    metrics_port: bool | None = None,
    namespace: str | None = None,
    baggage_to: Sequence[str] | None = None,
    trust: Sequence[str] | None = None,
    baggage_secret: str | None = None,
    spool_dir: str | Path | None = None,
    spool_bytes: int | None = None,
    flush_s: float | None = None,
    exit_s: float | None = None,
) -> Runtime:
    """Record this process from now on.

    Each argument is a setting. What it means, and which variable or line of `watchglass.toml` says it where
    the argument is not given, stands in the reference (settings, the SDK). `content` may be a function, too,
    see `capture.content`.

    Calling it again changes nothing and returns what is in force (with other arguments: said once). Raises
    `ConfigError` for a setting that means nothing, and nothing else.
    """
    return _init({name: value for name, value in locals().items() if value is not None})


def _init(given: dict[str, Any]) -> Runtime:
    global _runtime
    with _lock:
        if _runtime is not None:
            if not _same(_runtime.settings, given):
                boundary.once(
                    "init", "watchglass: init was called again with other settings; the first ones hold"
                )
            return _runtime
        own_rule = given.pop("content") if callable(given.get("content")) else None
        loaded = settings.load(given).settings
        rules = texts.policy(
            own_rule or loaded.content, loaded.content_features, loaded.redact, loaded.content_bytes
        )
        libraries = chosen(loaded.instrument)
        propagation.install(destinations=loaded.baggage_to, trust=loaded.trust, secret=loaded.baggage_secret)
        try:
            _runtime = runtime = _start(loaded)
        except ConfigError:
            propagation.uninstall()
            raise
        runtime.undo += [_put_back_content(texts.use(rules)), propagation.uninstall, _forget_children]
        processes.begin = partial(begin_child, _travelling(loaded, own_rule))
        runtime.instrumented.start(libraries, explicit="auto" not in loaded.instrument)
        return runtime


@boundary.guarded("child")
def begin_child(given: dict[str, object]) -> None:
    """Record in a child process that was started, not forked; a forked one has it all."""
    if _runtime is None:
        _init(given)


def _travelling(chosen_settings: CaptureSettings, own_rule: object) -> dict[str, object]:
    """The arguments by which a child's `init` puts the same in force. They are pickled with it."""
    given: dict[str, object] = msgspec.structs.asdict(chosen_settings)
    if own_rule is not None:
        try:
            pickle.dumps(own_rule)
        except (pickle.PicklingError, AttributeError, TypeError):
            own_rule = "off"  # it cannot be there, and without it nothing may be kept
        given["content"] = own_rule
    return given


def _forget_children() -> None:
    processes.begin = None


def shutdown(timeout_s: float | None = None) -> bool:
    """Stop recording; sends what waits for at most `timeout_s` (default: the setting `exit_s`).

    What the server did not take stays in the spool; the next process that starts delivers it. Returns
    whether nothing was left. Never raises; without `init` it does nothing.
    """
    global _runtime
    with _lock:
        runtime, _runtime = _runtime, None
        if runtime is None:
            return True
        atexit.unregister(shutdown)
        return bool(_stop(runtime, runtime.settings.exit_s if timeout_s is None else timeout_s))


@boundary.guarded("shutdown")
def _stop(runtime: Runtime, timeout_s: float) -> bool:
    unfinished.end_all()
    runtime.instrumented.stop()
    for each in reversed(runtime.undo):
        _undo(each)
    recorder.install(None)
    done = runtime.delivery.close(timeout_s)
    runtime.spool.close()
    return done


@boundary.guarded("shutdown.part")
def _undo(each: Callable[[], object]) -> None:
    each()


def _put_back_content(before: texts.Policy) -> Callable[[], object]:
    return lambda: texts.use(before)


def _start(chosen_settings: CaptureSettings) -> Runtime:
    resource = describe_process(chosen_settings)
    endpoint, key = chosen_settings.endpoint, chosen_settings.key
    directory = place.directory(Path(chosen_settings.spool_dir), endpoint, key)
    spool = Spool(directory, about=about_process(resource), limit_bytes=chosen_settings.spool_bytes)
    pace = Pace(interval_s=chosen_settings.flush_s)
    delivery = Delivery(spool, _encode, endpoint, key, pace=pace)
    provider, processor = _tracer_provider(resource)
    runtime = Runtime(
        chosen_settings,
        resource,
        spool,
        delivery,
        provider,
        Instrumented(lambda makes_calls: provider if makes_calls else trace.get_tracer_provider()),
    )
    sampled = Sampled(chosen_settings, processor)
    recorder.install(spool, *sampled.observers, *_metrics(runtime))
    before = tracing.use(provider)
    logs.install()
    # Logging stays as it is to the end: a format with `%(tenant)s` is an error in a line without it.
    runtime.undo += [sampled.stop, lambda: tracing.use(before)]
    delivery.start()
    atexit.register(shutdown)
    return runtime


def _encode(about: bytes, payloads: Sequence[bytes]) -> Sequence[Request]:
    # Imported on the thread that delivers: protobuf's classes take a third of what `init` may.
    from watchglass.capture.encoder import requests

    return requests(about, payloads)


def _metrics(runtime: Runtime) -> tuple[recorder.Observer, ...]:
    """Start serving metrics, if wanted; what has to see each record for them."""
    wanted = runtime.settings
    if not wanted.prometheus:
        return ()
    # Not at the top: a process that serves none need not load an HTTP server.
    from watchglass.capture.prometheus import service

    runtime.metrics = started = service.start(
        str(runtime.resource["service.name"]),
        namespace=wanted.namespace,
        port=wanted.prometheus_port if wanted.metrics_port else None,
        address=wanted.prometheus_address,
        spool=runtime.spool.stats,
        state=runtime.delivery.state,
        sent_bytes=lambda: runtime.delivery.stats.bytes_sent,
    )
    runtime.undo.append(started.stop)
    return (started.observe,)


_tracing: tuple[TracerProvider, RecordSpans] | None = None
"""Made once in a process: OpenTelemetry takes no processor away again. Without a sink they record nothing."""


def _tracer_provider(resource: Attributes) -> tuple[TracerProvider, RecordSpans]:
    """Our provider, beside the application's or, where there is none, as the global one."""
    global _tracing
    if _tracing is not None:
        return _tracing
    theirs = trace.get_tracer_provider()
    theirs = theirs if isinstance(theirs, TracerProvider) else None
    processor = RecordSpans()
    provider = TracerProvider(
        resource=theirs.resource if theirs is not None else Resource(resource),
        sampler=AsTheApplication(theirs.sampler if theirs is not None else None),
        id_generator=ids.otel_generator(),
        shutdown_on_exit=False,
    )
    provider.add_span_processor(processor)
    if theirs is None:
        trace.set_tracer_provider(provider)
    else:
        theirs.add_span_processor(processor)
        provider.add_span_processor(ToTheApplication(theirs))
    _tracing = provider, processor
    return _tracing


def _after_fork() -> None:
    """A child is a process of its own: its records say so."""
    global _lock
    _lock = threading.RLock()
    if _runtime is not None:
        _runtime.resource = describe_process(_runtime.settings)
        _runtime.spool.describe(about_process(_runtime.resource))


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=boundary.guarded("fork")(_after_fork))


def _same(before: CaptureSettings, given: dict[str, Any]) -> bool:
    if callable(given.get("content")):
        return False
    now = settings.load(given).settings
    return all(getattr(before, name) == getattr(now, name) for name in given)


def initialize_observability(
    service_name: str | None = None,
    service_version: str | None = None,
    enable_prometheus: bool = False,
    prometheus_port: int = 9464,
    **more: Any,
) -> Runtime:
    """`init` by the name and arguments that some teams know it by; `more` are arguments of `init`."""
    return init(
        service_name=service_name,
        service_version=service_version,
        prometheus=enable_prometheus or None,
        prometheus_port=prometheus_port,
        **more,
    )


def shutdown_observability() -> None:
    """`shutdown` by the name that some teams know it by."""
    shutdown()
