"""What became of an import, in figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute

from watchglass.model import Usage
from watchglass.pricing.absurd import LEAST_USD, absurdity
from watchglass.pricing.cached import TOLERANCE

pc: Any = pyarrow.compute  # its functions are made when it is imported, so no type names them


MAPPINGS = ("unpriced", "differences", "examples")
"""Fields of a tally that are no counts."""


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of one file, or of several. `rows` = `new` + `known` + `rejected`."""

    rows: int = 0
    new: int = 0
    known: int = 0
    """Already there, or a repetition of a row of the file that has the same id."""
    rejected: int = 0
    priced: int = 0
    unpriced: Mapping[str, int] = {}
    """By reason."""
    reported: int = 0
    """Rows with a reported cost."""
    agree: int = 0
    """Of these: computed to the same amount."""
    differ: int = 0
    differences: Mapping[str, int] = {}
    """Rows with a reported cost that is not ours, by why (`pricing.differences`, and `not_examined`)."""
    examples: Mapping[str, str] = {}
    """Of each why, the evidence of one row."""

    def __add__(self, other: Tally) -> Tally:
        sums = {
            name: getattr(self, name) + getattr(other, name)
            for name in self.__struct_fields__
            if name not in MAPPINGS
        }
        return Tally(
            **sums,
            unpriced=dict(Counter(self.unpriced) + Counter(other.unpriced)),
            differences=dict(Counter(self.differences) + Counter(other.differences)),
            examples={**other.examples, **self.examples},
        )


def costs(batch: pa.RecordBatch) -> Tally:
    """How the rows of a batch are priced, and whether that is what was reported."""
    cost, reported = batch.column("cost_usd"), batch.column("reported_cost_usd")
    both = pc.and_(cost.is_valid(), reported.is_valid())
    unlike = pc.and_(both, pc.not_equal(cost, reported))
    ours, theirs = cost.filter(unlike), reported.filter(unlike)
    clear = _clearly_differ(ours, theirs)
    close = pc.invert(clear)
    differ = (pc.sum(clear).as_py() or 0) + sum(
        abs(ours - theirs) > TOLERANCE * abs(theirs)
        for ours, theirs in zip(ours.filter(close).to_pylist(), theirs.filter(close).to_pylist(), strict=True)
    )
    reasons = batch.column("unpriced_reason").drop_null().value_counts().to_pylist()
    return Tally(
        priced=batch.num_rows - cost.null_count,
        unpriced={each["values"]: each["counts"] for each in reasons},
        reported=batch.num_rows - reported.null_count,
        agree=(pc.sum(both).as_py() or 0) - differ,
        differ=differ,
    )


def may_differ(batch: pa.RecordBatch) -> pa.Array:
    """Of each row whether its costs may differ, as floats see it; NULL where one of them is not known."""
    cost, reported = (batch.column(name).cast(pa.float64()) for name in ("cost_usd", "reported_cost_usd"))
    slack = pc.multiply(float(TOLERANCE) / 2, pc.abs(reported))
    return pc.greater(pc.abs(pc.subtract(cost, reported)), slack)


def are_absurd(batch: pa.RecordBatch) -> pa.Array:
    """Of each row whether no call can have cost what was reported, by the rules of `pricing.absurd`."""
    reported = batch.column("reported_cost_usd")
    # Below this only what is negative is absurd: most rows need no look.
    seen = pc.or_(pc.less(reported, Decimal(0)), pc.greater_equal(reported, Decimal(LEAST_USD)))
    found = [False] * batch.num_rows
    columns = (batch.column(name) for name in ("input_tokens", "output_tokens", "cost_usd"))
    picked = pc.indices_nonzero(pc.fill_null(seen, False))
    looked = zip(
        picked.to_pylist(), *(each.take(picked).to_pylist() for each in (reported, *columns)), strict=True
    )
    for row, cost, asked, answered, computed in looked:
        found[row] = absurdity(Usage(asked, answered), cost, computed) is not None
    return pa.array(found, pa.bool_())


def _clearly_differ(ours: pa.Array, theirs: pa.Array) -> pa.Array:
    """Which pairs a float can tell apart for sure; the rest is left to decimals, which cost more."""
    near, far = ours.cast(pa.float64()), theirs.cast(pa.float64())
    return pc.greater(pc.abs(pc.subtract(near, far)), pc.multiply(2 * float(TOLERANCE), pc.abs(far)))
