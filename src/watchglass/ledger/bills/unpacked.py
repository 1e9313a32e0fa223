"""The bytes of a bill as they were exported: unpacked, bounded, UTF-8."""

from __future__ import annotations

import gzip
import io
import zlib

from watchglass.errors import BadRequest, TooLarge

MAX_BYTES = 128 << 20
"""Of one file, unpacked: a month of a request a second, each a line; a larger bill is given in parts."""

_GZIP = b"\x1f\x8b"
_BOM = b"\xef\xbb\xbf"
_WIDE = (b"\xff\xfe", b"\xfe\xff")
_OTHERS = {b"PK": "a ZIP archive", b"BZ": "bzip2", b"(\xb5": "zstandard", b"%P": "a PDF", b"\xfd7": "xz"}


def unpack(content: bytes) -> bytes:
    """The text of a file that may be gzip and may begin with a byte order mark.

    Raises `TooLarge` at the first byte over `MAX_BYTES`, whatever it would unpack to, and `BadRequest` for
    what is neither gzip nor UTF-8 text.
    """
    if content[:2] == _GZIP:
        content = _inflated(content)
    if len(content) > MAX_BYTES:
        raise TooLarge(_TOO_LARGE)
    if content[:2] in _WIDE:
        raise BadRequest("the file is UTF-16; convert it to UTF-8 first (iconv -f utf-16 -t utf-8)")
    if content[:2] in _OTHERS and not content.isascii():
        raise BadRequest(f"the file is {_OTHERS[content[:2]]}; unpack it or export JSON or CSV")
    return content.removeprefix(_BOM)


_TOO_LARGE = f"the file is larger than {MAX_BYTES >> 20} MiB, unpacked; give it in parts, by day or week"


def _inflated(content: bytes) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
            # One byte more than allowed tells too large from just so; no more than that is ever unpacked.
            return file.read(MAX_BYTES + 1)
    except (OSError, EOFError, zlib.error) as fault:
        raise BadRequest(f"the file cannot be unpacked ({fault}); export or copy it once more") from None
