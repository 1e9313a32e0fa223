"""One session in its order: steps, messages once, money that adds up, and nobody else's."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from tests.new_store import prepared
from tests.stored_rows import NOON_NS, SECOND_NS, call, insert, task
from watchglass.errors import NotFound, QueryError
from watchglass.queries import replay as replays
from watchglass.queries.reader import StoreReader
from watchglass.queries.replay import Replay, ReplayQuestion, replay
from watchglass.queries.replay_rows import LONGEST_TEXT
from watchglass.queries.scope import EVERYTHING, Scope
from watchglass.store import Engine, open_store

ACME = {"tenant": "acme", "owner": "acme", "session": "s-1", "user": "ann"}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with open_store(prepared(tmp_path_factory.mktemp("replay") / "data")) as store:
        asked = {**ACME, "response_model": "gpt-4.1", "agent": "clerk"}
        insert(
            store.engine,
            "calls",
            [
                call(2, **asked, input_messages=["sys", "u1"], output_messages=["a1"], input_tokens=10,
                     output_tokens=3, cost_usd=Decimal("0.10")),
                call(5, **asked, input_messages=["sys", "u1", "a1", "t1", "u2"], output_messages=["long"],
                     input_tokens=20, cost_usd=Decimal("0.000000000000000001")),
                call(7, **asked, success=False, error_type="RateLimitError",
                     unpriced_reason="failed_without_usage"),
                call(6, **asked, counted=False, not_counted_reason="cumulative", cost_usd=Decimal(9)),
                call(3, tenant="umbrella", owner="umbrella", session="s-1", cost_usd=Decimal(1)),
                call(4, tenant="umbrella", owner="umbrella", session="theirs"),
            ],
        )  # fmt: skip
        insert(
            store.engine,
            "tasks",
            [
                task(1, **ACME, kind="agent", name="clerk", agent="clerk", duration_ns=9 * SECOND_NS),
                task(4, **ACME, kind="tool", name="search", status="failed", error_type="KeyError",
                     input="asked", output=None, duration_ns=SECOND_NS),
            ],
        )  # fmt: skip
        texts = {"asked": ("input", '{"q": 1}'),
                 "sys": ("system", "Be kind."), "u1": ("user", "Hi"), "a1": ("assistant", "Let me look"),
                 "t1": ("tool", "none"), "u2": ("user", "And?"),
                 "long": ("assistant", "ä" * (LONGEST_TEXT + 1))}  # fmt: skip
        insert(
            store.engine,
            "messages",
            [
                {"tenant": "acme", "hash": name, "role": role, "content": text, "version": 1}
                for name, (role, text) in texts.items()
            ],
        )
        yield store.engine


def of(engine: Engine, *, scope: Scope = EVERYTHING, **asked: object) -> Replay:
    question = ReplayQuestion(**{"session": "s-1", "tenant": "acme", **asked})
    return StoreReader(engine, scope=scope).answer(lambda store, limits: replay(store, question, limits))


def test_steps_come_in_their_order(engine: Engine) -> None:
    """Executions, the first sending of each of a user's messages, and counted calls, by when they began."""
    found = of(engine)
    assert [(each.kind, each.name, each.at_ns // SECOND_NS) for each in found.steps] == [
        ("agent", "clerk", 0),
        ("message", "user", 1),
        ("call", "gpt-4.1", 1),
        ("tool", "search", 3),
        ("message", "user", 4),
        ("call", "gpt-4.1", 4),
        ("call", "gpt-4.1", 6),
    ]
    assert [each.status for each in found.steps][3] == "failed"
    assert (found.start_ns, found.duration_ns) == (NOON_NS + SECOND_NS, 9 * SECOND_NS)
    assert (found.tenant, found.user, found.next_since) == ("acme", "ann", None)


def test_each_message_is_there_once(engine: Engine) -> None:
    """A call says which messages it was the first to send, what it answered, and how many it repeated."""
    found = of(engine)
    calls = [each for each in found.steps if each.kind == "call"]
    names = [each.hash for each in found.messages]
    assert sorted(names) == sorted({"sys", "u1", "a1", "asked", "t1", "u2", "long"})
    assert [[names[place] for place in each.new] for each in calls] == [["sys", "u1"], ["t1", "u2"], []]
    assert [[names[place] for place in each.said] for each in calls] == [["a1"], ["long"], []]
    assert [each.repeated for each in calls] == [0, 3, 0]
    long = found.messages[names.index("long")]
    assert long.cut and len(long.content or "") == LONGEST_TEXT and long.size == 2 * (LONGEST_TEXT + 1)
    assert not found.messages[names.index("sys")].cut


def test_money_adds_up_exactly(engine: Engine) -> None:
    """What it cost so far grows by each call and ends at the total; unpriced calls are counted."""
    found = of(engine)
    assert [each.so_far.cost_usd for each in found.steps] == [
        None,
        None,
        Decimal("0.1"),
        Decimal("0.1"),
        Decimal("0.1"),
        Decimal("0.100000000000000001"),
        Decimal("0.100000000000000001"),
    ]
    assert found.steps[-1].so_far == found.totals
    assert (found.totals.calls, found.totals.failed_calls, found.totals.unpriced_calls) == (3, 1, 1)
    assert found.totals.output_tokens == 3


def test_digests_tell_texts_apart(engine: Engine) -> None:
    """Equal texts have equal digests; where nothing was recorded there is none."""
    steps = of(engine).steps
    first, second, failed = (each for each in steps if each.kind == "call")
    assert first.given and first.gave and first.given != second.given
    assert (failed.given, failed.gave) == (None, None)
    tool = next(each for each in steps if each.kind == "tool")
    assert tool.given and tool.gave is None and tool.input is not None
    assert of(engine).messages[tool.input].content == '{"q": 1}'


def test_two_tenants_with_one_name(engine: Engine) -> None:
    """Without saying whose session, it is asked; a reader of one tenant is not, and sees that one's."""
    with pytest.raises(QueryError, match="several tenants have a session 's-1': acme, umbrella; add tenant="):
        of(engine, tenant=None)
    theirs = of(engine, tenant=None, scope=Scope(frozenset({"umbrella"})))
    assert (theirs.tenant, theirs.totals.cost_usd) == ("umbrella", Decimal(1))
    with pytest.raises(NotFound):
        of(engine, scope=Scope(frozenset({"umbrella"})))


def test_a_part_of_a_session(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """More steps than an answer holds: the totals are of all, and it says from when to ask for the others."""
    monkeypatch.setattr(replays, "MOST_STEPS", 3)
    first = of(engine)
    assert (len(first.steps), first.totals.calls) == (3 + 1, 3)  # and the message that the call sends
    assert first.next_since == "2026-01-01T12:00:05.000000000Z"
    rest = of(engine, since_ns=NOON_NS + 5 * SECOND_NS)
    assert [each.kind for each in rest.steps] == ["message", "message", "call", "call"]


def test_what_is_not_there(engine: Engine) -> None:
    """An unknown session and an empty window are refused with what to do."""
    with pytest.raises(NotFound, match="there is no session 'nobody'"):
        of(engine, session="nobody")
    with pytest.raises(QueryError, match="is not before until"):
        of(engine, since_ns=2, until_ns=1)
