"""The rules, one file each; a rule is on when it is in `RULES`."""

from __future__ import annotations

from watchglass.check.rule import Rule
from watchglass.check.rules import (
    wg001_async_task,
    wg002_direct_call,
    wg003_crew_without_callbacks,
    wg004_no_context,
    wg005_tracking_late,
    wg006_context_lost,
    wg007_failure_untold,
    wg008_plain_text,
    wg009_stream_lost,
    wg010_hard_coded_price,
)

RULES: tuple[Rule, ...] = (
    wg001_async_task.RULE,
    wg002_direct_call.RULE,
    wg003_crew_without_callbacks.RULE,
    wg004_no_context.RULE,
    wg005_tracking_late.RULE,
    wg006_context_lost.RULE,
    wg007_failure_untold.RULE,
    wg008_plain_text.RULE,
    wg009_stream_lost.RULE,
    wg010_hard_coded_price.RULE,
)
"""All rules, in the order of their codes."""

BY_CODE = {rule.code: rule for rule in RULES}
