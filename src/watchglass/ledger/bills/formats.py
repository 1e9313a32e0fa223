"""Every format of bills, and which one a file has."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice

from watchglass.errors import BadRequest, TooLarge
from watchglass.ledger.bills.anthropic_costs import AnthropicCosts
from watchglass.ledger.bills.anthropic_usage import AnthropicUsage
from watchglass.ledger.bills.line import BillFormat, BillLine, Refused
from watchglass.ledger.bills.litellm_spend import LiteLLMSpend
from watchglass.ledger.bills.openai_costs import OpenAICosts
from watchglass.ledger.bills.openai_usage import OpenAIUsage
from watchglass.ledger.bills.openrouter_activity import OpenRouterActivity
from watchglass.ledger.bills.plain_csv import PlainCsv
from watchglass.ledger.bills.unpacked import unpack

HEAD_BYTES = 64 << 10
MOST_LINES = 4_000_000
MOST_REFUSED = 1_000
"""Refused records that are told one by one; a last one says how many more there are."""
MOST_UNREADABLE = 100_000
"""A file with more records that cannot be read than this is another kind of file, and read no further."""

FORMATS: Mapping[str, BillFormat] = {
    each.name: each
    for each in (
        OpenAICosts(),
        OpenAIUsage(),
        AnthropicCosts(),
        AnthropicUsage(),
        OpenRouterActivity(),
        LiteLLMSpend(),
        PlainCsv(),
    )
}
"""By the name that `--format` takes."""


def recognise(name: str, head: bytes) -> BillFormat:
    """The format of a file called `name` that begins like this. Raises `BadRequest` if none or two fit."""
    fitting = [each for each in FORMATS.values() if each.recognises(head[:HEAD_BYTES])]
    if len(fitting) == 1:
        return fitting[0]
    known = ", ".join(FORMATS)
    if fitting:
        several = " and ".join(each.name for each in fitting)
        raise BadRequest(f"{name} could be {several}; say which with --format")
    raise BadRequest(
        f"{name} is of no format that is known ({known}); if it is a table, say what its columns are with "
        "--format csv --map ours=theirs"
    )


def read_bill(
    content: bytes, format: str | None, mapping: Mapping[str, str], name: str = "the file"
) -> tuple[str, list[BillLine], list[Refused]]:
    """The name of a file's format, its lines, and what in it is none.

    Raises `BadRequest` for a file, a format or a mapping that means nothing, and `TooLarge`.
    """
    content = unpack(content)
    if not content.strip():
        raise BadRequest(f"{name} is empty")
    chosen = _chosen(content, format, mapping, name)
    if mapping and chosen.name != "csv":
        raise BadRequest(f"--map says what the columns of a plain CSV are, and {name} is {chosen.name}")
    lines: list[BillLine] = []
    refused: list[Refused] = []
    warnings: list[Refused] = []
    more = 0
    for found in chosen.read(content, dict(mapping)):
        if isinstance(found, BillLine):
            lines.append(found)
            if len(lines) > MOST_LINES:
                raise TooLarge(f"{name} has more than {MOST_LINES:,} lines; give it in parts, by day or week")
        elif found.warning:
            warnings.append(found)
        elif len(refused) < MOST_REFUSED:
            refused.append(found)
        else:
            more += 1
            if more > MOST_UNREADABLE:
                raise BadRequest(
                    f"{name} has more than {more:,} records that are not of {chosen.name}, such as "
                    f"{refused[0].where}: {refused[0].reason}"
                )
    if more:
        refused.append(Refused("further on", f"{more:,} more records cannot be read"))
    return chosen.name, lines, refused + list(islice(warnings, MOST_REFUSED))


def _chosen(content: bytes, format: str | None, mapping: Mapping[str, str], name: str) -> BillFormat:
    if format is None and not mapping:
        return recognise(name, content[:HEAD_BYTES])
    wanted = format or "csv"
    if wanted not in FORMATS:
        raise BadRequest(f"{wanted!r} is no format of bills; the known ones are {', '.join(FORMATS)}")
    return FORMATS[wanted]
