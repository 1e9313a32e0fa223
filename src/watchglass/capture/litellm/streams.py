"""Streamed answers: recorded when they are exhausted, fail, are closed, or are dropped half-way.

The object that LiteLLM returned stays what it is: its class becomes a subclass of its own class, which tells
a `Watch` what passes. The watch does not hold the stream, so that a stream nobody reads any more goes away,
and the watch with it.
"""

from __future__ import annotations

from types import AsyncGeneratorType, GeneratorType
from typing import TYPE_CHECKING, Any, cast

from watchglass.capture import boundary, calls, content, unfinished
from watchglass.capture.crewai import bodies
from watchglass.capture.litellm import seen
from watchglass.capture.litellm.answers import (
    describe_answer,
    describe_identity,
    describe_usage,
    hidden_params,
)
from watchglass.capture.litellm.pieces import events_of, finish_reason, has_token, last_usage, put_together
from watchglass.names import CACHE_HIT, SERVICE_TIER, STREAM_END, STREAMING

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator

    from watchglass.capture.calls import Call
    from watchglass.capture.records import Attributes

_WATCH = "_watchglass_watch"


class Watch:
    """Follows one streamed answer to its end, whichever that is."""

    __slots__ = ("__weakref__", "_collects", "_whole", "call", "chunks")

    def __init__(self, call: Call, chunks: list[Any] | None = None) -> None:
        """`chunks`: where LiteLLM collects the pieces itself, with the usage, which it takes out of them."""
        self.call = call
        self._collects = chunks is None
        self.chunks: list[Any] = [] if chunks is None else chunks
        self._whole: Any = None
        unfinished.note(self)

    def piece(self, piece: Any) -> None:
        """A piece has arrived."""
        if not self.call.first_ns:
            _note_first(self.call, piece)
        if self._collects:
            self.chunks.append(piece)
        whole = getattr(piece, "response", None)  # the responses API sends the whole answer last
        if whole is not None:
            self._whole = whole

    def late(self) -> Call | None:
        """The call, if it may send its request with the first piece; None where it has."""
        call = self.call
        return None if call.seen or call.ended else call

    @boundary.guarded("litellm.stream")
    def end(self, how: str, error: BaseException | None = None) -> None:
        """The stream has ended; only the first end counts."""
        unfinished.forget(self)
        call = self.call
        call.step_out()
        if call.ended:
            return
        said: Attributes = {STREAM_END: how}
        seen.close_call(call)
        if self._whole is not None:
            describe_answer(call, self._whole, said)
        elif self.chunks:
            _describe(call, self.chunks, said, complete=how == "exhausted")
        if error is None:
            calls.finish(call, said)
        else:
            calls.fail(call, getattr(error, "original_exception", None) or error, said)

    def __del__(self) -> None:
        self.end("abandoned")


@boundary.guarded("litellm.stream.first")
def _note_first(call: Call, piece: Any) -> None:
    if has_token(piece):
        calls.first_token(call)


def watch(call: Call, answer: Any) -> Any:
    """Follow `answer` if it is a stream of this call's own: what to hand on in its place, mostly itself.

    None where the call ends with the answer.
    """
    if call.seen and isinstance(call.seen[-1], calls.Call):
        return None  # an inner call follows it
    if isinstance(answer, GeneratorType):
        call.attributes[STREAMING] = True
        return _relayed(cast("Generator[Any]", answer), Watch(call))
    if isinstance(answer, AsyncGeneratorType):
        call.attributes[STREAMING] = True
        return _relayed_async(cast("AsyncGenerator[Any]", answer), Watch(call))
    kind = type(answer)
    streams = _streams.get(kind)
    if streams is None:
        iterates = hasattr(kind, "__next__") or hasattr(kind, "__anext__")
        streams = _streams[kind] = iterates and hasattr(answer, "__dict__")
    if not streams:
        return None
    call.attributes[STREAMING] = True
    if getattr(answer, "custom_llm_provider", None) == "cached_response" or (
        hidden_params(answer).get("cache_hit") is True and not call.seen
    ):
        call.attributes[CACHE_HIT] = True
    answer.__dict__[_WATCH] = Watch(call, getattr(answer, "chunks", None))
    answer.__class__ = _watched(kind)
    return answer


def _relayed(stream: Generator[Any], watch: Watch) -> Generator[Any]:
    while True:
        try:
            with calls.running(watch.late()):
                piece = next(stream)
        except StopIteration:
            watch.end("exhausted")
            return
        except BaseException as error:
            watch.end("failed", error)
            raise
        watch.piece(piece)
        try:
            yield piece
        except GeneratorExit:
            stream.close()
            watch.end("closed")
            raise


async def _relayed_async(stream: AsyncGenerator[Any], watch: Watch) -> AsyncGenerator[Any]:
    while True:
        try:
            with calls.running(watch.late()):
                piece = await anext(stream)
        except StopAsyncIteration:
            watch.end("exhausted")
            return
        except BaseException as error:
            watch.end("failed", error)
            raise
        watch.piece(piece)
        try:
            yield piece
        except GeneratorExit:
            watch.end("closed")
            await stream.aclose()
            raise


_classes: dict[type, type] = {}
_streams: dict[type, bool] = {}
"""By class whether it is a stream; asking a pydantic class for what it has not costs microseconds."""


def _watched(kind: type) -> type:
    made = _classes.get(kind)
    if made is None:
        names = {name: method for name, method in _METHODS.items() if hasattr(kind, name)}
        about = {"__module__": kind.__module__, "__qualname__": kind.__qualname__, "__doc__": kind.__doc__}
        made = _classes[kind] = type(kind.__name__, (kind,), {**about, **names})
    return made


def _parent(stream: Any) -> Any:
    """The class that the stream was made as."""
    return type(stream).__mro__[1]


def _next(self: Any) -> Any:
    watch: Watch = self.__dict__[_WATCH]
    try:
        with calls.running(watch.late()):
            piece = _parent(self).__next__(self)
    except StopIteration:
        watch.end("exhausted")
        raise
    except BaseException as error:
        watch.end("failed", error)
        raise
    watch.piece(piece)
    return piece


async def _anext(self: Any) -> Any:
    watch: Watch = self.__dict__[_WATCH]
    try:
        with calls.running(watch.late()):
            piece = await _parent(self).__anext__(self)
    except StopAsyncIteration:
        watch.end("exhausted")
        raise
    except BaseException as error:
        watch.end("failed", error)
        raise
    watch.piece(piece)
    return piece


def _close(self: Any, *args: Any, **kwargs: Any) -> Any:
    try:
        return _parent(self).close(self, *args, **kwargs)
    finally:
        self.__dict__[_WATCH].end("closed")


async def _aclose(self: Any, *args: Any, **kwargs: Any) -> Any:
    try:
        return await _parent(self).aclose(self, *args, **kwargs)
    finally:
        self.__dict__[_WATCH].end("closed")


_METHODS = {"__next__": _next, "__anext__": _anext, "close": _close, "aclose": _aclose}


def _describe(call: Call, chunks: list[Any], own: Attributes, *, complete: bool) -> None:
    """What the pieces say together."""
    first = chunks[0]
    feature = call.context.get("watchglass.feature")
    if isinstance(first, bytes):
        _describe_events(events_of(chunks), own, feature, complete=complete)
        return
    describe_identity(call, getattr(first, "id", None), getattr(first, "model", None), own)
    reason = finish_reason(chunks)
    if reason:
        own["gen_ai.response.finish_reasons"] = [reason]
    usage = last_usage(chunks)
    if usage is not None:
        describe_usage(call, usage, own)
        if not complete and reason is None:
            # Anthropic opens with a placeholder for the output; the count comes with the end.
            own.pop("gen_ai.usage.output_tokens", None)
    tier = next((tier for each in reversed(chunks) if isinstance(tier := _tier(each), str)), None)
    if tier:
        own.setdefault(SERVICE_TIER, tier)
    if content.wanted(feature):
        content.put(own, "gen_ai.output.messages", put_together(chunks), feature)


def _describe_events(
    events: list[dict[str, Any]], own: Attributes, feature: str | None, *, complete: bool
) -> None:
    """The same of Anthropic's own events, which LiteLLM hands on as they were sent."""
    whole = bodies.put_together("/messages", events)
    bodies.describe_answer(whole, own, feature)
    if not complete and not whole.get("stop_reason"):
        own.pop("gen_ai.usage.output_tokens", None)


def _tier(chunk: Any) -> Any:
    return cast("Any", getattr(chunk, "service_tier", None))
