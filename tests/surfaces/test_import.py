"""`watchglass import` into a store of its own: what is read, refused, counted, and done again."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from watchglass.ingest.importers.lines import pieces
from watchglass.ingest.importers.local import import_parts
from watchglass.pricing.book import PriceBook
from watchglass.store import open_store
from watchglass.surfaces.cli import make_app

AIDER = Path(__file__).parents[3] / "shared" / "data" / "aider_usage" / "calls.jsonl.gz"
Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `import` with the store in `data`, in a directory of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))

    def running(*arguments: str, input: bytes | None = None) -> Result:
        return CliRunner().invoke(
            make_app(), ["import", *arguments, "--data", "data"], catch_exceptions=False, input=input
        )

    return running


def stored(sql: str = "SELECT * FROM store.calls FINAL ORDER BY time, call_id") -> list[dict[str, Any]]:
    with open_store(Path("data")) as store:
        return store.engine.execute(sql).to_pylist(maps_as_pydicts="strict")


def write(name: str, *rows: object) -> str:
    Path(name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    return name


def test_a_row_of_json_becomes_a_priced_call(run: Run) -> None:
    """Columns named as in `calls` are that, any other is metadata, and the cost is exact."""
    row = {
        "time": "2025-01-01T00:00:00.123456789Z",
        "request_model": "gpt-4o-mini",
        "input_tokens": 1000,
        "output_tokens": 10,
        "reported_cost_usd": 0.000156,
        "tenant": "acme",
        "duration_ms": 1.5,
        "colour": "red",
        "deep": {"a": [1, 2.50]},
    }
    done = run(write("calls.jsonl", row))
    assert (done.exit_code, done.stderr) == (0, "")
    assert "1 rows: 1 new, 0 already there, 0 rejected" in done.stdout
    (call,) = stored()
    assert call["time"].value == 1735689600123456789
    assert (call["provider"], call["tenant"], call["duration_ns"]) == ("openai", "acme", 1_500_000)
    assert call["cost_usd"] == call["reported_cost_usd"] == Decimal("0.000156")
    assert call["metadata"] == {"colour": "red", "deep": '{"a":[1,2.5]}'}
    assert (call["kind"], call["counted"], call["dialect"]) == ("call", True, "import")


def test_importing_twice_changes_nothing_whatever_the_file_is_called(run: Run) -> None:
    """The same rows as JSON, packed, as CSV and by another name are the same calls."""
    rows = [{"time": 1735689600 + n // 2, "request_model": "gpt-4o", "input_tokens": 5} for n in range(6)]
    write("a.jsonl", *rows)
    assert "6 new" in run("a.jsonl").stdout
    first = stored()
    Path("b.data").write_bytes(gzip.compress(Path("a.jsonl").read_bytes()))
    lines = [f"{row['time']},gpt-4o,5" for row in rows]
    Path("c.csv").write_text("\ufefftime,request_model,input_tokens\r\n" + "\r\n".join(lines) + "\r\n")
    for name in ("a.jsonl", "b.data", "c.csv"):
        assert "0 new, 6 already there" in run(name).stdout
    assert "0 new, 6 already there" in run("-", input=Path("a.jsonl").read_bytes()).stdout
    assert stored() == first


def test_bad_lines_are_named_and_their_neighbours_kept(run: Run) -> None:
    """A row that cannot be read costs itself: named by line on stderr and in `rejects`, exit code 6."""
    good = b'{"time": 1735689600, "model": "gpt-4o"}\n'
    bad = {
        2: b'{"time": 1735689600, "input_tokens": -5}\n',
        3: b'{"time": NaN}\n',
        4: b"[" * 5000 + b"\n",
        5: b'{"time": 1735689600, "tenant": "\xff"}\n',
        6: b'{"model": "gpt-4o"}\n',
        7: b'{"time": "yesterday"}\n',
        8: b'{"time": 1735689600, "reported_cost_usd": 1e999999999}\n',
        9: b'{"time": 1735689600, "reported_cost_usd": "-1"}\n',
        10: b"17\n",
        11: b'{"time": 1735689600, "code_line": 4294967296}\n',
    }
    Path("calls.jsonl").write_bytes(good + b"".join(bad.values()) + good)
    done = run("calls.jsonl")
    assert done.exit_code == 6
    assert "12 rows: 2 new, 0 already there, 10 rejected" in done.stdout
    for line in bad:
        assert f"calls.jsonl:{line}: " in done.stderr
    assert "calls.jsonl:2: input_tokens is -5: write a whole number, 0 or more" in done.stderr
    run("calls.jsonl")
    rejects = stored("SELECT where, signal FROM store.rejects ORDER BY where")
    assert sorted(each["where"] for each in rejects) == sorted(f"calls.jsonl:{line}" for line in bad)


@pytest.mark.skipif(not AIDER.exists(), reason="the recorded calls are not part of the project")
def test_the_recorded_calls_of_a_coding_tool(run: Run) -> None:
    """All 3,380 rows are imported with --map; every recorded cost is ours or in a class that says why not."""
    maps = ("request_model=model", "input_tokens=prompt_tokens", "output_tokens=completion_tokens")
    options = [word for each in (*maps, "reported_cost_usd=cost_usd") for word in ("--map", each)]
    done = run(str(AIDER), *options, "--json")
    tally = json.loads(done.stdout)[str(AIDER)]
    assert (tally["rows"], tally["new"], tally["rejected"], tally["reported"]) == (3380, 3380, 0, 3380)
    undated = tally["agree"] - 2932
    assert undated in (0, 4), "where LiteLLM is installed, its map knows four more"
    assert tally["differ"] == 110
    assert tally["differences"] == {
        "price_unknown": 338 - undated,
        "stale_list": 62,
        "caching_not_on_record": 35,
        "other_models_price": 8,
        "client_had_no_price": 5,
    }
    assert tally["examples"]["caching_not_on_record"] == "claude-3-5-sonnet-20241022: 2,821 cached reads"
    (sums,) = stored("SELECT sum(input_tokens) AS i, sum(reported_cost_usd) AS c FROM store.calls FINAL")
    recorded = [
        json.loads(line, parse_float=Decimal)["cost_usd"]
        for line in gzip.decompress(AIDER.read_bytes()).splitlines()
    ]
    held = sum(Decimal(cost).quantize(Decimal(1).scaleb(-18)) for cost in recorded)
    assert (sums["i"], sums["c"]) == (35_684_778, held)


def test_absurd_reported_costs_are_all_flagged_and_in_no_total(run: Run) -> None:
    """However many, priced or not, and wherever in the file; what the calls cost stays what it was."""
    row = '{"time": 1735689600, "input_tokens": 1000, "output_tokens": 0, '
    known = f'{row}"request_model": "gpt-4o-mini", "reported_cost_usd": 2500, "session": '
    lines = [f'{known}"{n}"}}' for n in range(300)]
    lines += [f'{row}"request_model": "acme/unheard-of", "reported_cost_usd": {cost}}}' for cost in (2500, 9)]
    Path("calls.jsonl").write_text("\n".join(lines))
    tally = json.loads(run("calls.jsonl", "--json").stdout)["calls.jsonl"]
    assert tally["differences"] == {"absurd": 301, "price_unknown": 1}
    assert tally["examples"]["absurd"].startswith("gpt-4o-mini: $2500")
    assert "absurd" in run("calls.jsonl").stdout
    (sums,) = stored("SELECT sum(cost_usd) AS c FROM store.calls FINAL")
    assert sums["c"] == Decimal("0.045")


def test_why_reported_costs_are_not_ours(run: Run) -> None:
    """The summary says it by class with an example; of very many only some are looked into, which is said."""
    row = '{"time": 1735689600, "request_model": "gpt-4o-mini", "input_tokens": 1000, "output_tokens": 0, '
    lines = [f'{row}"reported_cost_usd": {cost}}}' for cost in ("0.00015", "0", "0.0001500000000000001")]
    lines += [f'{row}"session": "{n}", "reported_cost_usd": 0.77}}' for n in range(800)]
    Path("calls.jsonl").write_text("\n".join(lines))
    done = run("calls.jsonl")
    assert "803 with a reported cost 2 agree with ours (0.25%), 801 differ" in done.stdout
    assert "1 client_had_no_price; for example gpt-4o-mini: it costs 0.00015" in done.stdout
    counts = {why: int(count) for count, why in re.findall(r"(\d+) (unexplained|not_examined)", done.stdout)}
    assert sum(counts.values()) == 800 and counts["not_examined"] > 0


def test_an_import_that_was_stopped_goes_on_where_it_was(run: Run) -> None:
    """What was told before the end is there, and the same file again adds the rest and nothing twice."""
    rows = (
        {"time": 1735689600 + n // 3, "request_model": "gpt-4o", "input_tokens": 5} for n in range(90_000)
    )
    write("a.jsonl", *rows)
    with open_store(Path("data")) as store, Path("a.jsonl").open("rb") as file:
        some = pieces(file, size=200_000)
        going = import_parts(some, "a", {}, store.engine, PriceBook(), lambda: 0, processes=1)
        told = next(going).tally.new
        going.close()
        (held,) = store.engine.execute("SELECT count() AS n FROM store.calls FINAL").to_pylist()
    assert 0 < told <= held["n"] < 90_000
    assert f"{90_000 - held['n']:,} new, {held['n']:,} already there" in run("a.jsonl").stdout
    assert stored("SELECT count() AS n, uniqExact(call_id) AS ids FROM store.calls") == [
        {"n": 90_000, "ids": 90_000}
    ]


@pytest.mark.long
def test_times_of_three_centuries_go_in_at_once(run: Run) -> None:
    """A part of the store is one month's, and the engine makes only so many in an insert."""
    years = [{"time": f"{year}-{month:02}-03"} for year in range(1971, 2262) for month in (1, 7)]
    write("a.jsonl", *years)
    assert "582 new" in run("a.jsonl").stdout
    assert "582 already there" in run("a.jsonl").stdout
