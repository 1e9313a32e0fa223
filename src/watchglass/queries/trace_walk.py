"""The order in which the spans of a trace are walked through: pure, over columns, for thousands of spans."""

from __future__ import annotations

from collections.abc import Iterator, Sequence


def walked(
    ids: Sequence[str], parents: Sequence[str], starts: Sequence[int]
) -> Iterator[tuple[int, int, bool]]:
    """(place, depth, cycle), parents first, siblings by time; no recursion, since depth is the sender's.

    `ids` are all different. A span whose parent is not among them is a root; what no root leads to hangs on
    a cycle, and the earliest span of it is shown as a root.

    >>> list(walked(["c", "a", "b"], ["a", "", "a"], [5, 1, 3]))
    [(1, 0, False), (2, 1, False), (0, 1, False)]
    """
    known = set(ids)
    order = sorted(range(len(ids)), key=lambda place: (starts[place], ids[place]))
    below: dict[str, list[int]] = {}
    roots: list[int] = []
    for place in order:
        is_root = parents[place] not in known or parents[place] == ids[place]
        (roots if is_root else below.setdefault(parents[place], [])).append(place)
    for places in below.values():
        places.reverse()  # the stack gives back the last one first
    seen = [False] * len(ids)

    def descend(top: int, cycle: bool) -> Iterator[tuple[int, int, bool]]:
        stack = [(top, 0)]
        while stack:
            place, depth = stack.pop()
            if seen[place]:
                continue
            seen[place] = True
            yield place, depth, cycle and depth == 0
            stack += [(child, depth + 1) for child in below.get(ids[place], ())]

    for root in roots:
        yield from descend(root, parents[root] == ids[root])
    for place in order:
        if not seen[place]:
            yield from descend(place, True)
