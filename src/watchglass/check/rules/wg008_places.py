"""Where a file may log a key or a text: found in its bytes, before it is parsed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from watchglass.check import tokens
from watchglass.check.bodies import dedent
from watchglass.check.rule import NO, YES, Subject
from watchglass.check.rules import wg008_words as words


def wants(data: bytes, package: str) -> int:
    """Files that have to do with models and log something named like a secret or a text, or ask and log."""
    if not names_provider(data):
        return YES if _says_prompt(data, package) or _says_key(data) else NO
    logs = False
    for at in tokens.places(data, words.LOGGED):
        logs = True
        if words.TELLING.search(data[at : at + words.NEAR].lower()):
            return YES
    if not logs:
        return NO
    return (
        YES if b"choices" in data or tokens.may_request(data, package) or _says_answer(data, package) else NO
    )


def names_provider(data: bytes) -> bool:
    """Whether a file names a library or says that it has to do with models."""
    return bool(tokens.providers_in(data)) or b"LLM" in data or b"llm" in data


def _says_key(data: bytes) -> bool:
    """Whether a file that names no provider writes out what is called a key: a credential is one anywhere."""
    return tokens.any_of(data, words.KEYS) and any(
        words.SAYING_KEY.search(data[at : at + words.NEAR].lower())
        for at in tokens.places(data, words.LOGGED)
    )


def _says_prompt(data: bytes, package: str) -> bool:
    """Whether a prompt is logged by a file that names no provider, but is about models by its own words."""
    if b"prompt" not in data or words.ASKS_A_PERSON.search(data):
        return False
    said = any(
        words.SAYING_PROMPT.search(data[at : at + words.NEAR].lower())
        for at in tokens.places(data, words.LOGGED)
        if not data.startswith(b"print(", at)
    )
    return (
        said and words.ABOUT_MODELS.search(package.lower().encode() + b" " + tokens.lowered(data)) is not None
    )


def _says_answer(data: bytes, package: str) -> bool:
    """Whether something is logged that a function gave which may have asked a model."""
    return any(True for _ in _answered(data, tokens.places(data, words.LOGGED), package))


def _answered(data: bytes, logged: Iterable[int], package: str) -> Iterator[int]:
    """Where something is logged that is called an answer, or is given what may be one."""
    asks = tokens.may_request(data, package)
    if not asks and not tokens.any_of(data, words.PLAINLY_ASKS):
        return
    for at in logged:
        if data.startswith(b"print(", at):
            continue
        given = _given(data)
        shown = words.SHOWN.findall(data, at, at + words.NEAR)
        if any(each.partition(b".")[0] in given for each in shown) or (
            asks and any(part in each.rpartition(b".")[2] for each in shown for part in words.CALLED_ANSWERS)
        ):
            yield at


_last_given: tuple[bytes, frozenset[bytes]] = (b"", frozenset())


def _given(data: bytes) -> frozenset[bytes]:
    """Names that are given what may be an answer; asked again and again, and the last answer is kept."""
    global _last_given
    if _last_given[0] is not data:
        _last_given = (data, frozenset(words.ASSIGNED.findall(data)))
    return _last_given[1]


def lines(subject: Subject) -> list[int]:
    """The lines on which something is logged that may be a finding by its name, in order."""
    if subject.module.source.cells:
        return list(range(1, len(subject.module.source.lines) + 1))
    data = subject.module.data
    small = tokens.lowered(data)
    logged = sorted(tokens.places(data, words.LOGGED))
    told = [at for at in logged if words.NAMED.search(small, at, _end(data, at))]
    choices = tokens.places(data, (b"choices", b"choice[")) if logged else ()
    return tokens.lines_of(data, sorted({*told, *choices, *_answered(data, logged, subject.module.package)}))


def _end(data: bytes, at: int) -> int:
    """Where a call ends at the latest: at a line that is indented no further, unless that is in a text."""
    line = data.rfind(b"\n", 0, at) + 1
    indent = next((place for place in range(line, at) if data[place] != 32), at) - line
    found = dedent(indent).search(data, at, at + words.LONGEST)
    end = found.start() if found is not None else at + words.LONGEST
    if any(data.count(quotes, at, end) % 2 for quotes in (b'"""', b"'''")):
        return at + words.LONGEST
    return max(end, at + words.NEAR)
