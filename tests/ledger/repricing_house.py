"""A store whose calls and prices a test changes, and what reprices them, to be killed at will."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import pyarrow as pa

from tests.stored_rows import NOON_NS, call, insert
from watchglass.clock import ManualClock
from watchglass.ledger.reprice import Repricing
from watchglass.ledger.reprice_plan import Asked
from watchglass.pricing.book import Layers, PriceBook
from watchglass.pricing.listed import ListedPrice
from watchglass.store import Engine, Limits, Store
from watchglass.store.reprice_runs import RepriceRuns, Run
from watchglass.store.rollup import Rollup
from watchglass.store.rollup_engine import RolledEngine

HOUR_NS = 3_600 * 10**9

FACTS = "cost_usd, price_source, price_id, unpriced_reason, provider, provider_source, price_run"


class Killed(BaseException):
    """The process has ended: nobody catches it."""


class Killing:
    """An engine whose process dies right before or after the `at`th statement that `matches`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.before: Callable[[str], bool] = lambda sql: False
        self.after: Callable[[str], bool] = lambda sql: False

    def execute(
        self, sql: str, params: Mapping[str, object] = {}, *, limits: Limits | None = None
    ) -> pa.Table:
        if self.before(sql):
            raise Killed
        found = self._engine.execute(sql, params, limits=limits)
        if self.after(sql):
            raise Killed
        return found

    def insert(self, table: str, batches: Sequence[pa.RecordBatch]) -> int:
        return self._engine.insert(table, batches)

    def close(self) -> None:
        self._engine.close()


class House:
    """See above. Chunks are of `most_rows` rows."""

    def __init__(self, store: Store, clock: ManualClock, most_rows: int = 250_000) -> None:
        self.store, self.clock, self.most_rows = store, clock, most_rows
        self.killing = Killing(store.engine._engine)
        self.book = PriceBook()
        store.engine.execute("TRUNCATE TABLE store.calls")
        store.engine.execute("TRUNCATE TABLE store.repricings")
        store.control.change(("DELETE FROM reprice_chunks", ()), ("DELETE FROM reprice_runs", ()))
        self.reopen()

    def reopen(self) -> None:
        """What a kill leaves is what is on disk."""
        self.killing.before = self.killing.after = lambda sql: False
        rollup = Rollup(self.store.control, self.clock, self.store.versions)
        self.engine = RolledEngine(self.killing, rollup)
        runs = RepriceRuns(self.store.control, self.clock)
        self.repricing = Repricing(
            self.engine, runs, self.store.versions, self.clock, most_rows=self.most_rows
        )

    def prices(self, **models: str | tuple[str, str]) -> None:
        """The book from now on: dollars a million tokens of input (and output) of openai's models."""
        listed = []
        for model, price in models.items():
            into, out = price if isinstance(price, tuple) else (price, "0")
            listed.append(listed_price(model.replace("_", "-"), into, out))
        self.book.replace(Layers(overrides=tuple(listed)))

    def write(self, *rows: Mapping[str, Any]) -> None:
        """Put calls into the store as they come."""
        insert(self.engine, "calls", rows)

    def rows(self, what: str = FACTS) -> list[dict[str, Any]]:
        """What the store says of all calls, in the order of their ids."""
        return self.engine.execute(
            f"SELECT call_id, {what} FROM store.calls FINAL ORDER BY call_id"
        ).to_pylist()

    def costs(self) -> list[Decimal | None]:
        """Of all calls, in the order of their ids."""
        return [row["cost_usd"] for row in self.rows()]

    def reprice(self, **asked: Any) -> Run:
        """A whole run."""
        return self.go(self.begin(**asked))

    def go(self, run: Run) -> Run:
        """All that is left of a run, which must not fail."""
        done = self.repricing.go(run, self.book)
        assert done.state == "done", done.fault
        return done

    def begin(self, **asked: Any) -> Run:
        """A run that has not done anything yet."""
        return self.repricing.begin(Asked(**asked), self.book, who="a test")

    def undo(self, run: Run) -> Run:
        """Take a whole run back."""
        return self.go(self.repricing.begin_undoing(run, who="a test"))


def listed_price(model: str, into: str, out: str = "0", provider: str = "openai") -> ListedPrice:
    """A price in dollars a million tokens."""
    return ListedPrice(provider=provider, model=model, input=Decimal(into), output=Decimal(out))


def priced_call(
    number: int, tokens: int = 1_000_000, model: str = "model-a", **columns: Any
) -> dict[str, Any]:
    """A call of openai's with input only, stored without a cost; `number` seconds after noon."""
    return call(
        number,
        **{
            "provider": "openai",
            "provider_source": "label",
            "provider_label": "openai",
            "request_model": model,
            "input_tokens": tokens,
            "output_tokens": 0,
            "unpriced_reason": "unknown_model",
            **columns,
        },
    )


__all__ = ["FACTS", "HOUR_NS", "NOON_NS", "House", "Killed", "listed_price", "priced_call"]
