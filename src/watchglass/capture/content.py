"""What is kept of texts: prompts, answers, inputs and outputs of tasks.

Every text comes through `put`, in the caller's thread, before the record that holds it is written, because
the spool is a file and what is in a file has been stored. The policy in force says for each feature whether
a text is left out, hashed, redacted or kept whole; credentials are removed whatever it says.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Literal, TypeAlias, cast, get_args

import msgspec

from watchglass import names
from watchglass.capture import boundary, context
from watchglass.capture.cleaning import (
    CUT_MARK,
    Cleaner,
    as_bytes,
    cut_json,
    cut_text,
    encoded,
    json_size_bytes,
    size_bytes,
)
from watchglass.capture.credentials import MASK, scrub
from watchglass.capture.personal import redact_personal
from watchglass.capture.records import Attributes
from watchglass.errors import ConfigError

Mode = Literal["off", "hashed", "redacted", "whole"]
Own: TypeAlias = Callable[[str, str, "str | None"], "str | None"]
"""One's own rule: takes a text (each one within messages), the attribute's key and the feature; gives what
may be kept, or None for nothing of the whole value. Credentials are gone before, and again after."""
Choice: TypeAlias = "Mode | Own"

MODES: tuple[str, ...] = get_args(Mode)
MAX_BYTES = 128 << 10
_REMEMBERED = 512
_REMEMBERED_SIZE = 8192


class Policy(msgspec.Struct, frozen=True):
    """What is kept: by feature, else by default. Made by `policy`, which checks it."""

    default: Choice = "whole"
    features: Mapping[str, Choice] = {}
    patterns: Mapping[str, re.Pattern[str]] = {}
    max_bytes: int = MAX_BYTES
    harmless: dict[str, None] = msgspec.field(default_factory=dict[str, None])
    """Texts in which `redacted` finds nothing: an agent sends the same messages again at each turn."""


_in_force = Policy()


def policy(
    default: object = "whole",
    features: Mapping[str, object] | None = None,
    patterns: Mapping[str, str] | None = None,
    max_bytes: int = MAX_BYTES,
) -> Policy:
    """A policy from settings. `patterns` are regular expressions of one's own by what they find.

    Raises `ConfigError` for a mode that there is not, a pattern that does not compile, a size below 1 KiB.
    """
    if max_bytes < 1024:
        raise ConfigError(
            f"content's size bound is {max_bytes}; give at least 1024 bytes, or turn content off"
        )
    compiled = {kind: _compiled(kind, regex) for kind, regex in (patterns or {}).items()}
    chosen: dict[str, Choice] = {}
    for name, choice in (features or {}).items():
        chosen[name] = _choice(choice, f"content of feature {name!r}")
    return Policy(_choice(default, "content"), chosen, compiled, max_bytes)


def use(new: Policy) -> Policy:
    """Put a policy in force; returns the one before."""
    global _in_force
    before, _in_force = _in_force, new
    return before


def wanted(feature: str | None = None) -> bool:
    """Whether anything of a text would be kept: nobody need make one otherwise."""
    return _in_force.features.get(feature or _feature(), _in_force.default) != "off"


@boundary.guarded("content")
def put(attributes: Attributes, key: str, value: object, feature: str | None = None) -> None:
    """Set `attributes[key]` to what may be kept of a text, or of messages or other data as JSON text.

    `feature` is that of the context in force unless given. `value` is not changed. What was cut to the bound
    is noted with its length before (`watchglass.content.cut`). Never raises.
    """
    if value is None:
        return
    with suppress(_LeftOut):
        _put(attributes, key, value, feature)


def _put(attributes: Attributes, key: str, value: object, feature: str | None) -> None:
    rules = _in_force
    feature = feature or _feature()
    choice = rules.features.get(feature, rules.default)
    if choice == "off":
        return
    is_text = isinstance(value, str)
    cleaner = Cleaner(
        _rule(rules, choice, key, feature), rules.max_bytes, size_bytes if is_text else json_size_bytes
    )
    text, before = _text(cleaner, str(value)) if is_text else _data(cleaner, value)
    if choice == "hashed" and text is not None:
        attributes[names.CONTENT_HASH + key] = hashlib.blake2b(as_bytes(text), digest_size=16).hexdigest()
        attributes[names.CONTENT_LENGTH + key] = before
        return
    if text is not None:
        attributes[key] = text
    if text is None or cleaner.removed:
        cut = attributes.setdefault(names.CONTENT_CUT, {})
        if isinstance(cut, dict):
            cut[key] = before


def _text(cleaner: Cleaner, value: str) -> tuple[str | None, int]:
    """What is kept of a text, and how many bytes it would have without the bound."""
    text = cleaner.text(value)
    size = size_bytes(text)
    before = size + cleaner.removed
    if size > cleaner.limit or cleaner.removed:
        text = cut_text(text + CUT_MARK if cleaner.removed else text, cleaner.limit)
        cleaner.removed = before - size_bytes(text)
    return text, before


def _data(cleaner: Cleaner, value: object) -> tuple[str | None, int]:
    """The same of data, as JSON text that stays whole."""
    kept = cleaner.value(value)
    data = encoded(kept)
    before = len(data) + cleaner.removed
    if len(data) > cleaner.limit:
        cleaner.removed += 1
        data = cut_json(kept, data, cleaner.limit)
    return None if data is None else data.decode(), before


def _rule(rules: Policy, choice: Choice, key: str, feature: str) -> Callable[[str], str]:
    if choice == "redacted":
        return lambda text: _redacted(text, rules)
    if callable(choice):
        own = choice
        return lambda text: _by_own(own, text, key, feature)
    return scrub


def _redacted(text: str, rules: Policy) -> str:
    harmless = rules.harmless
    if text in harmless:
        return text
    kept = redact_personal(scrub(text))
    for kind, regex in rules.patterns.items():
        kept = regex.sub(MASK % kind, kept)
    if kept == text and len(text) <= _REMEMBERED_SIZE:
        if len(harmless) >= _REMEMBERED:
            harmless.clear()
        harmless[text] = None
    return kept


class _LeftOut(Exception):
    """One's own rule wants nothing kept of a value."""


def _by_own(own: Own, text: str, key: str, feature: str) -> str:
    kept = own(scrub(text), key, feature or None)
    if kept is None:
        raise _LeftOut
    return scrub(kept)


def _feature() -> str:
    return context.current().fields.get("feature", "")


def _choice(choice: object, where: str) -> Choice:
    if callable(choice) or choice in MODES:
        return cast(Choice, choice)
    raise ConfigError(f"{where} is {choice!r}; it is {', '.join(MODES)}, or a function (text, key, feature)")


def _compiled(kind: str, regex: str) -> re.Pattern[str]:
    try:
        return re.compile(regex)
    except (re.error, TypeError) as fault:
        raise ConfigError(f"content pattern {kind!r} is {regex!r}: {fault}; mend the expression") from fault
