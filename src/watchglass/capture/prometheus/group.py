"""The worker processes of one application: whose numbers are summed, and what becomes of a dead one's.

They find each other in a folder that is theirs by service, namespace and port, in the machine's temporary
directory, readable by their user alone. The first to come finds no living worker and empties it. A worker
that died is folded into `past.json`: its counters and histograms, while its gauges are forgotten, for they
told of something that is no more. So a counter of the application never goes down while one worker lives.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import tempfile
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from watchglass.capture.prometheus.cells import COUNT, Cells, Named, hold, let_go, width
from watchglass.capture.prometheus.series import Table
from watchglass.errors import ConfigError
from watchglass.names import Metric

Figures = dict[str, tuple[Metric, dict[tuple[str, ...], list[float]]]]
"""By metric: its series by label values, each with its numbers."""

_line = msgspec.json.Decoder(Named).decode


class Past(msgspec.Struct):
    """What dead workers counted; `folded` are those whose files are not to be read again."""

    folded: list[str] = []
    series: list[tuple[Metric, tuple[str, ...], list[float]]] = []


_past = msgspec.json.Decoder(Past).decode


def folder_of(service: str, namespace: str, port: int | None) -> Path:
    """Where the workers of this application meet. Raises `ConfigError` when the place is another user's."""
    user = str(os.getuid()) if hasattr(os, "getuid") else os.environ.get("USERNAME", "")
    top = Path(tempfile.gettempdir()) / f"watchglass-metrics-{user}"
    told = f"{service}\0{namespace}\0{port}"
    name = f"{re.sub(r'[^A-Za-z0-9.-]', '_', service)[:40]}-{hashlib.sha256(told.encode()).hexdigest()[:12]}"
    for place in (top, top / name):
        place.mkdir(mode=0o700, exist_ok=True)
        found = place.lstat()
        ours = not hasattr(os, "getuid") or (found.st_uid == os.getuid() and not found.st_mode & 0o077)
        if not stat.S_ISDIR(found.st_mode) or not ours:
            raise ConfigError(
                f"{place} is not this user's own directory (mode 0700); set metrics_dir to another one"
            )
    return top / name


class Group:
    """This process as one of the workers that meet in `folder`.

    Raises `OSError` when the folder cannot be written.
    """

    def __init__(self, folder: Path, table: Table) -> None:
        self.folder = folder
        self._table = table
        self._mutex = threading.Lock()
        self._gate = (folder / "group.lock").open("a+b")
        with self._locked():
            if not self._living():
                for file in self._files("*"):
                    file.unlink(missing_ok=True)
                (folder / "past.json").unlink(missing_ok=True)
            table.move(lambda: Cells(folder), keep=True)

    def forked(self) -> None:
        """In a child: a worker of its own, with nothing counted yet. The parent's files stay the parent's."""
        self._mutex = threading.Lock()
        with self._locked():
            self._table.move(lambda: Cells(self.folder), keep=False)

    def leave(self) -> None:
        """Count as dead from now on; what was counted stays with the group while others live."""
        self._table.cells.close()
        self._gate.close()

    def read(self) -> tuple[Figures, int]:
        """The figures of all workers together, and how many of them live."""
        figures: Figures = {}
        with self._locked():
            living = self._living()
            past = self._fold([file for file in self._files("*.cells") if file.stem not in living])
            for metric, labels, numbers in past.series:
                add(figures, metric, labels, numbers)
            for worker in living:
                if worker != self._table.cells.id:
                    for metric, labels, numbers in self._written(worker):
                        add(figures, metric, labels, numbers)
        add_table(figures, self._table)
        return figures, len(living)

    def _living(self) -> list[str]:
        """Ids of the workers whose cells are locked; our own would not show, we hold that lock ourselves."""
        own = self._table.cells.id
        found: list[str] = []
        for file in self._files("*.cells"):
            if file.stem == own:
                found.append(own)
                continue
            with file.open("r+b") as opened:
                if not hold(opened.fileno()):
                    found.append(file.stem)
        return found

    def _fold(self, dead: list[Path]) -> Past:
        """Add what dead workers counted to the past, then remove their files. Whatever moment this process
        dies at, each is added once: the past names those whose files may still be there."""
        place = self.folder / "past.json"
        try:
            past = _past(place.read_bytes())
        except (OSError, msgspec.MsgspecError):
            past = Past()
        new = [file.stem for file in dead if file.stem not in past.folded]
        if new:
            figures: Figures = {}
            for metric, labels, numbers in past.series:
                add(figures, metric, labels, numbers)
            for worker in new:
                for metric, labels, numbers in self._written(worker):
                    if metric.kind != "gauge":
                        add(figures, metric, labels, numbers)
            past = Past(new, [(m, lab, n) for m, every in figures.values() for lab, n in every.items()])
            fresh = place.with_suffix(".new")
            fresh.write_bytes(msgspec.json.encode(past))
            fresh.replace(place)
        for file in dead:
            file.unlink(missing_ok=True)
            file.with_suffix(".names").unlink(missing_ok=True)
        return past

    def _written(self, worker: str) -> Generator[tuple[Metric, tuple[str, ...], list[float]]]:
        """What another worker's files say. A line that is being written is not there yet."""
        try:
            lines = (self.folder / f"{worker}.names").read_bytes().split(b"\n")[:-1]
            written = (self.folder / f"{worker}.cells").read_bytes()
        except OSError:
            return
        if len(written) != COUNT * 8:
            return
        numbers = memoryview(written).cast("d")
        for line in lines:
            try:
                named = _line(line)
            except msgspec.MsgspecError:
                continue
            found = doubles(numbers, named.metric, named.at)
            if len(found) == width(named.metric) and len(named.labels) == len(named.metric.labels):
                yield named.metric, named.labels, found

    def _files(self, pattern: str) -> list[Path]:
        return [f for f in sorted(self.folder.glob(pattern)) if f.suffix in {".cells", ".names"}]

    @contextmanager
    def _locked(self) -> Generator[None]:
        """Alone among the threads of this process, then among the workers."""
        with self._mutex:
            hold(self._gate.fileno(), wait=True)
            try:
                yield
            finally:
                let_go(self._gate.fileno())


def doubles(numbers: memoryview[float], metric: Metric, at: int) -> list[float]:
    """The numbers of the series that begins at `at`."""
    return list[float](numbers[at : at + width(metric)])


def add(figures: Figures, metric: Metric, labels: tuple[str, ...], numbers: list[float]) -> None:
    """Bring one more worker's series into the figures of all."""
    _, every = figures.setdefault(metric.name, (metric, {}))
    known = every.get(labels)
    if known is None or len(known) != len(numbers):
        every[labels] = numbers
    elif metric.kind == "gauge" and metric.workers == "max":
        every[labels] = [max(pair) for pair in zip(known, numbers, strict=True)]
    else:
        every[labels] = [sum(pair) for pair in zip(known, numbers, strict=True)]


def add_table(figures: Figures, table: Table) -> None:
    """Bring this process's own series in."""
    with table.lock:
        for metric, labels, at in table:
            add(figures, metric, labels, doubles(table.values, metric, at))
