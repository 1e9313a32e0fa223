"""The rules, one file each; a rule is on when it is in `RULES`."""

from __future__ import annotations

from watchglass.check.rule import Rule
from watchglass.check.rules import wg002_direct_call

RULES: tuple[Rule, ...] = (wg002_direct_call.RULE,)
"""All rules, in the order of their codes."""

BY_CODE = {rule.code: rule for rule in RULES}
CODES = {rule.code: rule.default for rule in RULES}
"""Every code, and whether it is on by default."""
