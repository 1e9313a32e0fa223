"""Call sites and recorded lines joined: each line has one place, and no money is lost or made up."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchglass.queries.coverage import Coverage, Site
from watchglass.queries.covering import cover
from watchglass.queries.figures import plus_money
from watchglass.queries.sites import RecordedSite, RecordedSites

LLM = "src/shop/llm.py"
FILES = (LLM, "src/shop/other.py", "src/stock/__init__.py")


class Static(NamedTuple):
    """See `CallSite`."""

    line: int
    end_line: int
    function: str = "ask"
    path: str = LLM
    callee: str = "litellm.completion"
    family: str = "litellm"
    recorded: bool = True
    around: int = 0
    """Lines of its statement before and after it."""
    only_if_seen: bool = False

    @property
    def statement_line(self) -> int:
        return self.line - self.around

    @property
    def statement_end(self) -> int:
        return self.end_line + self.around


def row(line: int | None, function: str | None = "ask", **columns: Any) -> RecordedSite:
    base: dict[str, Any] = {
        "file": "/app/shop/llm.py", "failed_calls": 0, "unpriced_calls": 0, "calls": 1, "without_tenant": 0,
        "cost_usd": Decimal(1), "without_feature": 0, "without_context": 0, "cost_without_context_usd": None,
        "last": "2026-01-01T00:00:00.000000000Z", "services": ["web"], "scope": "watchglass.litellm",
    }  # fmt: skip
    return RecordedSite(**{**base, "line": line, "function": function, **columns})


def covered(static: list[Static], rows: list[RecordedSite]) -> Coverage:
    recorded = RecordedSites(since="2026-01-01", until="2026-01-31", sites=rows)
    return cover(static, recorded, files=FILES, roots=["src"])


def places(sites: list[Site]) -> list[tuple[int, str | None]]:
    return [(site.line, site.matched) for site in sites]


def test_lines_of_a_call() -> None:
    """Any line of a call is the call; of two around it the inner one; calls and money are summed."""
    found = covered(
        [Static(10, 20), Static(14, 15), Static(30, 30)],
        [row(10), row(20), row(14, cost_usd=Decimal("0.5"))],
    )
    assert [(s.line, s.calls, s.cost_usd) for s in found.seen] == [
        (10, 2, Decimal(2)),
        (14, 1, Decimal("0.5")),
    ]
    assert found.seen[0].recorded_at == ["/app/shop/llm.py:10", "/app/shop/llm.py:20"]
    assert (found.sites, found.percent) == (3, 66.6)


def test_lines_of_a_statement() -> None:
    """A line beside the call and within its statement is the call's, unless another call lies on it."""
    found = covered([Static(10, 12, around=4), Static(15, 15)], [row(14), row(15)])
    assert [(site.line, site.calls, site.matched) for site in found.seen] == [
        (10, 1, "line"),
        (15, 1, "line"),
    ]


def test_code_that_moved() -> None:
    """Off its line a call is found by its function: the only site there, else the nearest, and so said."""
    assert places(covered([Static(10, 12)], [row(17)]).seen) == [(10, "function")]
    found = covered([Static(10, 12), Static(40, 42)], [row(44), row(18)])
    assert places(found.seen) == [(10, "nearest"), (40, "nearest")]
    # What is found by line is not taken by what has moved.
    found = covered([Static(10, 12), Static(40, 42)], [row(10), row(14)])
    assert places(found.seen) == [(10, "line"), (40, "nearest")]


def test_a_line_that_another_function_has_now() -> None:
    """The line lies in a call of another function: the function is believed."""
    found = covered([Static(10, 12, "ask"), Static(20, 22, "tell")], [row(21, "ask")])
    assert places(found.seen) == [(10, "function")]


@pytest.mark.parametrize(
    ("static", "recorded", "same"),
    [
        ("Desk.ask", "Desk.ask", True),
        ("Desk.ask", "shop.llm.Desk.ask", True),
        ("Desk.ask", "ask", True),
        ("Desk.ask", None, True),
        ("ask", "ask.<locals>.<lambda>", True),
        ("", "<module>", True),
        ("", "<lambda>", True),
        ("ask", "<module>", False),
        ("", "ask", False),
        ("ask", "task", False),
        ("ask.<locals>.inner", "ask", False),
        ("ask.inner", "ask.<locals>.inner", True),
    ],
)
def test_names_of_functions(static: str, recorded: str | None, same: bool) -> None:
    """A function is known by its whole name, with its module, or bare; what is in it is part of it."""
    assert bool(covered([Static(10, 12, static)], [row(11, recorded)]).seen) == same


def test_the_dearest_without_context_comes_first() -> None:
    """Money of which nobody said for whom outweighs money of which somebody did."""
    nobodys = {"without_context": 1, "without_tenant": 1, "cost_without_context_usd": Decimal(2)}
    found = covered(
        [Static(10, 10), Static(20, 20), Static(30, 30)],
        [row(10, cost_usd=Decimal(90)), row(20, cost_usd=Decimal(2), **nobodys), row(30, cost_usd=None)],
    )
    assert [site.line for site in found.seen] == [20, 10, 30]


def test_what_is_not_looked_at() -> None:
    """Never seen, and nothing records its library; or its function ran. The rest may never have run."""
    found = covered(
        [
            Static(10, 10),
            Static(20, 20),
            Static(30, 30, "rarely"),
            Static(40, 40, "hidden", family="openai", recorded=False),
            Static(50, 50, "dark", recorded=False),
        ],
        [row(10, cost_usd=Decimal(3))],
    )
    assert [(site.line, site.cost_beside_usd) for site in found.unmonitored] == [
        (20, Decimal(3)),
        (40, Decimal(3)),
    ]
    # Calls of LiteLLM are on record, so it is recorded, though the code of `dark` does not show how.
    assert [site.line for site in found.never_seen] == [30, 50]


def test_a_site_only_if_it_is_seen() -> None:
    """The start of a flow, whose steps have call sites of their own, counts where calls came from it."""
    flow = Static(20, 20, "main", only_if_seen=True)
    unseen, seen = covered([Static(10, 12), flow], [row(10)]), covered([flow], [row(20, "main")])
    assert (unseen.sites, unseen.percent, unseen.never_seen) == (1, 100.0, [])
    assert (seen.sites, places(seen.seen)) == (1, [(20, "line")])


def test_recorded_and_unknown_to_the_code() -> None:
    """A dependency's line, a line without a call site, one that fits several files, and calls of nowhere."""
    files = ("src/a/x/llm.py", "src/b/x/llm.py", LLM)
    recorded = RecordedSites(
        since="",
        until="",
        sites=[
            row(3, file="/venv/lib/llm/core.py", cost_usd=Decimal(4)),
            row(3, "main", cost_usd=Decimal(3)),
            row(3, file="/app/x/llm.py", cost_usd=Decimal(2)),
            row(None, None, file=None, cost_usd=None),
        ],
    )
    found = cover([Static(10, 12)], recorded, files=files, roots=["src"])
    assert [each.why for each in found.elsewhere] == ["outside", "no_site", "ambiguous", "no_place"]
    assert found.elsewhere[1].path == LLM
    assert found.elsewhere[2].candidates == ["src/a/x/llm.py", "src/b/x/llm.py"]
    assert (found.percent, len(found.unmonitored), len(found.never_seen)) == (0.0, 0, 1)


def test_code_without_call_sites() -> None:
    """There is no share of nothing."""
    assert covered([], [row(1)]).percent is None


def test_by_folder() -> None:
    """Each folder with its share, rounded down: all is said of all alone."""
    other = [Static(line, line, f"f{line}", "src/stock/__init__.py") for line in range(1, 4)]
    rows = [row(line, f"f{line}", file="/app/stock/__init__.py") for line in (1, 2)]
    found = covered([Static(10, 10), *other], [*rows, row(10)])
    assert [(each.package, each.sites, each.seen, each.percent) for each in found.packages] == [
        ("src/shop", 1, 1, 100.0),
        ("src/stock", 3, 2, 66.6),
    ]


_ROWS = st.builds(
    row,
    line=st.none() | st.integers(1, 60),
    function=st.sampled_from([None, "ask", "tell", "main"]),
    file=st.sampled_from([None, "/app/shop/llm.py", "/app/shop/other.py", "/lib/x.py"]),
    calls=st.integers(1, 50),
    cost_usd=st.none() | st.decimals(0, 10**6, places=18),
)
_SITES = st.builds(
    lambda line, length, function: Static(line, line + length, function),
    st.integers(1, 60),
    st.integers(0, 9),
    st.sampled_from(["ask", "tell"]),
)


@given(
    st.lists(_SITES, max_size=8, unique_by=lambda site: (site.line, site.end_line)),
    st.lists(_ROWS, max_size=12),
)
def test_all_adds_up(static: list[Static], rows: list[RecordedSite]) -> None:
    """Calls and money at call sites and elsewhere are all calls and all money; each site is in one list."""
    found = covered(static, rows)
    parts = [*found.seen, *found.elsewhere]
    assert sum(each.calls for each in parts) == found.calls == sum(each.calls for each in rows)
    total = None
    for each in parts:
        total = plus_money(total, each.cost_usd)
    assert total == found.cost_usd
    assert len(found.seen) + len(found.unmonitored) + len(found.never_seen) == len(static) == found.sites
    assert sum(each.sites for each in found.packages) == len(static)
