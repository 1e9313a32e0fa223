"""A call: one request to a model, recorded after the fact.

A live OpenTelemetry span costs more than a call may, so a `Call` takes ids, parent, context and the
application's line where it starts, in the caller's thread, and writes one record when it ends. While it runs
its span context is OpenTelemetry's current one, so that what other instrumentations record of the same
request becomes its descendants, and the server counts the request once.

    call = calls.begin("watchglass.litellm", "chat", "gpt-4o", provider="openai")
    try:
        with calls.running(call):
            answer = send()
    except BaseException as error:
        calls.fail(call, error)
        raise
    calls.finish(call, {"gen_ai.usage.input_tokens": 12})

Entry points nest (a retry goes through the same function again). What the HTTP layer sees goes to the
innermost call: the one that sent nothing itself, but whose inner calls did, is no request and leaves no
record; what was sent before the last attempt becomes failed calls of their own.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager, suppress
from contextvars import ContextVar, Token
from typing import TYPE_CHECKING, cast

from opentelemetry import context as otel
from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, TraceState

from watchglass.capture import boundary, ids, on_behalf, recorder
from watchglass.capture.application_code import Line, code_attributes, note
from watchglass.capture.attempts import Attempt, describe_failure
from watchglass.capture.context import Context, current
from watchglass.capture.credentials import MASK, scrub_start
from watchglass.capture.records import Attributes, SpanRecord
from watchglass.names import ATTEMPT, FALLBACK_OF, REQUEST_SENT, RETRY_OF, TTFT

if TYPE_CHECKING:
    from collections.abc import Mapping

_CLIENT = 3
_UNSET, _ERROR = 0, 2
_NO_STATE = TraceState()
_SAMPLED = TraceFlags(TraceFlags.SAMPLED)
_set_current = trace.set_span_in_context

_call: ContextVar[Call | None] = ContextVar("watchglass_call", default=None)


class Group:
    """The attempts at one thing: those of one call, of the calls within it, or of a router.

    Keeps the last failed one, so that the next says what it repeats or replaces.
    """

    __slots__ = ("attempts", "failed", "failed_model", "trace_id")

    def __init__(self) -> None:
        self.attempts = 0
        self.failed = ""
        self.failed_model = ""
        self.trace_id = b""

    def enter(self, attributes: Attributes, model: str, identity: str, *, failed: bool) -> None:
        """Number an attempt and link it to the one before, which failed."""
        self.attempts += 1
        if self.failed:
            attributes[ATTEMPT] = self.attempts
            attributes[RETRY_OF if model == self.failed_model else FALLBACK_OF] = self.failed
        if failed:
            self.failed, self.failed_model = identity, model
        else:
            # What follows a success is no retry of it: an agent's next turn within the same scope.
            self.attempts, self.failed, self.failed_model = 0, "", ""


_group: ContextVar[Group | None] = ContextVar("watchglass_attempts", default=None)


class Call:
    """One request, from its start until its record is written. Made by `begin`; not for several threads at
    once, but may be finished in another thread than it began in."""

    __slots__ = (
        *("attributes", "context", "ended", "flags", "group", "model", "name", "operation"),
        *("outer", "parent_span_id", "scope", "seen", "span_id", "start_ns", "trace_id", "trace_state"),
        *("_around", "_held", "first_ns", "secrets", "watched"),
    )

    def __init__(
        self,
        scope: str,
        operation: str,
        model: str,
        *,
        outer: Call | None,
        context: dict[str, str],
        beside: Call | None = None,
    ) -> None:
        self.scope = scope
        self.operation = operation
        self.model = model
        self.context = context
        self.start_ns = ids.now_ns()
        self.attributes: Attributes = {"gen_ai.operation.name": operation, "gen_ai.request.model": model}
        self.seen: list[Attempt | Call] = []
        self.ended = False
        self.first_ns = 0
        self.secrets: tuple[str, ...] = ()
        self.watched = True  # what it sends passes the HTTP layer while it runs
        self._held: tuple[Token[Call | None], Token[otel.Context]] | None = None
        self._around: otel.Context | None = None
        self.span_id = ids.span_id()
        if outer is not None:  # beside the call around it, which may turn out to be no request
            self.group = outer.group
            self.trace_id, self.parent_span_id = outer.trace_id, outer.parent_span_id
            self.flags, self.trace_state = outer.flags, outer.trace_state
            return
        parent = trace.get_current_span().get_span_context()
        if beside is not None:  # a callback's own request is no attempt at what it was called for
            self.group = Group()
            if parent.span_id == int.from_bytes(beside.span_id, "big"):
                self.trace_id, self.parent_span_id = beside.trace_id, beside.parent_span_id
                self.flags, self.trace_state = beside.flags, beside.trace_state
                return
        else:
            self.group = _group.get() or Group()
        if parent.is_valid:
            self.trace_id = parent.trace_id.to_bytes(16, "big")
            self.parent_span_id = parent.span_id.to_bytes(8, "big")
            self.flags, self.trace_state = parent.trace_flags, parent.trace_state
        else:
            self.trace_id = self.group.trace_id = self.group.trace_id or ids.trace_id()
            self.parent_span_id = b""
            self.flags, self.trace_state = _SAMPLED, _NO_STATE

    def enter(self) -> None:
        """Make this the call that runs here, for the HTTP layer and for OpenTelemetry."""
        span = SpanContext(
            int.from_bytes(self.trace_id, "big"),
            int.from_bytes(self.span_id, "big"),
            False,
            TraceFlags(self.flags),
            self.trace_state,
        )
        self._held = (_call.set(self), otel.attach(_set_current(NonRecordingSpan(span))))

    def leave(self) -> None:
        """Undo `enter`, also from another task or thread (then nothing is undone)."""
        held, self._held = self._held, None
        if held is None:
            return
        try:
            _call.reset(held[0])
        except ValueError:
            return  # another context: OpenTelemetry would log an error for each
        otel.detach(held[1])
        if self._around is None:
            self._around = otel.get_current()

    def step_out(self) -> None:
        """Where the call's span is current after its end, put back the one before: instrumentations that end
        theirs with a stream put ours back."""
        current = trace.get_current_span().get_span_context().span_id
        if current == int.from_bytes(self.span_id, "big") and self._around is not None:
            otel.attach(self._around)

    @property
    def identity(self) -> str:
        """`<trace_id>:<span_id>`, as links name a call."""
        return f"{self.trace_id.hex()}:{self.span_id.hex()}"

    @property
    def sent(self) -> int:
        """How many requests of this call itself the HTTP layer has seen."""
        return sum(1 for each in self.seen if isinstance(each, Attempt))


def running_here() -> Call | None:
    """The innermost call that runs here, or None."""
    call = _call.get()
    return None if call is None or call.ended else call


@boundary.guarded("call.begin")
def begin(
    scope: str,
    operation: str,
    model: str,
    *,
    provider: str | None = None,
    context: Context | None = None,
    attributes: Mapping[str, object] | None = None,
    line: Line | None = None,
) -> Call | None:
    """Start a call here and now; None where nothing is recorded. `context` overrides the one in force, `line`
    is which line asked, where that is known better than by looking from here."""
    if not recorder.recording():
        return None
    outer, beside = _call.get(), None
    if outer is not None and (outer.ended or on_behalf.begun_by_others()):
        outer, beside = None, outer
    if outer is not None and operation == "chat":
        operation = outer.operation  # what LiteLLM makes of it on the way to the provider
    of = (context or current()).attributes
    call = Call(scope, operation, model, outer=outer, context=of, beside=beside)
    if provider:
        call.attributes["gen_ai.provider.name"] = provider
    if outer is None and line is not None:
        note(line, call.attributes)
    elif outer is None:
        code_attributes(call.attributes)
    else:
        call.attributes.update({key: outer.attributes[key] for key in _CODE if key in outer.attributes})
        outer.seen.append(call)
    if attributes:
        call.attributes.update(cast("Attributes", attributes))
    return call


_CODE = ("code.file.path", "code.line.number", "code.function.name")


@contextmanager
def running(call: Call | None) -> Generator[None]:
    """Make `call` the one that runs within; None does nothing."""
    if call is None:
        yield
        return
    call.enter()
    try:
        yield
    finally:
        call.leave()


@contextmanager
def attempts() -> Generator[None]:
    """What is called within are attempts at one thing (a router's): each failed one is linked to the next."""
    token = None if _group.get() is not None else _group.set(Group())
    try:
        yield
    finally:
        if token is not None:
            # A generator may be closed by another task: its context goes with it.
            with suppress(ValueError):
                _group.reset(token)


def first_token(call: Call | None) -> None:
    """The first piece of the answer is here."""
    if call is not None and not call.first_ns:
        call.first_ns = ids.now_ns()


@boundary.guarded("call.finish")
def finish(
    call: Call | None, attributes: Mapping[str, object] | None = None, *, end_ns: int | None = None
) -> None:
    """The call is answered: write its record, and those of the attempts before the one that succeeded."""
    if call is not None:
        _end(call, attributes, None, end_ns)


@boundary.guarded("call.fail")
def fail(
    call: Call | None,
    error: BaseException,
    attributes: Mapping[str, object] | None = None,
    *,
    end_ns: int | None = None,
) -> None:
    """The call ended with an error (or was cancelled): write its record, and those of earlier attempts."""
    if call is not None:
        _end(call, attributes, error, end_ns)


@boundary.guarded("call.drop")
def drop(call: Call | None) -> None:
    """The call turned out to be none; what it sent stays unrecorded."""
    if call is not None:
        call.ended = True


def _end(
    call: Call, attributes: Mapping[str, object] | None, error: BaseException | None, at_ns: int | None
) -> None:
    if call.ended:
        return
    call.ended = True
    end_ns = ids.now_ns() if at_ns is None else at_ns
    seen = call.seen
    if seen and (len(seen) > 1 or isinstance(seen[-1], Call)):
        last = seen[-1]
        _earlier(call, last if isinstance(last, Attempt) else None)
        if isinstance(last, Call):
            return
    own = call.attributes
    if attributes:
        own.update(cast("Attributes", attributes))
    if call.first_ns:
        own[TTFT] = call.first_ns - call.start_ns
    start_ns = call.start_ns
    if seen:
        attempt = cast("Attempt", seen[-1])
        attempt.describe(own)
        if len(seen) > 1:
            start_ns = attempt.start_ns
            model = attempt.model() or call.model
            if model != _first(seen).model():
                own["gen_ai.request.model"] = call.model = model
    message = ""
    if error is not None:
        if not seen and call.watched and REQUEST_SENT not in own:
            own[REQUEST_SENT] = False
        own["error.type"] = describe_failure(error)
        message = _safe(str(error), [*call.secrets, *_sent_with(seen)])
    call.group.enter(own, call.model, call.identity, failed=error is not None)
    _write(call, call.span_id, start_ns, end_ns, own, message, error is not None)


def _earlier(call: Call, last: Attempt | None) -> None:
    """Records of the requests that were sent before the last, or before the inner call that was."""
    for attempt in call.seen:
        if attempt is last or not isinstance(attempt, Attempt):
            continue
        if not attempt.failed and (last is None or attempt.place != last.place):
            continue  # answered, and of another kind than the call: a token fetched for it, say
        own = call.attributes.copy()
        model = attempt.model()
        if model and model != _first(call.seen).model():
            own["gen_ai.request.model"] = model
        else:
            model = call.model
        attempt.describe(own)
        own["error.type"] = attempt.error_type
        span_id = ids.span_id()
        call.group.enter(own, model, f"{call.trace_id.hex()}:{span_id.hex()}", failed=True)
        _write(call, span_id, attempt.start_ns, attempt.end_ns or ids.now_ns(), own, attempt.message, True)


_LONGEST = 16_384
_SHORTEST = 4


def _first(seen: list[Attempt | Call]) -> Attempt:
    return next(each for each in seen if isinstance(each, Attempt))


def _sent_with(seen: list[Attempt | Call]) -> list[str]:
    return [each for sent in seen if isinstance(sent, Attempt) for each in sent.secrets()]


def _safe(message: str, secrets: list[str]) -> str:
    """An error's message, bounded, without credentials: providers repeat the key that they refuse."""
    for secret in sorted({*secrets}, key=len, reverse=True):  # one may be part of another
        if len(secret) >= _SHORTEST:
            message = message.replace(secret, MASK % "api_key")
    safe = scrub_start(message, _LONGEST)
    return safe + "…" if len(message) > _LONGEST else safe


def _write(
    call: Call, span_id: bytes, start_ns: int, end_ns: int, attributes: Attributes, message: str, failed: bool
) -> None:
    recorder.record(
        SpanRecord(
            call.trace_id,
            span_id,
            call.parent_span_id,
            f"{call.operation} {call.model}",
            _CLIENT,
            start_ns,
            end_ns,
            _ERROR if failed else _UNSET,
            message,
            attributes,
            call.context,
            scope=call.scope,
            trace_state=call.trace_state.to_header() if call.trace_state else "",
            flags=int(call.flags),
        )
    )
