"""Our entries in the W3C header `baggage`: the context as other services read it.

Their keys all begin with `watchglass.`, also those of fields whose attribute has another name, so that they
are ours to take out again. https://www.w3.org/TR/baggage/: values percent-encoded (never `+` for a space),
8192 bytes in all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote, unquote

from watchglass.capture import boundary
from watchglass.capture.context import ATTRIBUTES, MAX_VALUE

HEADER = "baggage"

PREFIX = "watchglass."

MAX_HEADER = 8192
"""Most bytes of the header that a receiver must take (W3C Baggage, section 3.3.2)."""

KEYS: dict[str, str] = {
    field: name if name.startswith(PREFIX) else PREFIX + field for field, name in ATTRIBUTES.items()
}
"""The baggage key of each field. Where it can be it is the attribute's, for services in other languages that
copy baggage to their spans."""

_CONTROL = re.compile("[\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029]")
"""What would break a line of a log in two."""

_FIELDS = {key: field for field, key in KEYS.items()}


def written(fields: dict[str, str], others: str = "") -> str:
    """The header for a context, after the entries of `others` that are not ours."""
    header = without_ours(others)
    for field, value in fields.items():
        entry = f"{KEYS[field]}={quote(value, safe='')}"
        longer = f"{header},{entry}" if header else entry
        if len(longer) > MAX_HEADER:
            boundary.once(f"baggage.{field}", "watchglass: no room for %s in a request's baggage", field)
        else:
            header = longer
    return header


def read(headers: Iterable[str]) -> dict[str, str]:
    """The fields that `baggage` headers name. One that is said twice and differently is left out, and so is
    one with control characters in it: neither can be meant."""
    found: dict[str, str] = {}
    doubtful: set[str] = set()
    for key, value in _entries(headers):
        field = _FIELDS.get(key)
        text = unquote(value)
        if field is None or not text or len(text) > MAX_VALUE:
            continue
        if _CONTROL.search(text) or found.setdefault(field, text) != text:
            doubtful.add(field)
    return {field: text for field, text in found.items() if field not in doubtful}


def without_ours(header: str) -> str:
    """The header without any entry of ours."""
    if PREFIX not in unquote(header):
        return header
    return ",".join(member for member in header.split(",") if not _key(member).startswith(PREFIX))


def _entries(headers: Iterable[str]) -> Iterable[tuple[str, str]]:
    for header in headers:
        if len(header) > MAX_HEADER:
            continue
        for member in header.split(","):
            name, equals, rest = member.partition("=")
            if equals:
                yield unquote(name).strip(), rest.partition(";")[0].strip()


def _key(member: str) -> str:
    return unquote(member.partition("=")[0]).strip()
