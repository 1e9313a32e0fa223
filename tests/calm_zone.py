"""Where it is far from midnight: a day, a month and what was spent in it do not end while tests run there."""

from __future__ import annotations

import time

ZONE = "UTC" if 2 <= time.gmtime().tm_hour < 21 else "Asia/Kolkata"
"""For budgets of a server that looks at the machine's own clock. Kolkata's midnight is at 18:30 UTC."""
