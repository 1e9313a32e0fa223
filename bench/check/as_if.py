"""The checker on code that has no context of ours, read as if every line were within one.

    python bench/check/as_if.py [OPTIONS OF watchglass check] PATH…

No public code uses our contexts, so WG006 finds nothing in any. What it can get wrong is whether what is
handed over asks a model, and whether it is handed to what loses a context: that is the same with or without
one. So each file is taken to be within a context, and tracking to be set up by LiteLLM's hooks alone.
"""

from __future__ import annotations

import sys

from watchglass.check import command, recorded, rules, tokens
from watchglass.check.rule import IMPORTS, NO, YES
from watchglass.check.rules import wg006_context_lost as wg006


def wants(data: bytes, package: str) -> int:
    """WG006's own, without the word for us."""
    if not (wg006._HANDS.search(data) or wg006._STARTS.search(data)):
        return NO
    return YES if tokens.may_request(data, package) or b"kickoff" in data else IMPORTS


def main() -> int:
    """Run the command so, in one process."""
    recorded.in_block = lambda subject, place: True
    wg006._has_hooks_alone = lambda subject: True
    changed = wg006.RULE._replace(wants=wants)
    rules.BY_CODE["WG006"] = changed
    from watchglass.check import engine

    engine.RULES = tuple(changed if each.code == "WG006" else each for each in rules.RULES)
    return command.main(["--jobs", "1", "--no-cache", "--select", "WG006", *sys.argv[1:]])


if __name__ == "__main__":
    raise SystemExit(main())
