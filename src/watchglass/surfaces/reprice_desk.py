"""Everything that can be asked of repricing and done with it, for the API and the command line alike."""

from __future__ import annotations

import logging
import threading
from typing import Any

import msgspec

from watchglass.clock import Clock
from watchglass.errors import Conflict, NotFound, Refused
from watchglass.ledger.reprice import Repricing, Stop, asked_by
from watchglass.ledger.reprice_expired import out_of_reach
from watchglass.ledger.reprice_plan import Asked
from watchglass.pricing.book import PriceBook
from watchglass.store import Store
from watchglass.store.reprice_runs import RepriceRuns, Run
from watchglass.surfaces.price_desk import PriceDesk
from watchglass.surfaces.reprice_document import asked_document, changes_document, left_document, run_document

log = logging.getLogger(__name__)

LAST = "last"
MOST_LEFT = 1000


class RepriceDesk:
    """Reprices the calls of an open store, one run at a time, in a thread. Thread-safe.

    `tenant` is whose runs and rows who asks may see and change; None is everybody's.
    """

    def __init__(self, store: Store, prices: PriceDesk, book: PriceBook, clock: Clock) -> None:
        """Brings runs that a killed process left to a state that can be gone on with: to be done before
        anything else writes."""
        self._prices = prices
        self._book = book
        self._engine = store.engine
        self._repricing = Repricing(store.engine, RepriceRuns(store.control, clock), store.versions, clock)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._run: Run | None = None
        self._stop: Stop | None = None
        for run in self._repricing.recover():
            log.warning("%s was interrupted: `watchglass reprice resume %s` goes on with it", run.id, run.id)

    def look(self, asked: Asked, tenant: str | None) -> dict[str, Any]:
        """What a run would change; nothing is written. Raises `QueryError`, `Refused`."""
        asked = _bound(asked, tenant)
        self._prices.look()
        changes = self._repricing.look(asked, PriceBook(self._book.layers))
        return {**asked_document(asked), **changes_document(changes), "expired": self._expired(asked)}

    def start(self, asked: Asked, *, who: str, why: str, tenant: str | None) -> dict[str, Any]:
        """Begin a run. Raises `Conflict` while one is running, `QueryError`, `Refused`."""
        asked = _bound(asked, tenant)
        self._prices.look()
        book = PriceBook(self._book.layers)  # as of now, whatever is imported meanwhile
        with self._lock:
            self._check_free(tenant)
            return self._go(self._repricing.begin(asked, book, who=who, why=why, tenant=tenant), book)

    def undo(self, id: str, *, who: str, why: str, tenant: str | None) -> dict[str, Any]:
        """Begin to take a run back, or `last`, the latest that has something to take back."""
        with self._lock:
            self._check_free(tenant)
            run = self._last(tenant) if id == LAST else self._find(id, tenant)
            return self._go(self._repricing.begin_undoing(run, who=who, why=why), self._book)

    def resume(self, id: str | None, tenant: str | None) -> dict[str, Any]:
        """Go on with a run that stopped; None is the latest such. Raises `Conflict`, `NotFound`."""
        self._prices.look()
        book = PriceBook(self._book.layers)
        with self._lock:
            self._check_free(tenant)
            run = self._stopped(tenant) if id is None else self._find(id, tenant)
            return self._go(self._repricing.resumed(run, book), book)

    def cancel(self, id: str, tenant: str | None) -> dict[str, Any]:
        """Stop a run after the chunks that are under way. What is done stays, and can be undone."""
        run = self._find(id, tenant)
        with self._lock:
            if run.state != "running":
                raise Conflict(f"{run.id} is {run.state}; there is nothing to cancel")
            if self._run is not None and self._run.number == run.number:
                self._stop = "cancelled"
        return self.show(id, tenant)

    def list(self, tenant: str | None) -> list[dict[str, Any]]:
        """All runs, the latest first."""
        return [run_document(self._repricing.progress(run)) for run in self._visible(tenant)]

    def show(self, id: str, tenant: str | None, *, changes: bool = False, left: int = 0) -> dict[str, Any]:
        """A run; with what it changed, and the first `left` rows that were not taken back."""
        run = self._find(id, tenant)
        progress = self._repricing.progress(run)
        found = run_document(progress)
        if changes:
            found["changes"] = changes_document(self._repricing.changes(run))
            if run.undoes is None:
                found["expired"] = self._expired(asked_by(run))
        if left:
            undone = run if run.undoes is None else self._repricing.runs.get(f"r{run.undoes}")
            if run.undoes is not None or progress.undone:
                found["left"] = left_document(self._repricing.left(undone, min(left, MOST_LEFT)))
        return found

    def wait(self, timeout_s: float) -> bool:
        """Wait for the run that is running; whether it has ended."""
        thread = self._thread
        if thread is not None:
            thread.join(timeout_s)
        return thread is None or not thread.is_alive()

    def stop(self) -> None:
        """Interrupt what is running: it can be gone on with at the next opening."""
        with self._lock:
            self._stop = "interrupted"
            thread = self._thread
        if thread is not None:
            thread.join()

    def _expired(self, asked: Asked) -> dict[str, Any] | None:
        found = out_of_reach(self._engine, asked)
        return None if found is None else msgspec.structs.asdict(found)

    def _go(self, run: Run, book: PriceBook) -> dict[str, Any]:
        self._run, self._stop = run, None
        self._thread = threading.Thread(target=self._work, args=(run, book), name=f"watchglass-{run.id}")
        self._thread.start()
        return run_document(self._repricing.progress(run))

    def _work(self, run: Run, book: PriceBook) -> None:
        done = self._repricing.go(run, book, lambda: self._stop)
        log.info("%s: %s%s", run.id, done.state, f", {done.fault}" if done.fault else "")

    def _check_free(self, tenant: str | None) -> None:
        if self._thread is None or not self._thread.is_alive() or self._run is None:
            return
        run = self._run
        about = f"{run.id}, begun by {run.who}," if tenant in (None, run.tenant) else "another run"
        raise Conflict(f"{about} is running; wait until it is done, or cancel it")

    def _visible(self, tenant: str | None) -> list[Run]:
        return [run for run in self._repricing.runs.list() if tenant in (None, run.tenant)]

    def _find(self, id: str, tenant: str | None) -> Run:
        run = self._repricing.runs.get(id)
        if tenant not in (None, run.tenant):
            raise NotFound(f"there is no run {id!r}; `watchglass reprice list` shows them")
        return run

    def _last(self, tenant: str | None) -> Run:
        for run in self._visible(tenant):
            progress = self._repricing.progress(run)
            if run.undoes is None and progress.did.changed and progress.state != "undone":
                return run
        raise NotFound(
            "there is no run that changed something to take back; `watchglass reprice list` shows them"
        )

    def _stopped(self, tenant: str | None) -> Run:
        for run in self._visible(tenant):
            if self._repricing.progress(run).state in ("interrupted", "cancelled"):
                return run
        raise NotFound("there is no run to go on with; `watchglass reprice list` shows them")


def _bound(asked: Asked, tenant: str | None) -> Asked:
    """Only the tenant's own calls."""
    asked.window.check()
    if tenant is None:
        return asked
    if any(each != tenant for each in asked.filters.get("tenant", ())):
        raise Refused(f"this key is bound to tenant {tenant!r} and may not reprice another's calls")
    return msgspec.structs.replace(asked, filters={**asked.filters, "tenant": (tenant,)})
