"""Texts within data: each is cleaned on its own; data that is too large loses the ends of its longest texts.

A text is cleaned before it is cut, so that no half of a credential survives at the cut. Binary data (images,
sound) is replaced by its size and a hash.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from typing import Any, cast

import msgspec

from watchglass.capture.credentials import MASK, holds_a_credential, names_a_credential, scrub

CUT_MARK = "… [cut]"
_MARGIN = 1024
"""What is read beyond the bound and thrown away: longer than what any pattern needs to know its own."""
_NODES = 20_000
_DEPTH = 64
_SCANNED = 8
"""How many times the bound is read in full; texts after that are read for their first KiB only."""
_HASHED = 64 << 10
_PAIRS = (tuple, list)

_json = msgspec.json.Encoder().encode
_DATA_URL = re.compile(r"data:([\w.+/-]{1,80})?(?:;[\w=.-]{1,40}){0,4}?;base64,([A-Za-z0-9+/=_-]{32,}+)")
_BASE64 = re.compile(r"[A-Za-z0-9+/_\r\n-]{512}")
_STRUCTURE = frozenset(("role", "type", "finish_reason", "mime_type", "modality", "media_type", "format"))
"""What OpenTelemetry's and the providers' messages are made of: never a text of somebody's."""
_USUAL = frozenset(
    (
        *("user", "assistant", "system", "tool", "developer", "function", "text", "reasoning", "tool_call"),
        *("tool_call_response", "stop", "length", "tool_calls", "tool_use", "end_turn", "image_url", "image"),
    )
)
"""What the structure mostly says, so that it need not be looked through."""
_known_names: dict[str, bool] = {}


def as_bytes(text: str) -> bytes:
    """UTF-8; what cannot be encoded (half a surrogate pair) becomes a question mark."""
    return text.encode("utf-8", "replace")


def size_bytes(text: str) -> int:
    """How long a text is in UTF-8."""
    return len(text) if text.isascii() else len(as_bytes(text))


def json_size_bytes(text: str) -> int:
    """How long a text is within JSON."""
    return len(encoded(text)) - 2


class Cleaner:
    """Cleans one value with `rule`, which takes a text and gives what may be kept of it. Changes nothing.

    `removed` is how many bytes the bound has cost so far, as `size` measures them.
    """

    __slots__ = ("limit", "nodes", "removed", "rule", "scanned", "size")

    def __init__(
        self, rule: Callable[[str], str], limit: int, size: Callable[[str], int] = size_bytes
    ) -> None:
        self.rule = rule
        self.size = size
        self.limit = limit
        self.removed = 0
        self.nodes = 0
        self.scanned = 0

    def text(self, text: str) -> str:
        """A text, cleaned and, if it is far too long, cut."""
        if len(text) >= 40 and (text.startswith("data:") or ";base64," in text):
            text = _without_data_urls(text)
        if len(text) >= 512 and " " not in text and _BASE64.match(text) and len(set(text[:512])) > 16:
            return _binary("base64", as_bytes(text[:_HASHED]), len(text) * 3 // 4)
        limit = self.limit if self.scanned < self.limit * _SCANNED else 1024
        self.scanned += min(len(text), limit)
        if len(text) <= limit + _MARGIN:
            return self.rule(text)
        self.removed += self.size(text[limit:])
        return self.rule(text[: limit + _MARGIN])[:-_MARGIN]

    def value(self, value: Any, depth: int = 0) -> Any:
        """Data of any kind as what JSON has."""
        kind = type(value)
        if kind is str:
            return self.text(value) if len(value) > 5 else value
        if value is None or kind is bool or kind is int or kind is float:
            return value
        self.nodes += 1
        if depth > _DEPTH or self.nodes > _NODES:
            return "[more]"
        if kind is dict or (kind is not list and isinstance(value, Mapping)):  # asking for a Mapping is slow
            return self._mapping(cast("Mapping[object, Any]", value), depth)
        if isinstance(value, (list, tuple, set, frozenset)):
            return [
                self.value(each, depth + 1)
                if type(each) not in _PAIRS or len(each) != 2
                else self._pair(each, depth + 1)
                for each in cast("list[Any]", value)
            ]
        if isinstance(value, (bytes, bytearray, memoryview)):
            return _binary("bytes", bytes(value[:_HASHED]), len(value))
        if isinstance(value, str):
            return self.text(str.__str__(value))
        return self.value(_plain(value), depth + 1)

    def _pair(self, pair: Any, depth: int) -> Any:
        """A header, maybe: they are told as lists of pairs too."""
        name, held = pair
        if type(name) is str and _is_known(name) and holds_a_credential(name, held):
            return [name, MASK % "password"]
        return self.value(pair, depth)

    def _mapping(self, value: Mapping[object, Any], depth: int) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for key, each in value.items():
            name = key if type(key) is str else str(key)
            if type(each) is not str:
                if each is not None and _is_known(name) and holds_a_credential(name, each):
                    each = MASK % "password"
                made[scrub(name) if len(name) > 12 else name] = self.value(each, depth + 1)
            elif name in _STRUCTURE and len(each) <= 40:
                made[name] = each if each in _USUAL else scrub(each)
            elif len(each) > 2 and _is_known(name) and each[:10] != "[redacted:":
                made[name] = MASK % "password"
            else:
                made[scrub(name) if len(name) > 12 else name] = self.text(each) if len(each) > 5 else each
        return made


def encoded(value: Any) -> bytes:
    """Cleaned data as JSON text."""
    try:
        return _json(value)
    except UnicodeEncodeError:
        return _json(Cleaner(lambda text: as_bytes(text).decode(), 1 << 40).value(value))


def cut_text(text: str, limit: int) -> str:
    """At most `limit` bytes of a text, the mark that it was cut included."""
    if len(text) <= limit and size_bytes(text) <= limit:
        return text
    return as_bytes(text)[: limit - len(CUT_MARK.encode())].decode("utf-8", "ignore") + CUT_MARK


def cut_json(value: Any, data: bytes, limit: int) -> bytes | None:
    """Data whose JSON text is `data`, in at most `limit` bytes: its longest texts lose their ends.

    Where texts are not what makes it long, the middle of a list goes; None for what cannot be cut at all.
    """
    sizes: list[int] = []
    _map_texts(value, lambda text: sizes.append(len(encoded(text))) or text)
    share = _share(sizes, limit - (len(data) - sum(sizes)))
    if share > 64:
        shorter = encoded(_map_texts(value, lambda text: _to_size(text, share)))
        if len(shorter) <= limit:
            return shorter
    if isinstance(value, list) and len(items := cast("list[Any]", value)) > 1:
        kept = len(items) // 2
        items = items[: (kept + 1) // 2] + items[len(items) - kept // 2 :]
        shorter = encoded(items)
        return shorter if len(shorter) <= limit else cut_json(items, shorter, limit)
    return None


def _share(sizes: list[int], room: int) -> int:
    """The most that each may have so that all fit into `room`; those that need less leave the rest."""
    sizes = sorted(sizes)
    for done, size in enumerate(sizes):
        left = len(sizes) - done
        if size * left > room:
            return room // left
        room -= size
    return sizes[-1] if sizes else 0


def _to_size(text: str, limit: int) -> str:
    """The text, cut until its JSON has at most `limit` bytes."""
    size = len(encoded(text))
    while size > limit:
        text = cut_text(text, max(len(CUT_MARK.encode()), size_bytes(text) * limit // size - 16))
        size, before = len(encoded(text)), size
        if size >= before:
            return ""
    return text


def _map_texts(value: Any, change: Callable[[str], str]) -> Any:
    if type(value) is str:
        return change(value)
    if type(value) is dict:
        return {key: _map_texts(each, change) for key, each in cast("dict[str, Any]", value).items()}
    if type(value) is list:
        return [_map_texts(each, change) for each in cast("list[Any]", value)]
    return value


def _is_known(name: str) -> bool:
    known = _known_names.get(name)
    if known is None:
        if len(_known_names) > 1000:
            _known_names.clear()
        known = _known_names[name] = names_a_credential(name)
    return known


def _without_data_urls(text: str) -> str:
    head, _, body = text.partition(";base64,")
    if text.startswith("data:") and len(head) < 200 and not any(c in body[-64:] for c in " )\"'\n"):
        return _binary(head[5:].split(";")[0], as_bytes(body[:_HASHED]), len(body) * 3 // 4)
    return _DATA_URL.sub(
        lambda found: _binary(found[1] or "", as_bytes(found[2][:_HASHED]), len(found[2]) * 3 // 4), text
    )


def _binary(kind: str, start: bytes, size: int) -> str:
    """What stands for binary data; the hash is of its first 64 KiB: enough to tell one from another."""
    return f"[binary: {kind}, {size} bytes, {hashlib.blake2b(start, digest_size=16).hexdigest()}]"


def _plain(value: object) -> Any:
    """An object as data: a model of pydantic's, a dataclass or the like, else its `repr`."""
    dump = getattr(value, "model_dump", None)
    if dump is not None and not isinstance(value, type):
        return dump()
    try:
        return msgspec.to_builtins(value, builtin_types=(bytes, bytearray), enc_hook=repr)
    except (TypeError, ValueError):
        return repr(value)
