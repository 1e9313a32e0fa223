"""Reports as JSON documents and back: the same for the API and for `--json`.

Money is text without exponents, a usage row is flat (its group's dimensions stand beside its sums).
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, TypeAlias, cast

import msgspec

from watchglass.queries.expired import ExpiredHours
from watchglass.queries.plain import money
from watchglass.queries.trace import Trace
from watchglass.queries.usage import UsagePart, UsageReport
from watchglass.queries.usage_rows import UsageRow, UsageRows

Document: TypeAlias = "dict[str, Any]"


def usage_document(report: UsageReport) -> Document:
    """`{by, since, until, rows, totals, unattributed: {rows, totals}, expired}`."""
    return {
        "by": list(report.by),
        "since": report.since,
        "until": report.until,
        **_part(report.counted),
        "unattributed": _part(report.unattributed),
        "expired": None if report.expired is None else msgspec.to_builtins(report.expired),
    }


def usage_report(document: Mapping[str, Any]) -> UsageReport:
    """The report that `usage_document` wrote. Raises `msgspec.ValidationError` on anything else."""
    by = msgspec.convert(document["by"], tuple[str, ...])
    return UsageReport(
        by=by,
        since=document["since"],
        until=document["until"],
        counted=_read_part(document, by),
        unattributed=_read_part(document["unattributed"], by),
        expired=msgspec.convert(document.get("expired"), ExpiredHours | None),
    )


def trace_document(trace: Trace) -> Document:
    """`{trace_id, start, duration_ns, totals, spans: […]}`, parents before children."""
    return cast("Document", plain(trace))


def read_trace(document: Mapping[str, Any]) -> Trace:
    """The trace that `trace_document` wrote."""
    return msgspec.convert(document, Trace)


def plain(record: object) -> Any:
    """A record as JSON's own values, decimals as text."""
    return _texts(msgspec.to_builtins(record, builtin_types=(Decimal,)))


def _texts(value: Any) -> Any:
    match value:
        case Decimal():
            return money(value)
        case dict():
            return {key: _texts(item) for key, item in cast("dict[str, Any]", value).items()}
        case list() | tuple():
            return [_texts(item) for item in cast("list[Any]", value)]
        case _:
            return value


def _part(part: UsagePart) -> Document:
    rows = part.rows.documents() if isinstance(part.rows, UsageRows) else [_flat(row) for row in part.rows]
    return {"rows": rows, "totals": _flat(part.totals)}


def _flat(row: UsageRow) -> Document:
    values = cast("Document", plain(row))
    group = cast("Document", values.pop("group"))
    return {**group, **values}


def _read_part(document: Mapping[str, Any], by: tuple[str, ...]) -> UsagePart:
    return UsagePart(
        [_read_row(row, by) for row in document["rows"]],
        _read_row(document["totals"], ()),
    )


def _read_row(row: Mapping[str, Any], by: tuple[str, ...]) -> UsageRow:
    return msgspec.convert({**row, "group": {name: row[name] for name in by}}, UsageRow)
