"""LangSmith's OTel mode: LangChain runs, `@traceable` functions and wrapped clients as spans.

`langsmith.span.kind` is the type of the run and decides: `gen_ai.operation.name` says chat also on prompt
templates. The whole request and answer are JSON in `gen_ai.prompt` and `gen_ai.completion`; the parts of
the usage are only in `langsmith.metadata.usage_metadata`. (langsmith 0.3 to 0.14, its OTel exporter.)
"""

from __future__ import annotations

from decimal import Decimal

from watchglass.model import Attributes, Context, Described, Span, Step, StepKind, Usage
from watchglass.wire.dialects import fields, totals
from watchglass.wire.dialects.answers import Answer, answer_of, decoded
from watchglass.wire.dialects.bodies import answer_messages, request_messages
from watchglass.wire.dialects.chains import chain_kind
from watchglass.wire.dialects.steps import made
from watchglass.wire.dialects.usages import completed, usage_of
from watchglass.wire.values import first_text, flag, mapping, money, text

_KIND = "langsmith.span.kind"
_METADATA = "langsmith.metadata."

_REQUESTS = {"llm": "chat", "embedding": "embeddings"}

_HOSTS = ("base_url", "openai_api_base", "api_base", "azure_endpoint", "endpoint_url")

_NO_CONTEXT = Context()


class LangSmith:
    """Reads spans with `langsmith.span.kind`."""

    name = "langsmith"

    def matches(self, span: Span) -> bool:
        """By the attribute: the scope is `langsmith`, unless the application hands its own provider in."""
        return _KIND in span.attributes

    def describe(self, span: Span) -> Described | None:
        """A request, the sum of some, or nothing (chains, prompts, parsers, tools)."""
        attributes = span.attributes
        operation = _REQUESTS.get(text(attributes[_KIND]) or "")
        if operation is not None:
            return _request(span, operation)
        usage = totals.usage(attributes)
        if not usage.known:
            return None
        return Described(dialect=self.name, kind="aggregate", operation="invoke_agent", usage=usage)

    def step(self, span: Span) -> Step | None:
        """Tools as they are; chains by LangChain's metadata, or where `@traceable` functions stand."""
        attributes = span.attributes
        run, name = text(attributes[_KIND]), text(attributes.get("langsmith.trace.name")) or span.name
        kind = "tool" if run == "tool" else _chain(span, name) if run == "chain" else None
        if kind is None:
            return None
        return made(
            span,
            self.name,
            kind,
            text(attributes.get("gen_ai.tool.name")) or name,
            asked=("gen_ai.prompt",),
            answered=("gen_ai.completion",),
            ids=("gen_ai.tool.call.id", "langsmith.span.id"),
        )

    def context(self, span: Span) -> Context:
        """The agent, the session and the user are in the metadata, which is read as a bag."""
        return _NO_CONTEXT


def _chain(span: Span, name: str) -> StepKind | None:
    """LangChain writes its name into `gen_ai.system`; the functions that an author marks have no other."""
    attributes = span.attributes
    root = not span.parent_span_id
    if text(attributes.get("gen_ai.system")) != "langchain":
        return "flow" if root else "task"
    return chain_kind(
        name,
        integration=text(attributes.get(_METADATA + "ls_integration")),
        node=text(attributes.get(_METADATA + "langgraph_node")),
        agent=text(attributes.get(_METADATA + "lc_agent_name")),
        root=root,
    )


def _request(span: Span, operation: str) -> Described:
    attributes = span.attributes
    output = decoded(attributes.get("gen_ai.completion"))
    answer = answer_of(output)
    success, error_type, error_message = fields.failure(span)
    keys = tuple(key for key in ("gen_ai.prompt", "gen_ai.completion") if key in attributes)
    ttft = fields.ttft_ns(span)
    return Described(
        dialect=LangSmith.name,
        kind="call",
        operation=operation,
        provider_label=_label(attributes),
        server_address=fields.host(attributes)
        or first_text(attributes, *(_METADATA + key for key in _HOSTS)),
        request_model=first_text(
            attributes,
            "gen_ai.request.model",
            _METADATA + "ls_model_name",
            _METADATA + "model",
        ),
        response_model=fields.response_model(attributes) or answer.model,
        response_id=text(attributes.get("gen_ai.response.id")) or answer.response_id,
        usage=_usage(attributes, answer),
        reported_cost_usd=_cost(attributes),
        service_tier=fields.service_tier(attributes) or answer.service_tier,
        ttft_ns=ttft,
        # LangChain says false in the metadata also where the caller streams.
        streaming=flag(attributes.get(_METADATA + "stream")) or (True if ttft is not None else None),
        finish_reasons=fields.finish_reasons(span) or answer.finish_reasons,
        success=success,
        error_type=error_type,
        error_message=error_message,
        input_messages=request_messages(attributes.get("gen_ai.prompt")),
        output_messages=() if operation == "embeddings" else answer_messages(output),
        content_keys=keys,
        may_wrap=True,  # a run of type llm may be the application's own function around a client's
    )


def _label(attributes: Attributes) -> str | None:
    """`ls_provider`: `gen_ai.system` falls back to the framework's own name."""
    found = first_text(attributes, _METADATA + "ls_provider", "gen_ai.provider.name", "gen_ai.system")
    return None if found == "langchain" else found


def _usage(attributes: Attributes, answer: Answer) -> Usage:
    """All agree on the totals; the metadata has the parts. LangChain's input includes the cache."""
    more = usage_of(mapping(attributes.get(_METADATA + "usage_metadata")))
    said = totals.usage(attributes)
    if not said.known and not more.known:
        return answer.tokens()
    return completed(said, more)


def _cost(attributes: Attributes) -> Decimal | None:
    metadata = mapping(attributes.get(_METADATA + "usage_metadata"))
    return money(metadata.get("total_cost"))


LANGSMITH = LangSmith()
