"""Which calls are requests to a language model: by what they resolve to, else by a telling shape."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

from watchglass.check import asking, clients, scopes, values
from watchglass.check.clients import Callee
from watchglass.check.expressions import late
from watchglass.check.project import Module
from watchglass.check.resolve import Resolver
from watchglass.check.scopes import Call, Place


class Shape(NamedTuple):
    """The end of a path that says enough by itself, together with some of the call's arguments."""

    suffix: str
    family: str
    any_of: frozenset[str] = frozenset()
    """At least one of these keywords; none needed when empty."""
    token: bytes = b""
    """What the file must mention where the arguments come as `**kwargs`, and where `always` is set."""
    always: bool = False


def _shape(suffix: str, family: str, any_of: str = "", token: bytes = b"", always: bool = False) -> Shape:
    return Shape(suffix, family, frozenset(any_of.split()), token, always)


SHAPES: tuple[Shape, ...] = (
    _shape(".chat.completions.create", "openai"),
    _shape(".chat.completions.parse", "openai"),
    _shape(".chat.completions.stream", "openai"),
    _shape(".completions.create", "openai", "prompt model", b"openai"),
    _shape(".responses.create", "openai", "input prompt instructions", b"openai"),
    _shape(".responses.parse", "openai", "input text_format", b"openai"),
    _shape(".responses.stream", "openai", "input text_format", b"openai"),
    _shape(".embeddings.create", "openai", "input inputs", b"openai"),
    _shape(".images.generate", "openai", "prompt", b"openai"),
    _shape(".audio.transcriptions.create", "openai"),
    _shape(".audio.translations.create", "openai"),
    _shape(".audio.speech.create", "openai"),
    _shape(".ChatCompletion.create", "openai"),
    _shape(".ChatCompletion.acreate", "openai"),
    _shape(".messages.create", "anthropic", "max_tokens messages", b"nthropic"),
    _shape(".messages.stream", "anthropic", "max_tokens messages", b"nthropic"),
    _shape(".messages.parse", "anthropic", "max_tokens messages", b"nthropic"),
    _shape(".models.generate_content", "google"),
    _shape(".models.generate_content_stream", "google"),
    _shape(".models.embed_content", "google"),
    _shape(".generate_content", "google", "", b"gen", True),
    _shape(".generate_content_async", "google", "", b"gen", True),
    _shape(".chat.complete", "mistral", "messages", b"istral"),
    _shape(".chat.complete_async", "mistral", "messages", b"istral"),
    _shape(".chat.stream_async", "mistral", "messages", b"istral"),
    _shape(".converse", "bedrock", "modelId", b"edrock"),
    _shape(".converse_stream", "bedrock", "modelId", b"edrock"),
    _shape(".invoke_model", "bedrock", "modelId", b"edrock"),
    _shape(".invoke_model_with_response_stream", "bedrock", "modelId", b"edrock"),
)
"""For receivers of whom nothing is known: a parameter without annotation, an object from another library."""

_LITELLM = late(r"(?:^\?|[._])litellm\.(\w+)$")
_LITELLM_FUNCTIONS = frozenset(
    path.partition(".")[2] for path in clients.REQUESTS if path.startswith("litellm.")
)

RUNNERS = frozenset(
    [
        "to_thread",
        "run_sync",
        "run_in_executor",
        "submit",
        "run_in_threadpool",
        "Thread",
        "apply_async",
        "start_soon",
        "create_task",
        "from_thread_run",
        "run_coroutine_threadsafe",
    ]
)
"""Functions that call what they are given, with the arguments beside it."""


class Request(NamedTuple):
    """A call that sends a request; `node` is the reference where another function is to call it."""

    node: ast.expr
    place: Place
    callee: Callee


def find(module: Module, resolver: Resolver) -> list[Request]:
    """All of a module, each once."""
    langchain = b"langchain" in module.data
    calls = asking.calls(module.scanned, langchain)
    wanted = clients.METHOD_NAMES | _renamed(module)
    found: list[Request] = []
    for call in calls:
        called = call.name
        if called in wanted or not called or (langchain and _may_be_model(call.node.func)):
            callee = callee_of(call, resolver, module)
            if callee is not None:
                found.append(Request(call.node, call.place, callee))
        if called in RUNNERS:
            found += _handed_over(call, resolver, module)
    return [each for each in found if module.package not in clients.OWNERS[each.callee.family]]


def callee_of(call: Call, resolver: Resolver, module: Module) -> Callee | None:
    """What request this call is, None when it is none."""
    found = resolver.value(call.node.func, call.place, module)
    if _is_wrapper(call.node.func, found):
        return None
    for value in found:
        if value.kind == values.NAME and not value.items:
            callee = match(value.path, call.node, module.data)
            if callee is not None:
                return callee
    return None


def _is_wrapper(func: ast.expr, found: values.Values) -> bool:
    """Whether another object's attribute may be a function of the project: one that was put around a request.

    `self.ask = partial(completion, …)`, then `self.ask = retried`: who asks it, calls the wrapper. Within
    the class itself, under `self`, the request is meant.
    """
    if not isinstance(func, ast.Attribute) or _last(func.value) in {"self", "cls"}:
        return False
    return any(each.kind == values.FUNCTION for each in found)


def match(path: str, call: ast.Call | None, data: bytes) -> Callee | None:
    """The request of this path."""
    path = clients.normal(path)
    found = clients.REQUESTS.get(path)
    if found is not None:
        return found
    litellm = _LITELLM.search(path)
    if litellm and litellm[1] in _LITELLM_FUNCTIONS:
        return Callee("litellm", f"litellm.{litellm[1]}")
    if not path.startswith("?") or path.startswith("?super()"):
        return None  # an object of a library that is not in the table
    for shape in SHAPES:
        if path.endswith(shape.suffix) and _fits(shape, call, data):
            return Callee(shape.family, shape.suffix[1:])
    return None


def _fits(shape: Shape, call: ast.Call | None, data: bytes) -> bool:
    if shape.always:
        return shape.token in data
    if not shape.any_of or call is None:
        return not shape.any_of or shape.token in data
    keywords = {each.arg for each in call.keywords}
    return bool(keywords & shape.any_of) or (None in keywords and shape.token in data)


def _handed_over(call: Call, resolver: Resolver, module: Module) -> Iterator[Request]:
    """`asyncio.to_thread(litellm.completion, …)`: the reference is where the request is made."""
    given = [
        *call.node.args[:2],
        *(each.value for each in call.node.keywords if each.arg in {"target", "func", "fn"}),
    ]
    for node in given:
        inner = node
        if isinstance(inner, ast.Call) and inner.args and _last(inner.func) == "partial":
            inner = inner.args[0]
        if not isinstance(inner, (ast.Name, ast.Attribute)):
            continue
        for value in resolver.value(inner, call.place, module):
            if value.kind == values.NAME and not value.items and not value.path.endswith(")"):
                callee = match(value.path, None, module.data)
                if callee is not None:
                    yield Request(inner, call.place, callee)
                    break


def _may_be_model(func: ast.expr) -> bool:
    """Whether what is called is named like a model: `llm(…)`, `self.chat_model(…)`."""
    called = _last(func).lower()
    return any(part in called for part in ("llm", "model", "chat", "gpt"))


def _last(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")


def _renamed(module: Module) -> frozenset[str]:
    """Names that may be a request under another name: imported `as`, assigned, by `partial` or `getattr`."""
    found: set[str] = set()
    for _ in range(2):  # a second name for what has another name already
        for scope in module.scanned.passed:
            for bound, bindings in scope.names.items():
                if bound not in found and any(_may_rename(each, found) for each in bindings):
                    found.add(bound)
            for attribute, pairs in scope.attributes.items():
                if attribute not in found and any(_may_rename(each, found) for _, each in pairs):
                    found.add(attribute)
        if not found:
            break
    return frozenset(found)


def _may_rename(binding: scopes.Binding, renamed: set[str]) -> bool:
    if binding.kind == scopes.FROM:
        return binding.name in clients.METHOD_NAMES
    node = binding.node
    if binding.kind != scopes.VALUE:
        return False
    if isinstance(node, ast.Attribute):
        return node.attr in clients.METHOD_NAMES or node.attr in renamed
    if isinstance(node, ast.Call):
        return _last(node.func) in {"partial", "getattr", "cast", "partialmethod", "wraps", "patch"}
    return isinstance(node, (ast.IfExp, ast.BoolOp, ast.Dict))
