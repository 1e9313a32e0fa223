"""`python -m watchglass.check PATH…`: the checker without the rest of the command line."""

from __future__ import annotations

from watchglass.check.command import program

if __name__ == "__main__":
    program()
