"""As OpenInference tells of a CrewAI crew on OpenAI's client: kickoff, agents, LLM and tool spans."""

from __future__ import annotations

import json

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from watchglass.surfaces.demo.play import digest
from watchglass.surfaces.demo.records import AgentRun, Call, Message, Run, Tool
from watchglass.surfaces.demo.shapes.drawing import Drawing, Scope, Value, raised

_CREWAI = Scope("openinference.instrumentation.crewai", "1.1.21")
_OPENAI = Scope("openinference.instrumentation.openai", "0.1.66")


def draw(run: Run, drawing: Drawing) -> None:
    """`using_attributes` puts session, user and metadata on every span."""
    shared = _shared(run)
    crew = {"crew_key": digest(run.workload.key, 16), "crew_id": run.id}
    tasks = [{"name": role.task, "agent_role": role.name} for role in run.workload.roles]
    output: dict[str, Value] = {}
    if run.failure is None:
        output = {"output.value": run.agents[-1].output, "output.mime_type": "text/plain"}
    kickoff = drawing.span(
        _CREWAI,
        f"{run.workload.entry}.kickoff",
        None,
        (run.start_ns, run.end_ns),
        shared
        | crew
        | {"crew_inputs": json.dumps({"subject": run.subject}), "crew_tasks": json.dumps(tasks)}
        | output
        | {"openinference.span.kind": "CHAIN"},
        failure=run.failure,
        says_ok=True,
    )
    before = ""
    for agent in run.agents:
        values = shared | crew | _agent(run, agent, before)
        name, times = f"{agent.role.name}.{agent.role.task}._execute_core", (agent.start_ns, agent.end_ns)
        around = drawing.span(_CREWAI, name, kickoff, times, values, failure=agent.failure, says_ok=True)
        for step in agent.steps:
            _step(step, drawing, around, shared | _phase(shared, agent))
        before = agent.role.name


def _shared(run: Run) -> dict[str, Value]:
    metadata = {
        "client_account_id": run.workload.tenant,
        "engagement_id": run.engagement,
        "feature_context": run.workload.feature,
        "flow_id": f"flow-{run.id[:12]}",
        "flow_type": run.workload.flow_type,
        "subject": run.subject,
    }
    return {"session.id": run.session, "user.id": run.user, "metadata": json.dumps(metadata)}


def _phase(shared: dict[str, Value], agent: AgentRun) -> dict[str, Value]:
    return {"metadata": json.dumps(json.loads(str(shared["metadata"])) | {"phase": agent.role.phase})}


def _agent(run: Run, agent: AgentRun, before: str) -> dict[str, Value]:
    role = agent.role
    said: dict[str, Value] = {
        "input.value": json.dumps({"agent": {"role": role.name, "goal": role.goal}, "task": role.task}),
        "input.mime_type": "application/json",
        "task_key": digest(role.task, 16),
        "task_id": digest(run.id + role.task, 16),
        "task_name": role.task,
        "graph.node.id": role.name,
        "openinference.span.kind": "AGENT",
    }
    if before:
        said["graph.node.parent_id"] = before
    if agent.failure is None:
        told = {"name": role.task, "expected_output": role.expected, "raw": agent.output}
        said |= {"output.value": json.dumps(told), "output.mime_type": "application/json"}
    return said


def _step(step: Call | Tool, drawing: Drawing, parent: Span, shared: dict[str, Value]) -> None:
    times = step.start_ns, step.end_ns
    if isinstance(step, Tool):
        said: dict[str, Value] = {
            "tool.name": step.name,
            "input.value": step.arguments,
            "input.mime_type": "application/json",
            "output.value": step.result,
            "output.mime_type": "text/plain",
            "openinference.span.kind": "TOOL",
        }
        drawing.span(
            _CREWAI, f"{step.name}.run", parent, times, shared | said, failure=step.failure, says_ok=True
        )
        return
    values = shared | _llm(step)
    span = drawing.span(_OPENAI, "ChatCompletion", parent, times, values, failure=step.failure, says_ok=True)
    if step.failure is not None:
        raised(span, step.failure, "openai")


def _llm(call: Call) -> dict[str, Value]:
    said: dict[str, Value] = {
        "openinference.span.kind": "LLM",
        "llm.provider": call.model.provider,
        "llm.system": call.model.provider,
        "llm.model_name": call.model.answered if call.failure is None else call.model.name,
        "llm.invocation_parameters": json.dumps({"model": call.model.name}),
        "input.value": json.dumps({"model": call.model.name, "messages": [m.text for m in call.messages]}),
        "input.mime_type": "application/json",
    }
    for number, message in enumerate(call.messages):
        said |= _message(f"llm.input_messages.{number}.message", message)
    if call.answer is not None:
        said |= _message("llm.output_messages.0.message", call.answer)
        answer = {
            "id": f"{call.model.id_prefix}{call.id}",
            "object": "chat.completion",
            "model": call.model.answered,
        }
        said |= {
            "llm.finish_reason": call.finish,
            "output.value": json.dumps(answer),
            "output.mime_type": "application/json",
        }
    if (used := call.usage) is not None:
        output = used.output or 0
        said |= {
            "llm.token_count.prompt": used.input,
            "llm.token_count.completion": output,
            "llm.token_count.total": used.input + output,
            "llm.token_count.prompt_details.cache_read": used.cache_read,
            "llm.token_count.completion_details.reasoning": used.reasoning,
        }
    return said


def _message(at: str, message: Message) -> dict[str, Value]:
    said: dict[str, Value] = {f"{at}.role": message.role}
    if message.text:
        said[f"{at}.content"] = message.text
    if message.call is None:
        return said
    call_id, name, arguments = message.call
    if message.role == "tool":
        return said | {f"{at}.tool_call_id": call_id, f"{at}.name": name}
    called = f"{at}.tool_calls.0.tool_call"
    return said | {
        f"{called}.id": call_id,
        f"{called}.function.name": name,
        f"{called}.function.arguments": arguments,
    }
