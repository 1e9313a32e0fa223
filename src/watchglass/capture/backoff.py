"""How long to wait before trying again: longer each time, never all at once, or as the server asks."""

from __future__ import annotations

import email.utils
import random
from dataclasses import dataclass, field

from watchglass.clock import Clock


@dataclass(slots=True)
class Backoff:
    """Waits from `first_s` doubling up to `most_s`, each shortened by up to half at random.

    What a server asks for (`Retry-After`) counts where it is longer, up to `most_asked_s`: one that names a
    year must not stop delivery for a year.
    """

    first_s: float = 1.0
    most_s: float = 60.0
    most_asked_s: float = 300.0
    random: random.Random = field(default_factory=random.Random)
    failures: int = 0

    def failed(self, asked_s: float | None = None) -> float:
        """Seconds to wait after one more failure."""
        longest = min(self.most_s, self.first_s * 2 ** min(self.failures, 32))
        self.failures += 1
        own = longest * self.random.uniform(0.5, 1.0)
        return own if asked_s is None else max(own, min(asked_s, self.most_asked_s))

    def succeeded(self) -> None:
        """Start from the shortest wait again."""
        self.failures = 0


def retry_after(value: str | None, clock: Clock) -> float | None:
    """Seconds that a `Retry-After` header asks for (RFC 9110, 10.2.3: a number or a date), if it does.

    >>> from watchglass.clock import ManualClock
    >>> retry_after("7", ManualClock()), retry_after("Thu, 01 Jan 1970 00:01:00 GMT", ManualClock())
    (7.0, 60.0)
    """
    if value is None:
        return None
    if value.strip().isdecimal():
        return float(value)
    try:
        at = email.utils.parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, at.timestamp() - clock.now_ns() / 1e9)
