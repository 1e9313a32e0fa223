"""The endpoints that ask a `Reader`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from watchglass.clock import Clock
from watchglass.errors import BadRequest, QueryError
from watchglass.queries.answers import csv_lines, json_columns, json_objects
from watchglass.queries.call import CallDetail
from watchglass.queries.documents import plain, trace_document, usage_document
from watchglass.queries.expired import ExpiredHours
from watchglass.queries.figures import Figures
from watchglass.queries.lists.question import SUBJECTS, Askable, Subject, list_question
from watchglass.queries.lists.subjects import LISTED
from watchglass.queries.questions import usage_question
from watchglass.queries.reader import Reader
from watchglass.queries.sites import SITE_FILTERS, RecordedSites, sites_question
from watchglass.queries.trace import Trace
from watchglass.queries.usage import DIMENSIONS, FILTERS
from watchglass.surfaces.api.body import decode_body, read_body
from watchglass.surfaces.api.endpoint import Endpoint, Handler, Parameter
from watchglass.surfaces.api.turns import Turns

MAX_QUESTION_BYTES = 1 << 20
_TOO_LONG = f"the question is longer than {MAX_QUESTION_BYTES} bytes; ask a shorter one"
_EXAMPLE = '{"sql": "SELECT …"}, and "format" (objects, columns or csv) if you like'

_FORMATS = {
    "objects": (json_objects, "application/json"),
    "columns": (json_columns, "application/json"),
    "csv": (csv_lines, "text/csv; charset=utf-8; header=present"),
}


class Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A question in SQL, and the form of its answer."""

    sql: str
    format: Literal["objects", "columns", "csv"] = "objects"


_SINCE = Parameter(
    name="since", meaning="Start of the time asked about: an ISO time, a date, or 7d, 12h, 30m ago."
)
_UNTIL = Parameter(name="until", meaning="End of the time asked about, not included; written like `since`.")
_CURSOR = Parameter(name="cursor", meaning="`next` of the page before; only for the same question.")
_LIMIT = Parameter(name="limit", meaning="Most rows on the page, 1 to 1000; 50 unless given.", type=int)

_ROWS = {"type": "array", "items": {"type": "object", "additionalProperties": True}}
_USAGE_ROW: dict[str, Any] = {
    "allOf": [{"$ref": "#/components/schemas/Figures"}],
    "description": "Sums of a group; the dimensions asked for stand beside them, null where unknown.",
    "properties": {
        **{name: {"type": ["string", "null"]} for name in DIMENSIONS},
        "avg_duration_ns": {"type": ["integer", "null"]},
        "p95_duration_ns": {
            "type": ["integer", "null"],
            "description": "The 95th percentile to within 1%.",
        },
    },
}
_USAGE_PART: dict[str, Any] = {
    "type": "object",
    "properties": {"rows": {"type": "array", "items": _USAGE_ROW}, "totals": _USAGE_ROW},
    "required": ["rows", "totals"],
}
_USAGE: dict[str, Any] = {
    "type": "object",
    "properties": {
        "by": {"type": "array", "items": {"enum": list(DIMENSIONS)}},
        "since": {"type": ["string", "null"]},
        "until": {"type": ["string", "null"]},
        **_USAGE_PART["properties"],
        "unattributed": _USAGE_PART,
        "expired": {"anyOf": [{"$ref": "#/components/schemas/ExpiredHours"}, {"type": "null"}]},
    },
    "required": ["by", "since", "until", "rows", "totals", "unattributed", "expired"],
}
SHARED_TYPES = (Figures, ExpiredHours)
"""Types that schemas written by hand refer to."""


def reading(reader: Reader, turns: Turns, clock: Clock) -> list[Endpoint]:
    """Everything that can be asked of a `Reader`."""
    api = _Reading(reader, turns, clock)
    return [
        Endpoint(
            method="GET",
            path="/api/v1/usage",
            summary="What was spent",
            details="Sums over counted calls by any dimensions, with totals; apart from them, usage that was "
            "reported as a sum with no call under it.",
            needs="read",
            handler=api.usage,
            parameters=(
                Parameter(name="by", meaning=f"Dimensions, with commas: {', '.join(DIMENSIONS)}."),
                _SINCE,
                _UNTIL,
                Parameter(name="durations", meaning="`no` leaves out mean and p95, for long answers."),
                *_filters(sorted(FILTERS)),
            ),
            answer=_USAGE,
        ),
        *(_list(subject, api.listing(subject)) for subject in SUBJECTS),
        Endpoint(
            method="GET",
            path="/api/v1/calls/{call_id:path}",
            summary="One call with its messages",
            needs="read",
            handler=api.call,
            parameters=(Parameter(name="call_id", meaning="The call's id.", place="path", required=True),),
            answer=CallDetail,
        ),
        Endpoint(
            method="GET",
            path="/api/v1/traces/{trace_id}",
            summary="One trace as a tree",
            needs="read",
            handler=api.trace,
            parameters=(
                Parameter(
                    name="trace_id",
                    meaning="The trace's id, or the first digits of it.",
                    place="path",
                    required=True,
                ),
            ),
            answer=Trace,
        ),
        Endpoint(
            method="GET",
            path="/api/v1/coverage/sites",
            summary="Which lines of code made calls",
            details="The run-time half of `watchglass coverage`: by file, line and function, how many "
            "calls, what they "
            "cost, and for how many nobody said for which tenant and feature. 30 days unless `since` says "
            "else.",
            needs="read",
            handler=api.sites,
            parameters=(_SINCE, _UNTIL, *_filters(SITE_FILTERS)),
            answer=RecordedSites,
        ),
        Endpoint(
            method="GET",
            path="/api/v1/query",
            summary="A question in SQL",
            details="One SELECT, SHOW TABLES or DESCRIBE over the documented tables; read only.",
            needs="read",
            handler=api.query,
            parameters=(
                Parameter(name="sql", meaning="The question.", required=True),
                Parameter(
                    name="format", meaning="Form of the answer.", type=Literal["objects", "columns", "csv"]
                ),
            ),
            answer=_ROWS,
        ),
        Endpoint(
            method="POST",
            path="/api/v1/query",
            summary="A question in SQL, of any length",
            needs="read",
            handler=api.query,
            body=Asked,
            answer=_ROWS,
        ),
    ]


def _list(subject: Subject, handler: Handler) -> Endpoint:
    listed = LISTED[subject]
    return Endpoint(
        method="GET",
        path=f"/api/v1/{subject}",
        summary=f"A list of {subject}, a page at a time",
        details=(listed.row.__doc__ or "").strip(),
        needs="read",
        handler=handler,
        parameters=(_SINCE, _UNTIL, *_list_parameters(listed.askable), _LIMIT, _CURSOR),
        answer={
            "type": "object",
            "properties": {
                "rows": {"type": "array", "items": {"$ref": f"#/components/schemas/{listed.row.__name__}"}},
                "next": {
                    "type": ["string", "null"],
                    "description": "Cursor of the next page, null on the last.",
                },
            },
            "required": ["rows", "next"],
        },
    )


def _list_parameters(askable: Askable) -> tuple[Parameter, ...]:
    sort = Parameter(
        name="sort",
        meaning=f"Largest first by {', '.join(['time', *askable.sorts])}; by time unless given.",
        type=Literal[tuple(["time", *askable.sorts])],
    )
    least = [
        Parameter(name=name, meaning="Only rows with at least so much.", type=float) for name in askable.least
    ]
    flags = [
        Parameter(
            name=name, meaning="Only rows of which this holds.", type=Literal[tuple(filter(None, known))]
        )
        for name, known in askable.flags.items()
    ]
    return (sort, *_filters(sorted(askable.filters)), *flags, *least)


def _filters(names: Sequence[str]) -> tuple[Parameter, ...]:
    meaning = "Only rows with this value; given twice, either; empty for rows where it is unknown."
    return tuple(Parameter(name=name, meaning=meaning, many=True) for name in names)


class _Reading:
    def __init__(self, reader: Reader, turns: Turns, clock: Clock) -> None:
        self._reader = reader
        self._clock = clock
        self._turns = turns

    async def usage(self, request: Request) -> Response:
        question = usage_question(request.query_params.multi_items(), self._clock.now_ns())
        return _json(usage_document(await self._turns.ask(self._reader.usage, question)))

    def listing(self, subject: Subject) -> Handler:
        async def answer(request: Request) -> Response:
            now_ns = self._clock.now_ns()
            items = request.query_params.multi_items()
            question = list_question(subject, items, now_ns, LISTED[subject].askable)
            return _json(plain(await self._turns.ask(self._reader.page, question, now_ns)))

        return answer

    async def call(self, request: Request) -> Response:
        return _json(plain(await self._turns.ask(self._reader.call, request.path_params["call_id"])))

    async def trace(self, request: Request) -> Response:
        return _json(
            trace_document(await self._turns.ask(self._reader.trace, request.path_params["trace_id"]))
        )

    async def sites(self, request: Request) -> Response:
        question = sites_question(request.query_params.multi_items(), self._clock.now_ns())
        return _json(plain(await self._turns.ask(self._reader.sites, question)))

    async def query(self, request: Request) -> Response:
        asked = await _asked(request)
        write, media_type = _FORMATS[asked.format]
        answer = await self._turns.ask(self._reader.query, asked.sql)
        return StreamingResponse(write(answer), media_type=media_type)


async def _asked(request: Request) -> Asked:
    if request.method == "GET":
        params = dict(request.query_params)
        if "sql" not in params:
            raise QueryError("the question is missing; add ?sql=SELECT …")
        return _convert(params)
    return decode_body(await read_body(request, MAX_QUESTION_BYTES, _TOO_LONG), Asked, _EXAMPLE)


def _convert(params: dict[str, str]) -> Asked:
    try:
        return msgspec.convert(params, Asked)
    except msgspec.ValidationError as fault:
        raise BadRequest(f"{fault}; send {_EXAMPLE}") from None


def _json(document: dict[str, Any]) -> Response:
    return Response(msgspec.json.encode(document), media_type="application/json")
