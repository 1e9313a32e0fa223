"""What is recorded of other libraries, and by whom: our own code, or OpenTelemetry's instrumentations.

Nothing is imported for it: a library is instrumented when the application imports it (or has). So `init`
costs the same whatever is installed, and a library that is installed and never used costs nothing.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from typing import Any

from watchglass.capture import boundary
from watchglass.capture.on_import import call_after
from watchglass.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Instrumentation:
    """How one library is recorded.

    `library` is its name in settings and the module whose import starts it. `makes_calls`: its spans are
    LLM requests, which no sampler may drop. `instrumentors` are `module:Class` of OpenTelemetry's,
    `install` is our own `module:function`; `package` is the extra of ours that brings them.
    """

    library: str
    makes_calls: bool = False
    instrumentors: tuple[str, ...] = ()
    install: str | None = None
    package: str | None = None


_ON, _WAITING = "on", "waiting for its import"

_OTEL = "opentelemetry.instrumentation"

KNOWN = (
    Instrumentation("litellm", True, install="watchglass.capture.litellm:install"),
    Instrumentation("crewai", True, install="watchglass.capture.crewai:install"),
    Instrumentation("openai", True, (f"{_OTEL}.openai_v2:OpenAIInstrumentor",), package="openai"),
    Instrumentation("anthropic", True, (f"{_OTEL}.anthropic:AnthropicInstrumentor",), package="anthropic"),
    Instrumentation("fastapi", False, (f"{_OTEL}.fastapi:FastAPIInstrumentor",), package="fastapi"),
    Instrumentation("starlette", False, (f"{_OTEL}.starlette:StarletteInstrumentor",), package="starlette"),
    Instrumentation(
        "sqlalchemy", False, (f"{_OTEL}.sqlalchemy:SQLAlchemyInstrumentor",), package="sqlalchemy"
    ),
    Instrumentation("redis", False, (f"{_OTEL}.redis:RedisInstrumentor",), package="redis"),
    Instrumentation("httpx", False, (f"{_OTEL}.httpx:HTTPXClientInstrumentor",), package="httpx"),
    Instrumentation("requests", False, (f"{_OTEL}.requests:RequestsInstrumentor",), package="requests"),
    Instrumentation(
        "grpc",
        False,
        (
            *(f"{_OTEL}.grpc:GrpcInstrumentorServer", f"{_OTEL}.grpc:GrpcInstrumentorClient"),
            *(f"{_OTEL}.grpc:GrpcAioInstrumentorServer", f"{_OTEL}.grpc:GrpcAioInstrumentorClient"),
        ),
        package="grpc",
    ),
)


def chosen(names: Iterable[str]) -> list[Instrumentation]:
    """The instrumentations of these names; `auto` is all, `none` is none.

    Raises `ConfigError` for a name that is none of them.
    """
    wanted = set(names)
    known = {each.library: each for each in KNOWN}
    unknown = wanted - known.keys() - {"auto", "none"}
    if unknown:
        raise ConfigError(
            f"instrument is {sorted(unknown)[0]!r}: no such library; take some of {', '.join(known)}, "
            "or auto, or none"
        )
    return list(KNOWN) if "auto" in wanted else [each for each in KNOWN if each.library in wanted]


class Instrumented:
    """The instrumentations of one `init`, from then until `stop`."""

    def __init__(self, providers: Callable[[bool], Any]) -> None:
        """`providers(makes_calls)` is the tracer provider that a library's spans go to."""
        self._providers = providers
        self._on = True
        self._active: list[Any] = []
        self.state: dict[str, str] = {}
        """By library: on, waiting for its import, or why it is off."""

    def start(self, instrumentations: Iterable[Instrumentation], *, explicit: bool) -> None:
        """Instrument each when its library is imported; `explicit`: say so if one cannot be."""
        for each in instrumentations:
            module = each.library
            if self.state.get(module) in (_ON, _WAITING):
                continue
            if module not in sys.modules and _spec(module) is None:
                self.state[each.library] = "not installed"
                continue
            if each.instrumentors and _spec(each.instrumentors[0].partition(":")[0]) is None:
                self.state[each.library] = f"not recorded: install watchglass[{each.package}]"
                if explicit:
                    boundary.once(
                        f"instrument.{each.library}",
                        "watchglass: %s is not recorded; pip install 'watchglass[%s]'",
                        each.library,
                        each.package,
                    )
                continue
            self.state[each.library] = _WAITING
            call_after(module, partial(self._begin, each))

    def stop(self) -> None:
        """Undo what OpenTelemetry's instrumentors did; our own wrappers stay and pass through."""
        self._on = False
        for instrumentor in self._active:
            _undo(instrumentor)
        self._active.clear()

    @boundary.guarded("instrument")
    def _begin(self, each: Instrumentation) -> None:
        if not self._on or self.state.get(each.library) == _ON:
            return
        self.state[each.library] = "failed, see the log"
        if each.install is not None:
            _resolve(each.install)()
        provider = self._providers(each.makes_calls)
        for name in each.instrumentors:
            instrumentor = _resolve(name)()
            if instrumentor.is_instrumented_by_opentelemetry:
                self.state[each.library] = "on, by the application's own set-up"
                return
            instrumentor.instrument(tracer_provider=provider, raise_exception_on_conflict=True)
            self._active.append(instrumentor)
        self.state[each.library] = _ON


@boundary.guarded("instrument.undo")
def _undo(instrumentor: Any) -> None:
    instrumentor.uninstrument()


def _resolve(path: str) -> Any:
    module, _, name = path.partition(":")
    return getattr(importlib.import_module(module), name)


def _spec(module: str) -> object:
    """Whether a module could be imported, without importing it (but for the packages that it is in)."""
    try:
        return find_spec(module)
    except (ImportError, ValueError):
        return None
