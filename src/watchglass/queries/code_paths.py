"""Which file of a project a recorded path means: `/app/shop/llm.py` in a container is `src/shop/llm.py`
here."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Literal, NamedTuple, TypeAlias

How: TypeAlias = Literal["map", "path", "suffix", "neighbours", "ambiguous", "outside"]
"""By `--map`; as it stands; by the longest end in common; by where its neighbours are; several fit; none
does."""

Parts: TypeAlias = tuple[str, ...]


class Mapped(NamedTuple):
    """The file of the project that a recorded path means; `candidates` are those that fit as well."""

    file: str | None
    how: How
    candidates: tuple[str, ...] = ()


class CodePaths:
    """The files of a project, to be found by paths of other machines."""

    def __init__(
        self, files: Iterable[str], roots: Sequence[str] = (), maps: Sequence[tuple[str, str]] = ()
    ) -> None:
        """`roots` are the folders that were named; `maps` are prefixes there and here."""
        self._files = {_parts(file): file for file in files}
        self._below = {parts: _below(parts, [_parts(root) for root in roots]) for parts in self._files}
        # The longer prefix says more.
        self._maps = sorted(((_parts(a), _parts(b)) for a, b in maps), key=lambda pair: -len(pair[0]))
        self._by_name: defaultdict[str, list[Parts]] = defaultdict(list)
        for parts in self._files:
            self._by_name[parts[-1]].append(parts)

    def find(self, recorded: Iterable[str]) -> Mapping[str, Mapped]:
        """What each of these paths means. What one alone leaves open, the others may decide."""
        found = {path: self._one(_parts(path)) for path in set(recorded)}
        moved: Counter[tuple[Parts, Parts]] = Counter()
        for path, mapped in found.items():
            if mapped.file is not None:
                moved[_prefixes(_parts(path), _parts(mapped.file))] += 1
        for path, mapped in found.items():
            if mapped.how == "ambiguous":
                found[path] = self._decided(_parts(path), mapped, moved)
        return found

    def _one(self, parts: Parts) -> Mapped:
        for there, here in self._maps:
            if parts[: len(there)] == there:
                meant = (*here, *parts[len(there) :])
                return Mapped(self._files[meant], "map") if meant in self._files else Mapped(None, "outside")
        if parts in self._files:
            return Mapped(self._files[parts], "path")
        fits: defaultdict[int, list[Parts]] = defaultdict(list)
        for candidate in self._by_name.get(parts[-1], ()) if parts else ():
            common = _common_end(parts, candidate)
            # A name alone (`main.py`) says too little, but where it is all of the path below what was named.
            if common >= min(2, self._below[candidate]):
                fits[common].append(candidate)
        if not fits:
            return Mapped(None, "outside")
        best = fits[max(fits)]
        if len(best) == 1:
            return Mapped(self._files[best[0]], "suffix")
        return Mapped(None, "ambiguous", tuple(sorted(self._files[each] for each in best)))

    def _decided(self, parts: Parts, mapped: Mapped, moved: Counter[tuple[Parts, Parts]]) -> Mapped:
        votes = Counter(
            {file: moved[_prefixes(parts, _parts(file))] for file in mapped.candidates}
        ).most_common(2)
        if votes[0][1] > votes[1][1]:
            return Mapped(votes[0][0], "neighbours", mapped.candidates)
        return mapped


def _parts(path: str) -> Parts:
    """A path in its parts, of Windows too.

    >>> _parts("C:\\\\app\\\\llm.py"), _parts("./src/llm.py")
    (('C:', 'app', 'llm.py'), ('src', 'llm.py'))
    """
    return PurePosixPath(path.replace("\\", "/")).parts


def _below(parts: Parts, roots: Sequence[Parts]) -> int:
    """How many parts a file has below the deepest folder that was named."""
    depths = [len(root) for root in roots if parts[: len(root)] == root and len(root) < len(parts)]
    return len(parts) - max(depths, default=0)


def _common_end(one: Parts, other: Parts) -> int:
    count = 0
    for a, b in zip(reversed(one), reversed(other), strict=False):
        if a != b:
            break
        count += 1
    return count


def _prefixes(there: Parts, here: Parts) -> tuple[Parts, Parts]:
    """What differs before the end that both have in common."""
    common = _common_end(there, here)
    return there[: len(there) - common], here[: len(here) - common]
