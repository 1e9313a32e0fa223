"""What of a person is taken out of texts in the mode `redacted`: addresses of e-mail and numbers of cards."""

from __future__ import annotations

import re

from watchglass.capture.credentials import MASK

# RFC 5321, 4.5.3.1: at most 64 characters before the sign, 255 after it. Letters of any script (RFC 6531).
_DOMAIN = re.compile(r"@([\w-]{1,63}(?:\.[\w-]{1,63}){1,8})")
_LOCAL_BACKWARDS = re.compile(r"[\w.%+'-]{1,64}")

# ISO/IEC 7812-1: 8 to 19 digits; in use are 13 to 19, written as one group or as groups of three and more.
_GROUPS = re.compile(r"(?<![\d.])\d{3,19}(?:[ -]\d{2,19})*+(?!\d)")
_ISSUERS = re.compile(r"(?:4|5[1-5]|2[2-7]|3[0-9]|6)")
_SHORTEST, _LONGEST = 13, 19


def redact_personal(text: str) -> str:
    """The text without e-mail addresses and card numbers; the same object if there are none."""
    if "@" in text:
        text = _without_addresses(text)
    parts: list[str] = []
    done = 0
    for found in _GROUPS.finditer(text):
        if found.end() - found.start() >= _SHORTEST:
            for start, end in _cards(found[0]):
                parts += text[done : found.start() + start], MASK % "card"
                done = found.start() + end
    return "".join((*parts, text[done:])) if parts else text


def _without_addresses(text: str) -> str:
    parts: list[str] = []
    done = 0
    for found in _DOMAIN.finditer(text):
        # Read backwards from the sign: searching forwards for what ends at one takes quadratic time.
        local = _LOCAL_BACKWARDS.match(text[max(done, found.start() - 64) : found.start()][::-1])
        if local is not None:
            parts += text[done : found.start() - local.end()], MASK % "email"
            done = found.end()
    return "".join((*parts, text[done:])) if parts else text


def _cards(groups: str) -> list[tuple[int, int]]:
    """Where in groups of digits a card's number stands: whole groups, by issuer, length and check digit."""
    places = [(each.start(), each.end()) for each in re.finditer(r"\d+", groups)]
    found: list[tuple[int, int]] = []
    first = 0
    while first < len(places):
        last = _card_from(groups, places, first)
        if last is not None:
            found.append((places[first][0], places[last][1]))
            first = last
        first += 1
    return found


def _card_from(groups: str, places: list[tuple[int, int]], first: int) -> int | None:
    if not _ISSUERS.match(groups, places[first][0]):
        return None
    digits = ""
    for last in range(first, len(places)):
        digits += groups[places[last][0] : places[last][1]]
        if len(digits) > _LONGEST:
            return None
        if len(digits) >= _SHORTEST and _passes(digits):
            return last
    return None


_DOUBLED = str.maketrans("0123456789", "0246813579")


def _passes(digits: str) -> bool:
    """The check of ISO/IEC 7812-1, annex B (Luhn's).

    >>> _passes("4111111111111111"), _passes("4111111111111112")
    (True, False)
    """
    straight, doubled = digits[-1::-2], digits[-2::-2].translate(_DOUBLED)
    return (sum(map(int, straight)) + sum(map(int, doubled))) % 10 == 0
