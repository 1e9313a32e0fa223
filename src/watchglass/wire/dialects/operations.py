"""What kind of work a `gen_ai.*` span is: one request, a repetition of several, or neither.

The operation name decides where there is one (OpenTelemetry GenAI conventions, `gen_ai.operation.name`;
the names that libraries made up beside it are listed with it); else OpenLLMetry's request type and span
kind; else whether the span looks like a client's request.
"""

from __future__ import annotations

from watchglass.model import Attributes, Kind, Span
from watchglass.wire.values import text

CALLS: dict[str, str] = {
    "chat": "chat",
    "chat.completions": "chat",  # Semantic Kernel
    "chat_completion": "chat",
    "chat_completions": "chat",
    "completion": "chat",  # LiteLLM's name for a chat completion
    "acompletion": "chat",
    "responses": "chat",  # the OpenAI responses API: the conventions say chat
    "aresponses": "chat",
    "response": "chat",
    "anthropic_messages": "chat",
    "messages": "chat",
    "converse": "chat",
    "generation": "chat",
    "generate": "chat",
    "generate_text": "chat",
    "inference": "chat",
    "llm": "chat",
    "llm_call": "chat",
    "text_completion": "text_completion",
    "text_completions": "text_completion",
    "text.completions": "text_completion",  # Semantic Kernel
    "atext_completion": "text_completion",
    "generate_content": "generate_content",
    "agenerate_content": "generate_content",
    "generate_content_stream": "generate_content",
    "agenerate_content_stream": "generate_content",
    "embeddings": "embeddings",
    "embedding": "embeddings",
    "aembedding": "embeddings",
    "embed": "embeddings",
    "embed_content": "embeddings",
    "rerank": "rerank",
    "arerank": "rerank",
    "image_generation": "image_generation",
    "aimage_generation": "image_generation",
    "generate_image": "image_generation",
    "image": "image_generation",
    "transcription": "transcription",
    "atranscription": "transcription",
    "speech_to_text": "transcription",
    "speech": "speech",
    "aspeech": "speech",
    "text_to_speech": "speech",
    "moderation": "moderation",
    "amoderation": "moderation",
}
"""Operation names that are one request, and what each is called here."""

NOT_CALLS: frozenset[str] = frozenset(
    {
        # The conventions' own
        *("execute_tool", "invoke_agent", "create_agent", "invoke_workflow", "execute_task", "retrieval"),
        *("plan", "search_memory", "update_memory", "create_memory", "delete_memory", "upsert_memory"),
        *("create_memory_store", "delete_memory_store", "evaluate"),
        # Strands, openai-agents, OpenLLMetry, Google ADK
        *("execute_event_loop_cycle", "invoke_swarm", "invoke_graph", "invoke_node", "agent_handoff"),
        *("handoff", "guardrail", "guardrail_check", "unknown", "workflow", "task", "agent", "tool"),
        *("speech_group", "mcp_list_tools", "custom", "invocation", "send_data"),
        # Azure AI agents
        *("create_thread", "create_message", "start_thread_run", "process_thread_run", "get_thread_run"),
        *("submit_tool_outputs", "list_messages", "list_run_steps"),
        # Spring AI, OpenLIT
        *("framework", "count_tokens", "vectordb", "graph", "evaluation", "cache"),
    }
)
"""Operation names that are no request of their own; with usage they repeat that of what is below them."""

_NOT_CALL_WORDS = (
    "agent",
    "tool",
    "workflow",
    "task",
    "chain",
    "retriev",
    "memory",
    "handoff",
    "count",
    "prompt",
)

_REQUEST_TYPES = {
    "chat": "chat",
    "completion": "chat",
    "acompletion": "chat",
    "text_completion": "text_completion",
    "atext_completion": "text_completion",
    "embedding": "embeddings",
    "aembedding": "embeddings",
    "rerank": "rerank",
}

_TRACELOOP_KINDS = frozenset({"workflow", "task", "agent", "tool", "handoff", "guardrail"})

_AGENT_NAMES = ("invoke_agent", "agent", "crew", "workflow", "chain", "execute_tool", "running tool")

_CLIENT = 3

_MODELS = frozenset(
    {"gen_ai.request.model", "gen_ai.response.model", "llm.request.model", "llm.response.model"}
)

NAMELESS = "chat"
"""What a request is called that names no operation: by far the most are."""

Judged = tuple[Kind, str]
"""Kind of the span, and its operation by our names."""


def judge(span: Span, has_usage: bool) -> Judged | None:
    """What kind of work the span is; None where it is neither a request nor a repetition of usage."""
    attributes = span.attributes
    named = text(attributes.get("gen_ai.operation.name"))
    if named is not None:
        judged = _by_operation(named.lower(), span, has_usage)
    elif (requested := text(attributes.get("llm.request.type"))) is not None:
        judged = "call", _REQUEST_TYPES.get(requested.lower(), NAMELESS)
    elif text(attributes.get("traceloop.span.kind")) in _TRACELOOP_KINDS:
        judged = _repetition("invoke_agent", has_usage)
    else:
        judged = _by_looks(span, has_usage)
    if judged is not None and judged[0] == "call" and "count" in span.name and _counts_tokens(span.name):
        return None
    return judged


def has_model(attributes: Attributes) -> bool:
    """Whether a model is named at all."""
    return not _MODELS.isdisjoint(attributes)


def _by_operation(operation: str, span: Span, has_usage: bool) -> Judged | None:
    known = CALLS.get(operation)
    if known is not None:
        return "call", known
    if operation in NOT_CALLS:
        return _repetition(operation, has_usage)
    if any(word in operation for word in _NOT_CALL_WORDS) and "chat" not in operation:
        return _repetition(operation, has_usage)
    if has_usage or (span.kind == _CLIENT and has_model(span.attributes)):
        return "call", operation
    return None


def _by_looks(span: Span, has_usage: bool) -> Judged | None:
    """No operation name: a request names a model, and is a client's span or tells of an answer."""
    attributes = span.attributes
    name = span.name.lower()
    if name.startswith(_AGENT_NAMES) or "gen_ai.tool.name" in attributes:
        return _repetition("invoke_agent", has_usage)
    if not has_model(attributes):
        return None
    answered = (
        has_usage or "gen_ai.response.id" in attributes or "gen_ai.response.finish_reasons" in attributes
    )
    if not answered and span.kind != _CLIENT:
        return None
    return "call", "embeddings" if "embed" in name else NAMELESS


def _repetition(operation: str, has_usage: bool) -> Judged | None:
    return ("aggregate", operation) if has_usage else None


def _counts_tokens(name: str) -> bool:
    lowered = name.lower()
    return "count_tokens" in lowered or "counttokens" in lowered or "token_count" in lowered
