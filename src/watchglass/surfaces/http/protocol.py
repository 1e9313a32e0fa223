"""uvicorn's HTTP/1.1 protocol, with offers to upgrade declined instead of bodies lost.

Java's HTTP client, for one, offers HTTP/2 with its first request (`Upgrade: h2c`). A server may
ignore the offer and answer over HTTP/1.1 (RFC 9110 7.8). But the parser stops at the end of such
a request's head, for what follows might be another protocol, and uvicorn (0.54) goes on as if there
were no body: the batch would be acknowledged and gone. So the head is read again without the offer.
"""

from __future__ import annotations

from typing import TypeAlias

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_Header: TypeAlias = tuple[bytes, bytes]


class Http11(HttpToolsProtocol):
    """One connection."""

    def on_headers_complete(self) -> None:
        """Go on unless this is a head that will be read again."""
        if not self.parser.should_upgrade():
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Go on unless this is a head that will be read again."""
        if not self.parser.should_upgrade():
            super().on_message_complete()

    def data_received(self, data: bytes) -> None:
        """Feed the parser, once more without the offer where there is one."""
        self._unset_keepalive_if_required()
        while True:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as offer:
                if self.parser.get_method() == b"CONNECT":  # an offer by nature
                    self.send_400_response("This is not a proxy.")
                    return
                data = self._head_without_offer() + data[offer.args[0] :]
                self.parser = httptools.HttpRequestParser(self)
                self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn has it
                continue
            except httptools.HttpParserError:
                self.send_400_response("Invalid HTTP request received.")
            return

    def _head_without_offer(self) -> bytes:
        version = self.parser.get_http_version().encode()
        lines = [b"%s %s HTTP/%s" % (self.parser.get_method(), self.url, version)]
        lines += [b"%s: %s" % header for header in _without_offer(self.headers)]
        return b"\r\n".join((*lines, b"", b""))


def _without_offer(headers: list[_Header]) -> list[_Header]:
    """The headers without Upgrade, and without the word in Connection."""
    kept: list[_Header] = []
    for name, value in headers:
        if name == b"upgrade":
            continue
        if name == b"connection":
            words = [word.strip() for word in value.split(b",")]
            value = b", ".join(word for word in words if word.lower() not in (b"upgrade", b"http2-settings"))
        kept.append((name, value))
    return kept
