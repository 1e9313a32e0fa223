"""Which dialect reads a span: the ordered list, and the quick way to say "none".

Most spans of a trace are web requests, database queries and the like. They are turned away by one
set operation on their attribute keys (`MARKERS`) and their scope (`SCOPES`) before any dialect
is asked, which costs a quarter of a microsecond.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from watchglass.model import Context, Described, Span, Step
from watchglass.wire.dialects.bedrock import BEDROCK
from watchglass.wire.dialects.contract import Dialect
from watchglass.wire.dialects.google_adk import GOOGLE_ADK
from watchglass.wire.dialects.langfuse import LANGFUSE
from watchglass.wire.dialects.langsmith import LANGSMITH
from watchglass.wire.dialects.litellm import LITELLM
from watchglass.wire.dialects.logfire import LOGFIRE
from watchglass.wire.dialects.mlflow import MLFLOW
from watchglass.wire.dialects.openai_agents import OPENAI_AGENTS
from watchglass.wire.dialects.openinference import OPENINFERENCE
from watchglass.wire.dialects.openllmetry import OPENLLMETRY
from watchglass.wire.dialects.otel_genai import CURRENT, EARLIER
from watchglass.wire.dialects.pydantic_ai import PYDANTIC_AI
from watchglass.wire.dialects.strands import STRANDS
from watchglass.wire.dialects.vercel import VERCEL_AI
from watchglass.wire.dialects.watchglass import WATCHGLASS

DIALECTS: list[Dialect] = [
    # Its scope is its own, and nobody else's processors write to records of its making.
    WATCHGLASS,
    # Their names say more than what processors and callbacks of others add to their spans.
    VERCEL_AI,
    PYDANTIC_AI,
    LOGFIRE,
    # Arize's processors and callbacks rewrite spans of litellm, Strands and others, whose scope remains.
    OPENINFERENCE,
    # By scope: one library's spans, whatever their attributes.
    LITELLM,
    STRANDS,
    GOOGLE_ADK,
    OPENAI_AGENTS,
    BEDROCK,
    # By attributes that one family of libraries writes beside `gen_ai.*`.
    LANGFUSE,
    MLFLOW,
    LANGSMITH,
    OPENLLMETRY,
    # Anything else that speaks the conventions.
    CURRENT,
    EARLIER,
]
"""Asked in this order; the first that matches reads the span. The particular stand before the general."""

MARKERS: frozenset[str] = frozenset(
    {
        # The OpenTelemetry GenAI conventions, every generation; a failed call may have no more than these.
        "gen_ai.system",
        "gen_ai.provider.name",
        "gen_ai.operation.name",
        "gen_ai.request.model",
        "gen_ai.response.model",
        "gen_ai.tool.name",
        "gen_ai.workflow.name",
        # OpenLLMetry
        "llm.request.type",
        "llm.vendor",
        "traceloop.span.kind",
        "crewai.crew.token_usage",
        "crewai.task.id",
        # Google ADK
        "gcp.vertex.agent.llm_response",
        # OpenInference
        "openinference.span.kind",
        # logfire, pydantic-ai
        "request_data",
        "response_data",
        "logfire.msg_template",
        # Vercel AI SDK
        "ai.operationId",
        # langfuse
        "langfuse.observation.type",
        # mlflow
        "mlflow.spanType",
        # LangSmith
        "langsmith.span.kind",
    }
)
"""A span that has none of these keys, and is of none of the `SCOPES`, has nothing to do with an LLM."""

SCOPES: frozenset[str] = frozenset({"litellm", "gcp.vertex.agent"})
"""Scopes whose spans must be looked at whatever their attributes are."""

_NO_CONTEXT = Context()
_MOST_SCOPES = 4_096


@runtime_checkable
class ScopeBound(Protocol):
    """A dialect may say of a whole scope that none of its spans is for it; it is then not asked again."""

    def reads_scope(self, scope: str) -> bool:
        """Whether `matches` can be true for a span of this scope."""
        ...


def dialect_of(span: Span) -> Dialect | None:
    """The dialect that reads this span, or None where it has nothing to do with an LLM."""
    global _last
    known, dialect = _last
    if known is span:  # the context of a span is asked for right after its description
        return dialect
    scope = span.scope.name
    if MARKERS.isdisjoint(span.attributes) and scope not in SCOPES:
        return None
    # logfire announces every span when it begins: the same attributes on a zero-length child of the real one.
    if span.attributes.get("logfire.span_type") == "pending_span":
        return None
    found = None
    for dialect in _by_scope.get(scope) or _candidates(scope):
        if dialect.matches(span):
            found = dialect
            break
    _last = span, found
    return found


def describe(span: Span) -> Described | None:
    """What the span says of an LLM request, in watchglass's terms; None where it says nothing."""
    dialect = dialect_of(span)
    return None if dialect is None else dialect.describe(span)


def step(span: Span) -> Step | None:
    """The execution of a flow, task, agent or tool that the span is; None for everything else."""
    dialect = dialect_of(span)
    return None if dialect is None else dialect.step(span)


def context(span: Span) -> Context:
    """Agent, session and so on, by the names that only the span's dialect uses."""
    dialect = dialect_of(span)
    return _NO_CONTEXT if dialect is None else dialect.context(span)


def _candidates(scope: str) -> tuple[Dialect, ...]:
    found = tuple(each for each in DIALECTS if not isinstance(each, ScopeBound) or each.reads_scope(scope))
    if len(_by_scope) < _MOST_SCOPES:
        _by_scope[scope] = found
    return found


# Memos of pure functions: the same span or scope gives the same answer, whoever asks, in any thread.
_by_scope: dict[str, tuple[Dialect, ...]] = {}
_last: tuple[Span | None, Dialect | None] = (None, None)
