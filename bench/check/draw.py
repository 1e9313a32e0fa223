"""Draws the sites to label: at random from what a plain text search for each rule's words finds.

    python bench/check/draw.py CHECKOUTS [--seed 7] [--out drawn.tsv] [--later]

`CHECKOUTS` has one folder for each repository. The text search knows nothing of the rules' code. A rule's
sites are drawn evenly from its strata (repository and, for WG002, whether the file names one of the
libraries), because LiteLLM alone has more lines than all others.
"""

from __future__ import annotations

import argparse
import csv
import random
import re
import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from sources import Piece, pieces

LIBRARIES = re.compile(
    r"^\s*(from|import)\s+(aider\.llm|anthropic|boto3|aioboto3|cohere|crewai|google|groq|langchain\w*|litellm|mistralai|ollama|"
    r"openai|together|vertexai)\b",
    re.M,
)
SEARCHES = {
    "WG001": re.compile(r"\bexecute_async\s*\("),
    "WG002": re.compile(
        r"\.\s*(a?completion|a?text_completion|a?create|a?responses|a?embedding|a?image_generation|a?transcription|a?speech"
        r"|a?rerank|generate_content\w*|embed_content|send_message\w*|a?invoke|a?stream|a?batch|a?predict|a?generate|chat"
        r"|chat_stream|complete|complete_async|parse|embed|converse\w*|invoke_model\w*|batch_completion\w*)\s*\("
        r"|\b(a?completion|a?embedding|batch_completion|init_chat_model)\s*\("
    ),
    "WG003": re.compile(r"\ba?kickoff\w*\s*\("),
    "WG005": re.compile(r"__name__\s*==\s*['\"]__main__['\"]"),
    "WG008": re.compile(
        r"(\bprint|log\w*\.\w+|\w*logger\w*\.\w+|\bwarn|\.write)\s*\(.*"
        r"(api_?key|secret_key|\w_token\b|master_key|prompt|messages|completion|response|content|answer)",
        re.I,
    ),
    "WG010": re.compile(
        r"(cost|price|pricing|per_token|per_1k|per_million|per_second|usd).*?\d*\.?\d+"
        r"|\d+\.\d+.*(cost|price|usd)",
        re.I,
    ),
}
LATER = {
    "WG006": re.compile(
        r"\bThread\s*\(|\bTimer\s*\(|\.submit\s*\(|run_in_executor\s*\(|add_done_callback\s*\("
        r"|(?:executor|pool)\.map\s*\(|queue\w*\.put(?:_nowait)?\s*\(",
        re.I,
    ),
    "WG007": re.compile(r"_step_callback\s*\(|_task_completion_callback\s*\(|\bsteps\.begin\s*\("),
    "WG009": re.compile(
        r"\bstream\s*=\s*True|[\"']stream[\"']\s*:\s*True|\.chat_stream\s*\(|converse_stream|with_response_stream"
    ),
}
"""Of rules that came later (`--later`); their draw was a script's of its own, by these words and seed 22."""

Site = tuple[str, str, str, int]
"""Repository, path, cell (a number, or nothing), line."""

EACH = {"WG006": 160, "WG007": 60, "WG009": 130} | {
    "WG001": 60,
    "WG002": 120,
    "WG003": 70,
    "WG005": 70,
    "WG008": 100,
    "WG010": 90,
}
"""How many sites of each rule are drawn."""

NUMBER = re.compile(r"(?<![\w.])(?:[1-9]\d*(?:\.\d+)?|0?\.\d*[1-9]\d*)(?:e-?\d+)?(?![\w.])", re.I)


def found(rule: str, piece: Piece) -> list[int]:
    """The lines of the piece that the text search for the rule finds, from 1."""
    search = (SEARCHES | LATER)[rule]
    lines = [number for number, line in enumerate(piece.lines, 1) if search.search(line)]
    if rule == "WG010":
        lines = [number for number in lines if NUMBER.search(piece.lines[number - 1])]
    return lines


def candidates(checkouts: Path, rules: Iterable[str]) -> dict[str, dict[str, list[Site]]]:
    """Of every rule, the sites by stratum: (repository, path, cell, line)."""
    sites: dict[str, dict[str, list[Site]]] = defaultdict(lambda: defaultdict(list))
    for root in sorted(path for path in checkouts.iterdir() if path.is_dir()):
        for piece in pieces(root):
            named = bool(LIBRARIES.search("\n".join(piece.lines))) or piece.cell is not None
            for rule in rules:
                stratum = f"{root.name}, library named" if rule == "WG002" and named else root.name
                cell = str(piece.cell or "")
                sites[rule][stratum] += [(root.name, piece.path, cell, n) for n in found(rule, piece)]
    return sites


def draw(strata: dict[str, list[Site]], each: int, dice: random.Random) -> list[Site]:
    """`each` sites (all, where there are fewer), taking turns among the strata."""
    for name in sorted(strata):
        dice.shuffle(strata[name])
    drawn: list[Site] = []
    while len(drawn) < each and any(strata.values()):
        for name in sorted(strata):
            if strata[name] and len(drawn) < each:
                drawn.append(strata[name].pop())
    return sorted(drawn)


def main() -> None:
    """Print or write the sites drawn."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("checkouts", type=Path)
    arguments.add_argument("--seed", type=int, default=7)
    arguments.add_argument("--out", type=Path)
    arguments.add_argument("--later", action="store_true", help="the rules that came later")
    given = arguments.parse_args()
    dice = random.Random(given.seed)
    sites = candidates(given.checkouts, LATER if given.later else SEARCHES)
    with open(given.out, "w", newline="") if given.out else sys.stdout as file:
        rows = csv.writer(file, delimiter="\t", lineterminator="\n")
        for rule in sorted(sites):
            print(rule, {name: len(found) for name, found in sorted(sites[rule].items())}, file=sys.stderr)
            rows.writerows((rule, *site) for site in draw(sites[rule], EACH[rule], dice))


if __name__ == "__main__":
    main()
