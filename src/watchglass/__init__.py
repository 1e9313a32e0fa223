"""watchglass: bill-grade cost, reliability and quality observability for LLM agents."""

from __future__ import annotations

__version__ = "0.1.0"
