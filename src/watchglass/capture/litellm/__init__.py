"""LiteLLM: every request that it sends is on record, by wrapping its entry points.

LiteLLM's own success hooks run later and elsewhere, so a call that they report may be lost with the process;
they are the fallback for names that the application imported before us (`from litellm import completion`).
"""

from __future__ import annotations

import importlib

from watchglass.capture.litellm.tracking import (
    install,
    is_litellm_tracking_enabled,
    setup_litellm_tracking,
    uninstall,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from watchglass.capture.litellm.hooks import LLMUsageCallback

__all__ = [
    "LLMUsageCallback",
    "install",
    "is_litellm_tracking_enabled",
    "setup_litellm_tracking",
    "uninstall",
]


def __getattr__(name: str) -> object:
    """`LLMUsageCallback` derives from a class of LiteLLM's, which is imported when it is first used."""
    if name != "LLMUsageCallback":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return importlib.import_module(f"{__name__}.hooks").LLMUsageCallback
