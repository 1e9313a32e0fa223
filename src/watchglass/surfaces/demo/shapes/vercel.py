"""As the Vercel AI SDK tells it (ai 5 and 6): a `streamText` that repeats the sum of its steps."""

from __future__ import annotations

import json

from watchglass.surfaces.demo.records import AgentRun, Call, Message, Run, Tool
from watchglass.surfaces.demo.shapes.drawing import Drawing, Scope, Value, raised

_AI = Scope("ai")


def draw(run: Run, drawing: Drawing) -> None:
    """The route's span, `ai.streamText` of the agent, its steps and tools."""
    method, _, route = run.workload.entry.partition(" ")
    status = 500 if run.failure is not None else 200
    root = drawing.span(
        Scope(run.workload.service, run.version),
        run.workload.entry,
        None,
        (run.start_ns, run.end_ns),
        {"http.request.method": method, "http.route": route, "http.response.status_code": status},
        kind="server",
        failure=run.failure,
    )
    for agent in run.agents:
        told = _telemetry(run, agent)
        sums = _sums(agent)
        outer = drawing.span(
            _AI,
            "ai.streamText",
            root,
            (agent.start_ns, agent.end_ns),
            _named("ai.streamText", agent)
            | told
            | {"ai.prompt": json.dumps({"prompt": agent.calls[0].messages[-1].text})}
            | ({"ai.response.text": agent.output, "ai.response.finishReason": "stop"} if agent.output else {})
            | sums,
            failure=agent.failure,
        )
        for step in agent.steps:
            if isinstance(step, Tool):
                said: dict[str, Value] = {
                    "ai.toolCall.name": step.name,
                    "ai.toolCall.id": step.id,
                    "ai.toolCall.args": step.arguments,
                    "ai.toolCall.result": step.result,
                }
                drawing.span(
                    _AI,
                    "ai.toolCall",
                    outer,
                    (step.start_ns, step.end_ns),
                    _named("ai.toolCall", agent) | said,
                    failure=step.failure,
                )
                continue
            span = drawing.span(
                _AI,
                "ai.streamText.doStream",
                outer,
                (step.start_ns, step.end_ns),
                _named("ai.streamText.doStream", agent) | told | _step(step),
                failure=step.failure,
            )
            if step.failure is not None:
                raised(span, step.failure, "ai")


def _named(operation: str, agent: AgentRun) -> dict[str, Value]:
    return {
        "operation.name": f"{operation} {agent.role.name}",
        "resource.name": agent.role.name,
        "ai.operationId": operation,
        "ai.telemetry.functionId": agent.role.name,
    }


def _telemetry(run: Run, agent: AgentRun) -> dict[str, Value]:
    model = agent.calls[0].model
    return {
        "ai.model.provider": f"{model.provider}.chat",
        "ai.model.id": model.name,
        "ai.settings.maxRetries": 2,
        "ai.telemetry.metadata.sessionId": run.session,
        "ai.telemetry.metadata.userId": run.user,
        "ai.telemetry.metadata.clientAccountId": run.workload.tenant,
        "ai.telemetry.metadata.engagementId": run.engagement,
        "ai.telemetry.metadata.featureContext": run.workload.feature,
        "ai.telemetry.metadata.flowId": f"flow-{run.id[:12]}",
        "ai.telemetry.metadata.flowType": run.workload.flow_type,
        "ai.telemetry.metadata.agentName": agent.role.name,
    }


def _sums(agent: AgentRun) -> dict[str, Value]:
    """What the outer span repeats of its steps; nothing where a step's usage is not known."""
    if agent.failure is not None or any(call.usage is None and not call.failure for call in agent.calls):
        return {}
    used = [call.usage for call in agent.calls if call.usage is not None]
    return {
        "ai.usage.inputTokens": sum(each.input for each in used),
        "ai.usage.outputTokens": sum(each.output or 0 for each in used),
        "ai.usage.totalTokens": sum(each.input + (each.output or 0) for each in used),
        "ai.usage.cachedInputTokens": sum(each.cache_read for each in used),
    }


def _step(call: Call) -> dict[str, Value]:
    said: dict[str, Value] = {
        "ai.prompt.messages": json.dumps([_message(each) for each in call.messages], ensure_ascii=False),
        "gen_ai.system": f"{call.model.provider}.chat",
        "gen_ai.request.model": call.model.name,
    }
    if call.answer is not None:
        finish = "tool-calls" if call.answer.call is not None else call.finish
        said |= {
            "ai.response.finishReason": finish,
            "ai.response.text": call.answer.text,
            "ai.response.id": f"{call.model.id_prefix}{call.id}",
            "ai.response.model": call.model.answered,
            "gen_ai.response.finish_reasons": [finish],
            "gen_ai.response.id": f"{call.model.id_prefix}{call.id}",
            "gen_ai.response.model": call.model.answered,
        }
        if call.answer.call is not None:
            said["ai.response.toolCalls"] = json.dumps([_tool_call(call.answer.call)])
    if call.first_ns is not None:
        said |= {
            "ai.response.msToFirstChunk": call.first_ns / 10**6,
            "ai.response.msToFinish": (call.end_ns - call.start_ns) / 10**6,
        }
    if (used := call.usage) is not None:
        said |= {
            "ai.usage.inputTokens": used.input,
            "ai.usage.inputTokenDetails.noCacheTokens": used.input - used.cache_read,
            "ai.usage.inputTokenDetails.cacheReadTokens": used.cache_read,
            "ai.usage.outputTokens": used.output or 0,
            "ai.usage.outputTokenDetails.reasoningTokens": used.reasoning,
            "ai.usage.totalTokens": used.input + (used.output or 0),
            "ai.usage.reasoningTokens": used.reasoning,
            "ai.usage.cachedInputTokens": used.cache_read,
            "gen_ai.usage.input_tokens": used.input,
            "gen_ai.usage.output_tokens": used.output or 0,
        }
    return said


def _message(message: Message) -> dict[str, object]:
    if message.role == "system":
        return {"role": "system", "content": message.text}
    if message.role == "tool" and message.call is not None:
        call_id, name, _ = message.call
        output = {"type": "text", "value": message.text}
        result = {"type": "tool-result", "toolCallId": call_id, "toolName": name, "output": output}
        return {"role": "tool", "content": [result]}
    if message.call is not None:
        return {"role": "assistant", "content": [_tool_call(message.call)]}
    return {"role": message.role, "content": [{"type": "text", "text": message.text}]}


def _tool_call(call: tuple[str, str, str]) -> dict[str, object]:
    call_id, name, arguments = call
    return {"type": "tool-call", "toolCallId": call_id, "toolName": name, "input": json.loads(arguments)}
