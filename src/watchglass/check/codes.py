"""The codes of the rules, for what need not know the rules themselves: a run that finds all in its cache."""

from __future__ import annotations

CODES = {
    "WG001": True,
    "WG002": True,
    "WG003": True,
    "WG004": False,
    "WG005": True,
    "WG006": True,
    "WG007": True,
    "WG008": True,
    "WG009": True,
    "WG010": True,
}
"""Every code, and whether it is on by default."""
