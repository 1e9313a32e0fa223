"""WG002: a request to a model that goes past the service, and past everything that would record it."""

from __future__ import annotations

from collections.abc import Iterator

from watchglass.check import recorded, tokens
from watchglass.check.finding import ERROR
from watchglass.check.rule import IMPORTS, NO, YES, Found, Rule, Subject


def wants(data: bytes, package: str) -> int:
    """Files that name a provider and a request, and those whose request says enough by itself."""
    if tokens.may_request(data, package):
        return YES
    return IMPORTS if tokens.is_certain(data, package) else NO


def check(subject: Subject) -> Iterator[Found]:
    """Every request that is neither allowed where it stands nor seen to be recorded."""
    configuration = subject.configuration
    if configuration.allows(configuration.relative(subject.path), subject.module.dotted):
        return
    for request in subject.requests:
        if not configuration.require_service and recorded.is_recorded(subject, request):
            continue
        yield Found(
            request.node,
            request.place,
            f"{request.callee.path} asks {request.callee.family} directly: "
            "nothing here records it or says for whom",
        )


RULE = Rule(
    code="WG002",
    name="direct-llm-call",
    severity=ERROR,
    summary="A client of a language model is called directly where the service should be used.",
    because="What goes through neither the service nor a block that records it has no tenant and no feature, "
    "so nobody pays for it, and a client that nobody instruments is not on the bill at all.",
    source="https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/",
    fix="ask through multi_model_service, or set up watchglass.init() in this file, or put the call in "
    "`with watchglass.context(tenant=…, feature=…)`",
    wants=wants,
    check=check,
    wrong="""\
import litellm


def answer(question: str) -> str:
    found = litellm.completion(model="openai/gpt-4o-mini", messages=[{"role": "user", "content": question}])
    return found.choices[0].message.content
""",
    right="""\
import litellm
import watchglass


def answer(question: str, tenant: str) -> str:
    with watchglass.context(tenant=tenant, feature="answer"):
        found = litellm.completion(
            model="openai/gpt-4o-mini", messages=[{"role": "user", "content": question}]
        )
    return found.choices[0].message.content
""",
)
