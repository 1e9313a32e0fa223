"""For whom and what for: entering, leaving, decorating, and what is no field."""

from __future__ import annotations

import asyncio
import contextvars
import enum
import functools
import logging
import pickle
import uuid
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from typing import Any

import pytest

from tests.our_log import ours
from watchglass.capture import boundary
from watchglass.capture.context import EMPTY, Context, attach, context, current, detach


@pytest.fixture(autouse=True)
def anew(monkeypatch: pytest.MonkeyPatch) -> None:
    boundary.forget()
    monkeypatch.setattr("watchglass.capture.context._misnamed", set[str]())


def in_a_loop(test: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    """The test as a function that runs it in an event loop."""

    @functools.wraps(test)
    def run() -> None:
        asyncio.run(test())

    return run


def tenant() -> str | None:
    return current().fields.get("tenant")


def test_fields_are_attributes_of_their_names() -> None:
    """What goes on records has the names that the server reads; the teams' names of fields mean the same."""
    with context(client_account_id=7, engagement_id="e", feature_context="chat", flow_id="f", user="u"):
        assert current().attributes == {
            "watchglass.tenant": "7",
            "watchglass.engagement": "e",
            "watchglass.feature": "chat",
            "watchglass.flow.id": "f",
            "user.id": "u",
        }
    assert current() is EMPTY


def test_what_is_not_named_is_inherited() -> None:
    """An inner context adds to the outer one, None or an empty text takes a field away, and all is undone."""
    with context(tenant="a", feature="x", user="u"):
        with context(feature="y", user=None, session=""):
            assert current().fields == {"tenant": "a", "feature": "y"}
        assert current().fields == {"tenant": "a", "feature": "x", "user": "u"}


def test_another_tenant_takes_nothing_along() -> None:
    """Engagement, flow, session and user stay with their tenant; a feature, which names code, goes on."""
    with context(tenant="a", engagement="ea", flow="fa", user="ua", session="sa", feature="chat"):
        with context(tenant="b", user="ub"):
            assert current().fields == {"tenant": "b", "user": "ub", "feature": "chat"}
        with context(tenant="a"):
            assert current().fields["engagement"] == "ea"
        with context(tenant=None):
            assert current().fields == {"feature": "chat"}


def test_the_attributes_are_those_of_the_fields() -> None:
    """However a context came about, its attributes are what its fields say."""
    made = (
        EMPTY.with_fields(tenant="a", flow="f", user="u")
        .with_fields(tenant="b", agent="x")
        .with_fields(agent=None)
    )
    assert made.attributes == Context(made.fields).attributes == {"watchglass.tenant": "b"}


class Feature(enum.Enum):
    CHAT = "chat"


def test_values_are_text() -> None:
    """Numbers, UUIDs, members of enumerations and bytes are the text that identifies them."""
    identity = uuid.uuid4()
    with context(tenant=42, engagement=identity, feature=Feature.CHAT, user=b"ann"):
        assert current().fields == {
            "tenant": "42",
            "engagement": str(identity),
            "feature": "chat",
            "user": "ann",
        }


def test_a_name_that_is_no_field_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    """A misspelt field is named in the log, once, with what was probably meant, and nothing is raised."""
    with caplog.at_level(logging.WARNING, "watchglass"):
        for _ in range(3):
            with context(tenat="a", feature="x"):  # pyright: ignore[reportCallIssue]  # what this is about
                assert current().fields == {"feature": "x"}
    assert [r.getMessage() for r in ours(caplog)] == [
        "watchglass: a context has no field 'tenat' and goes on without it; did you mean 'tenant'?"
    ]


def test_names_from_outside_flood_no_log(caplog: pytest.LogCaptureFixture) -> None:
    """However many names are no fields, and however long, few are said and none is kept."""
    with caplog.at_level(logging.WARNING, "watchglass"):
        for number in range(1000):
            context(**{f"{number}" + "x" * 100_000: "a"})  # type: ignore[misc]  # what this is about
    assert len(ours(caplog)) <= 20
    assert max(len(r.getMessage()) for r in ours(caplog)) < 300


class Unprintable:
    def __str__(self) -> str:
        raise RuntimeError("no")


@pytest.mark.parametrize("value", [Unprintable(), "x" * 2000])
def test_a_value_that_cannot_be_kept_is_left_out(value: object) -> None:
    """What has no text, or too much to be an id, is absent: not cut to what another tenant may be called."""
    with context(tenant="outer"), context(tenant=value):
        assert tenant() is None


def test_a_text_that_cannot_be_encoded_is_escaped() -> None:
    """A lone surrogate in a tenant's name costs no record."""
    with context(tenant="a\udc80ü"):
        assert current().attributes["watchglass.tenant"].encode() == b"a\\udc80\xc3\xbc"


@in_a_loop
async def test_async_with() -> None:
    """`async with` is the same as `with`."""
    async with context(tenant="a") as entered:
        await asyncio.sleep(0)
        assert current() is entered
        assert tenant() == "a"
    assert tenant() is None


def test_one_scope_may_be_entered_many_times() -> None:
    """A scope that is kept and entered again, also within itself, is left as often as it was entered."""
    scope = context(tenant="a")
    with scope:
        with scope:
            pass
        assert tenant() == "a"
    assert tenant() is None


@in_a_loop
async def test_one_scope_in_many_tasks() -> None:
    """A scope shared by tasks that overlap is in force in each until that one leaves it."""
    scope, both = context(tenant="a"), asyncio.Barrier(2)

    async def work() -> list[str | None]:
        async with scope:
            await both.wait()
            inside = tenant()
        await both.wait()
        return [inside, tenant()]

    assert await asyncio.gather(work(), work()) == [["a", None], ["a", None]]


def test_left_out_of_order() -> None:
    """A scope that is left before one within it leaves nothing of either behind."""
    outer, inner = context(tenant="a"), context(tenant="b")
    outer.__enter__()
    inner.__enter__()
    outer.__exit__()
    assert tenant() is None
    inner.__exit__()
    assert tenant() is None


@in_a_loop
async def test_left_in_another_task() -> None:
    """A scope may be entered in one task and left in another: nothing is raised or logged, and the task that
    leaves it is in it no more."""
    scope = context(tenant="a")

    async def leave() -> str | None:
        scope.__exit__()
        return tenant()

    scope.__enter__()
    assert await asyncio.create_task(leave()) is None
    assert tenant() == "a"
    scope.__exit__()
    assert tenant() is None


def test_left_where_it_never_was() -> None:
    """Leaving a scope where it is not in force changes nothing."""
    scope = context(tenant="a")

    def elsewhere() -> str | None:
        with context(tenant="b"):
            scope.__exit__()
            return tenant()

    scope.__enter__()
    assert contextvars.Context().run(elsewhere) == "b"
    scope.__exit__()


def test_attach_and_detach() -> None:
    """`attach` puts a context in force until `detach`, which undoes what came after as well."""
    token = attach(Context({"tenant": "a"}))
    attach(Context({"tenant": "b"}))
    detach(token)
    assert current() is EMPTY
    detach(token)
    assert current() is EMPTY


def test_a_chain_of_successors_has_a_bound() -> None:
    """Contexts entered and never left cost a bounded amount of memory, and the last is still undone."""

    def never_left() -> None:
        for number in range(1000):
            attach(Context({"tenant": str(number)}))
        with context(tenant="a"):
            assert tenant() == "a"
        assert tenant() == "999"

    contextvars.Context().run(never_left)


def test_a_context_can_be_pickled() -> None:
    """A context read in another process is the same."""
    again: Context = pickle.loads(pickle.dumps(EMPTY.with_fields(tenant="a")))
    assert again.fields == {"tenant": "a"}
    assert again.attributes == {"watchglass.tenant": "a"}


@context(tenant="a")
def plain() -> str | None:
    """What it does."""
    return tenant()


@context(tenant="a")
async def coroutine() -> str | None:
    await asyncio.sleep(0)
    return tenant()


@context(tenant="a")
def steps() -> Generator[str | None, str, str | None]:
    sent = yield tenant()
    with context(flow=sent):
        yield current().fields.get("flow")
        yield current().fields.get("flow")
    try:
        yield tenant()
    except KeyError:
        yield f"caught {tenant()}"
    return tenant()


@context(tenant="a")
async def async_steps() -> AsyncGenerator[str | None, str]:
    sent = yield tenant()
    with context(flow=sent):
        yield current().fields.get("flow")
        yield current().fields.get("flow")
    try:
        yield tenant()
    except KeyError:
        yield f"caught {tenant()}"
    finally:
        closed.append(tenant())


closed: list[str | None] = []


class Methods:
    @context(tenant="a")
    @staticmethod
    def static() -> str | None:
        return tenant()

    @context(tenant="a")
    @classmethod
    def of_class(cls) -> tuple[str, str | None]:
        return cls.__name__, tenant()

    @context(tenant="a")
    def of_instance(self) -> tuple[str, str | None]:
        return type(self).__name__, tenant()

    async def __call__(self) -> str | None:
        await asyncio.sleep(0)
        return tenant()


@in_a_loop
async def test_decorated_methods() -> None:
    """Methods of every kind, and objects that are called like coroutine functions, can be decorated."""
    assert (Methods.static(), Methods().static()) == ("a", "a")
    assert Methods.of_class() == Methods().of_instance() == ("Methods", "a")
    assert await context(tenant="a")(Methods())() == "a"
    assert tenant() is None


def test_a_class_is_no_function() -> None:
    """A class is refused where it is decorated, since as a function it would be no class any more."""
    with pytest.raises(TypeError, match="Methods is a class; decorate its methods"):
        context(tenant="a")(Methods)


@in_a_loop
async def test_decorated_functions() -> None:
    """A decorated function is what it was, and runs in the context each time."""
    assert (plain(), plain(), tenant()) == ("a", "a", None)
    assert (plain.__name__, plain.__doc__) == ("plain", "What it does.")
    assert (await coroutine(), await coroutine(), tenant()) == ("a", "a", None)


def test_decorated_generators_are_within_only_while_they_run() -> None:
    """A decorated generator has its context at each step, whoever takes it; its caller never has, nor what
    the generator entered itself."""
    with context(tenant="b"):
        run = steps()
        assert (next(run), tenant()) == ("a", "b")
        assert (run.send("f"), tenant(), current().fields.get("flow")) == ("f", "b", None)
        assert contextvars.Context().run(next, run) == "f"
        assert (next(run), run.throw(KeyError())) == ("a", "caught a")
        with pytest.raises(StopIteration) as end:
            next(run)
        assert end.value.value == "a"
        assert tenant() == "b"


@in_a_loop
async def test_decorated_async_generators_are_within_only_while_they_run() -> None:
    """The same holds for asynchronous generators, closed ones included."""
    closed.clear()
    with context(tenant="b"):
        run = async_steps()
        assert (await anext(run), tenant()) == ("a", "b")
        assert (await run.asend("f"), tenant()) == ("f", "b")
        assert await asyncio.create_task(anext(run)) == "f"  # type: ignore[arg-type]  # a coroutine at run time
        assert (await anext(run), await run.athrow(KeyError())) == ("a", "caught a")
        await run.aclose()
        assert closed == ["a"]
        assert tenant() == "b"


def test_an_error_passes_through_and_the_context_is_left() -> None:
    """An error raised within is the application's, unchanged, and afterwards the context is what it was."""

    @context(tenant="a")
    def fails() -> None:
        raise ValueError("theirs")

    with pytest.raises(ValueError, match="theirs"):
        fails()
    with pytest.raises(ValueError, match="theirs"), context(tenant="a"):
        raise ValueError("theirs")
    assert tenant() is None
