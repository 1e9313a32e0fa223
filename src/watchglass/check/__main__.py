"""`python -m watchglass.check PATH…`: the checker without the rest of the command line."""

from __future__ import annotations

import sys

from watchglass.check.command import main

if __name__ == "__main__":
    sys.exit(main())
