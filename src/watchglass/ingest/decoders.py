"""Where decoding runs: in a thread for small bodies, in spawned processes for large ones.

Decoding is Python and holds the interpreter's lock, so under load it needs processes of its own.
They start with the first large body and end when none has come for a while: an idle server is
one process.
"""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import os
import signal
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from threading import Thread
from typing import TypeVar

import msgspec
import pyarrow as pa

from watchglass.errors import Overloaded
from watchglass.ingest.attention import Sighting
from watchglass.ingest.prepare import Prepared, prepare
from watchglass.ingest.receiver import Signal
from watchglass.model import Usage
from watchglass.pricing.book import PriceBook, PriceRequest
from watchglass.store import footprint
from watchglass.wire.otlp import Encoding

Done = TypeVar("Done")

LARGE_BODY_BYTES = 128 * 1024
IDLE_S = 30.0

_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Sighting)
_PROBE = PriceRequest(
    provider="openai",
    request_model="gpt-4o",
    response_model=None,
    at_ns=0,
    usage=Usage(input_tokens=1, output_tokens=1),
)
_book: PriceBook | None = None
Shipped = tuple[int, int, str, dict[str, bytes], bytes, int]


class Decoders:
    """Runs `prepare` off the event loop."""

    def __init__(self, book: PriceBook, *, processes: int | None = None) -> None:
        self._book = book
        self._processes = processes if processes is not None else max(1, min(4, os.cpu_count() or 1))
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="watchglass-decode")
        self._pool: ProcessPoolExecutor | None = None
        self._pool_edition = book.edition
        self._warm = False
        self._busy = 0
        self._retire: asyncio.TimerHandle | None = None

    async def prepare(
        self, signal: Signal, body: bytes, encoding: Encoding, now_ns: int, owner: str = ""
    ) -> Prepared:
        """As `prepare.prepare`; also raises `Overloaded` when memory ran out or a decoding process died."""
        try:
            return await self._prepare(signal, body, encoding, now_ns, owner)
        except MemoryError as error:
            raise Overloaded("there is no memory left to decode this body; send it again") from error

    async def _prepare(
        self, signal: Signal, body: bytes, encoding: Encoding, now_ns: int, owner: str
    ) -> Prepared:
        loop = asyncio.get_running_loop()
        pool = self._started(loop) if len(body) >= LARGE_BODY_BYTES and self._processes else None
        if pool is None or not self._warm:
            # A process takes a second to start: until then a large body does not wait for it.
            return await loop.run_in_executor(
                self._threads, prepare, signal, body, encoding, self._book, now_ns, owner
            )
        self._busy += 1
        try:
            there = loop.run_in_executor(pool, _prepare_there, signal, body, encoding, now_ns, owner)
            return _unpack(await there)
        except BrokenProcessPool as error:
            self._drop()
            raise Overloaded("a decoding process died; send the same body again") from error
        finally:
            self._busy -= 1

    async def run(self, work: Callable[..., Done], size: int, *args: object) -> Done:
        """`work(book, *args)` where bodies of this size are decoded; both may be pickled.

        Raises what `work` raises, and `Overloaded` when memory ran out or a decoding process died.
        """
        loop = asyncio.get_running_loop()
        pool = self._started(loop) if size >= LARGE_BODY_BYTES and self._processes else None
        self._busy += 1
        try:
            if pool is None or not self._warm:
                return await loop.run_in_executor(self._threads, partial(work, self._book, *args))
            return await loop.run_in_executor(pool, _run_there, work, args)
        except BrokenProcessPool as error:
            self._drop()
            raise Overloaded("a decoding process died; send the same body again") from error
        except MemoryError as error:
            raise Overloaded("there is no memory left to decode this body; send it again") from error
        finally:
            self._busy -= 1

    def stop(self) -> None:
        """End the processes and threads; what is under way is finished first."""
        if self._retire is not None:
            self._retire.cancel()
        self._drop()
        self._threads.shutdown()

    def _started(self, loop: asyncio.AbstractEventLoop) -> ProcessPoolExecutor:
        if self._pool_edition != self._book.edition:
            self._drop()  # its processes price by the old book
        if self._pool is None:
            self._pool_edition = self._book.edition
            # Spawned: a forked child of a process that has the engine open hangs.
            self._pool = ProcessPoolExecutor(
                self._processes,
                mp_context=multiprocessing.get_context("spawn"),
                initializer=_begin,
                initargs=(self._book,),
            )
            for _ in range(self._processes):
                self._pool.submit(_ready).add_done_callback(self._warmed)
        if self._retire is not None:
            self._retire.cancel()
        self._retire = loop.call_later(IDLE_S, self._retire_if_idle, loop)
        return self._pool

    def _warmed(self, ready: Future[None]) -> None:
        self._warm = not ready.cancelled() and ready.exception() is None

    def _retire_if_idle(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._busy:
            self._retire = loop.call_later(IDLE_S, self._retire_if_idle, loop)
        else:
            self._retire = None
            self._drop()
            # The burst is over: its memory, too. In a thread, for it walks all of the heap.
            loop.run_in_executor(self._threads, footprint.give_back)

    def _drop(self) -> None:
        pool, self._pool, self._warm = self._pool, None, False
        if pool is not None:
            pool.shutdown(wait=False)


def _begin(book: PriceBook) -> None:
    global _book  # one a process, set once before its first task
    _book = book
    # A body's records are many, short-lived and without cycles: looking for some costs a fifth of the time.
    gc.freeze()
    gc.set_threshold(500_000)
    # Ctrl-C reaches the whole process group; the server still needs its decoders to drain.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with_parent, name="watchglass-parent", daemon=True).start()


def _ready() -> None:
    """Does nothing, once there is a process to do it in: by then the price book is loaded."""
    assert _book is not None
    _book.price([_PROBE])


def _end_with_parent() -> None:
    """A worker holds both ends of its queue, so it would wait forever for a server that was killed."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _run_there(work: Callable[..., Done], args: tuple[object, ...]) -> Done:
    assert _book is not None
    return work(_book, *args)


def _prepare_there(kind: Signal, body: bytes, encoding: Encoding, now_ns: int, owner: str) -> Shipped:
    assert _book is not None
    done = prepare(kind, body, encoding, _book, now_ns, owner)
    shipped = {name: _pack(batch) for name, batch in done.batches.items()}
    return (
        done.accepted,
        done.rejected,
        done.message,
        shipped,
        _ENCODER.encode(done.sighting),
        done.foreign,
    )


def _pack(batch: pa.RecordBatch) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return sink.getvalue().to_pybytes()


def _unpack(shipped: Shipped) -> Prepared:
    accepted, rejected, message, batches, sighting, foreign = shipped
    return Prepared(
        accepted,
        rejected,
        message,
        {name: pa.ipc.open_stream(data).read_next_batch() for name, data in batches.items()},
        _DECODER.decode(sighting),
        foreign,
    )
