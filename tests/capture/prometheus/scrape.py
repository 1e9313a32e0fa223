"""What a scrape says, read by the library's own parser; and a clean slate for a test."""

from __future__ import annotations

import urllib.request
from collections.abc import Mapping

from prometheus_client.parser import text_string_to_metric_families

from watchglass.capture import boundary
from watchglass.capture.prometheus import runtime
from watchglass.capture.prometheus.cells import Cells
from watchglass.capture.prometheus.series import Table

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def parsed(text: str) -> Samples:
    """Every sample by name and labels."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def get(port: int | None, headers: Mapping[str, str] | None = None) -> str:
    """The exposition at a port of this machine."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}/metrics", headers=dict(headers or {}))
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.read().decode("utf-8")


def scraped(port: int | None) -> Samples:
    """Every sample at a port of this machine."""
    return parsed(get(port))


def at(samples: Samples, name: str, **labels: str) -> float | None:
    """One sample's value."""
    return samples.get((name, frozenset(labels.items())))


def fresh() -> None:
    """Nothing counted, nothing told, nothing served."""
    runtime.stop()
    runtime.table = Table(Cells())
    runtime._handles.clear()
    runtime._refreshers.clear()
    boundary.forget()
