"""What tests of sums share: a store that knows what was summed up."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.new_store import prepared
from tests.rolled_house import House
from tests.stored_rows import NOON_NS
from watchglass.clock import ManualClock
from watchglass.store import Store, open_store
from watchglass.store.rollup_hours import HOUR_NS


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, ManualClock]]:
    """A store for a file's tests, and its clock."""
    clock = ManualClock(NOON_NS + 100 * HOUR_NS)
    with open_store(prepared(tmp_path_factory.mktemp("rolled") / "data"), clock=clock) as store:
        yield store, clock


@pytest.fixture
def house(opened: tuple[Store, ManualClock]) -> House:
    """That store, emptied."""
    return House(*opened)
