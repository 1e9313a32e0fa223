"""What a record says of the process that made it: resource attributes, by OpenTelemetry's conventions."""

from __future__ import annotations

import functools
import os
import socket
import sys
from pathlib import Path

from opentelemetry.sdk.resources import Resource

from watchglass import __version__
from watchglass.capture import ids
from watchglass.capture.records import Attributes
from watchglass.capture.settings import CaptureSettings, detect_environment


def describe_process(chosen: CaptureSettings) -> Attributes:
    """This process, with what `OTEL_RESOURCE_ATTRIBUTES` says of it; settings win over that."""
    said = dict(_said())
    service = said.pop("service.name", None)
    made: Attributes = {
        "service.instance.id": f"{socket.gethostname()}-{os.getpid()}-{ids.span_id().hex()}",
        "host.name": socket.gethostname(),
        "deployment.environment.name": detect_environment(),
        **{key: value for key, value in said.items() if not key.startswith("telemetry.")},
        "service.name": chosen.service_name or _named(service) or _program(),
        "process.pid": os.getpid(),
        "process.runtime.name": sys.implementation.name,
        "process.runtime.version": ".".join(map(str, sys.version_info[:3])),
        "telemetry.sdk.name": "watchglass",
        "telemetry.sdk.language": "python",
        "telemetry.sdk.version": __version__,
    }
    if chosen.environment is not None:
        made["deployment.environment.name"] = chosen.environment
    if chosen.service_version is not None:
        made["service.version"] = chosen.service_version
    return made


@functools.cache
def _said() -> Attributes:
    """What OpenTelemetry finds out, once: it starts threads for that, which a forked child should not."""
    found = dict(Resource.create({}).attributes)
    if "service.instance.id" not in os.environ.get("OTEL_RESOURCE_ATTRIBUTES", ""):
        found.pop("service.instance.id", None)  # drawn by lot, and a child would have its parent's
    return found


def _named(service: object) -> str | None:
    """OpenTelemetry's word for it, unless that is what it says for want of one."""
    named = isinstance(service, str) and not service.startswith("unknown_service")
    return str(service) if named else None


def _program() -> str:
    """The program that runs: the module of `python -m`, else the script."""
    main = sys.modules.get("__main__")
    package = getattr(getattr(main, "__spec__", None), "name", None)
    if isinstance(package, str):
        return package.removesuffix(".__main__")
    return Path(getattr(main, "__file__", None) or sys.argv[0] or "python").stem or "python"
