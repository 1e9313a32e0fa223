"""What may be a metric: the check of those that an application defines itself."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, cast

from watchglass.errors import ConfigError
from watchglass.names import Metric

_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


def checked(
    name: str, kind: str, help: str, labels: Sequence[str], unit: str, buckets: Sequence[float]
) -> Metric:
    """The metric, if Prometheus would take it.

    Raises `ConfigError` naming what it would not, its value, and what it may be.
    """
    if kind not in {"counter", "gauge", "histogram"}:
        raise ConfigError(f"metric {name!r} is of kind {kind!r}; take counter, gauge or histogram")
    _name(name, f"metric {name!r}")
    if (kind == "counter") != name.endswith("_total"):
        raise ConfigError(f"metric {name!r} is a {kind}; counters, and only they, end with _total")
    for label in labels:
        _name(label, f"label {label!r} of metric {name!r}")
        if label.startswith("__") or label in {"le", "quantile"}:
            raise ConfigError(f"label {label!r} of metric {name!r} is reserved; take another name")
    if unit and not name.removesuffix("_total").endswith(f"_{unit}"):
        raise ConfigError(f"metric {name!r} has unit {unit!r} but does not end with it: {name}_{unit}")
    if (kind == "histogram") != bool(buckets):
        raise ConfigError(
            f"metric {name!r} has buckets {list(buckets)!r}; histograms, and only they, need some"
        )
    if any(not low < high for low, high in pairwise(buckets)):
        raise ConfigError(f"buckets of metric {name!r} must rise: {list(buckets)!r}")
    bounds = tuple(float(bound) for bound in buckets)
    return Metric(
        name, cast("Literal['counter', 'histogram', 'gauge']", kind), help, tuple(labels), unit, bounds
    )


def _name(value: str, what: str) -> None:
    if not _NAME.fullmatch(value):
        raise ConfigError(f"{what} is no name; take letters, digits and _, a letter first")
