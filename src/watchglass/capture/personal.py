"""What of a person is taken out of texts in the mode `redacted`: addresses of e-mail and numbers of cards."""

from __future__ import annotations

import re

from watchglass.capture.credentials import MASK

# RFC 5321, 4.5.3.1: at most 64 characters before the sign, 255 after it. Letters of any script (RFC 6531).
_DOMAIN = re.compile(r"@([\w-]{1,63}(?:\.[\w-]{1,63}){1,8})")
_LOCAL_BACKWARDS = re.compile(r"[\w.%+'-]{1,64}")

# ISO/IEC 7812-1 has 8 to 19 digits; cards in use have 13 to 19, written as one group or as groups of three
# and more. The ranges are those of the issuers' own pages, as Wikipedia's "Payment card number" gathers them.
# It starts with a set of characters, not with a look behind, because only then does `re` skip ahead.
_GROUPS = re.compile(r"[2-6](?<![0-9.].)[0-9]{2,18}(?:[ -][0-9]{2,19})*+(?![0-9])")
_GROUP = re.compile("[0-9]+")
_LONG = re.compile(b"[0-9](?:[ -]?[0-9]){12}")
_LENGTHS: dict[str, tuple[int, ...]] = {
    **dict.fromkeys(("40", "41", "42", "43", "44", "45", "46", "47", "48", "49"), (13, 16, 19)),  # Visa
    **dict.fromkeys(("51", "52", "53", "54", "55"), (16,)),  # Mastercard
    **dict.fromkeys(("22", "23", "24", "25", "26", "27"), (16,)),  # Mastercard
    **dict.fromkeys(("34", "37"), (15,)),  # American Express
    **dict.fromkeys(("30", "36", "38", "39"), (14, 16, 19)),  # Diners Club
    **dict.fromkeys(("35",), (16, 19)),  # JCB
    **dict.fromkeys(("50", "56", "57", "58", "60", "62", "63", "64", "65", "67"), (13, 15, 16, 17, 18, 19)),
}
"""How many digits a card has, by its first two; the last row is Discover, UnionPay, Maestro, RuPay."""
_SHORTEST, _LONGEST = 13, 19


def redact_personal(text: str) -> str:
    """The text without e-mail addresses and card numbers; the same object if there are none."""
    if "@" in text:
        text = _without_addresses(text)
    # Looking for groups takes long. Without its letters a text is short, and keeps every number that it has.
    if _LONG.search(text.encode("ascii", "ignore").translate(None, _LETTERS)) is None:
        return text
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
    places = [(each.start(), each.end()) for each in _GROUP.finditer(groups)]
    found: list[tuple[int, int]] = []
    first = 0
    while first < len(places):
        lengths = _LENGTHS.get(groups[places[first][0] : places[first][0] + 2])
        last = _card_from(groups, places, first, lengths) if lengths else None
        if last is not None:
            found.append((places[first][0], places[last][1]))
            first = last
        first += 1
    return found


def _card_from(
    groups: str, places: list[tuple[int, int]], first: int, lengths: tuple[int, ...]
) -> int | None:
    """The last group of the card that begins with this group."""
    length = 0
    for last in range(first, len(places)):
        length += places[last][1] - places[last][0]
        if length > _LONGEST:
            return None
        if length in lengths:
            number = groups[places[first][0] : places[last][1]]
            if _passes(number.replace(" ", "").replace("-", "")):
                return last
    return None


def _passes(digits: str) -> bool:
    """The check of ISO/IEC 7812-1, annex B (Luhn's).

    >>> _passes("4111111111111111"), _passes("4111111111111112")
    (True, False)
    """
    values = digits.encode().translate(_VALUES)
    return (sum(values[-1::-2]) + sum(values[-2::-2].translate(_DOUBLED))) % 10 == 0


_LETTERS = bytes(set(range(256)) - set(b"0123456789 -"))
_VALUES = bytes.maketrans(b"0123456789", bytes(range(10)))
_DOUBLED = bytes.maketrans(bytes(range(10)), bytes((0, 2, 4, 6, 8, 1, 3, 5, 7, 9)))
