"""Why reported costs are not ours: the classes of `pricing.differences`, counted, with an example of each."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pyarrow as pa
import pyarrow.compute

from watchglass.ingest.importers.tally import Tally, are_absurd, may_differ
from watchglass.model import Usage
from watchglass.pricing.book import PriceBook, Priced, PriceRequest
from watchglass.pricing.differences import Difference, Explainer
from watchglass.pricing.unlisted import with_unlisted

pc: Any = pyarrow.compute  # its functions are made when it is imported, so no type names them

FIRST_LINES = 10_000
MOST = 150
"""Rows are looked into if their part begins within so many lines of the file, so many of a part: it takes a
millisecond or more for each, and an import is not to wait for it."""

NOT_EXAMINED = "not_examined"

_TOKENS = tuple(name for name in Usage.__struct_fields__ if name != "total_tokens")
_ASKED = (
    *("provider", "request_model", "response_model", "service_tier", "success", "cost_usd", "price_source"),
    *("price_id", "unpriced_reason", "reported_cost_usd", "tenant", *_TOKENS),
)


def explained(batch: pa.RecordBatch, book: PriceBook, tally: Tally, line: int) -> Tally:
    """The classes of the rows of `batch` whose reported cost is not ours; `tally` says how many those are.

    `line` is where the batch begins in its file.
    """
    unknown = tally.reported - tally.agree - tally.differ
    classes, examples, left = Counter[str](), dict[str, str](), tally.differ
    absurd = are_absurd(batch)
    if (found := batch.filter(absurd)).num_rows:
        # All of them, however many: they must not hide behind those that are looked into.
        unpriced = found.column("cost_usd").null_count
        unknown -= unpriced
        left -= found.num_rows - unpriced
        classes["absurd"] = found.num_rows
        first = found.slice(0, 1).select(["request_model", "reported_cost_usd"]).to_pylist()[0]
        examples["absurd"] = f"{first['request_model']}: ${first['reported_cost_usd']:f}"
        batch = batch.filter(pc.invert(absurd))
    if unknown:
        classes["price_unknown"] = unknown
    if not left:
        return Tally(differences=classes, examples=examples)
    most = MOST if line <= FIRST_LINES else 0
    some = batch.filter(pc.fill_null(may_differ(batch), False)).slice(0, most)
    starts = some.column("time").cast(pa.int64()).to_pylist()
    explainer = Explainer(book)
    looked_into: list[tuple[PriceRequest, Difference]] = []
    for row, at_ns in zip(some.select(list(_ASKED)).to_pylist(), starts, strict=True):
        priced = Priced(row["cost_usd"], row["price_source"], row["price_id"], row["unpriced_reason"])
        request = _request(row, at_ns)
        looked_into.append((request, explainer.explain(request, row["reported_cost_usd"], priced)))
    for (request, _), found in zip(looked_into, with_unlisted(looked_into), strict=True):
        if found.kind == "same":
            continue
        classes[found.kind] += 1
        left -= 1
        examples.setdefault(found.kind, f"{request.request_model}: {found.evidence}")
    if left:
        classes[NOT_EXAMINED] = left
    return Tally(differences=classes, examples=examples)


def _request(row: dict[str, Any], at_ns: int) -> PriceRequest:
    return PriceRequest(
        provider=row["provider"],
        request_model=row["request_model"],
        response_model=row["response_model"],
        at_ns=at_ns,
        usage=Usage(**{name: row[name] for name in _TOKENS}),
        service_tier=row["service_tier"],
        success=row["success"],
        tenant=row["tenant"],
    )
