"""The SDK's settings: what `watchglass.init` takes, where else each may be said, and what it means.

An argument wins over `WATCHGLASS_<NAME>`, that over the table `[capture]` of `watchglass.toml`, that over the
default. Names that OpenTelemetry has (`OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES`) work as they do there.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import msgspec
import platformdirs

from watchglass.config import About, LoadedAs, load_as

Kept: TypeAlias = Literal["off", "hashed", "redacted", "whole"]


def _spool_dir() -> str:
    return str(Path(platformdirs.user_state_dir("watchglass", appauthor=False)) / "spool")


_Share: TypeAlias = Annotated[float, msgspec.Meta(ge=0, le=1)]
_Seconds: TypeAlias = Annotated[float, msgspec.Meta(ge=0, le=31_536_000)]
_Size: TypeAlias = Annotated[int, msgspec.Meta(ge=1)]
_Url: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^https?://[^/\s]+")]


class CaptureSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What an application can set. Times are in seconds, sizes in bytes, unless the name says otherwise."""

    endpoint: Annotated[_Url, About("the server that records are sent to, as `http://host:port`")] = (
        "http://localhost:4318"
    )
    key: Annotated[str | None, About("key to show to the server, if it asks for one")] = None
    service_name: Annotated[
        str | None, About("what the application calls itself; else `OTEL_SERVICE_NAME`, else its main module")
    ] = None
    service_version: Annotated[str | None, About("version of the application")] = None
    environment: Annotated[
        str | None,
        About("dev, staging, prod …; else what `ENVIRONMENT`, `APP_ENV` and the like say, else dev"),
    ] = None
    spool_dir: Annotated[
        str, About("where records wait until the server has them", "the user state directory")
    ] = msgspec.field(default_factory=_spool_dir)
    spool_bytes: Annotated[
        _Size, About("most that may wait on disk; beyond it the oldest are dropped, and counted")
    ] = 256 << 20
    content: Annotated[
        Kept, About("what is kept of prompts, answers, inputs and outputs; credentials never are")
    ] = "redacted"
    content_features: Annotated[
        dict[str, Kept], About("the same for single features, by their name", "none")
    ] = msgspec.field(default_factory=dict[str, Kept])
    redact: Annotated[
        dict[str, str], About("regular expressions of what else is redacted, by what they find", "none")
    ] = msgspec.field(default_factory=dict[str, str])
    content_bytes: Annotated[_Size, About("most that is kept of one text; what was cut is recorded")] = (
        128 << 10
    )
    sample_rate: Annotated[
        _Share, About("share of traces whose detail and texts are kept; calls and steps always are")
    ] = 1.0
    sample: Annotated[
        Literal["head", "tail"],
        About(
            "when it is decided: as a trace begins, or at its end, when errors, slow and dear ones are kept"
        ),
    ] = "tail"
    slow_s: Annotated[_Seconds, About("a trace that takes this long is kept by tail sampling")] = 10.0
    expensive_tokens: Annotated[
        _Size, About("a trace whose calls have this many tokens is kept by tail sampling")
    ] = 50_000
    instrument: Annotated[
        tuple[str, ...],
        About("libraries to record, by name; `auto` is all that are installed, `none` is none"),
    ] = ("auto",)
    prometheus: Annotated[bool, About("serve metrics at a port of their own")] = False
    prometheus_port: Annotated[
        Annotated[int, msgspec.Meta(ge=0, le=65535)], About("port of the metrics; 0 takes a free one")
    ] = 9464
    prometheus_address: Annotated[
        str, About("address that the metrics' port is bound to; `0.0.0.0` is for every machine to read")
    ] = "127.0.0.1"
    namespace: Annotated[
        Annotated[str, msgspec.Meta(pattern="^[a-zA-Z_][a-zA-Z0-9_]*$")],
        About("first part of metrics' names"),
    ] = "watchglass"
    metrics_port: Annotated[
        bool, About("whether metrics have a port; without, they are served where `metrics_app()` is mounted")
    ] = True
    baggage_to: Annotated[
        tuple[str, ...],
        About("hosts and networks that requests tell tenant, engagement and so on; no others are told"),
    ] = ()
    trust: Annotated[
        tuple[str, ...], About("addresses and networks of callers whose word on tenants is taken")
    ] = ()
    baggage_secret: Annotated[
        str | None, About("what services share to prove to each other that they may name tenants")
    ] = None
    flush_s: Annotated[
        Annotated[float, msgspec.Meta(gt=0, le=3600)], About("longest that a record waits before it is sent")
    ] = 1.0
    exit_s: Annotated[
        Annotated[float, msgspec.Meta(ge=0, le=3600)],
        About("longest that the end of the process waits for the server; the rest is sent by the next one"),
    ] = 2.0


def load(
    given: Mapping[str, object],
    *,
    environ: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    user_dir: Path | None = None,
) -> LoadedAs[CaptureSettings]:
    """The settings in force for `init(**given)`.

    Raises `ConfigError` naming the argument, variable or line, its value, and what it may be.
    """
    arguments = {f"init({name}=…)": (name, value) for name, value in given.items()}
    return load_as(CaptureSettings, arguments, table="capture", environ=environ, cwd=cwd, user_dir=user_dir)


_ENVIRONMENTS = (
    *("DEPLOYMENT_ENVIRONMENT", "ENVIRONMENT", "APP_ENV", "PYTHON_ENV", "NODE_ENV", "DJANGO_ENV"),
    *("FLASK_ENV", "RAILS_ENV", "SENTRY_ENVIRONMENT", "VERCEL_ENV", "DD_ENV", "ENV"),
)
"""Variables by which platforms and frameworks say which environment a process runs in."""

_SPELLINGS = {
    **dict.fromkeys(("development", "develop", "local", "debug"), "dev"),
    **dict.fromkeys(("stage", "preprod", "pre-production", "preview"), "staging"),
    **dict.fromkeys(("production", "live"), "prod"),
}


def detect_environment(environ: Mapping[str, str] | None = None) -> str:
    """dev, staging or prod (or the platform's own word), by what the platform says; dev where nothing does.

    >>> detect_environment({"APP_ENV": "production"}), detect_environment({})
    ('prod', 'dev')
    """
    environ = os.environ if environ is None else environ
    for name in _ENVIRONMENTS:
        if said := environ.get(name, "").strip().lower():
            return _SPELLINGS.get(said, said)
    # Platforms that run nothing else than deployments: Kubernetes, Cloud Run, Lambda, Fly, Heroku.
    deployed = ("KUBERNETES_SERVICE_HOST", "K_SERVICE", "AWS_LAMBDA_FUNCTION_NAME", "FLY_APP_NAME", "DYNO")
    return "prod" if any(name in environ for name in deployed) else "dev"
