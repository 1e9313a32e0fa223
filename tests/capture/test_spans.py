"""Spans of OpenTelemetry as records, beside an application that traces already."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased
from opentelemetry.trace import Link, SpanKind, Status, StatusCode

from watchglass.capture import content, context, outcomes, recorder, steps
from watchglass.capture.records import SpanRecord, decode
from watchglass.capture.spans import AsTheApplication, RecordSpans, ToTheApplication


class Kept:
    """A sink that keeps what it gets."""

    def __init__(self) -> None:
        self.payloads: list[bytes] = []

    def append(self, payload: bytes) -> bool:
        self.payloads.append(payload)
        return True

    @property
    def spans(self) -> list[SpanRecord]:
        return [each for each in map(decode, self.payloads) if isinstance(each, SpanRecord)]


@pytest.fixture
def kept() -> Iterator[Kept]:
    sink = Kept()
    recorder.install(sink)
    yield sink
    recorder.install(None)


def test_a_span_is_recorded_whole(kept: Kept) -> None:
    """Ids, parent, kind, times, status, attributes, events, links, scope and the context at its start."""
    provider = TracerProvider()
    provider.add_span_processor(RecordSpans())
    tracer = provider.get_tracer("shop", "2")
    with tracer.start_as_current_span("outer") as outer:
        with context.context(tenant="acme"):
            inner = tracer.start_span(
                "inner", kind=SpanKind.CLIENT, links=[Link(outer.get_span_context(), {"w": 1})]
            )
        inner.set_attributes({"n": 1, "many": ["a", "b"]})
        inner.add_event("seen", {"e": True}, timestamp=5)
        inner.set_status(Status(StatusCode.ERROR, "broke"))
        with context.context(tenant="other"):
            inner.end()
    child, parent = kept.spans
    assert child.parent_span_id == parent.span_id == outer.get_span_context().span_id.to_bytes(8, "big")
    assert child.trace_id == parent.trace_id
    assert (child.name, child.kind, parent.kind) == ("inner", 3, 1)
    assert (child.status, child.status_message) == (2, "broke")
    assert child.attributes == {"n": 1, "many": ["a", "b"]}
    assert child.context == {"watchglass.tenant": "acme"}
    assert child.events == [["seen", 5, {"e": True}]] or child.events == [("seen", 5, {"e": True})]
    assert child.links[0][1] == parent.span_id
    assert (child.scope, child.scope_version) == ("shop", "2")
    assert 0 < child.start_ns <= child.end_ns
    assert parent.parent_span_id == b""
    assert parent.context == {}


def test_nothing_is_recorded_when_nobody_listens() -> None:
    """Without a sink nothing is asked of the sampler, and nothing is told to the sink that comes after."""
    detail = HoldBack()
    provider = TracerProvider()
    provider.add_span_processor(RecordSpans(detail))
    with provider.get_tracer("watchglass.steps").start_as_current_span("work") as span:
        pass
    sink = Kept()
    recorder.install(sink)
    recorder.install(None)
    assert detail.offered == [] and sink.spans == []
    assert not span.is_recording()


def test_what_the_application_samples_away_keeps_its_steps(kept: Kept) -> None:
    """Under a sampler that drops all, our steps are recorded and the application's exporter gets none."""
    exporter = InMemorySpanExporter()
    theirs = TracerProvider(sampler=ParentBased(ALWAYS_OFF))
    theirs.add_span_processor(SimpleSpanProcessor(exporter))
    ours = TracerProvider(sampler=AsTheApplication(theirs.sampler))
    ours.add_span_processor(RecordSpans())
    ours.add_span_processor(ToTheApplication(theirs))
    with (
        ours.get_tracer("watchglass.steps").start_as_current_span("step"),
        theirs.get_tracer("shop").start_as_current_span("detail") as detail,
    ):
        assert not detail.get_span_context().trace_flags.sampled
    assert [each.name for each in kept.spans] == ["step"]
    assert exporter.get_finished_spans() == ()


def test_the_applications_traces_stay_whole(kept: Kept) -> None:
    """Our step between two spans of the application is in its exporter too, and each is recorded once."""
    exporter = InMemorySpanExporter()
    theirs = TracerProvider()
    theirs.add_span_processor(SimpleSpanProcessor(exporter))
    theirs.add_span_processor(RecordSpans())
    ours = TracerProvider(sampler=AsTheApplication(theirs.sampler))
    ours.add_span_processor(RecordSpans())
    ours.add_span_processor(ToTheApplication(theirs))
    tracer = theirs.get_tracer("shop")
    with (
        tracer.start_as_current_span("request"),
        ours.get_tracer("watchglass.steps").start_as_current_span("step"),
        tracer.start_as_current_span("query"),
    ):
        pass
    assert [each.name for each in exporter.get_finished_spans()] == ["query", "step", "request"]
    assert [each.name for each in kept.spans] == ["query", "step", "request"]


class HoldBack:
    """Keeps all detail waiting."""

    def __init__(self) -> None:
        self.offered: list[tuple[str, bool, bool]] = []
        self.roots = 0

    def started(self, trace_id: bytes) -> None:
        self.roots += 1

    def offer(self, record: SpanRecord, is_root: bool, always: bool) -> list[SpanRecord]:
        self.offered.append((record.name, is_root, always))
        return [record] if always else []


def test_calls_and_steps_are_never_detail(kept: Kept) -> None:
    """A step and a call of another instrumentation are offered as such; what else there is may wait."""
    detail = HoldBack()
    provider = TracerProvider()
    provider.add_span_processor(RecordSpans(detail))
    with (
        provider.get_tracer("http").start_as_current_span("request"),
        provider.get_tracer("watchglass.steps").start_as_current_span("step"),
        provider.get_tracer("openai").start_as_current_span("chat", attributes={"gen_ai.request.model": "m"}),
    ):
        pass
    assert detail.offered == [("chat", False, True), ("step", False, True), ("request", True, False)]
    assert detail.roots == 1
    assert [each.name for each in kept.spans] == ["chat", "step"]


def test_texts_of_other_instrumentations_follow_the_policy(kept: Kept) -> None:
    """Messages that an instrumentation wrote on its span are hashed if that is what is wanted of texts."""
    provider = TracerProvider()
    provider.add_span_processor(RecordSpans())
    before = content.use(content.policy("hashed"))
    try:
        attributes = {
            "gen_ai.request.model": "m",
            "gen_ai.input.messages": "[secret plan]",
            "gen_ai.prompt.0.content": "x",
        }
        provider.get_tracer("openai").start_span("chat", attributes=attributes).end()
    finally:
        content.use(before)
    (span,) = kept.spans
    assert "secret plan" not in str(span)
    assert {"watchglass.content.hash.gen_ai.input.messages", "gen_ai.request.model"} <= span.attributes.keys()


@pytest.fixture
def off() -> Iterator[None]:
    before = content.use(content.policy("off"))
    yield
    content.use(before)


CONTENT = {
    "langfuse.observation.input": "PLANTED",
    "langfuse.trace.output": "PLANTED",
    "llm.prompts": ("PLANTED", "PLANTED"),
    "gen_ai.prompt.0.content": "PLANTED",
    "embedding.embeddings.0.embedding.text": "PLANTED",
    "retrieval.documents.0.document.content": "PLANTED",
    "llm.tools.0.tool.json_schema": "PLANTED",
    "tool.parameters": "PLANTED",
    "input.value": "PLANTED",
}


@pytest.mark.parametrize("marker", [{}, {"langfuse.observation.type": "generation"}])
def test_no_text_of_any_instrumentation_is_kept_where_none_is_wanted(
    kept: Kept, off: None, marker: dict[str, str]
) -> None:
    """With content off, texts go from spans of calls and of detail alike, from lists, and from events."""
    provider = TracerProvider()
    provider.add_span_processor(RecordSpans())
    span = provider.get_tracer("theirs").start_span("chat", attributes={**CONTENT, "kept": "yes", **marker})
    span.add_event("gen_ai.user.message", {"content": "PLANTED", "role": "user"})
    span.add_event("gen_ai.choice", {"message": "PLANTED", "gen_ai.event.content": "PLANTED"})
    span.end()
    (record,) = kept.spans
    assert "PLANTED" not in str(record)
    said = {name: value for name, value in record.attributes.items() if not name.startswith("code.")}
    assert said == {"kept": "yes", **marker}
    assert record.events[0][2] == {"role": "user"}


def test_the_line_of_another_librarys_call(kept: Kept) -> None:
    """What tells of a call says which line asked, its own word first; other spans cost no looking."""
    provider = TracerProvider()
    provider.add_span_processor(RecordSpans())
    theirs = provider.get_tracer("theirs")
    theirs.start_span("chat m", attributes={"gen_ai.request.model": "m"}).end()
    theirs.start_span("chat m", attributes={"gen_ai.system": "x", "code.filepath": "/their/own.py"}).end()
    theirs.start_span("GET").end()
    provider.get_tracer("opentelemetry.instrumentation.anthropic").start_span("anthropic.chat").end()
    call, own, detail, late = kept.spans
    assert (call.attributes["code.file.path"], late.attributes["code.file.path"]) == (__file__, __file__)
    assert call.attributes["code.function.name"] == "test_the_line_of_another_librarys_call"
    assert "code.file.path" not in own.attributes and "code.file.path" not in detail.attributes


def test_the_policy_holds_for_what_is_put_on_a_step(kept: Kept, off: None) -> None:
    """With content off, a text among a step's attributes goes, whoever put it there."""
    provider = TracerProvider()
    provider.add_span_processor(RecordSpans())
    tracer = provider.get_tracer("watchglass.steps")
    tracer.start_span("step", attributes={"input.value": "PLANTED", "n": 1}).end()
    steps.begin("flow", "f", attributes={"output.value": "PLANTED", "n": 1}).end()
    written = [decode(each) for each in kept.payloads]
    assert len(written) == 3 and "PLANTED" not in str(written)
    assert all(each.attributes["n"] == 1 for each in written)


def test_lists_of_texts_stay_lists(kept: Kept) -> None:
    """Under a policy that keeps texts, a list of them is a list still, without the credentials in it."""
    provider = TracerProvider()
    provider.add_span_processor(RecordSpans())
    texts = ("hello", "my key: sk-PLANTED1234567890")
    provider.get_tracer("theirs").start_span("chat", attributes={"llm.prompts": texts}).end()
    (record,) = kept.spans
    assert record.attributes["llm.prompts"] == ["hello", "my key: [redacted:api_key]"]


@pytest.mark.parametrize("scope", ["httpx", "watchglass.steps"])
def test_no_credential_is_kept_of_any_span(kept: Kept, scope: str) -> None:
    """Credentials go from names, attributes, lists, events and errors of spans, by shape and by name."""
    provider = TracerProvider()
    provider.add_span_processor(RecordSpans())
    url = "https://h/x?api_key=PLANTED1&access_token=PLANTED2"
    tracer = provider.get_tracer(scope)
    with (
        pytest.raises(RuntimeError),
        tracer.start_as_current_span(f"GET {url}", attributes={"http.url": url}) as span,
    ):
        span.set_attribute("authorization", "Bearer PLANTED12345")
        span.set_attribute("http.request.header.x_api_key", ["PLANTED3"])
        span.set_attribute("urls", [url])
        span.set_attribute("llm.token_count.total", 5)
        span.add_event("retry", {"url": url})
        raise RuntimeError("bad key sk-PLANTED12345678")
    (record,) = kept.spans
    assert "PLANTED" not in str(record)
    assert record.status_message == "RuntimeError: bad key [redacted:api_key]"
    assert record.attributes["llm.token_count.total"] == 5


def test_no_credential_is_kept_of_what_the_application_says_itself(kept: Kept) -> None:
    """Attributes and metadata of steps, labels of scores and fields of the context lose credentials."""
    secret = "sk-PLANTED1234567890"
    said: dict[str, object] = {"api_key": "PLANTED99", "hdr": "Bearer PLANTED123456789", "n": 3}
    with context.context(user=secret, session="s1"):
        outcomes.score("quality", 1.0, label=secret, response_id=secret)
        steps.begin("task", "t", attributes=said, metadata=said).fail("Timeout", secret)
    written = [decode(each) for each in kept.payloads]
    assert "PLANTED" not in str(written)
    assert {each.context.get("session.id") for each in written} == {"s1"}
    assert written[-1].attributes["n"] == 3
