"""Attributes that others wrote: under the policy on content, and without credentials.

An instrumentation notes whole addresses, headers and messages of errors, and each names texts in its own way.
What an attribute's name says is worked out once; then most values cost a look at it and one at themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, cast

import msgspec

from watchglass.capture import content
from watchglass.capture.credentials import MASK, holds_a_credential, names_a_credential, scrub_value
from watchglass.capture.records import Attributes, SpanRecord
from watchglass.names import CONTENT, CONTENT_OF_EVENTS, CONTENT_PREFIXES

_Role = Literal["plain", "credential", "content"]
_roles: dict[str, _Role] = {}
_MOST_ROLES = 4096


def is_content(key: str) -> bool:
    """Whether an attribute holds a text of a prompt, an answer, an input or an output."""
    return (_roles.get(key) or _role(key)) == "content"


def cleaned(
    given: Mapping[str, Any] | None, *, ours: bool, feature: str | None, event: str = ""
) -> Attributes:
    """What may be kept of a span's attributes, or of those of its `event`.

    On spans of `ours` the policy has had the texts that a step writes itself.
    """
    if not given:
        return {}
    told = CONTENT_OF_EVENTS if event.startswith("gen_ai.") else ()
    made: Attributes = {}
    for key, value in given.items():
        role = _roles.get(key) or _role(key)
        if role == "content" or key in told:
            if ours and key in _WRITTEN:
                made[key] = value
            else:
                put(made, key, value, feature)
        elif role == "credential" and holds_a_credential(key, value):
            made[key] = MASK % "password"
        else:
            kind = type(value)
            made[key] = scrub_value(value) if kind is str else value if kind in _PLAIN else _value(value)
    return made


def without_texts(record: SpanRecord) -> None:
    """Leave out the texts of a record, those on its events included."""
    record.attributes = {key: value for key, value in record.attributes.items() if not is_content(key)}
    if record.events:
        record.events = [
            (name, at, {key: value for key, value in said.items() if not _told(name, key)})
            for name, at, said in record.events
        ]


_PLAIN = frozenset({int, bool, float})
_WRITTEN = frozenset(
    (
        *("gen_ai.task.input", "gen_ai.task.output"),
        *("gen_ai.tool.call.arguments", "gen_ai.tool.call.result"),
    )
)


def _told(event: str, key: str) -> bool:
    return is_content(key) or (key in CONTENT_OF_EVENTS and event.startswith("gen_ai."))


def _role(key: str) -> _Role:
    if len(_roles) >= _MOST_ROLES:
        _roles.clear()
    role: _Role = "credential" if names_a_credential(key) else "plain"
    if key in CONTENT or key.startswith(CONTENT_PREFIXES):
        role = "content"
    _roles[key] = role
    return role


def put(made: Attributes, key: str, value: Any, feature: str | None) -> None:
    """A text under the policy; a list or mapping of texts stays one."""
    if type(value) in _PLAIN:
        made[key] = value
        return
    content.put(made, key, value, feature)
    if not isinstance(value, str) and isinstance(kept := made.get(key), str):
        made[key] = msgspec.json.decode(kept)


def _value(value: Any) -> Any:
    if isinstance(value, str):
        return scrub_value(value)
    if isinstance(value, tuple | list):
        return [_value(each) for each in cast("list[Any]", value)]
    if isinstance(value, Mapping):
        items = cast("Mapping[Any, Any]", value).items()
        return {
            str(key): MASK % "password" if _is_secret(str(key), each) else _value(each) for key, each in items
        }
    return value


def _is_secret(key: str, value: Any) -> bool:
    return (_roles.get(key) or _role(key)) == "credential" and holds_a_credential(key, value)
