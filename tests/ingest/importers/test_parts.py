"""Files of every kind become the same rows, however they are cut, and hostile ones cost only themselves."""

from __future__ import annotations

import csv
import gzip
import io
import json
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchglass.errors import BadRequest, ConfigError
from watchglass.ingest.importers.columns import parse_maps
from watchglass.ingest.importers.lines import MAX_LINE_BYTES, opened, pieces
from watchglass.ingest.importers.parts import Format, Read, format_of, parts, read_part

TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\r\0"), min_size=1, max_size=6)
ROW = st.fixed_dictionaries(
    {"time": st.integers(1, 10**9), "tenant": TEXT, "colour": TEXT, "input_tokens": st.integers(0, 9)}
)


def read(data: bytes, form: Format | None = None, maps: tuple[str, ...] = ()) -> list[Read]:
    source = opened(BytesIO(data), "file")
    mapping = parse_maps(maps)
    kind = form or format_of("file", source.peek(100))
    return [read_part(part, mapping) for part in parts(source, kind, mapping)]


def rows(found: list[Read]) -> list[dict[str, Any]]:
    return [json.loads(line) for each in found for line in each.canonical]


def rejects(found: list[Read]) -> dict[int, str]:
    return {reject.line: reject.reason for each in found for reject in each.rejects}


def keys(found: list[Read]) -> list[bytes]:
    return [key for each in found for key in each.keys]


@given(st.lists(ROW, min_size=1, max_size=8))
def test_json_and_csv_of_the_same_rows_are_the_same_calls(given_rows: list[dict[str, Any]]) -> None:
    """Quotes, commas, line ends and any alphabet included, packed or not, with a byte order mark or not."""
    lines = "".join(json.dumps(row) + "\n" for row in given_rows).encode()
    table = io.StringIO()
    writer = csv.DictWriter(table, ["colour", "time", "input_tokens", "tenant"], lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(given_rows)
    written = table.getvalue().encode()
    expected = keys(read(lines))
    assert len(expected) == len(given_rows)
    for same in (gzip.compress(lines), b"\xef\xbb\xbf" + lines, lines.replace(b"\n", b"\r\n\r\n")):
        assert keys(read(same)) == expected
    for same in (written, b"\xef\xbb\xbf" + written, gzip.compress(written)):
        assert keys(read(same, "csv")) == expected


@given(st.binary(max_size=200), st.integers(1, 40))
def test_pieces_are_the_file_and_know_their_lines(data: bytes, size: int) -> None:
    """However large a piece is, nothing is lost or moved, and each begins where it says."""
    found = list(pieces(BytesIO(data), size, longest=10**6))
    assert b"".join(each.data for each in found) == data
    at = 0
    for each in found:
        assert each.first_line == data[:at].count(b"\n") + 1
        at += len(each.data)


def test_a_line_of_100_mb_is_refused_and_not_held() -> None:
    """It is named, and its neighbours are kept."""
    good = b'{"time": 1735689600}\n'

    class Long:
        """A file whose second line is 100 MB, made as it is read."""

        def __init__(self) -> None:
            self.chunks = [good, b'{"time": "', *[b"x" * 2**20] * 100, b'"}\n' + good]
            self.largest = 0

        def read(self, size: int, /) -> bytes:
            return self.chunks.pop(0) if self.chunks else b""

    found = list(pieces(Long()))
    assert max(len(each.data) for each in found) <= MAX_LINE_BYTES + 2**21
    read_ = [read_part(each, {}) for each in found]
    assert (len(rows(read_)), list(rejects(read_))) == (2, [2])
    assert "longer than 4 MiB" in rejects(read_)[2]


def test_a_quote_that_is_never_closed_costs_its_own_line() -> None:
    """The rows below it are read as if it were not there."""
    table = b'time,tenant\n1735689600,a\n1735689600,"b\n1735689600,c\n1735689600,"d ""x"", e"\n'
    found = read(table)
    assert [row["tenant"] for row in rows(found)] == ["a", "c", 'd "x", e']
    assert list(rejects(found)) == [3]
    assert "quote" in rejects(found)[3]


def test_csv_rows_of_another_width_and_of_no_utf8_are_named() -> None:
    """Lines count quoted line ends, so that the number is the one that an editor shows."""
    table = (
        b'time,tenant\n1735689600,"two\nlines"\n1735689600\n1735689600,a,b\n1735689600,\xff\n\n1735689600,z\n'
    )
    found = read(table)
    assert [row["tenant"] for row in rows(found)] == ["two\nlines", "z"]
    assert {line: reason[:20] for line, reason in rejects(found).items()} == {
        4: "it has 1 values and ",
        5: "it has 3 values and ",
        6: "it is not UTF-8; con",
    }


@pytest.mark.parametrize("sign", [";", "\t"])
def test_other_separators_are_seen_in_the_header(sign: str) -> None:
    """Semicolons and tabs, as spreadsheets write them."""
    table = f"time{sign}tenant{sign}colour\n1735689600{sign}a,b{sign}red\n".encode()
    assert rows(read(table)) == [
        {"time_ns": 1735689600 * 10**9, "tenant": "a,b", "metadata": {"colour": "red"}}
    ]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"a,b\n1,2\n", "no column says when a call started"),
        (b"time,time\n1,2\n", "more than once"),
        (b'[{"time": 1}]', "JSON array"),
        ('{"time": 1}'.encode("utf-16"), "UTF-16"),
        (gzip.compress(b'{"time": 1735689600}\n' * 99, mtime=0)[:-9], "unpacked"),
    ],
)
def test_a_file_of_which_nothing_can_be_read_is_refused_whole(data: bytes, said: str) -> None:
    """With what is wrong and what to do."""
    with pytest.raises((BadRequest, ConfigError), match=said):
        read(data)


def test_an_empty_file_has_no_rows() -> None:
    """Nor has one of blank lines, or of a header alone."""
    for data in (b"", b"\n \n", b"time,tenant\n", gzip.compress(b"")):
        assert rows(read(data)) == []


def test_hostile_json_costs_its_own_line() -> None:
    """Depth, digits, half characters and thousands of keys; of a key that is there twice the last is read."""
    lines = [
        b'{"time": 1735689600, "deep": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"time": 1735689600, "n": ' + b"9" * 5000 + b"}",
        b'{"time": 1735689600, "half": "\\ud800"}',
        b'{"time": 1735689600, "tenant": "x", "tenant": "y"}',
        b'{"time": 1735689600, ' + b",".join(b'"k%d": 1' % n for n in range(5000)) + b"}",
        b'{"time": 1735689600, "input_tokens": 1e999999999999999999999}',
    ]
    found = read(b"\n".join(lines))
    assert {1, 3, 6} <= set(rejects(found)) <= {1, 2, 3, 6}
    kept = rows(found)
    assert [row.get("tenant") for row in kept if "tenant" in row] == ["y"]
    assert max(len(row.get("metadata", {})) for row in kept) == 5000


def test_the_names_of_the_teams_need_no_map() -> None:
    """Rows of their `llm_usage_logs` are read as they are, JSON metadata included."""
    row = {
        "id": 7,
        "flow_id": "f",
        "client_account_id": 1,
        "engagement_id": 2,
        "llm_provider": "deepinfra",
        "llm_model": "google/gemma-3-4b-it",
        "input_tokens": 10,
        "output_tokens": 5,
        "total_tokens": 15,
        "total_cost": 0.000001,
        "response_time_ms": 250,
        "success": True,
        "feature_context": "crewai",
        "additional_metadata": {"a": 1},
        "created_at": "2025-01-01 00:00:00.5",
        "error_type": None,
    }
    assert rows(read(json.dumps(row).encode())) == [
        {
            "time_ns": 1735689600_500000000,
            "tenant": "1",
            "engagement": "2",
            "feature": "crewai",
            "flow": "f",
            "provider": "deepinfra",
            "request_model": "google/gemma-3-4b-it",
            "input_tokens": 10,
            "output_tokens": 5,
            "total_tokens_reported": 15,
            "reported_cost_usd": "0.000001000000000000",
            "duration_ns": 250_000_000,
            "success": True,
            "metadata": {"id": "7", "a": "1"},
        }
    ]


def test_an_export_of_our_own_is_read_back() -> None:
    """Computed columns are worked out anew, and rows that do not count are refused rather than counted."""
    row = {"call_id": "c", "time": "2025-01-01T00:00:00.000000001Z", "time_ns": 1735689600_000000001}
    row |= {
        "kind": "call",
        "counted": True,
        "cost_usd": "1",
        "price_source": "override",
        "metadata": {"a": "b"},
    }
    found = read(json.dumps(row).encode() + b"\n" + json.dumps(row | {"counted": False}).encode())
    expected = {"time_ns": 1735689600_000000001, "call_id": "c", "metadata": {"a": "b"}}
    assert rows(found) == [expected]
    assert "export `usage`" in rejects(found)[2]
    assert "--map reported_cost_usd=cost_usd" in found[0].notices[0]


def test_a_map_wins_over_names_and_typos_in_it_are_found() -> None:
    """A mapped column is read as nothing else; ours that do not exist, or twice, are an error."""
    data = b'{"when": 1735689600, "time": "noon", "model": "m", "took": 2}'
    maps = ("time=when", "request_model=model", "duration_ms=took")
    assert rows(read(data, maps=maps)) == [
        {
            "time_ns": 1735689600 * 10**9,
            "request_model": "m",
            "duration_ns": 2_000_000,
            "metadata": {"time": "noon"},
        }
    ]
    assert "no row has a column 'x'" in read(data, maps=("time=when", "tenant=x"))[0].notices[0]
    for bad in (("time",), ("tiem=x",), ("time=a", "time=b"), ("duration_ms=a", "duration_s=b")):
        with pytest.raises(ConfigError, match="--map"):
            parse_maps(bad)
    with pytest.raises(ConfigError, match="there is no column 'x'"):
        read(b"time\n1\n", maps=("tenant=x",))
