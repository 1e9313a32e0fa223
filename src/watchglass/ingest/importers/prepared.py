"""A part of a file all the way to rows of the store, in any process."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import pyarrow as pa

from watchglass.ingest.importers.calls import call_batch
from watchglass.ingest.importers.explained import explained
from watchglass.ingest.importers.parts import Part, read_part
from watchglass.ingest.importers.records import Rejected
from watchglass.ingest.importers.tally import Tally, costs
from watchglass.pricing.book import PriceBook


class PreparedPart(msgspec.Struct, frozen=True):
    """Priced rows of `store.calls`, the digests they are told apart by, and which brought an id along.

    A row without one has its digest as id until equal ones are numbered. The tally lacks what only the store
    can tell: how many are new.
    """

    batch: pa.RecordBatch
    keys: list[bytes]
    own: list[bool]
    rejects: list[Rejected]
    notices: list[str]
    tally: Tally


def prepare_part(
    part: Part, maps: Mapping[str, str], book: PriceBook, tenant: str | None = None
) -> PreparedPart:
    """Read and price one part. `tenant` is whose key sent it, if anybody's."""
    read = read_part(part, maps, tenant)
    ids = [own or key.hex() for own, key in zip(read.own, read.keys, strict=True)]
    batch = call_batch(read.rows, ids, book, tenant or "")
    priced = costs(batch)
    counted = Tally(rows=batch.num_rows + len(read.rejects), rejected=len(read.rejects))
    line = read.rows.lines[0] if read.rows.lines else 0
    tally = priced + explained(batch, book, priced, line) + counted
    own = [each is not None for each in read.own]
    return PreparedPart(batch, read.keys, own, read.rejects, read.notices, tally)
