"""What the tests of formats do again and again: read, and say the sums."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from tests.ledger.bills.generated import total
from watchglass.ledger.bills.formats import read_bill
from watchglass.ledger.bills.line import BillLine, Refused


def lines_of(content: bytes | str | dict[str, Any] | list[Any], **mapping: str) -> list[BillLine]:
    """The lines of a file in which nothing is refused."""
    lines, refused = both_of(content, **mapping)
    assert refused == []
    return lines


def both_of(
    content: bytes | str | dict[str, Any] | list[Any], **mapping: str
) -> tuple[list[BillLine], list[Refused]]:
    """The lines of a file, and what in it is none."""
    if isinstance(content, dict | list):
        content = json.dumps(content)
    _, lines, refused = read_bill(content.encode() if isinstance(content, str) else content, None, mapping)
    return lines, refused


def dollars(lines: Iterable[BillLine]) -> Decimal:
    """What they cost together, to the last digit."""
    return total(line.amount_usd for line in lines if line.amount_usd is not None)


def tokens_by_class(lines: Iterable[BillLine]) -> dict[str | None, int]:
    """Their tokens of each class."""
    found: dict[str | None, int] = defaultdict(int)
    for line in lines:
        if line.tokens is not None:
            found[line.token_class] += line.tokens
    return dict(found)
