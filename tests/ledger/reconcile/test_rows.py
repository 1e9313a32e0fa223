"""A log of single requests against our calls, one by one."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from tests.ledger.bills.generated import Call, litellm_spend
from tests.new_store import prepared
from tests.stored_rows import call as stored_call
from tests.stored_rows import insert
from watchglass.ledger.reconcile.asked import Asked
from watchglass.ledger.reconcile.importing import import_bills
from watchglass.ledger.reconcile.ledger import Ledger
from watchglass.ledger.reconcile.run import reconcile
from watchglass.pricing.book import PriceBook
from watchglass.pricing.listed import ListedPrice
from watchglass.store import Bills, Store, open_store

SECOND = 10**9
MIDNIGHT_NS = 1_767_312_000 * SECOND
"""2026-01-02T00:00:00Z"""
BOOK = PriceBook([ListedPrice(provider="openai", model="m", input=Decimal(2), output=Decimal(10))])


def logged(number: int, *, at_ns: int, read: int = 0, usd: str | None = None) -> Call:
    """What LiteLLM logs of a request of 1,000 tokens in and 100 out."""
    exact = Decimal("0.003") if usd is None else Decimal(usd)
    return Call(
        at_ns=at_ns, model="m", tokens={"input": 1000 - read, "cache_read": read, "output": 100},
        usd={"input": exact}, request_id=f"chatcmpl-{number}",
    )  # fmt: skip


def ours(number: int, *, at_ns: int, output: int = 100, **columns: object) -> dict[str, object]:
    cost = (Decimal(2) * 1000 + Decimal(10) * output) / 1_000_000
    return stored_call(
        number, time=at_ns, provider="openai", request_model="m", response_model="m",
        response_id=f"chatcmpl-{number}", input_tokens=1000, output_tokens=output, cost_usd=cost,
        price_source="override", price_id="override:openai/m", **columns,
    )  # fmt: skip


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    at_ns = MIDNIGHT_NS - 3600 * SECOND
    theirs = [logged(number, at_ns=at_ns + number * SECOND) for number in range(1, 11)]
    theirs.append(logged(11, at_ns=at_ns))  # went past us
    theirs.append(logged(13, at_ns=MIDNIGHT_NS + 1))  # after midnight by their clock
    theirs.append(logged(14, at_ns=at_ns))  # with other tokens
    theirs.append(logged(15, at_ns=at_ns, usd="0.0045"))  # with another cost
    theirs.append(logged(16, at_ns=at_ns))  # known by the client's own id
    rows = [ours(number, at_ns=at_ns + number * SECOND) for number in range(1, 11)]
    rows.append(ours(12, at_ns=at_ns))  # not logged
    rows.append(ours(13, at_ns=MIDNIGHT_NS - 1))
    rows.append(ours(14, at_ns=at_ns, output=50))
    rows.append(ours(15, at_ns=at_ns))
    rows.append(
        ours(16, at_ns=at_ns) | {"response_id": None, "metadata": {"watchglass.call_id": "chatcmpl-16"}}
    )
    with open_store(prepared(tmp_path_factory.mktemp("rows") / "data")) as store:
        insert(store.engine, "calls", rows)
        yield reconciled(store, litellm_spend(theirs))


def reconciled(store: Store, content: bytes) -> Ledger:
    import_bills(Bills(store.engine, store.versions), [("spend.json", content)])
    bills = Bills(store.engine, store.versions)
    return reconcile(store.engine, BOOK, Asked(), live=bills.live())


def test_requests_are_told_apart_one_by_one(ledger: Ledger) -> None:
    """Those of one side only, and those of both with other tokens or another cost, are counted and named."""
    [found] = ledger.row_by_row
    assert found.on_both == 14
    assert (found.only_on_bill.requests, found.only_on_bill.examples) == (1, ["chatcmpl-11"])
    assert found.only_ours.requests == 1 and found.only_ours.amount_usd == Decimal("0.003")
    assert (found.other_tokens.requests, found.other_tokens.examples) == (1, ["chatcmpl-14"])
    assert (found.other_cost.requests, found.other_cost.amount_usd) == (1, Decimal("0.0015"))


def test_each_side_of_the_difference_has_its_amount(ledger: Ledger) -> None:
    """What is missing here or there is worth what its own side says, never netted against each other."""
    explained = ledger.totals.explained
    assert explained["not_seen"] == Decimal("0.003")
    assert explained["not_billed"] == Decimal("-0.003")
    assert explained["token_count"] == Decimal("0.0005")
    assert ledger.totals.unexplained_apart == Decimal("0.0015")


def test_a_request_at_midnight_is_on_one_day(ledger: Ledger) -> None:
    """A request whose two clocks are on two days is compared with itself."""
    assert {line.day for line in ledger.lines} == {"2026-01-01"}
