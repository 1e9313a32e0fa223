"""What is believed of several files, under which name a model goes, and where days are cut."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from watchglass.ledger.reconcile.days import HOUR_NS, apart, midnight, zones
from watchglass.ledger.reconcile.entries import Entry, believe
from watchglass.ledger.reconcile.names import match_names

DAY_NS = 24 * HOUR_NS


def entry(format: str, **columns: object) -> Entry:
    base: dict[str, object] = {
        "file": format, "format": format, "taken": 1, "provider": "openai", "since_ns": 0, "until_ns": DAY_NS,
        "model": "m",
    }  # fmt: skip
    return Entry(**{**base, **columns})  # type: ignore[arg-type]


def test_costs_and_usage_of_a_day_complement_each_other() -> None:
    """Money is believed of the file that has it, tokens and requests of the other; nothing is put aside."""
    costs = entry("openai-costs", token_class="input", amount=Decimal(1))
    usage = [entry("openai-usage", token_class="input", tokens=5), entry("openai-usage", requests=2)]
    found = believe([costs, *usage], lambda each: each.model)
    assert (found.money, found.tokens, found.requests) == ([costs], usage[:1], usage[1:])
    assert found.put_aside == []


def test_money_that_two_files_tell_of_is_added_once() -> None:
    """Of a bill and a log of requests the bill is believed, and the log's money is put aside and named."""
    costs = entry("openai-costs", token_class="input", amount=Decimal(1))
    logged = entry("litellm-spend", amount=Decimal("1.1"), by_request=True, taken=2, lines=7)
    found = believe([costs, logged], lambda each: each.model)
    assert found.money == [costs]
    [aside] = found.put_aside
    assert (aside.format, aside.lines, aside.amount_usd, aside.instead) == (
        "litellm-spend", 7, Decimal("1.1"), "openai-costs",
    )  # fmt: skip


def test_the_same_day_in_two_files_of_one_format_is_added_once() -> None:
    """The newer of two files that tell of one project and model counts; other models of both do."""
    older = [entry("csv", file="a", amount=Decimal(1)), entry("csv", file="b", model="n", amount=Decimal(2))]
    newer = entry("csv", file="c", amount=Decimal(3), taken=2)
    found = believe([*older, newer], lambda each: each.model)
    assert sorted(each.file for each in found.money) == ["b", "c"]
    assert [each.amount_usd for each in found.put_aside] == [Decimal(1)]


def test_a_model_is_known_by_its_name_its_snapshot_or_its_price() -> None:
    """Equal names are one model; an alias goes with its snapshots; else the book's entry decides."""
    entries = {"gpt-own": "e", "own-2": "e"}
    found = match_names(
        "openai",
        ["gpt-4o", "openai/gpt-4o-mini", "gpt-own", "only-ours"],
        ["gpt-4o-2024-08-06", "gpt-4o-2024-11-20", "gpt-4o-mini", "own-2", "only-theirs"],
        entries.get,
    )
    assert found["gpt-4o"] == found["gpt-4o-2024-08-06"] == found["gpt-4o-2024-11-20"]
    assert found["openai/gpt-4o-mini"] == found["gpt-4o-mini"] == "gpt-4o-mini"
    assert found["gpt-own"] == found["own-2"]
    assert (
        len({found[name] for name in ("gpt-4o", "gpt-4o-mini", "gpt-own", "only-ours", "only-theirs")}) == 5
    )


def test_days_follow_the_clocks_of_their_zone() -> None:
    """The day on which clocks are put forward has 23 hours, and days cover the window without a gap."""
    zone = "America/Los_Angeles"
    first, last = (midnight(dt.date(2026, 3, day), zone) for day in (7, 10))
    days = apart([(first, midnight(dt.date(2026, 3, 8), zone), zone)], (first, last))
    assert [each.label for each in days] == ["2026-03-07", "2026-03-08", "2026-03-09"]
    assert [(each.until_ns - each.since_ns) // HOUR_NS for each in days] == [24, 23, 24]
    assert [each.until_ns for each in days[:-1]] == [each.since_ns for each in days[1:]]


def test_stretches_that_overlap_are_one() -> None:
    """A line of a month and lines of its days are compared by the month."""
    days = apart([(0, 2 * DAY_NS, "UTC"), (DAY_NS, 3 * DAY_NS, "UTC")], (0, 4 * DAY_NS))
    assert [(each.since_ns, each.until_ns) for each in days] == [(0, 3 * DAY_NS), (3 * DAY_NS, 4 * DAY_NS)]


def test_each_way_of_cutting_days_is_tried_once() -> None:
    """Zones that agree on every midnight of a time are one, and the usual names stand for them."""
    found = zones(midnight(dt.date(2026, 3, 1), "UTC"), midnight(dt.date(2026, 4, 1), "UTC"))
    assert found[0] == "UTC" and "America/Los_Angeles" in found and "Asia/Kolkata" in found
    assert len(found) < 80
