"""As OpenTelemetry's own instrumentations tell it: GenAI conventions 1.37 with messages on spans, 1.30 with
messages as log records, and Anthropic's SDK speaking beside the instrumentation of it."""

from __future__ import annotations

from collections.abc import Mapping

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from watchglass.surfaces.demo.records import AgentRun, Call, Run, Tool
from watchglass.surfaces.demo.shapes.drawing import Drawing, Scope, Value, parts_json, raised

_SCHEMA = "https://opentelemetry.io/schemas/1.37.0"
_FASTAPI = Scope("opentelemetry.instrumentation.fastapi", "0.66b1")
_OPENAI = Scope("opentelemetry.instrumentation.genai.openai", "1.3b0", _SCHEMA)
_ANTHROPIC = Scope("opentelemetry.instrumentation.genai.anthropic", "1.3b0", _SCHEMA)
_AGENTS = Scope("opentelemetry.instrumentation.genai.openai_agents", "1.3b0", _SCHEMA)
_SDK = Scope("com.anthropic.sdk.python", "2.11.0")
_OPENAI_V2 = Scope(
    "opentelemetry.instrumentation.openai_v2", "2.5b0", "https://opentelemetry.io/schemas/1.30.0"
)

_FILES = {
    "support-bot": ("support_bot/reply.py", 88, "write_reply"),
    "legal-desk": ("legal_desk/review.py", 141, "review_clauses"),
}


def draw_genai(run: Run, drawing: Drawing) -> None:
    """FastAPI's span, an agent's below it, the requests below that, messages on the spans."""
    root = entry(run, drawing)
    for agent in run.agents:
        around = _agent(run, agent, drawing, root)
        for step in agent.steps:
            if isinstance(step, Tool):
                _tool(step, drawing, around)
                continue
            said = _request(run, step) | _answer(step) | {"openai.response.service_tier": "default"}
            _call_span(_OPENAI, step, drawing, around, said)


def draw_anthropic(run: Run, drawing: Drawing) -> None:
    """The same with Anthropic's models, whose SDK reports each request once more: one request, two spans."""
    root = entry(run, drawing)
    for agent in run.agents:
        around = _agent(run, agent, drawing, root)
        for call in agent.calls:
            scope = _ANTHROPIC if call.model.provider == "anthropic" else _OPENAI
            span = _call_span(scope, call, drawing, around, _request(run, call) | _answer(call))
            if scope is _ANTHROPIC:
                _sdk_span(call, drawing, span)


def draw_openai_v2(run: Run, drawing: Drawing) -> None:
    """Conventions 1.30: `gen_ai.system`, and each message a log record of its own."""
    root = entry(run, drawing)
    for call in run.calls:
        said: dict[str, Value] = {
            "gen_ai.operation.name": call.operation,
            "gen_ai.request.model": call.model.name,
            "gen_ai.system": "openai",
            "server.address": call.model.host,
            "gen_ai.agent.name": run.agents[0].role.name,
        }
        said |= _outcome(call)
        if call.usage is not None and call.operation == "chat":
            said["gen_ai.openai.response.service_tier"] = "default"
        span = _call_span(_OPENAI_V2, call, drawing, root, said)
        if call.operation == "chat":
            _log_messages(call, drawing, span)


def entry(run: Run, drawing: Drawing) -> Span:
    """The service's own span, which says for whom the work is done."""
    method, _, route = run.workload.entry.partition(" ")
    said: dict[str, Value] = {
        "watchglass.tenant": run.workload.tenant,
        "watchglass.engagement": run.engagement,
        "watchglass.feature": run.workload.feature,
        "watchglass.flow.id": f"flow-{run.id[:12]}",
        "watchglass.flow.type": run.workload.flow_type,
        "session.id": run.session,
        "user.id": run.user,
        "demo.subject": run.subject,
    }
    times = run.start_ns, run.end_ns
    if method != "POST":
        return drawing.span(
            Scope(run.workload.service), run.workload.entry, None, times, said, failure=run.failure
        )
    status = 502 if run.failure is not None else 200
    said |= {"http.request.method": method, "http.route": route, "http.response.status_code": status}
    return drawing.span(_FASTAPI, run.workload.entry, None, times, said, kind="server", failure=run.failure)


def _agent(run: Run, agent: AgentRun, drawing: Drawing, parent: Span) -> Span:
    said: dict[str, Value] = {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": agent.role.name,
        "gen_ai.agent.description": agent.role.goal,
        "gen_ai.conversation.id": run.session,
        "watchglass.flow.phase": agent.role.phase,
        "watchglass.task": agent.role.task,
    }
    if agent.failure is not None:
        said["error.type"] = agent.failure.kind
    name, times = f"invoke_agent {agent.role.name}", (agent.start_ns, agent.end_ns)
    return drawing.span(_AGENTS, name, parent, times, said, failure=agent.failure)


def _tool(tool: Tool, drawing: Drawing, parent: Span) -> None:
    said: dict[str, Value] = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": tool.name,
        "gen_ai.tool.type": "function",
        "gen_ai.tool.call.id": tool.id,
        "gen_ai.tool.call.arguments": tool.arguments,
        "gen_ai.tool.call.result": tool.result,
    }
    if tool.failure is not None:
        said["error.type"] = tool.failure.kind
    name, times = f"execute_tool {tool.name}", (tool.start_ns, tool.end_ns)
    drawing.span(_AGENTS, name, parent, times, said, failure=tool.failure)


def _call_span(scope: Scope, call: Call, drawing: Drawing, parent: Span, said: Mapping[str, Value]) -> Span:
    name, times = f"{call.operation} {call.model.name}", (call.start_ns, call.end_ns)
    span = drawing.span(scope, name, parent, times, said, kind="client", failure=call.failure)
    if call.failure is not None:
        raised(span, call.failure, call.model.provider)
    return span


def _request(run: Run, call: Call) -> dict[str, Value]:
    said: dict[str, Value] = {
        "gen_ai.operation.name": call.operation,
        "gen_ai.provider.name": call.model.provider,
        "gen_ai.request.model": call.model.name,
        "server.address": call.model.host,
        "server.port": 443,
    }
    if call.attempt > 1:
        said["http.request.resend_count"] = call.attempt - 1
    if (place := _FILES.get(run.workload.service)) is not None:
        said |= {"code.file.path": place[0], "code.line.number": place[1], "code.function.name": place[2]}
    if call.operation == "chat":
        said["gen_ai.request.max_tokens"] = 4_096
        said["gen_ai.input.messages"] = parts_json(call.messages)
    return said


def _answer(call: Call) -> dict[str, Value]:
    said = _outcome(call)
    if call.answer is not None:
        said["gen_ai.output.messages"] = parts_json((call.answer,), call.finish)
    if call.first_ns is not None:
        said |= {"gen_ai.request.stream": True, "gen_ai.response.time_to_first_chunk": call.first_ns / 10**9}
    return said


def _outcome(call: Call) -> dict[str, Value]:
    if call.failure is not None:
        return {"error.type": call.failure.kind}
    said: dict[str, Value] = {"gen_ai.response.model": call.model.answered}
    if call.operation == "chat":
        said["gen_ai.response.id"] = f"{call.model.id_prefix}{call.id}"
        said["gen_ai.response.finish_reasons"] = [call.finish]
    if call.usage is None:
        return said
    said["gen_ai.usage.input_tokens"] = call.usage.input
    if call.usage.output is not None:
        said["gen_ai.usage.output_tokens"] = call.usage.output
    if call.usage.cache_read:
        said["gen_ai.usage.cache_read.input_tokens"] = call.usage.cache_read
    if call.usage.cache_write:
        said["gen_ai.usage.cache_write.input_tokens"] = call.usage.cache_write
    if call.usage.reasoning:
        said["gen_ai.usage.reasoning.output_tokens"] = call.usage.reasoning
    return said


def _sdk_span(call: Call, drawing: Drawing, parent: Span) -> None:
    """What Anthropic's own SDK says of the request, inside the span of the instrumentation."""
    said: dict[str, Value] = {
        "server.address": call.model.host,
        "gen_ai.provider.name": "anthropic",
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": call.model.name,
        "http.request.method": "POST",
        "http.route": "/v1/messages",
        "url.full": f"https://{call.model.host}/v1/messages",
        "http.response.status_code": call.failure.status if call.failure else 200,
    }
    said |= _outcome(call)
    said.pop("gen_ai.response.finish_reasons", None)
    if call.failure is None:
        said |= {"anthropic.message.stop_reason": "end_turn", "anthropic.response.service_tier": "standard"}
    times = call.start_ns + 400_000, call.end_ns - 300_000
    drawing.span(
        _SDK,
        "anthropic.messages.create",
        parent,
        times,
        said,
        kind="client",
        failure=call.failure,
        says_ok=True,
    )


def _log_messages(call: Call, drawing: Drawing, span: Span) -> None:
    for message in call.messages:
        event = f"gen_ai.{message.role}.message"
        drawing.log(_OPENAI_V2, event, span, call.start_ns, {"content": message.text}, "openai")
    if call.answer is not None:
        body: dict[str, Value] = {
            "index": 0,
            "finish_reason": call.finish,
            "message": {"role": "assistant", "content": call.answer.text},
        }
        drawing.log(_OPENAI_V2, "gen_ai.choice", span, call.end_ns, body, "openai")
