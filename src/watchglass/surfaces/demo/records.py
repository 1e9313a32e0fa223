"""What happens in the demo, before any instrumentation has told of it."""

from __future__ import annotations

from typing import Literal

import msgspec

Library = Literal[
    "otel_genai",
    "otel_openai_v2",
    "otel_anthropic",
    "vercel",
    "openinference",
    "litellm",
    "pydantic_ai",
    "openllmetry",
]
"""Which instrumentation tells of it; a module of `shapes` each."""


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """A model as its callers know it. `first_s`: seconds to the first token; `speed`: tokens a second."""

    provider: str
    host: str
    name: str
    answered: str
    first_s: float
    speed: float
    id_prefix: str = "chatcmpl-"


class Beat(msgspec.Struct, frozen=True, kw_only=True):
    """One thing an agent does, as often as `times` says. Tokens are medians, as providers count them.

    `cached` and `thought` are shares: of the input that is read from the prompt cache, of the output that
    is reasoning. `written`: what a cache miss writes is reported (Anthropic).
    """

    model: str | None = None
    tool: str | None = None
    operation: Literal["chat", "embeddings"] = "chat"
    input: int = 0
    output: int = 0
    cached: float = 0.0
    written: bool = False
    thought: float = 0.0
    stream: bool = False
    usage_left_out: float = 0.0
    fallback: str | None = None
    times: tuple[int, int] = (1, 1)


class Role(msgspec.Struct, frozen=True, kw_only=True):
    """An agent: who it is, which task it has and what it does for it."""

    name: str
    goal: str
    task: str
    expected: str
    phase: str
    beats: tuple[Beat, ...]


class Workload(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of work that a tenant's service does `daily` times on a working day."""

    tenant: str
    engagements: tuple[str, ...]
    feature: str
    service: str
    library: Library
    entry: str
    flow_type: str
    topic: str
    daily: float
    weekend: float
    roles: tuple[Role, ...]
    utc_offset: int = 0
    turns: int = 1
    nightly: bool = False
    staging: float = 0.06

    @property
    def key(self) -> str:
        """Names it among all."""
        return f"{self.tenant}/{self.service}/{self.feature}"


class Failure(msgspec.Struct, frozen=True):
    """An error as the provider's client raises it; `answered`: the provider served and billed tokens."""

    kind: str
    status: int
    message: str
    retried: bool


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens as providers count them: all input with what was cached, all output with what was thought."""

    input: int
    output: int | None = None
    cache_read: int = 0
    cache_write: int = 0
    reasoning: int = 0


class Message(msgspec.Struct, frozen=True):
    """One message of a conversation. `call`: the tool that the assistant asks for, with its arguments."""

    role: Literal["system", "user", "assistant", "tool"]
    text: str
    call: tuple[str, str, str] | None = None


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One request to a model. `usage` is None where it failed, and where nobody said (`usage_left_out`)."""

    id: str
    model: Model
    operation: Literal["chat", "embeddings"]
    start_ns: int
    end_ns: int
    first_ns: int | None
    usage: Usage | None
    failure: Failure | None
    finish: str
    messages: tuple[Message, ...]
    answer: Message | None
    attempt: int = 1


class Tool(msgspec.Struct, frozen=True, kw_only=True):
    """One use of a tool."""

    id: str
    name: str
    arguments: str
    result: str
    start_ns: int
    end_ns: int
    failure: Failure | None


class AgentRun(msgspec.Struct, frozen=True, kw_only=True):
    """What one agent did in a run, in order."""

    role: Role
    start_ns: int
    end_ns: int
    steps: tuple[Call | Tool, ...]
    output: str
    failure: Failure | None

    @property
    def calls(self) -> list[Call]:
        """Its requests, failed ones too."""
        return [step for step in self.steps if isinstance(step, Call)]


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One piece of work from its request to its answer: one trace."""

    id: str
    workload: Workload
    start_ns: int
    end_ns: int
    agents: tuple[AgentRun, ...]
    subject: str
    engagement: str
    user: str
    session: str
    environment: str
    version: str
    failure: Failure | None

    @property
    def calls(self) -> list[Call]:
        """Its requests, failed ones too."""
        return [call for agent in self.agents for call in agent.calls]
