"""As OpenLLMetry tells of a CrewAI crew: workflow with the token sum, tasks, agents, OpenAI's calls."""

from __future__ import annotations

import json

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from watchglass.surfaces.demo.play import digest
from watchglass.surfaces.demo.records import AgentRun, Call, Run, Tool
from watchglass.surfaces.demo.shapes.drawing import Drawing, Scope, Value, parts_json, raised

_CREWAI = Scope("opentelemetry.instrumentation.crewai.instrumentation", "0.62.4")
_OPENAI = Scope("opentelemetry.instrumentation.openai.v1", "0.62.4")
_TRACER = Scope("traceloop.tracer")

_CREW: dict[str, Value] = {"gen_ai.provider.name": "crewai", "gen_ai.operation.name": "invoke_agent"}


def draw(run: Run, drawing: Drawing) -> None:
    """Association properties stand on every span, as traceloop's SDK puts them."""
    shared = _shared(run)
    values = shared | _CREW | _crew(run)
    times = run.start_ns, run.end_ns
    crew = drawing.span(_CREWAI, "crewai.workflow", None, times, values, failure=run.failure, says_ok=True)
    for agent in run.agents:
        task, doing = _task(run, agent), (agent.start_ns, agent.end_ns)
        same = shared | {"traceloop.association.properties.phase": agent.role.phase}
        around = drawing.span(
            _CREWAI,
            f"{agent.role.goal}.task",
            crew,
            doing,
            same | _CREW | task,
            failure=agent.failure,
            says_ok=True,
        )
        worker = drawing.span(
            _CREWAI,
            f"{agent.role.name}.agent",
            around,
            doing,
            same | _CREW | _agent(run, agent),
            failure=agent.failure,
            says_ok=True,
        )
        for step in agent.steps:
            _step(step, drawing, worker, same)


def _shared(run: Run) -> dict[str, Value]:
    bag = "traceloop.association.properties"
    return {
        f"{bag}.client_account_id": run.workload.tenant,
        f"{bag}.engagement_id": run.engagement,
        f"{bag}.feature_context": run.workload.feature,
        f"{bag}.flow_id": f"flow-{run.id[:12]}",
        f"{bag}.flow_type": run.workload.flow_type,
        f"{bag}.session_id": run.session,
        f"{bag}.user_id": run.user,
        "traceloop.workflow.name": run.workload.entry,
    }


def _crew(run: Run) -> dict[str, Value]:
    used = [call.usage for call in run.calls if call.usage is not None]
    read, written = sum(each.input for each in used), sum(each.output or 0 for each in used)
    cached = sum(each.cache_read for each in used)
    said: dict[str, Value] = {
        "crewai.crew.id": run.id,
        "crewai.crew.name": run.workload.entry,
        "crewai.crew.process": "Process.sequential",
        "crewai.crew.token_usage": f"total_tokens={read + written} prompt_tokens={read} "
        f"cached_prompt_tokens={cached} completion_tokens={written} successful_requests={len(used)}",
    }
    if run.failure is None:
        said["crewai.crew.result"] = run.agents[-1].output
    return said


def _task(run: Run, agent: AgentRun) -> dict[str, Value]:
    said: dict[str, Value] = {
        "traceloop.span.kind": "task",
        "crewai.task.id": digest(run.id + agent.role.task, 16),
        "crewai.task.agent": agent.role.name,
        "crewai.task.description": agent.role.goal,
        "crewai.task.expected_output": agent.role.expected,
    }
    return said | ({"traceloop.entity.output": agent.output} if agent.output else {})


def _agent(run: Run, agent: AgentRun) -> dict[str, Value]:
    model = agent.calls[0].model.name
    return {
        "traceloop.span.kind": "agent",
        "crewai.agent.id": digest(run.workload.key + agent.role.name, 16),
        "crewai.agent.role": agent.role.name,
        "crewai.agent.goal": agent.role.goal,
        "crewai.agent.llm": model,
        "gen_ai.agent.name": agent.role.name,
        "gen_ai.request.model": model,
        "gen_ai.response.model": model,
    }


def _step(step: Call | Tool, drawing: Drawing, parent: Span, shared: dict[str, Value]) -> None:
    times = step.start_ns, step.end_ns
    if isinstance(step, Tool):
        said: dict[str, Value] = {
            "traceloop.span.kind": "tool",
            "traceloop.entity.name": step.name,
            "gen_ai.tool.name": step.name,
            "traceloop.entity.input": json.dumps({"args": [], "kwargs": json.loads(step.arguments)}),
            "traceloop.entity.output": json.dumps(step.result),
        }
        drawing.span(_TRACER, f"{step.name}.tool", parent, times, shared | said, failure=step.failure)
        return
    values = shared | _chat(step)
    span = drawing.span(_OPENAI, "openai.chat", parent, times, values, kind="client", failure=step.failure)
    if step.failure is not None:
        raised(span, step.failure, "openai")


def _chat(call: Call) -> dict[str, Value]:
    said: dict[str, Value] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": call.model.provider,
        "gen_ai.request.model": call.model.name,
        "gen_ai.is_streaming": False,
        "gen_ai.openai.api_base": f"https://{call.model.host}/v1/",
        "gen_ai.input.messages": parts_json(call.messages),
    }
    if call.failure is not None:
        return said | {"error.type": call.failure.kind}
    said |= {
        "gen_ai.response.model": call.model.answered,
        "gen_ai.response.id": f"{call.model.id_prefix}{call.id}",
        "gen_ai.response.finish_reasons": ["tool_call" if call.finish == "tool_calls" else call.finish],
    }
    if call.answer is not None:
        said["gen_ai.output.messages"] = parts_json((call.answer,), call.finish)
    if (used := call.usage) is not None:
        output = used.output or 0
        said |= {
            "gen_ai.usage.input_tokens": used.input,
            "gen_ai.usage.output_tokens": output,
            "gen_ai.usage.total_tokens": used.input + output,
            "gen_ai.usage.cache_read.input_tokens": used.cache_read,
            "gen_ai.usage.reasoning_tokens": used.reasoning,
        }
    return said
