"""As Pydantic AI tells it: an agent's span with the sum of its requests, its chats and tools below."""

from __future__ import annotations

from watchglass.surfaces.demo.records import AgentRun, Call, Run, Tool
from watchglass.surfaces.demo.shapes.drawing import Drawing, Scope, Value, parts_json, raised

_PYDANTIC_AI = Scope("pydantic-ai", "2.68.0")


def draw(run: Run, drawing: Drawing) -> None:
    """A worker's span, which names tenant, flow and user, with the agent's below it."""
    own: dict[str, Value] = {
        "client_account_id": run.workload.tenant,
        "engagement_id": run.engagement,
        "feature_context": run.workload.feature,
        "flow_id": f"flow-{run.id[:12]}",
        "flow_type": run.workload.flow_type,
        "enduser.id": run.user,
        "messaging.system": "rabbitmq",
        "messaging.operation.name": "process",
        "demo.subject": run.subject,
    }
    times = run.start_ns, run.end_ns
    root = drawing.span(
        Scope(run.workload.service), run.workload.entry, None, times, own, failure=run.failure
    )
    for agent in run.agents:
        same: dict[str, Value] = {
            "gen_ai.agent.name": agent.role.name,
            "gen_ai.agent.call.id": run.id,
            "gen_ai.conversation.id": run.session,
        }
        around = drawing.span(
            _PYDANTIC_AI,
            f"invoke_agent {agent.role.name}",
            root,
            (agent.start_ns, agent.end_ns),
            same | {"flow_phase": agent.role.phase, "task_name": agent.role.task} | _sums(agent),
            failure=agent.failure,
        )
        for step in agent.steps:
            said = same | (_tool(step) if isinstance(step, Tool) else _chat(step))
            name = f"execute_tool {step.name}" if isinstance(step, Tool) else f"chat {step.model.name}"
            kind = "internal" if isinstance(step, Tool) else "client"
            span = drawing.span(
                _PYDANTIC_AI,
                name,
                around,
                (step.start_ns, step.end_ns),
                said,
                kind=kind,
                failure=step.failure,
            )
            if step.failure is not None:
                raised(span, step.failure, "pydantic_ai.exceptions")


def _sums(agent: AgentRun) -> dict[str, Value]:
    used = [call.usage for call in agent.calls if call.usage is not None]
    said: dict[str, Value] = {
        "gen_ai.operation.name": "invoke_agent",
        "agent_name": agent.role.name,
        "model_name": agent.calls[0].model.name,
        "gen_ai.aggregated_usage.input_tokens": sum(each.input for each in used),
        "gen_ai.aggregated_usage.output_tokens": sum(each.output or 0 for each in used),
    }
    if agent.failure is None:
        said["final_result"] = agent.output
    return said


def _tool(tool: Tool) -> dict[str, Value]:
    return {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": tool.name,
        "gen_ai.tool.call.id": tool.id,
        "gen_ai.tool.call.arguments": tool.arguments,
        "gen_ai.tool.call.result": tool.result,
    }


def _chat(call: Call) -> dict[str, Value]:
    said: dict[str, Value] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": call.model.provider,
        "gen_ai.system": call.model.provider,
        "server.address": call.model.host,
        "gen_ai.request.model": call.model.name,
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
    if call.usage is not None:
        said |= {
            "gen_ai.usage.input_tokens": call.usage.input,
            "gen_ai.usage.output_tokens": call.usage.output or 0,
        }
    return said
