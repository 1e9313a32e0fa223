"""What goes into a step and comes out of it, as attributes of its span and events."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from watchglass import names
from watchglass.capture import content
from watchglass.capture.attributes import is_content
from watchglass.capture.credentials import MASK, holds_a_credential, names_a_credential, scrub, scrub_value
from watchglass.capture.records import Attribute, Attributes

INPUT: dict[str, str] = {"tool": "gen_ai.tool.call.arguments"}
OUTPUT: dict[str, str] = {"tool": "gen_ai.tool.call.result"}
TASK_INPUT, TASK_OUTPUT = "gen_ai.task.input", "gen_ai.task.output"

_json = msgspec.json.Encoder(enc_hook=repr, order=None).encode


def as_text(value: object) -> str:
    """A text as it is, all else as JSON; what JSON does not know as its `repr`."""
    return value if isinstance(value, str) else _json(value).decode()


def put_input(attributes: Attributes, kind: str, value: object, feature: str | None) -> None:
    """Note what an execution was given."""
    _put(attributes, INPUT.get(kind, TASK_INPUT), value, feature)


def put_output(attributes: Attributes, kind: str, value: object, feature: str | None) -> None:
    """Note what came out of it."""
    _put(attributes, OUTPUT.get(kind, TASK_OUTPUT), value, feature)


def metadata(given: Mapping[str, object]) -> Attributes:
    """What the caller attached, under its own prefix."""
    found = {names.METADATA + str(key): value for key, value in given.items() if value is not None}
    return {key: _masked(key, value) or scrub_value(as_text(value)) for key, value in found.items()}


def plain(given: Mapping[str, object], feature: str | None) -> Attributes:
    """Attributes as the caller names them, as far as they are values that a span can have."""
    made: Attributes = {}
    for key, value in given.items():
        key = str(key)
        if is_content(key):
            content.put(made, key, value, feature)
        elif value is not None:
            made[key] = _masked(key, value) or _value(value)
    return made


def error(kind: str, message: str, stacktrace: str | None) -> Attributes:
    """An exception by OpenTelemetry's names."""
    told: Attributes = {"exception.type": kind, "exception.message": scrub(message)}
    if stacktrace is not None:
        told["exception.stacktrace"] = scrub(stacktrace)
    return told


def _value(value: object) -> Attribute:
    return value if isinstance(value, bool | int | float) else scrub_value(as_text(value))


def _masked(key: str, value: object) -> str:
    """What stands for a value whose name says that it is a credential; empty for others."""
    return MASK % "password" if names_a_credential(key) and holds_a_credential(key, value) else ""


def _put(attributes: Attributes, key: str, value: object, feature: str | None) -> None:
    if content.wanted(feature):
        content.put(attributes, key, value, feature)
