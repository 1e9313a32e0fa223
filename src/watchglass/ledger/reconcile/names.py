"""Which of our models a model on a bill is: by its name, else by what the price book takes both names for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from watchglass.pricing.labels import without_provider

_DATED = re.compile(r"[-@](20\d\d-?[01]\d-?[0-3]\d|latest|\d{3,4})$")
"""How snapshots are called: `-2024-08-06`, `-20241022`, `@20240620`, `-latest`, `-0613`."""


def plain_name(provider: str, model: str) -> str:
    """A model's name without case and prefixes of its provider."""
    return without_provider(provider, model.strip().lower())


def undated(provider: str, model: str) -> str:
    """As `plain_name`, without the date of a snapshot."""
    return _bare(plain_name(provider, model))


def match_names(
    provider: str, ours: Iterable[str], theirs: Iterable[str], same_entry: Callable[[str], str | None]
) -> dict[str, str]:
    """The ledger's name for each name of either side.

    A name that both sides use is itself. One that only one side uses goes with those of the other side
    that the book prices by the same entry, or that are the same but for a date (`gpt-4o`,
    `gpt-4o-2024-08-06`); where it goes with several (an alias whose snapshots are billed apart) these become
    one line of the ledger.
    """
    plain = {name: plain_name(provider, name) for name in (*ours, *theirs)}
    our_names, their_names = {plain[name] for name in ours}, {plain[name] for name in theirs}
    parent = {name: name for name in (*our_names, *their_names)}

    def root(name: str) -> str:
        while parent[name] != name:
            name = parent[name]
        return name

    for alone, others in ((our_names - their_names, their_names), (their_names - our_names, our_names)):
        for name in sorted(alone):
            for other in sorted(_alike(name, others, same_entry)):
                parent[max(root(name), root(other), key=_length)] = min(root(name), root(other), key=_length)
    return {name: root(short) for name, short in plain.items()}


def _alike(name: str, others: set[str], same_entry: Callable[[str], str | None]) -> list[str]:
    bare = _bare(name)
    dated = [other for other in others if _bare(other) == bare and (name == bare or other == bare)]
    if dated:
        return dated
    entry = same_entry(name)
    return [other for other in others if entry is not None and same_entry(other) == entry]


def _bare(name: str) -> str:
    return _DATED.sub("", name)


def _length(name: str) -> tuple[int, str]:
    return len(name), name
