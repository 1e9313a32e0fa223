"""Whether a request is seen to be recorded: by what sets tracking up, or by a block of ours around it."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from watchglass.check import scopes, values
from watchglass.check.expressions import late
from watchglass.check.project import Module
from watchglass.check.requests import Request
from watchglass.check.rule import Subject
from watchglass.check.scopes import Call, Place, Scope

TRACKING = frozenset({"init", "initialize_observability", "setup_litellm_tracking"})
"""What sets tracking up (docs/sdk.md, "One line")."""

_TEAMS_OWN = frozenset({"initialize_observability", "setup_litellm_tracking"})
"""What teams have called it before it was ours: the name says it, wherever it is from."""

BLOCKS = frozenset({"context", "flow", "task", "agent", "tool", "trace_agent_execution", "extract"})
"""Context managers and decorators that say for whom, or record what is within."""

SPANS = frozenset({"start_as_current_span", "start_span", "start_as_current_observation"})
"""Spans by hand, for clients that nobody instruments (docs/patterns.md)."""

INSTRUMENTED = frozenset({"litellm", "openai", "anthropic"})
"""Families that `watchglass.init` instruments; of OpenAI, these calls (docs/sdk.md, "What is recorded")."""

_OPENAI = ("chat.completions", "embeddings.create", "beta.chat.completions", "ChatCompletion", "Embedding")
_LANGCHAIN = (
    "ChatOpenAI",
    "AzureChatOpenAI",
    "ChatAnthropic",
    "ChatLiteLLM",
    "OpenAIEmbeddings",
    "AzureOpenAIEmbeddings",
)


def is_recorded(subject: Subject, request: Request) -> bool:
    """Whether something that is seen from here records this request."""
    if any(_is_span(subject, each) for each in _blocks(request.place)):
        return True
    callee = request.callee
    known = callee.family in INSTRUMENTED and (
        callee.family != "openai" or any(part in callee.path for part in _OPENAI)
    )
    if callee.family == "langchain":
        known = callee.path.startswith(_LANGCHAIN)
    if not known:
        return False
    return subject.configuration.instrumented or in_block(subject, request.place) or is_tracked(subject)


def in_block(subject: Subject, place: Place) -> bool:
    """Whether a block or a decorator of ours is around this place."""
    return any(_is_ours(subject, each) for each in _blocks(place))


def in_context(subject: Subject, place: Place) -> bool:
    """Whether a block or a decorator around this place says for whom or what for."""
    return any(_is_ours(subject, each, frozenset({"context", "extract"})) for each in _blocks(place))


def is_context(subject: Subject, node: ast.expr, place: Place) -> bool:
    """Whether a `with` item or a decorator is one of ours that says for whom or what for."""
    return _is_ours(subject, (node, place), frozenset({"context", "extract"}))


def is_tracked(subject: Subject) -> bool:
    """Whether this module, or one of the project that it imports, sets tracking up."""
    if b"watchglass" in subject.module.data and any(tracking_calls(subject, subject.module)):
        return True
    for each in imported_modules(subject, b"watchglass"):
        if any(tracking_calls(subject, each)):
            return True
    return b"LLMUsageCallback" in subject.module.data


def is_watched(subject: Subject, place: Place) -> bool:
    """Whether what CrewAI does here is recorded: tracking is set up, or a block of ours is around it."""
    return subject.configuration.instrumented or in_block(subject, place) or is_tracked(subject)


_OTHERS = late(
    rb"Instrumentor\(\)\s*\.\s*instrument\(|litellm\.(?:success_callback|callbacks)\s*(?:=|\.append|\+=)"
)


def tracked_by_others(subject: Subject) -> bool:
    """Whether another library's tracking is set up here: its spans are read as well."""
    return _OTHERS.search(subject.module.data) is not None


_TRACKING = late(rb"Instrumentor\(|\b(?:%s|LLMUsageCallback)\b" % "|".join(sorted(TRACKING)).encode())


def _sets_up(_: ast.AST, data: bytes, begin: int, end: int) -> object:
    return _TRACKING.search(data, begin, end)


def tracking_calls(subject: Subject, module: Module) -> Iterator[Call]:
    """Calls that set tracking up."""
    for call in module.scanned.calls_where(_sets_up):
        if call.name in _TEAMS_OWN or _instruments(call):
            yield call
        elif call.name in TRACKING or call.name == "LLMUsageCallback":
            for value in subject.resolver.value(call.node.func, call.place, module):
                if value.kind == values.NAME and _is_watchglass(value.path, TRACKING | {"LLMUsageCallback"}):
                    yield call


def _instruments(call: Call) -> bool:
    """`OpenAIInstrumentor().instrument()`: OpenTelemetry's, whose spans are read as well."""
    func = call.node.func
    made = func.value.func if isinstance(func, ast.Attribute) and isinstance(func.value, ast.Call) else None
    named = made.id if isinstance(made, ast.Name) else getattr(made, "attr", "")
    return call.name == "instrument" and named.endswith("Instrumentor")


def imported_modules(subject: Subject, word: bytes) -> Iterator[Module]:
    """Modules of the project that this one imports at its top, if they have this word."""
    module, project = subject.module, subject.resolver.project
    for dotted in _imported_names(module):
        path = project.find(dotted, module.roots)
        found = project.load(path) if path and project.has(path, word) else None
        if found is not None and found is not module:
            yield found


_last: tuple[Module | None, tuple[str, ...]] = (None, ())


def _imported_names(module: Module) -> tuple[str, ...]:
    """What a module imports at its top, each name once; kept for the next request of the same file."""
    global _last
    if _last[0] is not module:
        names: dict[str, None] = {}
        for bindings in module.scanned.module.names.values():
            for each in bindings:
                if each.kind in {scopes.IMPORT, scopes.FROM} and each.path:
                    names[each.path] = None
                    if each.name:
                        names[f"{each.path}.{each.name}"] = None
        _last = (module, tuple(names))
    return _last[1]


def _blocks(place: Place) -> Iterator[tuple[ast.expr, Place]]:
    """What is around a place: `with` items and decorators, from the inside out."""
    here: Place | None = place
    while here is not None:
        yield from ((each, here) for each in here.withs)
        scope: Scope = here.scope
        here = scope.place
        if here is not None:
            yield from ((each, here) for each in getattr(scope.node, "decorator_list", ()))


def _is_ours(subject: Subject, found: tuple[ast.expr, Place], wanted: frozenset[str] = BLOCKS) -> bool:
    node, place = found
    func = node.func if isinstance(node, ast.Call) else node
    return any(
        value.kind == values.NAME and _is_watchglass(value.path, wanted)
        for value in subject.value(func, place)
    )


def _is_span(subject: Subject, found: tuple[ast.expr, Place]) -> bool:
    node = found[0].func if isinstance(found[0], ast.Call) else found[0]
    return isinstance(node, ast.Attribute) and node.attr in SPANS


def _is_watchglass(path: str, wanted: frozenset[str]) -> bool:
    return path.startswith("watchglass.") and path.rpartition(".")[2] in wanted
