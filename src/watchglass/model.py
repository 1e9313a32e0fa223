"""The records that travel between rooms: what was sent, and what a dialect understood of it.

Frozen `msgspec.Struct`s: a tenth of a frozen dataclass's construction time, which at tens of
thousands of spans a second is the difference. Times are int nanoseconds UTC, money is
`Decimal` US dollars, token counts are ints; `None` is "nobody said", never zero.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Literal, TypeAlias

import msgspec

Value: TypeAlias = "bool | int | float | str | bytes | list[Value] | dict[str, Value] | None"
"""An OTLP AnyValue as Python has it."""

Attributes: TypeAlias = "dict[str, Value]"


class Resource(msgspec.Struct, frozen=True, gc=False):
    """Who sent it: the process that made the telemetry."""

    attributes: Attributes
    schema_url: str = ""


class Scope(msgspec.Struct, frozen=True, gc=False):
    """Which library made the span."""

    name: str = ""
    version: str = ""
    attributes: Attributes = {}
    schema_url: str = ""


class Event(msgspec.Struct, frozen=True, gc=False):
    """Something that happened during a span."""

    name: str
    time_ns: int
    attributes: Attributes


class Link(msgspec.Struct, frozen=True, gc=False):
    """A pointer to another span; ids are lower-case hex."""

    trace_id: str
    span_id: str
    attributes: Attributes


class Span(msgspec.Struct, frozen=True, gc=False):
    """One span as it came. Ids are lower-case hex (32 and 16 digits), `parent_span_id` is '' for a root.

    `kind` is OTLP's number (0 unspecified, 1 internal, 2 server, 3 client, 4 producer, 5 consumer);
    `status` is 0 unset, 1 ok, 2 error.
    """

    trace_id: str
    span_id: str
    parent_span_id: str
    name: str
    kind: int
    start_ns: int
    end_ns: int
    status: int
    status_message: str
    attributes: Attributes
    events: list[Event]
    links: list[Link]
    scope: Scope
    resource: Resource
    trace_state: str = ""
    flags: int = 0


class LogRecord(msgspec.Struct, frozen=True, gc=False):
    """One OTLP log record; ids are '' where the record belongs to no span."""

    trace_id: str
    span_id: str
    time_ns: int
    observed_ns: int
    severity: int
    severity_text: str
    event_name: str
    body: Value
    attributes: Attributes
    scope: Scope
    resource: Resource


class Message(msgspec.Struct, frozen=True, gc=False):
    """One message of a conversation, as canonical JSON text.

    `content` is a JSON object text in the shape of the OpenTelemetry GenAI message schema
    (`{"role": …, "parts": [{"type": "text", "content": …}, …]}`), or the library's own JSON
    where it is already one message in another shape. It is what is hashed and stored once.
    """

    role: str
    content: str


class Usage(msgspec.Struct, frozen=True, gc=False):
    """Token totals of one request, in one counting rule whatever the dialect's own was.

    `input_tokens` is all input, cached reads and writes included; `output_tokens` is all output,
    reasoning included; the rest say how those split. `None`: nobody said.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    cache_write_1h_tokens: int | None = None  # the part of cache_write_tokens with one-hour life
    reasoning_tokens: int | None = None
    input_audio_tokens: int | None = None
    output_audio_tokens: int | None = None
    total_tokens: int | None = None  # as reported, only to be checked against the sum

    @property
    def known(self) -> bool:
        """Whether anybody said anything about tokens."""
        return self.input_tokens is not None or self.output_tokens is not None


NO_USAGE = Usage()

Kind: TypeAlias = Literal["call", "aggregate", "supplement"]
"""What a described span is.

- ``call``: one LLM request (chat, completion, embedding, …), failed ones included.
- ``aggregate``: not a request; repeats the sum of the usage of what is below it (agents, crews,
  outer spans of a wrapper). Never counted; *unattributed* if no call is found below it.
- ``supplement``: not a request; carries usage or messages that belong to another span's request
  (logfire's streamed calls). Settling hands its values to that call.
"""


class Described(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What a dialect understood of a span that has to do with an LLM request."""

    dialect: str
    kind: Kind
    operation: str  # chat, text_completion, embeddings, generate_content, invoke_agent, …
    provider_label: str | None = None  # the library's own word, unjudged
    server_address: str | None = None  # host of the API, or its base URL
    request_model: str | None = None
    response_model: str | None = None
    response_id: str | None = None
    usage: Usage = NO_USAGE
    reported_cost_usd: Decimal | None = None
    service_tier: str | None = None  # batch, flex, priority … as the client or provider said
    ttft_ns: int | None = None
    streaming: bool | None = None
    finish_reasons: tuple[str, ...] = ()
    success: bool = True
    error_type: str | None = None
    error_message: str | None = None
    input_messages: tuple[Message, ...] = ()
    output_messages: tuple[Message, ...] = ()
    # Attribute keys whose text is in the messages above, so that the span need not keep it twice.
    content_keys: tuple[str, ...] = ()
    # A wrapper layer says the request again: nested spans of one request within one scope
    # (LlamaIndex's LLM spans, LiteLLM's raw request, Vercel's outer span) where `call` is
    # honest for each taken alone. Settling counts only the innermost that has usage.
    may_wrap: bool = False
    # For a supplement: which span's request it belongs to, when the library says so.
    supplements_span_id: str | None = None
    # What the caller attached to the call, and the library's own facts of it, by name.
    metadata: dict[str, str] = {}


StepKind: TypeAlias = Literal["flow", "task", "agent", "tool"]
"""What was executed.

- ``flow``: one run of a workflow of several steps (a crew's kickoff, a graph, a workflow).
- ``task``: one piece of work within it.
- ``agent``: one run of an agent, however many requests it takes.
- ``tool``: one use of a tool.
"""

State: TypeAlias = Literal["starting", "running", "completed", "failed"]


class Step(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What a dialect understood of a span that is an execution of a flow, task, agent or tool."""

    dialect: str
    kind: StepKind
    name: str  # of the workflow, task, agent or tool, as its author calls it
    agent: str | None = None  # whose work it is, where the span says so
    success: bool = True
    error_type: str | None = None
    error_message: str | None = None
    input: str | None = None  # as the library wrote it, mostly JSON
    output: str | None = None
    # Attribute keys whose whole text is `input` or `output`.
    content_keys: tuple[str, ...] = ()
    # The library's own ids, by the names of their attributes.
    metadata: dict[str, str] = {}


class Context(msgspec.Struct, frozen=True, gc=False):
    """For whom and what for; each value as one span said it, or None."""

    tenant: str | None = None
    engagement: str | None = None
    feature: str | None = None
    flow: str | None = None
    flow_type: str | None = None
    phase: str | None = None
    task: str | None = None
    task_id: str | None = None
    agent: str | None = None
    session: str | None = None
    user: str | None = None
    environment: str | None = None


CONTEXT_FIELDS: tuple[str, ...] = Context.__struct_fields__
