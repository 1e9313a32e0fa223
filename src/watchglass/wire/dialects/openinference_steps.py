"""Executions by OpenInference's span kinds: AGENT and TOOL as they are, CHAIN by whose chain it is.

CHAIN is what every instrumentation calls a span that is nothing else, so it is judged by its scope:
CrewAI's are crews and flows, LangChain's mostly plumbing, LlamaIndex's the methods of a workflow, an
application's own are the steps that its author chose to mark. (openinference-instrumentation-crewai 1.1
with and without its event listener, langchain, llama-index 4.6, smolagents, openai-agents 2.6.)
"""

from __future__ import annotations

from watchglass.model import Span, Step, StepKind
from watchglass.wire.dialects.chains import chain_kind
from watchglass.wire.dialects.steps import made
from watchglass.wire.values import first_text, mapping, text

_DIALECT = "openinference"
_INSTRUMENTATIONS = ("openinference.instrumentation", "@arizeai/openinference")
_CREW_IDS = ("crew_id", "crew_key", "task_id", "task_key", "agent_id", "agent_key", "flow_id")


def step_of(span: Span, kind: str) -> Step | None:
    """The execution that a span of this kind is."""
    scope = span.scope.name
    if kind == "TOOL":
        return _tool(span, scope)
    if kind == "AGENT":
        return _agent(span, scope)
    if kind != "CHAIN":
        return None
    if "crewai" in scope:
        return _crew(span)
    if "langchain" in scope:
        return _langchain(span)
    if "llama_index" in scope:
        return _llama_index(span)
    if scope.startswith(_INSTRUMENTATIONS):
        return None  # turns and steps of agents' loops (openai-agents, smolagents …)
    return _make(span, "task" if span.parent_span_id else "flow", span.name)


def _make(span: Span, kind: StepKind, name: str | None, agent: str | None = None) -> Step:
    return made(
        span,
        _DIALECT,
        kind,
        name,
        agent=agent,
        asked=("input.value", "crew_inputs", "flow_inputs"),
        answered=("output.value",),
        ids=_CREW_IDS,
    )


def _tool(span: Span, scope: str) -> Step | None:
    attributes = span.attributes
    if "openai_agents" in scope and span.name.startswith("handoff to "):
        return None
    name = text(attributes.get("tool.name"))
    return _make(span, "tool", name, text(attributes.get("tool.agent_role")))


def _agent(span: Span, scope: str) -> Step:
    attributes = span.attributes
    agent = first_text(attributes, "agent.name", "graph.node.id")
    if "crewai" in scope and ("task_id" in attributes or "task_key" in attributes):
        # CrewAI's unit of work is the task; its span is of kind AGENT, after who does it.
        name = first_text(attributes, "task_name", "task_description") or _middle(span.name)
        return _make(span, "task", name, agent)
    if agent is None and "openai_agents" in scope:
        return _make(span, "flow", span.name)  # the root of a trace, named after the workflow
    return _make(span, "agent", agent or _bare(span.name, ".run", ".kickoff"))


def _crew(span: Span) -> Step:
    if span.name.endswith(".kickoff") or "crew_key" in span.attributes:
        return _make(span, "flow", _bare(span.name, ".kickoff"))
    return _make(span, "task", span.name.rpartition(".")[2])  # a method of a CrewAI flow


def _langchain(span: Span) -> Step | None:
    told = mapping(span.attributes.get("metadata"))
    kind = chain_kind(
        span.name,
        integration=text(told.get("ls_integration")),
        node=text(told.get("langgraph_node")),
        agent=text(told.get("lc_agent_name")),
        root=not span.parent_span_id,
    )
    return None if kind is None else _make(span, kind, span.name)


def _llama_index(span: Span) -> Step | None:
    """`FunctionAgent.run` is an agent's run, another class's a workflow's; its methods are its tasks.

    The methods of LlamaIndex's own agents, query engines and the like are plumbing: only what stands
    around a step context (`"ctx"`) is a workflow's step.
    """
    owner, _, method = span.name.rpartition(".")
    if method == "run":
        agents = owner.endswith("Agent")
        return _make(span, "agent" if agents else "flow", owner)
    if "WorkflowAgent" in owner or owner.endswith(("Agent", "AgentWorkflow")) or not owner:
        return None
    if '"ctx"' not in str(span.attributes.get("input.value"))[:200]:
        return None
    return _make(span, "task", method)


def _bare(name: str, *ends: str) -> str:
    for end in ends:
        name = name.removesuffix(end)
    return name


def _middle(name: str) -> str:
    """`Researcher.research._execute_core` as `research`."""
    parts = name.split(".")
    return parts[-2] if len(parts) > 2 else name
