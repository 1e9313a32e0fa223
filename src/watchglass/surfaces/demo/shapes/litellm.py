"""As LiteLLM's otel callback tells it: `litellm_request` with the caller's metadata and what it thinks it
cost, and below it the provider's own answer."""

from __future__ import annotations

from watchglass.surfaces.demo.records import Call, Run
from watchglass.surfaces.demo.shapes.drawing import Drawing, Scope, Value, parts_json, sentence
from watchglass.surfaces.demo.shapes.otel import entry

_LITELLM = Scope("litellm")


def draw(run: Run, drawing: Drawing) -> None:
    """The service's own span, then each request with its raw one."""
    root = entry(run, drawing)
    for agent in run.agents:
        for call in agent.calls:
            said = _request(run, call) | {"metadata.agent_name": agent.role.name}
            times = call.start_ns, call.end_ns
            span = drawing.span(
                _LITELLM, "litellm_request", root, times, said, failure=call.failure, says_ok=True
            )
            if call.answer is not None and call.usage is not None:
                inside = call.start_ns + 200_000, call.end_ns - 200_000
                drawing.span(_LITELLM, "raw_gen_ai_request", span, inside, _raw(call), says_ok=True)


def _request(run: Run, call: Call) -> dict[str, Value]:
    known = {
        "client_account_id": run.workload.tenant,
        "engagement_id": run.engagement,
        "feature_context": run.workload.feature,
        "flow_id": f"flow-{run.id[:12]}",
    }
    said: dict[str, Value] = {
        "gen_ai.operation.name": call.operation,
        "gen_ai.request.model": call.model.name,
        "gen_ai.system": call.model.provider,
        "llm.request.type": "completion",
        "llm.is_streaming": "False",
        "llm.user": run.user,
        "litellm.call_id": call.id,
        "hidden_params": f'{{"model_id": null, "api_base": "https://{call.model.host}/v1"}}',
        "metadata.requester_metadata": str(known),
        "gen_ai.input.messages": parts_json(call.messages),
    }
    if call.failure is not None:
        said |= {"error.type": call.failure.kind, "error.message": sentence(call.failure)}
        return said
    said |= {
        "gen_ai.response.id": f"{call.model.id_prefix}{call.id}",
        "gen_ai.response.model": call.model.answered,
        "gen_ai.response.finish_reasons": f'["{call.finish}"]',
    }
    if call.answer is not None:
        said["gen_ai.output.messages"] = parts_json((call.answer,), call.finish)
    if call.usage is not None:
        output = call.usage.output or 0
        said |= {
            "gen_ai.usage.input_tokens": call.usage.input,
            "gen_ai.usage.output_tokens": output,
            "gen_ai.usage.total_tokens": call.usage.input + output,
            "metadata.usage_object": str(_usage(call)),
        }
    return said


def _usage(call: Call) -> dict[str, object]:
    used = call.usage
    if used is None:
        return {}
    return {
        "completion_tokens": used.output,
        "prompt_tokens": used.input,
        "total_tokens": used.input + (used.output or 0),
        "completion_tokens_details": {"reasoning_tokens": used.reasoning},
        "prompt_tokens_details": {"cached_tokens": used.cache_read},
    }


def _raw(call: Call) -> dict[str, Value]:
    label = call.model.provider
    return {
        f"llm.{label}.messages": str([{"role": m.role, "content": m.text} for m in call.messages]),
        f"llm.{label}.id": f"{call.model.id_prefix}{call.id}",
        f"llm.{label}.model": call.model.answered,
        f"llm.{label}.object": "chat.completion",
        f"llm.{label}.usage": str(_usage(call)),
    }
