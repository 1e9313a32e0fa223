"""WG008: content or an API key written to a log as it is."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from watchglass.check import scopes, tokens
from watchglass.check.bodies import dedent
from watchglass.check.expressions import late
from watchglass.check.finding import ERROR
from watchglass.check.rule import NO, YES, Found, Rule, Subject
from watchglass.check.scopes import Call, Scope

LEVELS = frozenset(
    {"debug", "info", "warning", "warn", "error", "exception", "critical", "fatal", "log", "trace", "success"}
)
_ANSWER = "a model's answer"
_NO_WORDS = late(r"error(?:event)?$|^message_?(?:delta|start|stop)(?:event)?$", re.I)
_MAKES_LOGGER = frozenset({"getLogger", "get_logger", "getChild"})
_KEYS_NAMED = (
    r"(?:api_?keys?|secret_?key|secret_access_key|access_?token|auth_?token|bearer_?token|master_?key|"
    r"(?:openai|anthropic|claude|gemini|groq|mistral|cohere|deepseek|openrouter|litellm|huggingface|hf|replicate)"
    r"_?(?:key|token))"
)
_KEY = late(_KEYS_NAMED + "$", re.I)
_NO_KEY = late(
    r"(?:^|_)(?:has|is|no|use|uses|need|needs|requires?|missing|num|max|valid|invalid|which|public|count)_|"
    r"mask|redact|hide|hidden|scrub|saniti|hash|encrypt|obfuscat|abbreviat",
    re.I,
)
_TEXTS_NAMED = r"(?:prompts?|messages|llm_responses?|llm_outputs?|response_text|completion)"
_CONTENT = late(rf"^_*(?:\w+_)?{_TEXTS_NAMED}$", re.I)
_NAMED = late(f"{_KEYS_NAMED}|{_TEXTS_NAMED}|get_secret_value".encode())
"""What is named like this, in small letters, can be a finding without a request in the same function."""
_NO_CONTENT = late(
    r"^_*(?:num|max|min|count|has|is|use|no|n|len|error|status|log|commit|acompletion|hide|warning|validation|"
    r"flash|queue|kafka|sqs|email|sms|slack|unread|shell|command|cli|login|password|confirm|duplicate|success|"
    r"failure|failed|info|debug|alert|notification|toast|mqtt|websocket|socket|rabbit|redis|available|"
    r"total|valid|skipped|processed|remaining|unique)_",
    re.I,
)
_PROMPT = late(r"^_*(?:\w+_)?(?:prompt|llm_response|llm_output)$", re.I)
"""The only names that tell by themselves in a module that names no provider."""
_RECEIVED = frozenset(
    {"receive_messages", "receive_message", "poll", "xread", "pull", "fetchall", "fetchmany"}
)
_ERRORS = frozenset({"error", "exception", "warning", "warn", "critical", "fatal"})
_ASKED_WITH = frozenset({"messages", "prompt", "input", "contents", "message"})
_ASKED_FIRST = frozenset({"langchain", "google"})
"""Whose requests take the words as their first argument."""
_WORDS_OF_A_MESSAGE = frozenset({"content", "text", "parts"})
_WORDS_OF_A_CHOICE = frozenset({"content", "tool_calls", "reasoning_content"})
_CHOICE = frozenset({"message", "delta"})
_DEEP = 3
_NEUTRAL = late(
    r"usage|(?:^|_)id$|^trace$|^model|^created|^object$|reason$|^role$|^type$|^index$|^status|tokens|fingerprint|"
    r"metadata$|latency|^name$|^headers$|^code$|^cost|__|^data_type$|^finish|^version$|^_?hidden_params$|^timestamp$"
)
_TEXTS = frozenset(
    [
        *(
            "str",
            "repr",
            "dumps",
            "pformat",
            "format",
            "join",
            "strip",
            "prettify",
            "rstrip",
            "model_dump_json",
        ),
        *("cast", "list", "tuple", "dict", "deepcopy", "copy"),
    ]
)
_READING = frozenset({"loads", "literal_eval", "str", "repr", "cast", "clean_json", "strip", "dict", "list"})
_HANDING_ON = ("gather", "wait_for", "shield", "zip", "enumerate", "as_completed", "run_until_complete")
"""What gives back what it is given, or what comes of it; also a `gather` of the project's own."""
_SIDE_BY_SIDE = frozenset({"zip", "enumerate"})
_NAMES_AN_ANSWER = late(r"^r$|^res$|resp|answer|complet|result|output|reply|generat", re.I)
"""Which of the names in `for path, response in zip(paths, responses)` has the answer."""
_MASKING = late(r"mask|redact|hide|scrub|saniti|hash|len|bool|type|isinstance|count", re.I)
_LOGGED = (
    b"print(", b".write(", b".warn(", b".debug(", b".info(", b".warning(", b".error(", b".exception(",
    b".critical(", b".fatal(", b".log(", b".trace(", b".success(",
)  # fmt: skip
_TELLING = late(
    rb"[{(,.+%]\s*(?:\w+\.)*\w*(?:api_?keys?|secret_?key|access_?token|auth_?token|bearer_?token|master_?key|prompts?|"
    rb"messages|completion|llm_response|llm_output|response_text|(?:ai|c|q|e|m|l|d|k|hf)_?(?:key|token))\s*[}),!:\[.=]|"
    rb"[\"'](?:\w*(?:api|ai|access)_?key|\w*token|messages|\w*prompt|completion)[\"']\s*[\]),]"
)
_KEYS = (b"key", b"KEY", b"Key", b"_token", b"_TOKEN", b"Token")
_SAYING_KEY = late(
    rb"[{(,.+%:=][ \t\n]*(?:\w+\.)*\w*(?:api_?keys?|secret_?key|secret_access_key|access_?token|auth_?token|"
    rb"bearer_?token|master_?key|(?:openai|anthropic|hf|litellm)_?(?:key|token))\s*[}),!:\[.=]|"
    rb"[\"']\w*(?:api_?key|access_?token|auth_?token)[\"']\s*[\]),]"
)
_SAYING_PROMPT = late(rb"[{(,.+%]\s*(?:\w+\.)*\w*(?:prompt|llm_response|llm_output)\s*[}),!:\[.=]")
_ABOUT_MODELS = late(
    rb"gpt|llm|language.model|chatbot|chat_?model|chat_?completion|max_tokens|temperature|system_(?:prompt|message)"
)
_ASKS_A_PERSON = late(rb"(?<![\w.])(?:raw_)?input\(|getpass")
_FOR_A_PERSON = late(r"\bpress\b|\b(?:hit|type|enter) |\[y/n\]|\(y/n\)|continue\?", re.I)
_NEAR = 240
"""So many bytes after its parenthesis the arguments of a call are looked for."""
_LONGEST = 4000
"""So many bytes the arguments of a call may be, where missing one would miss a finding."""


def wants(data: bytes, package: str) -> int:
    """Files that have to do with models and log something named like a secret or a text, or ask and log."""
    if not _names_provider(data):
        return YES if _says_prompt(data, package) or _says_key(data) else NO
    logs = False
    for at in tokens.places(data, _LOGGED):
        logs = True
        if _TELLING.search(data[at : at + _NEAR].lower()):
            return YES
    return YES if logs and (b"choices" in data or tokens.may_request(data, package)) else NO


def _names_provider(data: bytes) -> bool:
    return bool(tokens.providers_in(data)) or b"LLM" in data or b"llm" in data


def _says_key(data: bytes) -> bool:
    """Whether a file that names no provider writes out what is called a key: a credential is one anywhere."""
    return tokens.any_of(data, _KEYS) and any(
        _SAYING_KEY.search(data[at : at + _NEAR].lower()) for at in tokens.places(data, _LOGGED)
    )


def _says_prompt(data: bytes, package: str) -> bool:
    """Whether a prompt is logged by a file that names no provider, but is about models by its own words."""
    if b"prompt" not in data or _ASKS_A_PERSON.search(data):
        return False
    said = any(
        _SAYING_PROMPT.search(data[at : at + _NEAR].lower())
        for at in tokens.places(data, _LOGGED)
        if not data.startswith(b"print(", at)
    )
    return said and _ABOUT_MODELS.search(package.lower().encode() + b" " + tokens.lowered(data)) is not None


def check(subject: Subject) -> Iterator[Found]:
    """Every logging call with a key or a text among its arguments; `print` counts for keys alone."""
    asked = _Asked(subject)
    for call in subject.module.scanned.calls_near(_lines(subject)):
        logs = _is_log(call)
        if not logs and not _is_output(call):
            continue
        given = [
            *call.node.args,
            *(each.value for each in call.node.keywords if each.arg not in {"exc_info"}),
        ]
        shown = [part for each in given for part in _shown(each)]
        scope, level = call.place.scope, call.name
        what = next((found for each in shown if (found := _secret(each, scope))), "")
        if not what and logs:
            what = next((found for each in shown if (found := asked.content(each, scope, level))), "")
        if what == _ANSWER and _is_of_error(call):
            continue
        if what:
            yield Found(call.node, call.place, f"{what} is logged in plain text")


def _is_of_error(call: Call) -> bool:
    """Whether it stands where an event was found to be an error, or the end: it then has no words."""
    line = call.node.lineno
    for each in ast.walk(call.place.scope.node):
        if not isinstance(each, (ast.If, ast.match_case)) or not _NO_WORDS.search(_told_by(each)):
            continue
        if each.body[0].lineno <= line <= (each.body[-1].end_lineno or line):
            return True
    return False


def _told_by(branch: ast.If | ast.match_case) -> str:
    """What a thing is found to be: `isinstance(event, ErrorEvent)`, `event.type == "error"`, `case …:`."""
    test = branch.pattern if isinstance(branch, ast.match_case) else branch.test
    if isinstance(test, ast.MatchClass):
        return _last(test.cls)
    if isinstance(test, ast.Call) and _last(test.func) == "isinstance" and len(test.args) == 2:
        return _last(test.args[1])
    if isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.Eq):
        told = test.comparators[0]
    else:
        told = test.value if isinstance(test, ast.MatchValue) else None
    return str(told.value) if isinstance(told, ast.Constant) else ""


def _lines(subject: Subject) -> list[int]:
    """The lines on which something is logged that may be a finding by its name, in order."""
    if subject.module.source.cells:
        return list(range(1, len(subject.module.source.lines) + 1))
    data = subject.module.data
    small = tokens.lowered(data)
    logged = sorted(tokens.places(data, _LOGGED))
    told = [at for at in logged if _NAMED.search(small, at, _end(data, at))]
    choices = tokens.places(data, (b"choices", b"choice[")) if logged else ()
    return tokens.lines_of(data, sorted([*told, *choices]))


def _end(data: bytes, at: int) -> int:
    """Where a call ends at the latest: at a line that is indented no further, unless that is in a text."""
    line = data.rfind(b"\n", 0, at) + 1
    indent = next((place for place in range(line, at) if data[place] != 32), at) - line
    found = dedent(indent).search(data, at, at + _LONGEST)
    end = found.start() if found is not None else at + _LONGEST
    if any(data.count(quotes, at, end) % 2 for quotes in (b'"""', b"'''")):
        return at + _LONGEST
    return max(end, at + _NEAR)


def _is_log(call: Call) -> bool:
    func = call.node.func
    if not isinstance(func, ast.Attribute) or func.attr not in LEVELS:
        return False
    owner = func.value
    while isinstance(owner, ast.Call):
        owner = owner.func.value if isinstance(owner.func, ast.Attribute) else owner.func
    named = (owner.id if isinstance(owner, ast.Name) else getattr(owner, "attr", "")).lower()
    if named in {"log", "logger", "logging", "structlog", "loguru"}:
        return True
    if named.endswith(("logger", "_log", "logging")):
        return True
    return isinstance(owner, ast.Name) and _is_made_logger(owner.id, call.place.scope)


def _is_made_logger(name: str, scope: Scope | None) -> bool:
    """Whether a name is given a logger: `audit = logging.getLogger("audit")`."""
    while scope is not None:
        bindings = scope.names.get(name)
        if bindings is not None:
            return any(
                isinstance(each.node, ast.Call) and _last(each.node.func) in _MAKES_LOGGER
                for each in bindings
            )
        scope = scope.parent
    return False


def _is_output(call: Call) -> bool:
    return call.name == "print" or scopes.dotted(call.node.func) in {
        "sys.stdout.write",
        "sys.stderr.write",
        "warnings.warn",
    }


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
        elif isinstance(each, (ast.ListComp, ast.GeneratorExp)):
            pending.append(each.elt)
            if not _is_neutral(_asked_for(each.elt) or _last(each.elt)):
                pending += [generator.iter for generator in each.generators]
        elif isinstance(each, ast.IfExp):
            pending += _branches(each)
        elif isinstance(each, ast.BoolOp):
            pending += each.values
        elif isinstance(each, ast.Call) and (_last(each.func) in _TEXTS or _last(each.func)[:1].isupper()):
            pending += [*each.args, *(keyword.value for keyword in each.keywords)]
            if isinstance(each.func, ast.Attribute) and each.func.attr in {
                "strip",
                "rstrip",
                "model_dump_json",
            }:
                pending.append(each.func.value)
        else:
            yield each


def _branches(node: ast.IfExp) -> list[ast.expr]:
    """What a choice may show; not the branch in which the value is known: `"none" if key == "" else key`."""
    test = node.test
    if isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.comparators[0], ast.Constant):
        if isinstance(test.ops[0], (ast.Eq, ast.Is)):
            return [node.orelse]
        if isinstance(test.ops[0], (ast.NotEq, ast.IsNot)):
            return [node.body]
    return [node.body, node.orelse]


def _secret(node: ast.expr, scope: Scope) -> str:
    """What key is shown, `""` when none; a part of one (`key[:4]`) is none."""
    named = ""
    if isinstance(node, (ast.Name, ast.Attribute)):
        named = _last(node)
        if isinstance(node, ast.Name) and any(_is_cut(each.node) for each in scope.names.get(named, ())):
            return ""
    elif isinstance(node, (ast.Subscript, ast.Call)):
        named = _asked_for(node)
    if isinstance(node, ast.Call) and _last(node.func) == "get_secret_value":
        return "a secret"
    return f"the key {named}" if _KEY.search(named) and not _NO_KEY.search(named) else ""


def _asked_for(node: ast.expr) -> str:
    """The text by which a value is looked up: `os.environ["KEY"]`, `data.get("messages")`."""
    if isinstance(node, ast.Subscript):
        key: ast.expr | None = node.slice
    elif isinstance(node, ast.Call) and _last(node.func) in {
        "getenv",
        "get",
        "get_secret",
        "get_secret_str",
        "pop",
    }:
        key = node.args[0] if node.args else None
    else:
        return ""
    return key.value if isinstance(key, ast.Constant) and isinstance(key.value, str) else ""


def _is_cut(node: ast.AST | None) -> bool:
    """Whether a name is given a part of a value, or a masked one."""
    if node is None or not isinstance(node, (ast.BinOp, ast.Call, ast.Subscript, ast.IfExp, ast.JoinedStr)):
        return False
    return any(
        isinstance(each, ast.Slice) or (isinstance(each, ast.Call) and _MASKING.search(_last(each.func)))
        for each in ast.walk(node)
    )


class _Asked:
    """The texts that a file sends to models and gets back, by the names of each function."""

    def __init__(self, subject: Subject) -> None:
        self.sent: set[tuple[Scope, str]] = set()
        self.requests: set[ast.AST] = set()
        self.telling = _CONTENT if _names_provider(subject.module.data) else _PROMPT
        self._answers: dict[tuple[Scope, str], bool] = {}
        data, package = subject.module.data, subject.module.package
        asks = tokens.may_request(data, package) or tokens.is_certain(data, package)
        for request in subject.requests if asks else ():
            if "embed" in request.callee.path.lower():
                continue  # gives numbers back
            self.requests.add(request.node)
            if isinstance(request.node, ast.Call):
                scope = request.place.scope
                for keyword in request.node.keywords:
                    if keyword.arg in _ASKED_WITH:
                        self._send(keyword.value, scope)
                if request.callee.family in _ASKED_FIRST:
                    self._send(next(iter(request.node.args), None), scope)

    def _send(self, node: ast.AST | None, scope: Scope, depth: int = 0) -> None:
        """What goes into a request, by name: also the parts of a list of messages that is made here."""
        if isinstance(node, ast.Name) and (scope, node.id) not in self.sent:
            self.sent.add((scope, node.id))
            for each in scope.names.get(node.id, ()) if depth < _DEEP else ():
                if each.kind == scopes.VALUE and isinstance(each.node, (ast.List, ast.Dict)):
                    self._send(each.node, scope, depth + 1)
        elif isinstance(node, ast.List):
            for each in node.elts:
                self._send(each, scope, depth)
        elif isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value in _WORDS_OF_A_MESSAGE:
                    self._send(value, scope, depth)

    def content(self, node: ast.expr, scope: Scope, level: str) -> str:
        """What text is shown, `""` when none."""
        inner = node
        while isinstance(inner, ast.Subscript) and isinstance(inner.slice, (ast.Slice, ast.UnaryOp)):
            inner = inner.value  # a part of a text is a text
        inner = _of_a_message(inner)
        named = _asked_for(inner) or _last(inner)
        told = bool(named) and self.telling.search(named) and not _NO_CONTENT.search(named)
        if told and not (isinstance(inner, ast.Name) and _is_elsewhere(named, scope, level)):
            return f"the text {named}"
        if isinstance(inner, ast.Name) and (scope, named) in self.sent:
            return f"the text {named}"
        return _ANSWER if self._is_answer(node, scope) else ""

    def _is_made_of(self, node: ast.AST, scope: Scope) -> bool:
        """Whether an answer is read, or put into a longer text: `json.loads(answer)`, `f"…{answer}"`."""
        if isinstance(node, ast.JoinedStr):
            parts: list[ast.expr] = [
                each.value for each in node.values if isinstance(each, ast.FormattedValue)
            ]
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            parts = [node.left, node.right]
        elif isinstance(node, ast.IfExp):
            parts = [node.body, node.orelse]
        elif isinstance(node, ast.BoolOp):
            parts = node.values
        elif isinstance(node, ast.Call) and _last(node.func) in _READING and not node.keywords:
            parts = node.args[:1]
        elif isinstance(node, ast.Call) and _last(node.func).endswith(_HANDING_ON):
            parts = node.args
        elif isinstance(node, ast.Starred):
            parts = [node.value]
        elif isinstance(node, (ast.ListComp, ast.GeneratorExp)):
            parts = [node.elt]
        else:
            return False
        return any(self._is_answer(each, scope) for each in parts)

    def _is_answer(self, node: ast.AST | None, scope: Scope) -> bool:
        """Whether it is, or is taken out of, what a request gave; not its usage and the like."""
        while node is not None and node not in self.requests:
            if _is_choice(node):
                return True
            if isinstance(node, ast.Attribute):
                if _is_neutral(node.attr):
                    return False
                node = node.value
            elif isinstance(node, ast.Subscript):
                if _is_neutral(_asked_for(node)):
                    return False
                node = node.value
            elif isinstance(node, ast.Await):
                node = node.value
            elif self._is_made_of(node, scope):
                return True
            elif isinstance(node, ast.Call):
                if not isinstance(node.func, ast.Attribute) or _is_neutral(_asked_for(node)):
                    return False
                node = node.func.value
            elif isinstance(node, ast.Name):
                return self._holds_answer(node.id, scope)
            else:
                return False
        return node is not None

    def _holds_answer(self, name: str, scope: Scope) -> bool:
        key = (scope, name)
        if key not in self._answers:
            self._answers[key] = False
            bindings = scope.names.get(name, ())
            given = [
                each.node
                for each in bindings
                if each.kind in {scopes.VALUE, scopes.ENTER} and _may_be_given(name, each.node)
            ]
            given += [value for summed, value in scope.sums if summed == name]
            self._answers[key] = any(self._is_answer(each, scope) for each in given)
        return self._answers[key]


def _is_choice(node: ast.AST) -> bool:
    """`answer.choices[0].message.content`, in attributes or brackets: words wherever it is from."""
    for wanted in (_WORDS_OF_A_CHOICE, _CHOICE):
        named = node.attr if isinstance(node, ast.Attribute) else ""
        if isinstance(node, (ast.Subscript, ast.Call)):
            named = _asked_for(node)
        if named not in wanted:
            return False
        owner = node.func if isinstance(node, ast.Call) else node
        node = owner.value if isinstance(owner, (ast.Attribute, ast.Subscript)) else node
    if isinstance(node, ast.Name):
        return node.id == "choice"
    first = node.value if isinstance(node, ast.Subscript) else node
    return (
        _asked_for(first) if isinstance(first, ast.Subscript) else getattr(first, "attr", "")
    ) == "choices"


def _may_be_given(name: str, node: ast.AST | None) -> bool:
    """Whether a name is given an answer, and not what stands beside it."""
    if isinstance(node, ast.Call) and _last(node.func) in _SIDE_BY_SIDE:
        return _NAMES_AN_ANSWER.search(name) is not None
    return True


def _of_a_message(node: ast.expr) -> ast.expr:
    """Of `messages[-1].content` the messages: a part of them by its place."""
    words = (isinstance(node, ast.Attribute) and node.attr in _WORDS_OF_A_MESSAGE) or (
        isinstance(node, (ast.Subscript, ast.Call)) and _asked_for(node) in _WORDS_OF_A_MESSAGE
    )
    if not words:
        return node
    owner = node.func if isinstance(node, ast.Call) else node
    inner = owner.value if isinstance(owner, (ast.Attribute, ast.Subscript)) else node
    return inner.value if isinstance(inner, ast.Subscript) and not _asked_for(inner) else node


def _is_neutral(named: str) -> bool:
    """A part of an answer that is no words: `usage`, `stopReason`, `tool_call_id`."""
    return _NEUTRAL.search(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", named).lower()) is not None


def _is_elsewhere(named: str, scope: Scope, level: str) -> bool:
    """Whether a name holds what is no model's: an HTTP error, messages of a queue, words to a person."""
    given = [each.node for each in scope.names.get(named, ())]
    if given and all(_asks_somebody(each) for each in given):
        return True
    return bool(given) and all(_is_of_transport(each, level) for each in given)


def _asks_somebody(node: ast.AST | None) -> bool:
    return isinstance(node, ast.Constant) and _FOR_A_PERSON.search(str(node.value)) is not None


def _is_of_transport(node: ast.AST | None, level: str) -> bool:
    while isinstance(node, (ast.Await, ast.Subscript)):
        node = node.value
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if node.func.attr in _RECEIVED or (node.func.attr in {"text", "read"} and not node.args):
            return True
        return node.func.attr == "decode" and _is_of_transport(node.func.value, level)
    return isinstance(node, ast.Attribute) and node.attr in {"text", "content", "body"} and level in _ERRORS


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
