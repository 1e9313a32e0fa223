"""Where a file may have a price: found in its bytes, before it is parsed."""

from __future__ import annotations

from collections.abc import Iterator

from watchglass.check import tokens
from watchglass.check.rule import NO, YES, Subject
from watchglass.check.rules import wg010_words as words


def wants(data: bytes, package: str) -> int:
    """Files that speak of costs and of tokens or models, with a number near."""
    small = tokens.lowered(data)  # most files speak of no cost in any letters: a fourth of the searches
    if not tokens.any_of(small, words.IN_SMALL) or not tokens.any_of(data, words.PRICES):
        return NO
    if not tokens.any_of(data, words.WORDS):
        return NO
    if next(_places(data), None) is None:
        return NO
    return YES if words.ABOUT_MODELS.search(small) else NO


def lines(subject: Subject) -> list[int]:
    """The lines that may have a price: the rest of the tree is not looked at."""
    if subject.module.source.cells:
        return list(range(1, len(subject.module.source.lines) + 1))
    data = subject.module.data
    return tokens.lines_of(data, sorted(_places(data)))


def _places(data: bytes) -> Iterator[int]:
    """Where a price may be, in bytes."""
    lowered = tokens.lowered(data)
    for at in tokens.places(lowered, (b"cost", b"pric", b"usd_per", b"dollar", b"_per_")):
        if any(shape.match(lowered, at) for shape in (words.PRICED, words.GOT, words.MADE, words.SET)):
            yield at
    yield from tokens.places(lowered, (b"0.0000", b"e-06", b"e-07", b"e-6", b"e-7"))
    for at in tokens.places(lowered, (b'"gpt', b"'gpt", b'"claude', b"'claude", b'"gemini', b"'gemini")):
        if words.MODELLED.match(lowered, at):
            yield at
    for at in tokens.places(lowered, (b"token",)):
        if words.COUNTED.search(lowered, lowered.rfind(b"\n", 0, at) + 1, at + 100):
            yield at
    if words.NAMED_COST.search(lowered):
        for at in tokens.places(lowered, (b"return", b"rate =", b"rates =", b"rate=")):
            if words.GIVEN_BACK.match(lowered, at):
                yield at
