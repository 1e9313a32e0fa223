"""The app's files as they are sent: whole in memory, compressed when they were built, and no key asked.

They are the same for everybody and hold nothing of anybody's, so who may see what is decided by the API that
the app asks. Every path that is not another's is a page of the app: its address is a view, and its router,
which runs in the browser, reads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import msgspec

from watchglass.surfaces.http.asgi import NOT_MODIFIED, Headers, Response, Scope, header
from watchglass.surfaces.http.problems import problem

BUILT = Path(__file__).parent.parent / "web"
"""Where `web/build.py` puts what it has built; in an installation that was made without, nothing is there."""

_INDEX = "/index.html"
_ASSETS = "/assets/"
_READS = ("GET", "HEAD")
_OTHERS = ("/api", "/v1", "/health", "/ready", "/metrics", "/assets")
"""First parts of paths that are never a page of the app."""

_TYPES = {
    ".html": b"text/html; charset=utf-8",
    ".js": b"text/javascript; charset=utf-8",
    ".css": b"text/css; charset=utf-8",
    ".svg": b"image/svg+xml",
    ".png": b"image/png",
    ".ico": b"image/x-icon",
    ".woff2": b"font/woff2",
    ".txt": b"text/plain; charset=utf-8",
    ".json": b"application/json",
    ".webmanifest": b"application/manifest+json",
}

_CODINGS = ((b"br", ".br"), (b"gzip", ".gz"))
"""The smaller one first."""

SECURITY: Headers = (
    (
        b"content-security-policy",
        b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        b"connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; "
        b"frame-ancestors 'none'; require-trusted-types-for 'script'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
)
"""Nothing from elsewhere, nothing inline, no frame: a trace's text that got into a page could do nothing."""

_FOREVER = (b"cache-control", b"public, max-age=31536000, immutable")
_ASK_FIRST = (b"cache-control", b"no-cache")

_ROOT, _OPEN_ROOT = b'<html lang="en">', b'<html lang="en" data-open>'
"""The second is known to `web/src/first.ts`."""

_UNBUILT = b"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>watchglass</title>
<meta name="viewport" content="width=device-width, initial-scale=1"></head>
<body><main><h1>watchglass is running</h1>
<p>This installation was made without the app, which takes Node.js to build; all else works.</p>
<p>In a checkout, <code>make app</code> builds it with a Node.js that comes as a Python package; then start
the server again. Published packages, and those that <code>make wheel</code> makes, have it built.</p>
<ul><li><a href="/api/docs">The API</a></li><li><a href="/health">State of the server</a></li></ul>
</main></body></html>
"""


class File(msgspec.Struct, frozen=True):
    """One file: its bodies by content coding (b'' is as it is), and an entity tag."""

    media_type: bytes
    bodies: Mapping[bytes, bytes]
    tag: bytes


class WebApp:
    """Answers requests for the app and its files; `files` by their paths (`/assets/index-3f2a.js`)."""

    def __init__(self, files: Mapping[str, File]) -> None:
        self.files = files
        self.index = files.get(_INDEX) or _file(".html", {b"": _UNBUILT})
        # A kilobyte: smaller uncompressed than what compressing it here would take.
        self._open_index = _file(".html", {b"": self.index.bodies[b""].replace(_ROOT, _OPEN_ROOT)})

    @property
    def built(self) -> bool:
        """Whether there is an app, and not only a page that says how to build it."""
        return _INDEX in self.files

    def answer(self, scope: Scope, *, keyed: bool = True) -> Response | None:
        """The answer to a request for a file or a page of the app; None for any other request. Where nobody
        needs a key the page says so: it then asks for its data before it knows anything else."""
        method, path = scope["method"], str(scope["path"])
        if method not in _READS:
            return None
        file = self.files.get(path)
        if file is not None and path != _INDEX:
            answer = _sent(file, scope, _FOREVER if path.startswith(_ASSETS) else _ASK_FIRST)
        elif path.startswith(_ASSETS):
            answer = problem(404, "The app has no such file: reload the page, for it has been built anew.")
        elif is_page(path) and b"text/html" in header(scope, b"accept"):
            answer = _sent(self.index if keyed else self._open_index, scope, _ASK_FIRST)
        else:
            return None
        return answer


def is_page(path: str) -> bool:
    """Whether a path is the app's to show, once it is asked for as HTML."""
    return "/" + path.lstrip("/").partition("/")[0] not in _OTHERS


def load(directory: Path = BUILT) -> WebApp:
    """What was built, read once: a few hundred kilobytes. Nothing else of the disk is ever sent."""
    files: dict[str, File] = {}
    for file in sorted(directory.rglob("*")) if (directory / "index.html").is_file() else ():
        if file.suffix not in _TYPES or not file.is_file():
            continue
        bodies = {b"": file.read_bytes()}
        for coding, suffix in _CODINGS:
            smaller = file.with_name(file.name + suffix)
            if smaller.is_file():
                bodies[coding] = smaller.read_bytes()
        files["/" + file.relative_to(directory).as_posix()] = _file(file.suffix, bodies)
    return WebApp(files)


def _file(suffix: str, bodies: Mapping[bytes, bytes]) -> File:
    return File(_TYPES[suffix], bodies, sha256(bodies[b""]).hexdigest()[:20].encode())


def _sent(file: File, scope: Scope, caching: tuple[bytes, bytes]) -> Response:
    """The file in the best coding that is accepted, or 304 to who has it."""
    coding = _coding(file, header(scope, b"accept-encoding"))
    tag = b'"%s%s"' % (file.tag, b"-" + coding if coding else b"")
    headers: Headers = (
        (b"etag", tag),
        caching,
        (b"vary", b"accept, accept-encoding"),
        *(((b"content-encoding", coding),) if coding else ()),
        *SECURITY,
    )
    held = {each.strip().removeprefix(b"W/") for each in header(scope, b"if-none-match").split(b",")}
    if tag in held:
        return Response(NOT_MODIFIED, file.media_type, b"", headers)
    return Response(200, file.media_type, file.bodies[coding], headers)


def _coding(file: File, accepted: bytes) -> bytes:
    """RFC 9110 12.5.3, as far as browsers use it: named and not weighed with 0."""
    named: dict[bytes, bytes] = {}
    for each in accepted.lower().split(b","):
        coding, _, weight = each.partition(b";")
        named[coding.strip()] = weight.replace(b" ", b"")
    for coding, _ in _CODINGS:
        weight = named.get(coding)
        if coding in file.bodies and weight is not None and weight.rstrip(b"0.") != b"q=":
            return coding
    return b""
