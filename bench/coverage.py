"""How long coverage takes over ten million calls from two thousand lines of code.

    python bench/coverage.py [--calls 10000000] [--data DIRECTORY] [--rounds 10] [--quick]

Grows a store of calls (`grown.py`) whose lines are drawn unevenly from 2,000, in 200 files, and writes a
project with the same call sites. Then asks a server over it for what ran where, and runs `watchglass
coverage` on the project as a user would: start of the command, reading of the code and the answer included.
Without `--data` the store is thrown away after; with it, it is grown only when the directory is empty.
Replaces its own part of bench/RESULTS.md.
`--quick` is for trying the benchmark itself: a small store, nothing written.
"""

from __future__ import annotations

SITES = 2_000
FILES = 200
EACH = SITES // FILES
LINES_APART = 20

# The number of a call's site: a few sites make most calls, as they do.
_SITE = f"toUInt32({SITES} * pow(sipHash64(span_id, 7) / 18446744073709551616., 3))"
ASSIGNED = f"""
    code_file = concat('/srv/app/shop/part_', leftPad(toString(intDiv({_SITE}, {EACH})), 3, '0'), '.py'),
    code_line = ({_SITE} % {EACH}) * {LINES_APART} + 9,
    code_function = concat('ask_', toString({_SITE} % {EACH}))
    WHERE 1
"""
