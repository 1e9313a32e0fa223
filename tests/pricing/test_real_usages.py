"""The whole book against thousands of costs that its publisher worked out from real answers."""

from __future__ import annotations

import importlib.util
import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


def comparison() -> Any:
    """`bench/genai_usages.py`: what is shown there is what is tested here."""
    spec = importlib.util.spec_from_file_location("genai_usages", ROOT / "bench" / "genai_usages.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def directory() -> Path:
    """Where the publisher's extractions are, or skip."""
    shared = os.environ.get("WATCHGLASS_SHARED") or ROOT.parent / "shared"
    found = Path(shared) / "data" / "genai_prices_usages"
    if not (found / "usages.jsonl.gz").is_file():
        pytest.skip("the publisher's usages are not on this machine (WATCHGLASS_SHARED)")
    return found


def test_every_real_usage_costs_what_its_publisher_says() -> None:
    """Input, output and total agree to the last digit; an entry without any price has no cost."""
    found = comparison().compared(directory())
    verdicts = Counter(verdict for _, verdict in found)
    assert set(verdicts) <= {
        *(
            "exact",
            "exact, by finer units",
            "exact, of a model that the edition lacks",
            "no price in the list",
        )
    }
    assert verdicts["exact"] / len(found) > 0.99
    assert verdicts["no price in the list"] <= 1


def test_what_only_the_installed_list_prices_has_searches_or_images_or_a_new_model() -> None:
    """The edition's format has no price of a search, an image or a model that came by another way."""
    for asked, verdict in comparison().compared(directory()):
        if verdict == "exact, by finer units":
            assert "web_searches" in asked.usage or asked.model == "gemini-2.5-flash-image"
