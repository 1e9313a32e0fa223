"""A reader that asks a server over HTTP; its answers and errors are those of a local one."""

from __future__ import annotations

import http.client
import ipaddress
import urllib.error
import urllib.request
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, quote, urlencode, urlsplit

import msgspec

from watchglass import errors
from watchglass.queries.answers import Answer, ResultColumn, Row
from watchglass.queries.call import CallDetail
from watchglass.queries.documents import read_trace, usage_report
from watchglass.queries.lists.question import ListQuestion, Page, list_items
from watchglass.queries.lists.subjects import LISTED
from watchglass.queries.plain import moment
from watchglass.queries.questions import usage_items
from watchglass.queries.sites import RecordedSites, SitesQuestion, sites_items
from watchglass.queries.trace import Trace
from watchglass.queries.usage import UsageQuestion, UsageReport

if TYPE_CHECKING:
    from watchglass.doctor.contract import Window
    from watchglass.doctor.examination import Examination

_KINDS: Mapping[int, type[errors.WatchglassError]] = {
    400: errors.QueryError,
    401: errors.Unauthenticated,
    403: errors.QueryRefused,
    404: errors.NotFound,
    409: errors.Conflict,
    413: errors.QueryError,
    422: errors.QueryLimit,
    429: errors.Overloaded,
    503: errors.Overloaded,
}
"""The server's table of statuses, read backwards."""


class _Problem(msgspec.Struct, frozen=True):
    detail: str


class _Columns(msgspec.Struct, frozen=True):
    columns: tuple[ResultColumn, ...]
    rows: list[Any]


class _Page(msgspec.Struct, frozen=True):
    rows: list[Any]
    next: str | None


class RemoteReader:
    """See `Reader`. Every method raises `Unreachable` when no watchglass answers at `url`."""

    def __init__(self, url: str, *, timeout_s: float, key: str | None = None) -> None:
        """`key` is shown to the server, as `Authorization: Bearer`."""
        self._base = address_of(url)
        self._key = key
        self._timeout_s = timeout_s
        self._opener = opener_for(self._base)

    def usage(self, question: UsageQuestion) -> UsageReport:
        """See `Reader.usage`."""
        return usage_report(
            msgspec.json.decode(self._get(f"/api/v1/usage?{urlencode(usage_items(question))}"))
        )

    def trace(self, trace_id: str) -> Trace:
        """See `Reader.trace`."""
        return read_trace(msgspec.json.decode(self._get(f"/api/v1/traces/{quote(trace_id, safe='')}")))

    def call(self, call_id: str) -> CallDetail:
        """See `Reader.call`."""
        return msgspec.json.decode(self._get(f"/api/v1/calls/{quote(call_id, safe='')}"), type=CallDetail)

    def page(self, question: ListQuestion, now_ns: int) -> Page:
        """See `Reader.page`; the server's own clock says where the newest are looked for."""
        body = self._get(f"/api/v1/{question.subject}?{urlencode(list_items(question))}")
        found = msgspec.json.decode(body, type=_Page)
        return Page(rows=msgspec.convert(found.rows, list[LISTED[question.subject].row]), next=found.next)

    def sites(self, question: SitesQuestion) -> RecordedSites:
        """See `Reader.sites`."""
        body = self._get(f"/api/v1/coverage/sites?{urlencode(sites_items(question))}")
        return msgspec.json.decode(body, type=RecordedSites)

    def query(self, sql: str) -> Answer:
        """See `Reader.query`."""
        body = msgspec.json.encode({"sql": sql, "format": "columns"})
        found = msgspec.json.decode(self._fetch("/api/v1/query", body), type=_Columns)
        rows: list[Row] = found.rows
        return Answer(found.columns, [rows])

    def doctor(self, window: Window) -> Examination:
        """What the server finds wrong, of itself too."""
        from watchglass.doctor.examination import Examination  # not for every command that asks a server

        asked = urlencode({"since": moment(window.since_ns), "until": moment(window.until_ns)})
        return msgspec.json.decode(self._get(f"/api/v1/doctor?{asked}"), type=Examination)

    def fetch(self, path: str, body: bytes | None, method: str) -> bytes:
        """What the server answers to a request of any other kind; raises its errors as ours."""
        return self._fetch(path, body, method)

    @contextmanager
    def held(self, path: str) -> Generator[bytes]:
        """POST, and the first line of an answer that goes on as long as the context does."""
        headers = authorization(self._key)
        request = urllib.request.Request(self._base + path, data=b"", headers=headers, method="POST")
        with ExitStack() as stack:
            try:
                response = stack.enter_context(self._opener.open(request, timeout=self._timeout_s))
                line = response.readline()
            except urllib.error.HTTPError as refusal:
                raise error_of(refusal, self._base) from None
            except (OSError, http.client.HTTPException) as fault:
                raise errors.Unreachable(self._sentence(fault)) from None
            yield line

    def _get(self, path: str) -> bytes:
        return self._fetch(path, None)

    def _fetch(self, path: str, body: bytes | None, method: str | None = None) -> bytes:
        headers = {"accept": "application/json", "content-type": "application/json"}
        headers |= authorization(self._key)
        request = urllib.request.Request(self._base + path, data=body, headers=headers, method=method)
        try:
            with self._opener.open(request, timeout=self._timeout_s) as response:
                return response.read()
        except urllib.error.HTTPError as refusal:
            raise error_of(refusal, self._base) from None
        except (OSError, http.client.HTTPException) as fault:
            raise errors.Unreachable(self._sentence(fault)) from None

    def _sentence(self, fault: Exception) -> str:
        reason = getattr(fault, "reason", fault)
        if isinstance(reason, TimeoutError):
            waited = f"{self._base} did not answer within {self._timeout_s:.0f} s"
            return f"{waited}; ask for less, or raise query_time_s"
        what = reason.strerror if isinstance(reason, OSError) and reason.strerror else str(reason)
        return (
            f"no server answers at {self._base} ({what}); start one with `watchglass serve`, name another "
            "with --url, or read a store without a server with --data DIR"
        )


def error_of(refusal: urllib.error.HTTPError, base: str) -> errors.WatchglassError:
    """What the server at `base` refused, as the error of ours that it is."""
    try:
        detail = msgspec.json.decode(refusal.read(), type=_Problem).detail
    except msgspec.MsgspecError:
        return errors.Unreachable(
            f"what answers at {base} is no watchglass (HTTP {refusal.code}); give its address with --url"
        )
    return _KINDS.get(refusal.code, errors.WatchglassError)(detail)


def authorization(key: str | None) -> dict[str, str]:
    """The header that shows a key. Raises `ConfigError` for one that no header can hold."""
    if not key:
        return {}
    if not (key.isascii() and key.isprintable()):
        raise errors.ConfigError("the key holds signs that no key has; copy it again as it was shown")
    return {"authorization": f"Bearer {key}"}


def address_of(url: str) -> str:
    """The server's address with its scheme and no slash at its end. Raises `ConfigError`."""
    parts = _parts(url)
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def opener_for(address: str) -> urllib.request.OpenerDirector:
    """What opens requests to `address`; a proxy set for the outside world cannot reach this machine's own."""
    direct = [urllib.request.ProxyHandler({})] if _is_loopback(urlsplit(address).hostname or "") else []
    return urllib.request.build_opener(*direct)


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url if "//" in url else f"http://{url}")
        if parts.scheme in ("http", "https") and parts.hostname and parts.port != 0:
            return parts
    except ValueError:  # brackets that do not close, a port that is no number
        pass
    raise errors.ConfigError(f"{url!r} is no address of a server; write http://127.0.0.1:4318")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
