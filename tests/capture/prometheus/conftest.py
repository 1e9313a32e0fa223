from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.capture.prometheus.scrape import fresh
from watchglass.capture.prometheus import runtime


@pytest.fixture(autouse=True)
def clean() -> Iterator[None]:
    """Each test has metrics of its own."""
    fresh()
    yield
    fresh()


@pytest.fixture
def metrics(tmp_path: Path) -> runtime.Metrics:
    """Metrics served at a free port."""
    return runtime.start("shop", port=0, folder=tmp_path)
