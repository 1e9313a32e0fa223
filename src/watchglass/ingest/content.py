"""Texts stored once: message contents and long attribute values, by the hash of what they say."""

from __future__ import annotations

from hashlib import blake2b

from watchglass.model import Message

REFERENCE = "\x01ref:"
"""What stands in a span's attribute in place of a text that is in `messages`, before its hash."""

LONG_TEXT_BYTES = 512
"""Shorter attribute values cost less in place than a hash and a row of their own."""


def content_hash(content: str) -> str:
    """32 hex digits: BLAKE2b-128 of the UTF-8 text. Equal texts of one tenant are one row."""
    return blake2b(content.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


class Contents:
    """The distinct texts of one batch, to be written to `store.messages`."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], tuple[str, str, int]] = {}

    def add(self, tenant: str | None, role: str, content: str, time_ns: int) -> str:
        """Remember a text of a tenant; returns its hash."""
        digest = content_hash(content)
        self.rows.setdefault((tenant or "", digest), (role, content, time_ns))
        return digest

    def add_messages(self, tenant: str | None, messages: tuple[Message, ...], time_ns: int) -> list[str]:
        """Remember messages in order; returns their hashes."""
        return [self.add(tenant, message.role, message.content, time_ns) for message in messages]

    def reference(self, tenant: str | None, text: str, time_ns: int) -> str:
        """A short stand-in for a long attribute value."""
        return REFERENCE + self.add(tenant, "attribute", text, time_ns)
