"""Sampling put in force: the processor of spans asks it, and texts of what is not kept are left out."""

from __future__ import annotations

import os
import threading
from decimal import Decimal, InvalidOperation

from watchglass import names
from watchglass.capture import boundary, recorder, sampling
from watchglass.capture.attributes import is_content, without_texts
from watchglass.capture.records import Record, SpanRecord
from watchglass.capture.settings import CaptureSettings
from watchglass.capture.spans import RecordSpans

_EXPIRE_EVERY_S = 5.0
_FAILED = 2  # OTLP's status
_CLIENT = 3  # OTLP's kind
_TOKENS = ("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens")


class Sampled:
    """Sampling by the settings, from now until `stop`; with a rate of 1 it costs nothing."""

    def __init__(self, chosen: CaptureSettings, processor: RecordSpans) -> None:
        self.sampler = sampling.Sampler(
            sampling.rules(
                chosen.sample_rate,
                at=chosen.sample,
                slow_ns=round(chosen.slow_s * 1e9),
                tokens=chosen.expensive_tokens,
            )
        )
        self._processor = processor
        self._stopped = threading.Event()
        self.observers: tuple[recorder.Observer, ...] = ()
        processor.detail = None
        if self.sampler.rules.rate == 1:
            return
        processor.detail = self.sampler
        self.observers = (self._observe,)
        self._watch()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._after_fork)

    def stop(self) -> None:
        """Write what waits, and decide no more."""
        self._stopped.set()
        self._processor.detail = None
        for record in self.sampler.flush():
            recorder.record(record)

    def _observe(self, record: Record) -> None:
        """Before a record is written: a call tells the sampler how its trace does; texts go if not kept."""
        if not isinstance(record, SpanRecord):
            return
        if record.kind == _CLIENT and record.scope.startswith(names.SCOPE):
            self.sampler.observe(record)
        attributes = record.attributes
        if not record.events and not any(map(is_content, attributes)):
            return
        tokens = sum(value for key in _TOKENS if isinstance(value := attributes.get(key), int) and value > 0)
        kept = self.sampler.keeps_content(
            record.trace_id,
            record.status == _FAILED,
            record.end_ns - record.start_ns,
            tokens,
            _cost(attributes.get(names.REPORTED_COST)),
        )
        if not kept:
            without_texts(record)

    def _watch(self) -> None:
        threading.Thread(
            target=self._expire, args=(self._stopped,), name="watchglass-sampling", daemon=True
        ).start()

    def _expire(self, stopped: threading.Event) -> None:
        while not stopped.wait(_EXPIRE_EVERY_S):
            self._expire_once()

    @boundary.guarded("sampling.expire")
    def _expire_once(self) -> None:
        for record in self.sampler.expire():
            recorder.record(record)

    def _after_fork(self) -> None:
        if not self._stopped.is_set():
            self._stopped = threading.Event()
            self.sampler.after_fork()
            self._watch()


def _cost(said: object) -> Decimal | None:
    try:
        return None if said is None else Decimal(str(said))
    except InvalidOperation:
        return None
