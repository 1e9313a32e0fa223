"""The demo against its own books: what a real server counts is what the demo's providers served."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal

import pytest
from typer.testing import CliRunner

from tests.server_process import ServerProcess
from watchglass.surfaces.cli import make_app
from watchglass.surfaces.cli.demo import poster
from watchglass.surfaces.demo.plan import Window, history
from watchglass.surfaces.demo.records import Call, Run
from watchglass.surfaces.demo.sending import send_history
from watchglass.surfaces.demo.story import DAY_NS, HOUR_NS, cycle_day
from watchglass.surfaces.demo.tally import by_tenant

TOKENS = ("input", "output", "cache_read", "cache_write", "reasoning")

# The day after the loop and its eve, so that the dearest runs are in it.
DAYS = next(day for day in range(20_740, 20_780) if cycle_day(day) == 21)
WINDOW = Window(seed=11, now_ns=DAYS * DAY_NS + 12 * HOUR_NS, days=2, rate=0.2)

PRICES: dict[str, tuple[str, str, str, str]] = {
    # Dollars a million tokens: input, cache read, cache write, output. From the providers' price pages
    # (openai.com/api/pricing, claude.com/pricing), the same since each model came out.
    "gpt-4o-mini": ("0.15", "0.075", "0", "0.6"),
    "gpt-4.1": ("2", "0.5", "0", "8"),
    "gpt-4.1-mini": ("0.4", "0.1", "0", "1.6"),
    "gpt-5-mini": ("0.25", "0.025", "0", "2"),
    "text-embedding-3-small": ("0.02", "0", "0", "0"),
    "claude-sonnet-4-5": ("3", "0.3", "3.75", "15"),
    "claude-haiku-4-5": ("1", "0.1", "1.25", "5"),
}


def cost(call: Call) -> Decimal:
    """What the provider bills for it."""
    used = call.usage
    if used is None:
        return Decimal(0)
    fresh, read, write, out = (Decimal(each) for each in PRICES[call.model.name])
    plain = used.input - used.cache_read - used.cache_write
    million = plain * fresh + used.cache_read * read + used.cache_write * write + (used.output or 0) * out
    return million / 10**6


def tokens(call: Call) -> list[int]:
    """Of each class, 0 where nobody says."""
    return [getattr(call.usage, name) or 0 if call.usage is not None else 0 for name in TOKENS]


@pytest.fixture(scope="module")
def runs() -> list[Run]:
    """All that happened."""
    return [run for day in history(WINDOW) for run in day]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server that was sent the demo's history, and has settled."""
    made = ServerProcess(tmp_path_factory.mktemp("demo") / "data").start()
    send(made)
    yield made
    assert made.stop() == 0, made.log()


def send(server: ServerProcess) -> None:
    """The demo's history, as the command sends it."""
    for _ in send_history(WINDOW, poster(server.url), lambda _: None):
        pass
    server.settle()


def books(server: ServerProcess) -> dict[str, dict[str, int]]:
    """What the server counts, by tenant."""
    sums = ", ".join(f"ifNull(sum({name}_tokens), 0) AS {name}" for name in TOKENS)
    rows = server.query(
        f"SELECT tenant, count() AS calls, countIf(NOT success) AS failed, {sums} FROM usage GROUP BY tenant"
    )
    return {row.pop("tenant"): {name: int(value) for name, value in row.items()} for row in rows}


def test_totals_are_the_books_totals(server: ServerProcess, runs: list[Run]) -> None:
    """Calls, failures and each class of tokens of every tenant are those of the books, and nobody else's."""
    kept = by_tenant(runs)
    named = ("calls", "failed", *TOKENS)
    assert books(server) == {
        tenant: {name: getattr(tally, name) for name in named} for tenant, tally in kept.items()
    }


def test_each_request_is_counted_once_with_its_tokens(server: ServerProcess, runs: list[Run]) -> None:
    """Request by request: trace, model and tokens of the counted calls are those that were made."""
    made = Counter(
        (run.id, call.model.name, *tokens(call), call.failure is None) for run in runs for call in run.calls
    )
    sums = ", ".join(f"ifNull({name}_tokens, 0) AS {name}" for name in TOKENS)
    rows = server.query(
        f"SELECT trace_id, ifNull(request_model, response_model) AS model, {sums}, success FROM usage"
    )
    told = Counter(
        (row["trace_id"], row["model"], *(int(row[name]) for name in TOKENS), row["success"]) for row in rows
    )
    assert told == made


def test_money_is_exact(server: ServerProcess, runs: list[Run]) -> None:
    """For every model with one price the sum is exact to the last digit, the loop included."""
    expected: dict[str, Decimal] = {}
    for run in runs:
        for call in run.calls:
            if call.model.name in PRICES and call.usage is not None:
                expected[call.model.answered] = expected.get(call.model.answered, Decimal(0)) + cost(call)
    names = ", ".join(f"'{name}'" for name in expected)
    rows = server.query(
        f"SELECT response_model AS model, sum(cost_usd) AS cost FROM usage WHERE response_model IN ({names})"
        " GROUP BY model"
    )
    assert {row["model"]: Decimal(row["cost"]) for row in rows} == expected


def test_only_the_model_that_nobody_sells_has_no_price(server: ServerProcess, runs: list[Run]) -> None:
    """An answered request lacks a price only if its model has none or if nobody told of its tokens."""
    rows = server.query(
        "SELECT request_model AS model, unpriced_reason AS reason, count() AS calls FROM usage"
        " WHERE success AND cost_usd IS NULL GROUP BY model, reason"
    )
    own = sum(
        call.model.name.startswith("initech") and call.failure is None for r in runs for call in r.calls
    )
    unsaid = sum(tally.unsaid for tally in by_tenant(runs).values())
    assert sum(int(row["calls"]) for row in rows if row["reason"] == "tokens_missing") == unsaid
    assert {(row["model"], int(row["calls"])) for row in rows if row["reason"] != "tokens_missing"} == {
        ("initech-7b-finetuned", own)
    }


def test_nothing_is_left_unattributed(server: ServerProcess) -> None:
    """Sums that agents and crews repeat are all recognised as sums of calls that are there."""
    assert server.query("SELECT tenant, dialect, count() AS n FROM unattributed_usage GROUP BY ALL") == []


def test_every_call_says_for_whom_it_was(server: ServerProcess) -> None:
    """Tenant, engagement, feature, flow, agent, user and environment are known of every call."""
    fields = ("tenant", "engagement", "feature", "flow", "agent", "user", "environment", "service")
    unknown = ", ".join(f"countIf({name} IS NULL) AS {name}" for name in fields)
    row = server.figures(f"SELECT {unknown} FROM usage")
    assert {name: int(value) for name, value in row.items()} == dict.fromkeys(fields, 0)


def test_sending_it_again_changes_nothing(server: ServerProcess) -> None:
    """The same seed and moment are the same spans: every figure stays."""
    before = books(server), server.figures("SELECT count() AS n FROM spans")
    send(server)
    assert (books(server), server.figures("SELECT count() AS n FROM spans")) == before


def test_messages_are_there_to_read(server: ServerProcess) -> None:
    """Of every dialect, answered chats have what was asked and answered."""
    rows = server.query(
        "SELECT dialect, scope, countIf(empty(input_messages)) AS unasked,"
        " countIf(empty(output_messages)) AS unanswered FROM usage"
        " WHERE success AND operation = 'chat' GROUP BY dialect, scope"
    )
    assert len(rows) >= 6
    assert [row for row in rows if int(row["unasked"]) or int(row["unanswered"])] == []


def test_agents_and_tools_have_become_tasks(server: ServerProcess) -> None:
    """The table of tasks has agents of every crew, and failed tools among the tools."""
    rows = server.query("SELECT kind, status, count() AS n FROM tasks GROUP BY kind, status")
    kinds = {row["kind"] for row in rows}
    assert {"agent", "tool"} <= kinds, rows


@pytest.mark.long
def test_removing_leaves_nothing_and_the_demo_can_come_again(server: ServerProcess) -> None:
    """`demo --remove` empties every table of the demo, texts included; sent again, all is as it was."""
    before = books(server)
    said = CliRunner().invoke(make_app(), ["demo", "--remove", "--yes", "--url", server.url])
    assert (said.exit_code, said.stdout[:8]) == (0, "Removed "), said.output
    for table in ("spans", "calls", "tasks", "flows", "logs", "messages", "rejects", "unattributed_usage"):
        assert server.figures(f"SELECT count() AS n FROM {table}") == {"n": "0"} or server.figures(
            f"SELECT count() AS n FROM {table}"
        ) == {"n": 0}, table
    assert server.command("usage")["totals"]["calls"] in (0, "0")
    send(server)
    assert books(server) == before
