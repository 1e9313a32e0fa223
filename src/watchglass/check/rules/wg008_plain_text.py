"""WG008: content or an API key written to a log as it is."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from watchglass.check import scopes, tokens
from watchglass.check.finding import ERROR
from watchglass.check.rule import NO, YES, Found, Rule, Subject
from watchglass.check.scopes import Call, Place, Scope

LEVELS = frozenset(
    {"debug", "info", "warning", "warn", "error", "exception", "critical", "fatal", "log", "trace"}
)
_KEY = re.compile(
    r"(?:^|_)(?:api_?keys?|secret_?key|access_?key|auth_?token|access_?token|api_?token|bearer_?token|client_secret)$",
    re.I,
)
_NO_KEY = re.compile(
    r"(?:^|_)(?:has|is|no|use|uses|need|needs|requires?|missing|hashed|masked|hash|encrypted|redacted|obfuscated|"
    r"abbreviated|num|max|valid|invalid|which|public|safe|count)_",
    re.I,
)
_ENVIRONMENT = re.compile(
    r"(?:API_?KEY|SECRET_?KEY|ACCESS_?KEY|API_?TOKEN|AUTH_?TOKEN|ACCESS_?TOKEN|CLIENT_SECRET)$"
)
_CONTENT_NAMES = frozenset(
    {"prompt", "system_prompt", "user_prompt", "full_prompt", "final_prompt", "messages", "chat_history",
     "user_message", "system_message", "chat_messages", "prompt_text", "llm_response", "completion_text"}
)  # fmt: skip
_CONTENT_PATHS = (".message.content", ".output_text", ".delta.content", ".choices[].text", ".content[].text")
_ASKED_WITH = frozenset({"messages", "prompt", "input", "contents", "message"})
_TEXTS = frozenset({"str", "repr", "dumps", "pformat", "format", "join", "strip", "format_exc", "prettify"})
_LOGGED = re.compile(
    rb"(?:print|\.(?:debug|info|warning|warn|error|exception|critical|fatal|log|trace))\s*\(", re.I
)
_TELLING = re.compile(
    rb"(?i)api_?key|secret_?key|access_?key|_token\b|client_secret|prompt|messages?\b|content|chat_history|"
    rb"completion_text|response|output_text"
)


def wants(data: bytes) -> int:
    """Files that name a provider and log something that is named like a secret or a text."""
    if not tokens.any_of(data, tokens.PROVIDERS):
        return NO
    return (
        YES
        if any(_TELLING.search(data, each.end(), each.end() + 300) for each in _LOGGED.finditer(data))
        else NO
    )


def check(subject: Subject) -> Iterator[Found]:
    """Every logging call with a key or a text among its arguments; `print` counts for keys alone."""
    asked = _Asked(subject)
    for call in subject.module.scanned.calls:
        logs = _is_log(call)
        if not logs and not (isinstance(call.node.func, ast.Name) and call.node.func.id == "print"):
            continue
        for given in [*call.node.args, *(each.value for each in call.node.keywords)]:
            what = next((found for each in _shown(given) if (found := _secret(each))), "")
            if not what and logs:
                what = next(
                    (found for each in _shown(given) if (found := asked.content(each, call.place))), ""
                )
            if what:
                yield Found(call.node, call.place, f"{what} is logged in plain text")
                break


def _is_log(call: Call) -> bool:
    func = call.node.func
    if not isinstance(func, ast.Attribute) or func.attr not in LEVELS:
        return False
    owner = func.value.func if isinstance(func.value, ast.Call) else func.value
    named = owner.id if isinstance(owner, ast.Name) else getattr(owner, "attr", "")
    return "log" in named.lower() and "dialog" not in named.lower() and "catalog" not in named.lower()


def _shown(node: ast.expr) -> Iterator[ast.expr]:
    """The parts of an argument that are written out; not what is only asked about (`len(prompt)`)."""
    pending: list[ast.expr] = [node]
    while pending:
        each = pending.pop()
        if isinstance(each, ast.JoinedStr):
            pending += [part.value for part in each.values if isinstance(part, ast.FormattedValue)]
        elif isinstance(each, ast.BinOp) and isinstance(each.op, (ast.Mod, ast.Add)):
            pending += [each.left, each.right]
        elif isinstance(each, (ast.Tuple, ast.List)):
            pending += each.elts
        elif isinstance(each, ast.Dict):
            pending += each.values
        elif isinstance(each, ast.IfExp):
            pending += [each.body, each.orelse]
        elif isinstance(each, ast.BoolOp):
            pending += each.values
        elif isinstance(each, ast.Call) and _last(each.func) in _TEXTS:
            pending += [*each.args, *(keyword.value for keyword in each.keywords)]
            if isinstance(each.func, ast.Attribute) and each.func.attr == "strip":
                pending.append(each.func.value)
        else:
            yield each


def _secret(node: ast.expr) -> str:
    """What key is shown, `""` when none; a part of one (`key[:4]`) is none."""
    if isinstance(node, (ast.Name, ast.Attribute)):
        named = _last(node)
        return f"the key {named}" if _KEY.search(named) and not _NO_KEY.search(f"{named}_") else ""
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        key = node.slice.value
        if (
            isinstance(key, str)
            and (_KEY.search(key) or _ENVIRONMENT.search(key))
            and not _NO_KEY.search(key)
        ):
            return f"the key {key}"
    if (
        isinstance(node, ast.Call)
        and _last(node.func) in {"getenv", "get", "get_secret", "get_secret_str"}
        and node.args
    ):
        first = node.args[0]
        if (
            isinstance(first, ast.Constant)
            and isinstance(first.value, str)
            and _ENVIRONMENT.search(first.value)
        ):
            return f"the key {first.value}"
    if isinstance(node, ast.Call) and _last(node.func) == "get_secret_value":
        return "a secret"
    return ""


class _Asked:
    """The texts that a file sends to models and gets back."""

    def __init__(self, subject: Subject) -> None:
        self.sent: set[tuple[Scope, str]] = set()
        self.nodes: set[ast.AST] = set()
        for request in subject.requests:
            self.nodes.add(request.node)
            if isinstance(request.node, ast.Call):
                for keyword in request.node.keywords:
                    if keyword.arg in _ASKED_WITH and isinstance(keyword.value, ast.Name):
                        self.sent.add((request.place.scope, keyword.value.id))

    def content(self, node: ast.expr, place: Place) -> str:
        """What text is shown, `""` when none."""
        path = _path(node)
        if path.endswith(_CONTENT_PATHS):
            return "a model's answer"
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
            node = node.value
        if not isinstance(node, (ast.Name, ast.Attribute)):
            return ""
        named = _last(node)
        if named in _CONTENT_NAMES or (place.scope, named) in self.sent:
            return f"the text {named}"
        if isinstance(node, ast.Name) and self._is_answer(named, place.scope):
            return f"a model's answer ({named})"
        return ""

    def _is_answer(self, name: str, scope: Scope) -> bool:
        bindings = scope.names.get(name, ())
        return any(
            each.kind == scopes.VALUE and _awaited(each.node) in self.nodes and not each.items
            for each in bindings
        )


def _awaited(node: ast.AST | None) -> ast.AST | None:
    return node.value if isinstance(node, ast.Await) else node


def _path(node: ast.expr) -> str:
    """As it is written, with `[]` for every item."""
    parts: list[str] = []
    here: ast.expr = node
    while isinstance(here, (ast.Attribute, ast.Subscript)):
        parts.append(f".{here.attr}" if isinstance(here, ast.Attribute) else "[]")
        here = here.value
    return (here.id if isinstance(here, ast.Name) else "") + "".join(reversed(parts))


def _last(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")


RULE = Rule(
    code="WG008",
    name="plain-text-logged",
    severity=ERROR,
    summary="The content of a request or an answer, or an API key, is logged in plain text.",
    because="Logs are kept longer, copied further and read by more people than prompts may be; what the "
    "policy on content hashes or redacts is in them as it is, and a key in a log is a key that must be "
    "changed.",
    source="https://owasp.org/www-project-top-10-for-large-language-model-applications/ (LLM02, sensitive "
    "information disclosure)",
    fix="log ids, lengths and hashes instead: the text is on the recorded call, under the policy on content",
    wants=wants,
    check=check,
    wrong="""\
import logging

import litellm

logger = logging.getLogger(__name__)


def answer(messages: list[dict[str, str]]) -> str:
    logger.info("asking: %s", messages)
    return litellm.completion(model="openai/gpt-4o-mini", messages=messages).choices[0].message.content
""",
    right="""\
import logging

import litellm

logger = logging.getLogger(__name__)


def answer(messages: list[dict[str, str]]) -> str:
    logger.info("asking with %d messages", len(messages))
    return litellm.completion(model="openai/gpt-4o-mini", messages=messages).choices[0].message.content
""",
)
