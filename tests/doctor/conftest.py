"""A real store to examine, and what is true of every finding: its command is one that exists."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Any

import pytest
import typer

from tests.new_store import prepared
from tests.stored_rows import NOON_NS, SECOND_NS, insert
from watchglass.doctor.contract import Diagnosis, Finding, Window
from watchglass.doctor.examination import examine
from watchglass.doctor.findings import FINDINGS
from watchglass.doctor.screening import ruled_out
from watchglass.queries.reader import StoreReader
from watchglass.queries.scope import Scope
from watchglass.store import Engine, open_store
from watchglass.surfaces.cli import make_app

WINDOW = Window(NOON_NS, NOON_NS + 3600 * SECOND_NS)
TABLES = ("calls", "spans", "tasks", "metrics", "rejects", "audit")
HEALTHY = {
    "tenant": "acme",
    "feature": "chat",
    "provider": "openai",
    "request_model": "gpt-4o",
    "input_tokens": 10,
    "output_tokens": 5,
    "total_tokens_reported": 15,
    "cost_usd": Decimal("0.1"),
}
Look = Callable[..., list[Diagnosis]]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with open_store(prepared(tmp_path_factory.mktemp("doctor") / "data")) as opened:
        yield opened.engine


def is_known(command: str) -> bool:
    """Whether a command is not ours, or one that this program has."""
    first, second, *_ = shlex.split(command)
    group: Any = typer.main.get_command(make_app())
    return first != "watchglass" or second in group.commands


@pytest.fixture(scope="module")
def asked() -> Sequence[Finding]:
    """What `look` asks: a module names those that it is about, for all of them take a second of processor."""
    return FINDINGS


@pytest.fixture
def look(engine: Engine, asked: Sequence[Finding]) -> Iterator[Look]:
    """Put rows into the emptied store and examine it; what finds something is never ruled out."""

    def looking(
        tenant: str | None = None,
        window: Window = WINDOW,
        findings: Sequence[Finding] = asked,
        **rows: list[dict[str, Any]],
    ) -> list[Diagnosis]:
        for table in TABLES:
            engine.execute(f"TRUNCATE TABLE store.{table}")
            if table in rows:
                insert(engine, table, rows[table])
        scope = Scope(None if tenant is None else frozenset({tenant}))
        reader = StoreReader(engine, scope=scope)
        found = examine(reader.query, window, findings)
        assert not found.failed, found.failed
        # To be ruled out by the rows as they are stored is to have nothing to say.
        assert not ruled_out(reader, window, findings) & {each.finding for each in found.diagnoses}
        for each in found.diagnoses:
            assert is_known(each.command), each.command
        return found.diagnoses

    yield looking
    engine.execute("TRUNCATE TABLE store.prices")
