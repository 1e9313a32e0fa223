"""OpenLLMetry (Traceloop): `llm.request.type`, indexed prompts, workflow, task, agent and tool spans.

From the `llm.*` names of 2023 over `gen_ai.prompt.N.content` (0.2 to 0.40, still widely deployed) to the
spans that the traceloop SDK and the LangChain, CrewAI and Agents instrumentations of 0.6x put around calls.
(opentelemetry-semantic-conventions-ai 0.0.16 to 0.5, traceloop-sdk.)
"""

from __future__ import annotations

import re

import msgspec

from watchglass.model import Attributes, Context, Described, Span, Step, StepKind, Usage
from watchglass.wire.dialects import totals
from watchglass.wire.dialects.chains import chain_kind
from watchglass.wire.dialects.genai import describe_judged
from watchglass.wire.dialects.messages import indexed_messages
from watchglass.wire.dialects.operations import judge
from watchglass.wire.dialects.steps import made, step_by_operation
from watchglass.wire.values import count, first_text, text

_MARKERS = frozenset(
    {
        *("llm.request.type", "traceloop.span.kind", "traceloop.workflow.name", "traceloop.entity.name"),
        *("llm.usage.total_tokens", "llm.vendor"),
        *("crewai.crew.token_usage", "crewai.agent.id", "crewai.task.id"),
        "gen_ai.workflow.nodes",  # LangGraph's, from 0.5x on
    }
)

_NESTING = ("llamaindex", "llama_index", "haystack")
"""Frameworks whose own layers are spans with a request type each, one inside the other."""

_STEPS: dict[str, StepKind] = {"workflow": "flow", "task": "task", "agent": "agent", "tool": "tool"}

_STEP_NAMES: dict[StepKind, tuple[str, ...]] = {
    "flow": ("traceloop.entity.name", "traceloop.workflow.name"),
    "task": ("gen_ai.task.name", "traceloop.entity.name", "crewai.task.name", "crewai.task.description"),
    "agent": ("gen_ai.agent.name", "traceloop.entity.name", "crewai.agent.role"),
    "tool": ("gen_ai.tool.name", "traceloop.entity.name"),
}

_BAG = "traceloop.association.properties."

_PAIR = re.compile(r"(\w+)=(\d+)")

_NO_CONTEXT = Context()


class OpenLLMetry:
    """Reads OpenLLMetry's own attributes beside the conventions'."""

    name = "openllmetry"

    def matches(self, span: Span) -> bool:
        """By the attributes that only OpenLLMetry writes; its plain 0.6x spans speak the conventions."""
        return not _MARKERS.isdisjoint(span.attributes)

    def describe(self, span: Span) -> Described | None:
        """Calls by `llm.request.type` or operation; agents, crews and workflows with usage as repetitions."""
        attributes = span.attributes
        said = totals.usage(attributes)
        if not said.known and "crewai.crew.token_usage" in attributes:
            said = crew_usage(attributes)
        judged = judge(span, said.known)
        if judged is None:
            return None
        nests = any(framework in span.scope.name for framework in _NESTING)
        described = describe_judged(span, self.name, judged, said, may_wrap=nests)
        if not described.success and described.response_id is None and not said.known:
            # The LangChain instrumentation writes the model asked for as the one that answered.
            described = msgspec.structs.replace(described, response_model=None)
        if "llm.prompts.0.content" in attributes:
            return _with_first_names(described, attributes)
        return described

    def step(self, span: Span) -> Step | None:
        """By `traceloop.span.kind`; a crew's kickoff has none and is known by the crew's attributes."""
        attributes = span.attributes
        if "crewai.crew.id" in attributes or "crewai.crew.tasks" in attributes:
            crew = text(attributes.get("crewai.crew.name"))
            return _step(span, "flow", crew or span.name.removesuffix(".workflow"))
        if "gen_ai.workflow.nodes" in attributes:
            return None  # the run itself is the only span within, with input, output and errors
        said = text(attributes.get("traceloop.span.kind"))
        kind = _STEPS.get(said or "")
        if kind is None:
            return None if said is not None else step_by_operation(span, self.name)
        name = first_text(attributes, *_STEP_NAMES[kind]) or span.name.removesuffix("." + (said or ""))
        if "langchain" in span.scope.name and kind in ("flow", "task"):
            judged = _chain(attributes, kind, name)
            return None if judged is None else _step(span, judged, name)
        return _step(span, kind, name)

    def context(self, span: Span) -> Context:
        """An agent span's entity, or CrewAI's role."""
        attributes = span.attributes
        kind = text(attributes.get("traceloop.span.kind"))
        agent = first_text(attributes, "crewai.agent.role", "crewai.task.agent")
        if agent is None and kind == "agent":
            agent = text(attributes.get("traceloop.entity.name"))
        return _NO_CONTEXT if agent is None else Context(agent=agent)


def _step(span: Span, kind: StepKind, name: str | None) -> Step:
    attributes = span.attributes
    return made(
        span,
        OpenLLMetry.name,
        kind,
        name,
        agent=None
        if kind == "flow"
        else first_text(attributes, "crewai.task.agent", "crewai.agent.role", "gen_ai.agent.name"),
        asked=("traceloop.entity.input", "gen_ai.tool.call.arguments", "gen_ai.task.input"),
        answered=(
            *("traceloop.entity.output", "gen_ai.tool.call.result", "gen_ai.task.output"),
            "crewai.crew.result",
        ),
        ids=("crewai.crew.id", "crewai.task.id", "crewai.agent.id", "gen_ai.task.id", "gen_ai.agent.id"),
    )


def _chain(attributes: Attributes, kind: StepKind, name: str) -> StepKind | None:
    """LangChain's callbacks call every link a task, and what nothing is around a workflow."""
    return chain_kind(
        name,
        integration=text(attributes.get(_BAG + "ls_integration")),
        node=text(attributes.get(_BAG + "langgraph_node")),
        agent=text(attributes.get(_BAG + "lc_agent_name")),
        root=kind == "flow",
    )


def crew_usage(attributes: Attributes) -> Usage:
    """The crew's sum, a string such as `total_tokens=42 prompt_tokens=25 cached_prompt_tokens=0 …`."""
    said = text(attributes.get("crewai.crew.token_usage")) or ""
    pairs = {name: count(value) for name, value in _PAIR.findall(said)}
    if not pairs.get("prompt_tokens") and not pairs.get("completion_tokens"):
        return Usage()
    return totals.settled_usage(
        Usage(
            input_tokens=pairs.get("prompt_tokens"),
            output_tokens=pairs.get("completion_tokens"),
            cache_read_tokens=pairs.get("cached_prompt_tokens"),
            cache_write_tokens=pairs.get("cache_creation_tokens"),
            reasoning_tokens=pairs.get("reasoning_tokens"),
            total_tokens=pairs.get("total_tokens"),
        )
    )


def _with_first_names(described: Described, attributes: Attributes) -> Described:
    """Messages by the names of 2023: `llm.prompts.N.content`, `llm.completions.N.content`."""
    asked, asked_keys = indexed_messages(attributes, "llm.prompts", "user")
    answered, answered_keys = indexed_messages(attributes, "llm.completions", "assistant")
    return msgspec.structs.replace(
        described,
        input_messages=asked,
        output_messages=answered,
        content_keys=(*asked_keys, *answered_keys),
    )


OPENLLMETRY = OpenLLMetry()
