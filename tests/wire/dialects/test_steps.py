"""What counts as an execution in each dialect: read off real clients' bodies by hand, and made spans."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.corpus import load_cases, own_context, span_node, spans_of, step_of
from tests.wire.dialects.made import INTERNAL, span
from watchglass.ingest.settling.inheritance import NOTHING, places
from watchglass.model import Step
from watchglass.wire.dialects import step

CASES = {case.name: case for case in load_cases()}

GOLDEN: dict[str, list[tuple[str, str, str | None, str, str | None]]] = {
    # A crew of two tasks, whose second fails at the provider.
    "06-openinference-crewai-error": [
        ("flow", "order_crew", None, "failed openai.InternalServerError", None),
        ("task", "research", "Researcher", "completed", "order_crew"),
        ("task", "write", "Writer", "failed openai.InternalServerError", "order_crew"),
    ],
    "06-openinference-crewai-listener": [
        ("flow", "order_crew", None, "completed", None),
        ("task", "research", "Researcher", "completed", "order_crew"),
        ("tool", "get_order", "Researcher", "completed", "research"),
        ("task", "write", "Writer", "completed", "order_crew"),
    ],
    # OpenLLMetry has no names of CrewAI's tasks, only descriptions, and an agent's run within each.
    "06-openllmetry-crewai-crew": [
        ("flow", "order_crew", None, "completed", None),
        ("task", "Find out when order 1234 ships.", "Researcher", "completed", "order_crew"),
        ("agent", "Researcher", "Researcher", "completed", "Find out when order 1234 ships."),
        ("task", "Write it down.", "Writer", "completed", "order_crew"),
        ("agent", "Writer", "Writer", "completed", "Write it down."),
    ],
    # Templates and parsers are plumbing; so is a sequence that nobody named.
    "02-openinference-langchain-chain": [("flow", "order-chain", None, "completed", None)],
    "03-openllmetry-langchain-error": [],
    "02-openinference-langchain-graph": [
        ("flow", "order_graph", None, "completed", None),
        ("task", "research", None, "completed", "order_graph"),
        ("task", "write", None, "completed", "order_graph"),
        ("task", "check", None, "completed", "order_graph"),
    ],
    # The nodes `model` and `tools` of create_agent's graph are turns of its loop.
    "02-openinference-langchain-agent": [
        ("agent", "order_agent", "order_agent", "completed", None),
        ("tool", "get_order", "order_agent", "completed", "order_agent"),
    ],
    "03-openllmetry-langchain-agent": [
        ("agent", "order_agent", "order_agent", "completed", None),
        ("tool", "get_order", "order_agent", "completed", "order_agent"),
    ],
    "07-langsmith-otel-agent": [
        ("agent", "order_agent", "order_agent", "completed", None),
        ("tool", "get_order", "order_agent", "completed", "order_agent"),
    ],
    "04-pydantic-ai-plain-v2-delegate": [
        ("agent", "front_agent", "front_agent", "completed", None),
        ("tool", "ask_depot", "front_agent", "completed", "front_agent"),
        ("agent", "depot_agent", "depot_agent", "completed", "ask_depot"),
        ("agent", "order_agent", "order_agent", "completed", None),
        ("tool", "get_order", "order_agent", "completed", "order_agent"),
    ],
    "04-logfire-openai-tools": [],
    "07-mlflow-tools": [("agent", "order-agent", "order-agent", "completed", None)],
    "07-mlflow-semconv": [("agent", "order-agent", "order-agent", "completed", None)] * 3,
    "08-vercel-ai-tools": [
        ("agent", "order.agent", "order.agent", "completed", None),
        ("tool", "get_order", "order.agent", "completed", "order.agent"),
    ],
    "08-vercel-ai-error": [("agent", "order.bad", "order.bad", "failed AI_APICallError", None)] * 2,
    "11-genai-agents-responses": [
        ("flow", "order workflow", None, "completed", None),
        ("agent", "Front agent", "Front agent", "completed", "order workflow"),
        ("agent", "Depot agent", "Depot agent", "completed", "order workflow"),
        ("tool", "get_order", "Depot agent", "completed", "Depot agent"),
    ],
    # Turns and hand-overs are no executions; the root is named after the workflow.
    "11-openinference-agents-chat": [
        ("flow", "order workflow", None, "completed", None),
        ("agent", "Front agent", "Front agent", "completed", "order workflow"),
        ("agent", "Depot agent", "Depot agent", "completed", "order workflow"),
        ("tool", "get_order", "Depot agent", "completed", "Depot agent"),
    ],
    "11-openllmetry-agents-error-chat": [
        ("flow", "Agent Workflow", None, "completed", None),
        ("agent", "Front agent", "Front agent", "completed", "Agent Workflow"),
        ("agent", "Depot agent", "Depot agent", "completed", "Agent Workflow"),
        ("tool", "get_order", "Depot agent", "completed", "Depot agent"),
        ("flow", "Agent Workflow", None, "completed", None),
        ("agent", "Bad agent", "Bad agent", "failed 500", "Agent Workflow"),
    ],
    "11-otel-agents-v2-error-chat": [
        ("flow", "order workflow", None, "completed", None),
        ("agent", "Front agent", "Front agent", "completed", "order workflow"),
        ("agent", "Depot agent", "Depot agent", "completed", "order workflow"),
        ("tool", "get_order", "Depot agent", "completed", "Depot agent"),
        ("flow", "Agent workflow", None, "completed", None),
        ("agent", "Bad agent", "Bad agent", "failed 500", "Agent workflow"),
    ],
    "11-otel-google-genai-tools": [("tool", "get_order", None, "completed", None)],
    "11-otel-bedrock-converse": [],
    "05-litellm-proxy-gateway": [],
    "12-langfuse-tools": [
        ("agent", "order-agent", "order-agent", "completed", None),
        ("task", "lookup", "order-agent", "completed", "order-agent"),
    ],
    "12-traceloop-sdk-tools": [
        ("flow", "order_workflow", None, "completed", None),
        ("agent", "order_agent", "order_agent", "completed", "order_workflow"),
        ("task", "answer", "order_agent", "completed", "order_agent"),
        ("tool", "get_order_tool", "order_agent", "completed", "answer"),
    ],
    "13-google-adk-agent": [
        ("flow", "invocation", None, "completed", None),
        ("agent", "order_agent", "order_agent", "completed", "invocation"),
        ("tool", "get_order", "order_agent", "completed", "order_agent"),
    ],
    "13-openinference-llamaindex-agent": [
        ("agent", "FunctionAgent", "FunctionAgent", "completed", None),
        ("tool", "get_order", "FunctionAgent", "completed", "FunctionAgent"),
    ],
    "13-openinference-smolagents-agent": [
        ("agent", "order_agent", "order_agent", "completed", None),
        *[("tool", "get_order", "order_agent", "completed", "order_agent")] * 4,
    ],
    "13-strands-agent": [
        ("agent", "order_agent", "order_agent", "completed", None),
        ("tool", "order", "order_agent", "completed", "order_agent"),
    ],
}
"""Kind, name, agent, state with its error, and the name of what is around it, in the order of their start."""


@pytest.mark.skipif(not CASES, reason="the bodies of ../shared/otlp are not on this machine")
@pytest.mark.parametrize("name", GOLDEN)
def test_what_a_real_client_executed(name: str) -> None:
    """Each execution is found once, with its agent, its outcome and what it is part of; nothing else is."""
    spans = sorted(spans_of([CASES[name]]), key=lambda each: each.start_ns)
    found = places([span_node(each) for each in spans], ())
    names: dict[str | None, str] = {}
    told: list[tuple[str, str, str | None, str, str | None]] = []
    for each in spans:
        if (done := step_of(each)) is not None:
            key = each.trace_id, each.span_id
            names[f"{each.trace_id}:{each.span_id}"] = done.name
            state = "completed" if done.success else f"failed {done.error_type}"
            around = names.get(found.around.get(key, NOTHING).nearest)
            told.append((done.kind, done.name, found.contexts[key].agent, state, around))
    assert told == GOLDEN[name]


@pytest.mark.skipif(not CASES, reason="the bodies of ../shared/otlp are not on this machine")
@pytest.mark.parametrize("name", CASES)
def test_what_goes_in_and_comes_out_is_all_of_some_attribute(name: str) -> None:
    """The named content keys are attributes of the span, and their text is the step's input or output."""
    for each in spans_of([CASES[name]]):
        if (done := step_of(each)) is not None:
            assert {each.attributes[key] for key in done.content_keys} <= {done.input, done.output}


def made(attributes: dict[str, Any], **about: Any) -> Step:
    """The execution that a span is, which must be one."""
    found = step(span(attributes, kind=INTERNAL, **about))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("attributes", "about"),
    [
        ({"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "search"}, {"status": 2}),
        (
            {
                "gen_ai.operation.name": "execute_tool",
                "gen_ai.tool.name": "search",
                "gen_ai.tool.status": "error",
            },
            {"scope": "strands.telemetry.tracer"},
        ),
        (
            {"openinference.span.kind": "TOOL", "tool.name": "search"},
            {"events": (("exception", 1, {"exception.type": "KeyError"}),), "status": 2},
        ),
        ({"traceloop.span.kind": "tool", "traceloop.entity.name": "search"}, {"status": 2}),
        ({"ai.operationId": "ai.toolCall", "ai.toolCall.name": "search"}, {"status": 2}),
        (
            {"langfuse.observation.type": "tool", "langfuse.observation.level": "ERROR"},
            {"name": "search"},
        ),
        ({"mlflow.spanType": '"TOOL"'}, {"name": "search", "status": 2}),
        ({"langsmith.span.kind": "tool"}, {"name": "search", "status": 2}),
    ],
)
def test_a_tool_that_fails(attributes: dict[str, Any], about: dict[str, Any]) -> None:
    """However its library says so, a failed tool is a failed execution with some error type."""
    found = made(attributes, **about)
    assert (found.kind, found.name, found.success) == ("tool", "search", False)
    assert found.error_type


@pytest.mark.parametrize(
    ("attributes", "about", "expected"),
    [
        # CrewAI's flows: the run, and the methods within it.
        ({"flow_id": "f-1"}, {"name": "TripFlow.kickoff", "parent": ""}, ("flow", "TripFlow")),
        ({}, {"name": "TripFlow.plan", "parent": "1" * 16}, ("task", "plan")),
    ],
)
def test_flows_of_crewai(attributes: dict[str, Any], about: Any, expected: tuple[str, str]) -> None:
    """A flow's kickoff is a flow, each of its methods a task of that name."""
    scope = "openinference.instrumentation.crewai"
    found = made({"openinference.span.kind": "CHAIN", **attributes}, scope=scope, **about)
    assert (found.kind, found.name) == expected


@pytest.mark.parametrize(
    ("attributes", "parent", "kind"),
    [
        ({"openinference.span.kind": "CHAIN"}, "", "flow"),
        ({"openinference.span.kind": "CHAIN"}, "1" * 16, "task"),
        ({"langsmith.span.kind": "chain"}, "", "flow"),
        ({"langsmith.span.kind": "chain"}, "1" * 16, "task"),
        ({"mlflow.spanType": '"CHAIN"'}, "", "flow"),
        ({"mlflow.spanType": '"TASK"'}, "1" * 16, "task"),
        ({"mlflow.spanType": '"WORKFLOW"'}, "1" * 16, "flow"),
        ({"langfuse.observation.type": "span"}, "", "flow"),
        ({"langfuse.observation.type": "chain"}, "1" * 16, "task"),
        ({"traceloop.span.kind": "workflow"}, "", "flow"),
        ({"gen_ai.operation.name": "invoke_workflow"}, "", "flow"),
    ],
)
def test_functions_that_an_author_marked(attributes: dict[str, str], parent: str, kind: str) -> None:
    """A marked function around everything is a flow, one within it a task, by its name."""
    found = made(attributes, name="settle_invoice", scope="billing", parent=parent)
    assert (found.kind, found.name) == (kind, "settle_invoice")


@pytest.mark.parametrize(
    ("attributes", "about"),
    [
        ({"gen_ai.operation.name": "create_agent", "gen_ai.agent.name": "a"}, {}),
        ({"gen_ai.operation.name": "agent_handoff"}, {}),
        ({"gen_ai.operation.name": "execute_event_loop_cycle"}, {"scope": "strands.telemetry.tracer"}),
        ({"openinference.span.kind": "CHAIN"}, {"name": "turn", "scope": "openinference.instrumentation.x"}),
        ({"openinference.span.kind": "RETRIEVER"}, {}),
        ({"langfuse.observation.type": "span"}, {"parent": "1" * 16}),
        ({"langfuse.observation.type": "chain"}, {"name": "RunnableSequence"}),
        ({"mlflow.spanType": '"CHAIN"'}, {"parent": "1" * 16}),
        ({"mlflow.spanType": '"PARSER"'}, {}),
        ({"langsmith.span.kind": "prompt"}, {}),
        ({"traceloop.span.kind": "handoff"}, {}),
        ({"ai.operationId": "ai.embed"}, {}),
    ],
)
def test_plumbing_is_no_execution(attributes: dict[str, str], about: dict[str, Any]) -> None:
    """Turns, hand-overs, links of a chain, embeddings and the making of an agent are none."""
    assert step(span(attributes, kind=INTERNAL, **about)) is None


@pytest.mark.parametrize(("since", "question"), [(None, "first"), (2, "second")])
def test_an_agent_was_given_what_is_new_before_its_first_answer(since: int | None, question: str) -> None:
    """pydantic-ai's agents have the whole conversation; their input is the part that was asked now."""
    said = [("user", "first"), ("assistant", "yes"), ("user", "second"), ("assistant", "no")]
    attributes = {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": "clerk",
        "pydantic_ai.all_messages": json.dumps([{"role": role, "content": each} for role, each in said]),
        "pydantic_ai.new_message_index": since,
    }
    found = made(attributes, scope="pydantic-ai")
    assert json.loads(found.input or "") == [{"role": "user", "content": question}]


def test_a_name_is_cut_where_it_is_a_whole_description() -> None:
    """255 characters of a name are kept."""
    attributes = {"traceloop.span.kind": "task", "crewai.task.id": "t", "crewai.task.description": "x" * 900}
    assert made(attributes).name == "x" * 255


def test_the_placeholder_of_a_library_is_no_agent() -> None:
    """What the agents instrumentation writes where nobody is named leaves the agent above as it is."""
    tool = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "search",
        "gen_ai.agent.name": "OpenAI Agent",
        "gen_ai.system": "openai",
    }
    assert own_context(span(tool, scope="opentelemetry.instrumentation.openai_agents")).agent is None
