"""The tables that teams already have: their columns, their sums, and nobody else's rows."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from tests.new_store import prepared
from tests.stored_rows import NOON_NS, SECOND_NS, call, insert
from watchglass.queries.reader import StoreReader
from watchglass.queries.scope import Scope
from watchglass.store import Engine, open_store
from watchglass.store.columns import COLUMNS

LEDGER = {
    "llm_usage_logs": "id flow_id client_account_id engagement_id llm_provider llm_model input_tokens "
    "output_tokens total_tokens total_cost response_time_ms success error_type error_message feature_context "
    "additional_metadata created_at",
    "agent_task_history": "id task_id flow_id client_account_id engagement_id agent_name task_name status "
    "started_at completed_at duration_ms input_context output_result error_details metadata created_at",
}
"""Columns as the teams wrote them down, in their order."""


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with open_store(prepared(tmp_path_factory.mktemp("teams") / "data")) as store:
        acme = {"tenant": "acme", "engagement": "e", "feature": "crewai", "provider": "openai", "flow": "f"}
        tiny = Decimal("0.000000000000000001")
        insert(
            store.engine,
            "calls",
            [
                call(1, **acme, request_model="m", input_tokens=5, output_tokens=2, cost_usd=tiny),
                call(2, **acme, response_model="m", input_tokens=7, output_tokens=1, cost_usd=Decimal("0.5")),
                call(3, **acme, request_model="m", success=False, error_type="Boom", error_message="no"),
                call(4, tenant="umbrella", cost_usd=Decimal(3)),
                call(5, tenant="acme", counted=False, cost_usd=Decimal(99)),
            ],
        )
        task = {"trace_id": "t", "time": NOON_NS, "version": 1, "status": "completed", "tenant": "acme"}
        failed = {
            "status": "failed",
            "error_type": "Boom",
            "error_message": "no",
            "duration_ns": 2 * SECOND_NS,
        }
        insert(
            store.engine,
            "tasks",
            [
                {
                    **task,
                    "task_id": "1",
                    "span_id": "1",
                    "kind": "task",
                    "name": "write",
                    **failed,
                    "task": "write",
                },
                {
                    **task,
                    "task_id": "2",
                    "span_id": "2",
                    "kind": "agent",
                    "name": "writer",
                    "parent_task_id": "1",
                },
                {**task, "task_id": "3", "span_id": "3", "kind": "agent", "name": "alone", "agent": "alone"},
                {**task, "task_id": "33", "span_id": "33", "kind": "agent", "name": "told", "task": "write"},
                {**task, "task_id": "4", "span_id": "4", "kind": "tool", "name": "search"},
                {**task, "task_id": "5", "span_id": "5", "kind": "task", "name": "x", "tenant": "umbrella"},
            ],
        )
        yield store.engine


@pytest.mark.parametrize("table", LEDGER)
def test_columns(engine: Engine, table: str) -> None:
    """`SELECT *` gives what their dashboards expect."""
    assert StoreReader(engine).query(f"SELECT * FROM {table}").names == LEDGER[table].split()
    assert [column.name for column in COLUMNS[table]] == LEDGER[table].split()


def test_their_dashboards_sql_goes_on(engine: Engine) -> None:
    """A panel's question as those teams write it, exact to the last digit."""
    answer = StoreReader(engine).query(
        "SELECT llm_model, sum(total_cost), sum(total_tokens), avg(response_time_ms), "
        "countIf(success = false) FROM llm_usage_logs WHERE feature_context = 'crewai' GROUP BY llm_model"
    )
    assert list(answer.rows()) == [["m", "0.500000000000000001", 15, 1000.0, 1]]


def test_unknown_is_unknown(engine: Engine) -> None:
    """Where a team's column may not be NULL it says unknown; a cost that is not known is NULL."""
    answer = StoreReader(engine).query(
        "SELECT llm_provider, llm_model, total_tokens FROM llm_usage_logs "
        "WHERE client_account_id = 'umbrella'"
    )
    assert list(answer.rows()) == [["unknown", "unknown", None]]
    missing = StoreReader(engine).query("SELECT count() FROM llm_usage_logs WHERE total_cost IS NULL")
    assert list(missing.rows()) == [[1]]


def test_the_summary_is_the_sum_of_the_calls(engine: Engine) -> None:
    """Calls, tokens and dollars of the summary are those of `usage`."""
    sums = "count() AS n, sum(cost_usd), sum(input_tokens + output_tokens)"
    usage = list(StoreReader(engine).query(f"SELECT {sums} FROM usage").rows())
    summed = "SELECT sum(calls), sum(total_cost), sum(total_tokens) FROM llm_usage_summary"
    assert list(StoreReader(engine).query(summed).rows()) == usage == [[4, "3.500000000000000001", 15]]


def test_one_row_a_piece_of_work(engine: Engine) -> None:
    """A task, not also its agent's run within it, nor its tools; an agent's run that no task is around."""
    answer = StoreReader(engine).query(
        "SELECT task_name, agent_name, status, duration_ms, error_details FROM agent_task_history "
        "WHERE client_account_id = 'acme' ORDER BY task_id"
    )
    assert list(answer.rows()) == [
        ["write", None, "failed", 2000, "Boom: no"],
        ["alone", "alone", "completed", None, None],
        ["told", None, "completed", None, None],
    ]


@pytest.mark.parametrize("table", ["llm_usage_logs", "llm_usage_summary", "llm_calls", "agent_task_history"])
def test_a_tenant_reads_its_own(engine: Engine, table: str) -> None:
    """The scope holds by their name for the tenant too."""
    sql = f"SELECT DISTINCT client_account_id FROM {table}"
    assert list(StoreReader(engine, scope=Scope(frozenset({"umbrella"}))).query(sql).rows()) == [["umbrella"]]
    assert list(StoreReader(engine, scope=Scope(frozenset())).query(sql).rows()) == []
