"""The metrics of this process: series by labels, bounded, each behind a handle that costs well below 1 µs."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Callable, Iterator

from watchglass import names
from watchglass.capture import boundary
from watchglass.capture.prometheus.cells import Cells, width
from watchglass.names import Metric

MAX_VALUE = 200
"""Characters of a label's value that are kept."""

OVERFLOWS = names.METRICS["sdk_label_overflows_total"]


class Handle:
    """One series. What its kind cannot do is said once and changes nothing; no method raises."""

    __slots__ = ("_at", "_metric", "_table")

    def __init__(self, table: Table, metric: Metric, at: int) -> None:
        self._table, self._metric, self._at = table, metric, at

    def inc(self, amount: float = 1.0) -> None:
        """Add to a counter or a gauge."""
        self._misused("inc")

    def dec(self, amount: float = 1.0) -> None:
        """Take from a gauge."""
        self._misused("dec")

    def set(self, value: float) -> None:
        """Say what a gauge is at."""
        self._misused("set")

    def observe(self, value: float) -> None:
        """Add a value, in the metric's unit, to a histogram."""
        self._misused("observe")

    def _misused(self, method: str) -> None:
        name, kind = self._metric.name, self._metric.kind
        boundary.once(
            f"metric {name} {method}", "watchglass: metric %s is a %s, not .%s()", name, kind, method
        )


class CounterHandle(Handle):
    """A counter's series."""

    __slots__ = ()

    def inc(self, amount: float = 1.0) -> None:
        """Add `amount`, which is not negative."""
        table = self._table
        lock = table.lock
        lock.acquire()  # `with` takes twice as long
        try:
            if amount >= 0:
                table.values[self._at] += amount
        except (TypeError, ValueError) as fault:  # a wrapper would double the cost
            boundary.failed("metric.inc", fault)
        finally:
            lock.release()


class GaugeHandle(Handle):
    """A gauge's series."""

    __slots__ = ()

    def inc(self, amount: float = 1.0) -> None:
        """Add `amount`."""
        table = self._table
        lock = table.lock
        lock.acquire()
        try:
            table.values[self._at] += amount
        except (TypeError, ValueError) as fault:
            boundary.failed("metric.inc", fault)
        finally:
            lock.release()

    @boundary.guarded("metric.dec")
    def dec(self, amount: float = 1.0) -> None:
        """Take `amount` away."""
        self.inc(-amount)

    def set(self, value: float) -> None:
        """The gauge is at `value`."""
        try:
            self._table.values[self._at] = value
        except (TypeError, ValueError) as fault:
            boundary.failed("metric.set", fault)


class HistogramHandle(Handle):
    """A histogram's series."""

    __slots__ = ("_bounds", "_sum")

    def __init__(self, table: Table, metric: Metric, at: int) -> None:
        super().__init__(table, metric, at)
        self._bounds, self._sum = metric.buckets, at + width(metric) - 1

    def observe(self, value: float) -> None:
        """Count `value` in its bucket."""
        table = self._table
        lock = table.lock
        lock.acquire()
        try:
            bucket = self._at + bisect_left(self._bounds, value)
            values = table.values
            values[self._sum] += value
            values[bucket] += 1.0
        except (TypeError, ValueError) as fault:
            boundary.failed("metric.observe", fault)
        finally:
            lock.release()


KINDS: dict[str, type[Handle]] = {
    "counter": CounterHandle,
    "gauge": GaugeHandle,
    "histogram": HistogramHandle,
}


class Silent(Handle):
    """Stands for a series that there is no room for, or a metric that is not there: a wrong name costs a log
    line and no request."""

    __slots__ = ()

    def _misused(self, method: str) -> None:
        return


class Table:
    """All series of this process. Made over `Cells`, which can be changed for others at any time."""

    def __init__(self, cells: Cells) -> None:
        self.cells = cells
        self.values = cells.values
        # Re-entrant: a signal handler or a finalizer may count something while its own thread does.
        self.lock = threading.RLock()
        self._series: dict[str, dict[tuple[str, ...], tuple[Metric, int, Handle]]] = {}
        self._seen: dict[tuple[str, str], set[str]] = {}

    def series(self, metric: Metric, labels: tuple[object, ...]) -> tuple[Handle, bool]:
        """The handle of these label values, and whether they were all kept (else some became `OTHER`)."""
        with self.lock:
            known = self._series.setdefault(metric.name, {})
            texts = tuple(text(value) for value in labels)
            if texts in known:
                return known[texts][2], True
            bounded = self._bounded(metric, texts)
            if bounded not in known and len(known) >= names.SERIES_LIMIT:
                self._overflowed(metric, "")
                bounded = (names.OTHER,) * len(texts)
            if bounded not in known:
                known[bounded] = self._made(metric, bounded)
            return known[bounded][2], bounded == texts

    def _bounded(self, metric: Metric, texts: tuple[str, ...]) -> tuple[str, ...]:
        """These values, those beyond their label's limit as `OTHER`."""
        found: list[str] = []
        for label, value in zip(metric.labels, texts, strict=True):
            seen = self._seen.setdefault((metric.name, label), {names.OTHER, ""})
            limit = names.LABELS[label].limit if label in names.LABELS else DEFAULT_LIMIT
            if value not in seen and len(seen) - 2 >= limit:
                self._overflowed(metric, label)
                value = names.OTHER
            seen.add(value)
            found.append(value)
        return tuple(found)

    def _overflowed(self, metric: Metric, label: str) -> None:
        if metric.name != OVERFLOWS.name:
            self.series(OVERFLOWS, (metric.name, label))[0].inc()

    def _made(self, metric: Metric, labels: tuple[str, ...]) -> tuple[Metric, int, Handle]:
        at = self.cells.take(metric, labels)
        if at is None:
            boundary.once("metric cells", "watchglass: no room for more metrics; new series are not counted")
            return metric, -1, Silent(self, metric, 0)
        return metric, at, KINDS[metric.kind](self, metric, at)

    def move(self, make: Callable[[], Cells], *, keep: bool) -> None:
        """Go on in other cells, handles and all; `keep` the numbers, or begin at zero (after a fork)."""
        with self.lock:
            old, new = self.values, make()
            for metric, labels, at in sorted(self, key=lambda each: each[2]):
                # In the order of old: places are handed out in the same order, so handles stay right.
                moved = new.take(metric, labels)
                assert moved == at, f"{metric.name} moved from {at} to {moved}"
                if keep:
                    end = at + width(metric)
                    new.values[at:end] = old[at:end]
            self.cells, self.values = new, new.values

    def forked(self) -> None:
        """In a child: the lock may be held by a thread that is not here."""
        self.lock = threading.RLock()

    def __iter__(self) -> Iterator[tuple[Metric, tuple[str, ...], int]]:
        """Every series: its metric, its labels, where its numbers begin."""
        with self.lock:
            every = [
                (metric, labels, at)
                for known in self._series.values()
                for labels, (metric, at, _) in known.items()
                if at >= 0
            ]
        return iter(every)


DEFAULT_LIMIT = 100
"""Values of a label that the catalogue does not know (of an application's own metric)."""


def text(value: object) -> str:
    """A label's value as Prometheus takes it; None is nothing said."""
    if value is None:
        return ""
    return str(value)[:MAX_VALUE].encode("utf-8", "replace").decode("utf-8")
