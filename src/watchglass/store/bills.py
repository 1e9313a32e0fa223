"""Bills that were imported: kept line by line, with what a newer file of the same days has replaced.

A file is known by its content, so importing it again changes nothing. A line counts until a file of the same
format that was imported later has lines of the same provider, day, project and model. Files that are imported
together stand beside each other (pages of one export, exports of several endpoints).
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec
import pyarrow as pa

from watchglass.store.engine import Engine
from watchglass.store.tables import BILL_FILES, BILLS
from watchglass.store.versions import VersionClock

_ROWS_A_BATCH = 50_000

_SAME = "format, provider, toDate(since, 'UTC'), ifNull(project, ''), ifNull(model, '')"

KEPT = "(SELECT * FROM store.bills FINAL WHERE file IN (SELECT file FROM store.bill_files))"
"""Every line of every whole file, as a table expression."""

_NEWEST = f"""(
    SELECT * FROM {KEPT}
    WHERE ({_SAME}, taken) IN (
        SELECT {_SAME}, max(taken) FROM {KEPT} GROUP BY {_SAME}
    )
)"""


class BillRow(msgspec.Struct, frozen=True, kw_only=True):
    """A line as it is kept; see `ledger/bills/line.py` for what each field means."""

    provider: str
    since_ns: int
    until_ns: int
    zone: str
    item: str | None
    project: str | None
    key: str | None
    model: str | None
    token_class: str | None
    tier: str | None
    above: int | None
    long_context: bool
    region: str | None
    tokens: int | None
    requests: int | None
    amount_usd: Decimal | None
    request_id: str | None
    where: str


class BillFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file that was read: what it is called, what identifies it, its lines and what in it is none."""

    file: str
    name: str
    format: str
    rows: Sequence[BillRow]
    refused: Sequence[dict[str, Any]] = ()


class KeptFile(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of an imported file. `known`: it was there already, and nothing was changed."""

    file: str
    name: str
    format: str
    taken_ns: int
    lines: int
    refused: list[dict[str, Any]]
    known: bool = False


class Bills:
    """The imported bills of a store. Thread-safe as far as the engine is."""

    def __init__(self, engine: Engine, versions: VersionClock) -> None:
        self._engine = engine
        self._versions = versions

    def take(self, files: Sequence[BillFile]) -> list[KeptFile]:
        """Keep files that are imported together; each is there as a whole or not at all, and durable."""
        known = {each.file: each for each in self.files()}
        taken, kept = self._versions.next(), list[KeptFile]()
        for each in files:
            found = known.get(each.file)
            if found is None:
                found = self._keep(each, taken)
                known[each.file] = found
                kept.append(found)
            else:
                kept.append(msgspec.structs.replace(found, known=True))
        return kept

    def files(self) -> list[KeptFile]:
        """Every imported file, the latest last."""
        found = self._engine.execute(
            """
            SELECT file, name, format, taken, lines, refused
            FROM store.bill_files FINAL
            ORDER BY taken, name
            """
        )
        return [
            KeptFile(
                file=row["file"],
                name=row["name"],
                format=row["format"],
                taken_ns=row["taken"],
                lines=row["lines"],
                refused=msgspec.json.decode(row["refused"], type=list[dict[str, Any]]),
            )
            for row in found.to_pylist()
        ]

    def live(self) -> str:
        """The lines that count, those that no newer file has replaced, as a table expression.

        Where no day came twice these are all lines, and nothing need be looked up for each.
        """
        found = self._engine.execute(
            """
            SELECT 1
            FROM store.bills
            GROUP BY format, provider, toDate(since, 'UTC')
            HAVING min(taken) != max(taken)
            LIMIT 1
            """
        )
        return _NEWEST if found.num_rows else KEPT

    def _keep(self, file: BillFile, taken: int) -> KeptFile:
        batches = [
            _batch(file, taken, start, file.rows[start : start + _ROWS_A_BATCH])
            for start in range(0, len(file.rows), _ROWS_A_BATCH)
        ]
        if batches:
            self._engine.insert("store.bills", batches)
        about: dict[str, list[object]] = {
            "file": [file.file],
            "name": [file.name],
            "format": [file.format],
            "taken": [taken],
            "lines": [len(file.rows)],
            "refused": [msgspec.json.encode(file.refused).decode()],
        }
        self._engine.insert("store.bill_files", [pa.RecordBatch.from_pydict(about, schema=BILL_FILES)])
        return KeptFile(
            file=file.file, name=file.name, format=file.format, taken_ns=taken,
            lines=len(file.rows), refused=list(file.refused),
        )  # fmt: skip


def _batch(file: BillFile, taken: int, start: int, rows: Sequence[BillRow]) -> pa.RecordBatch:
    columns: dict[str, list[Any]] = {
        "file": [file.file] * len(rows),
        "ordinal": list(range(start, start + len(rows))),
        "name": [file.name] * len(rows),
        "format": [file.format] * len(rows),
        "taken": [taken] * len(rows),
        "since": [row.since_ns for row in rows],
        "until": [row.until_ns for row in rows],
        "decimals": [_decimals(row.amount_usd) for row in rows],
        "place": [row.where for row in rows],
    }
    for field in BILLS:
        if field.name not in columns:
            columns[field.name] = [getattr(row, field.name) for row in rows]
    arrays = [pa.array(columns[field.name], field.type) for field in BILLS]
    return pa.RecordBatch.from_arrays(arrays, schema=BILLS)


def _decimals(amount: Decimal | None) -> int:
    if amount is None:
        return 0
    exponent = amount.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
