"""Equal rows are told apart by how many came before, over a whole file."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from watchglass.ingest.importers.identity import Seen

# Few distinct digests, some of which share their first half: that is where counting can go wrong.
DIGESTS = st.builds(
    lambda a, b: a.to_bytes(8, "little") + b.to_bytes(8, "little"), st.integers(0, 5), st.integers(0, 2)
)


@given(st.lists(st.lists(DIGESTS, max_size=30), max_size=12))
def test_an_ordinal_is_the_number_of_equal_digests_before(calls: list[list[bytes]]) -> None:
    """However a file is cut into parts, each digest gets the count of its equals before it."""
    seen, before = Seen(), Counter[bytes]()
    for digests in calls:
        expected: list[int] = []
        for digest in digests:
            expected.append(before[digest])
            before[digest] += 1
        assert seen.ordinals(digests) == expected
