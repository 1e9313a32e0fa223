"""Price lists as teams have them: read as they are, exactly, each bad row named and no other lost."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from watchglass.errors import BadRequest
from watchglass.pricing.team_prices import Refused, TeamPrice, read_team_prices

HEAD = "provider,model,cost_per_1k_input_tokens,cost_per_1k_output_tokens,effective_date"
DAY = dt.date(2025, 8, 1)
LLAMA = TeamPrice("deepinfra", "meta-llama/Llama-4", Decimal("0.0001"), Decimal("0.0002"), DAY)
GEMMA = TeamPrice("deepinfra", "google/gemma-3-4b-it", Decimal("0.00005"), Decimal("0.00010"), DAY)
SQL = """
-- ours
INSERT INTO migration.llm_model_pricing
    (provider, model, cost_per_1k_input_tokens, cost_per_1k_output_tokens, effective_date)
VALUES
    ('deepinfra', 'meta-llama/Llama-4', 0.0001, 0.0002, '2025-08-01'::date), -- a remark; (here)
    ('DeepInfra', 'google/gemma-3-4b-it', 0.00005, 0.00010, DATE '2025-08-01')
ON CONFLICT (provider, model, effective_date) DO NOTHING;
"""
COPY = (
    "COPY migration.llm_model_pricing (id, provider, model, cost_per_1k_input_tokens, "
    "cost_per_1k_output_tokens, effective_date) FROM stdin;\n"
    "1\tdeepinfra\tmeta-llama/Llama-4\t0.0001\t0.0002\t2025-08-01\n"
    "2\tdeep_infra\tgoogle/gemma-3-4b-it\t0.00005\t0.00010\t2025-08-01\n"
    "\\.\nSELECT 1;\n"
)


@pytest.mark.parametrize(
    "text",
    [
        f"{HEAD}\ndeepinfra,meta-llama/Llama-4,0.0001,0.0002,2025-08-01\n"
        "deepinfra,google/gemma-3-4b-it,0.00005,0.00010,2025-08-01 00:00:00\n",
        f"\ufeff{HEAD.upper()},id\r\ndeepinfra,meta-llama/Llama-4,0.0001,2e-4,2025-08-01,1\r\n"
        'DeepInfra,"google/gemma-3-4b-it",0.00005,0.00010,2025-08-01,2\r\n\r\n',
        SQL,
        COPY,
    ],
)
def test_csv_and_sql_rows_are_read_as_they_are(text: str) -> None:
    """The same two prices come out of a spreadsheet, an INSERT and a dump, to the last digit."""
    assert read_team_prices(text) == ([LLAMA, GEMMA], [])


def test_quotes_and_signs_in_a_name_end_nothing() -> None:
    """A quoted quote, a bracket, a semicolon and two dashes are parts of a name."""
    text = SQL.replace("meta-llama/Llama-4", "it''s); -- m")
    assert read_team_prices(text)[0][0].model == "it's); -- m"


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("a,m,abc,1,2025-01-01", "'abc'"),
        ("a,m,-1,1,2025-01-01", "-1"),
        ("a,m,NaN,1,2025-01-01", "NaN"),
        ("a,m,1,,2025-01-01", "cost_per_1k_output_tokens is ''"),
        ("a,m,1,1,soon", "'soon'"),
        (",m,1,1,2025-01-01", "provider is empty"),
        ("a", "model is empty"),
        ("a,m,0.0000000000000001,1,2025-01-01", "15 decimals"),
    ],
)
def test_a_bad_row_is_named_and_its_neighbours_are_kept(row: str, said: str) -> None:
    """What is wrong is said with its line; the good row after it is read."""
    prices, refused = read_team_prices(f"{HEAD}\n{row}\na,m,1,2,2025-01-01\n")
    assert [(each.model, each.input_per_1k) for each in prices] == [("m", 1)]
    assert refused == [Refused(2, refused[0].reason)]
    assert said in refused[0].reason


def test_a_bad_sql_row_is_named_by_its_line() -> None:
    """A missing price in SQL is refused, with the line on which its row begins."""
    prices, refused = read_team_prices(SQL.replace("0.0001, 0.0002", "NULL, 0.0002"))
    assert prices == [GEMMA]
    assert [each.line for each in refused] == [6]


@pytest.mark.parametrize(
    "text", ["", "a,b\n1,2\n", "INSERT INTO t (provider, model) VALUES ('a', 'b');", "{}"]
)
def test_what_is_no_price_list_says_what_one_is(text: str) -> None:
    """Without the columns the error names those that are missing."""
    with pytest.raises(BadRequest, match="cost_per_1k_input_tokens"):
        read_team_prices(text)


def test_a_price_holds_from_midnight_of_its_day() -> None:
    """A thousand tokens become a million, exactly; the day begins at 00:00 UTC."""
    listed = GEMMA.listed("imported from x")
    assert (listed.input, listed.output) == (Decimal("0.05"), Decimal("0.1"))
    assert listed.since_ns == 1_754_006_400 * 10**9
