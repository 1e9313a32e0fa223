"""How findings are written: for people, for programs, for code scanning, for a pull request."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from watchglass.check.finding import Finding
from watchglass.check.output import array, github, sarif, text

FORMATS: dict[str, Callable[[Sequence[Finding]], str]] = {
    "text": text.write,
    "json": array.write,
    "sarif": sarif.write,
    "github": github.write,
}
"""Each takes the findings and gives what is printed, without the newline at the end."""
