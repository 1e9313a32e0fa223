"""LiteLLM's own hooks: the fallback for calls that do not pass through our entry points.

They run later and on other threads, so a call that only they report may be lost with the process, and one
that is retried is reported once. `litellm.callbacks = [LLMUsageCallback()]` works with nothing else set up.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from litellm.integrations.custom_logger import CustomLogger

from watchglass.capture import boundary, calls, content
from watchglass.capture.litellm import messages, seen
from watchglass.capture.litellm.answers import describe_answer, describe_provider
from watchglass.capture.litellm.entry import OPERATIONS, SCOPE
from watchglass.capture.litellm.metadata import apply_metadata, context_of
from watchglass.names import CALL_ID, STREAMING, TTFT

if TYPE_CHECKING:
    from watchglass.capture.records import Attributes


class LLMUsageCallback(CustomLogger):
    """LiteLLM's logger class: records each call that no wrapped entry point records."""

    def log_success_event(self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any) -> None:
        """See `CustomLogger`."""
        _report(kwargs, response_obj, start_time, end_time, failed=False)

    def log_failure_event(self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any) -> None:
        """See `CustomLogger`."""
        _report(kwargs, response_obj, start_time, end_time, failed=True)

    async def async_log_success_event(
        self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any
    ) -> None:
        """See `CustomLogger`."""
        _report(kwargs, response_obj, start_time, end_time, failed=False)

    async def async_log_failure_event(
        self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any
    ) -> None:
        """See `CustomLogger`."""
        _report(kwargs, response_obj, start_time, end_time, failed=True)


@boundary.guarded("litellm.hook")
def _report(kwargs: dict[str, Any], answer: Any, start: Any, end: Any, *, failed: bool) -> None:
    call_id = str(kwargs.get("litellm_call_id") or "")
    whole = kwargs.get("complete_streaming_response") or kwargs.get("async_complete_streaming_response")
    if kwargs.get("stream") and not failed:
        if whole is None:
            return  # a piece: synchronous streams report each
        answer = whole
    # One failure and one success each: a call that is tried again keeps its id.
    if seen.is_recorded(call_id) or not seen.report(f"{call_id}:{end if failed else 'ok'}"):
        return
    named = str(kwargs.get("call_type") or "completion")
    operation = OPERATIONS.get(named) or OPERATIONS.get(named.removeprefix("a")) or "chat"
    params = kwargs.get("litellm_params") or {}
    metadata = params.get("metadata")
    context = context_of(metadata, kwargs.get("user"))
    call = calls.begin(SCOPE, operation, str(kwargs.get("model") or ""), context=context)
    if call is None:
        return
    for key in ("code.file.path", "code.line.number", "code.function.name"):
        call.attributes.pop(key, None)  # whoever asked is not on this stack
    call.watched = False  # nobody saw whether a request was sent
    call.attributes[CALL_ID] = call_id
    if isinstance(start, datetime):
        call.start_ns = _ns(start)
    apply_metadata(metadata, call.attributes)
    feature = call.context.get("watchglass.feature")
    if content.wanted(feature) and (asked := messages.asked(operation, (), kwargs)):
        content.put(call.attributes, "gen_ai.input.messages", asked, feature)
    _end(call, kwargs, answer, end, failed=failed)


def _end(call: calls.Call, kwargs: dict[str, Any], answer: Any, end: Any, *, failed: bool) -> None:
    params = kwargs.get("litellm_params") or {}
    said: Attributes = {}
    error = kwargs.get("exception") if failed else None
    about = {**params, "custom_llm_provider": kwargs.get("custom_llm_provider")}
    describe_provider(call, answer, about, error)
    if kwargs.get("stream"):
        call.attributes[STREAMING] = True
        first = kwargs.get("completion_start_time")
        if isinstance(first, datetime) and not failed:
            said[TTFT] = max(0, _ns(first) - call.start_ns)
    if kwargs.get("cache_hit"):
        call.attributes["watchglass.cache_hit"] = True
    end_ns = _ns(end) if isinstance(end, datetime) else None
    if failed:
        calls.fail(
            call, error if isinstance(error, BaseException) else RuntimeError(str(error)), end_ns=end_ns
        )
        return
    describe_answer(call, answer, said)
    calls.finish(call, said, end_ns=end_ns)


def _ns(moment: datetime) -> int:
    """Nanoseconds of LiteLLM's naive local times (or of aware ones)."""
    whole = int(moment.replace(microsecond=0).timestamp())
    return whole * 1_000_000_000 + moment.microsecond * 1_000
