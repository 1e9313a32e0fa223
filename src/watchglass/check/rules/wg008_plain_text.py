"""WG008: content or an API key written to a log as it is."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from watchglass.check import scopes
from watchglass.check.finding import ERROR
from watchglass.check.rule import Found, Rule, Subject
from watchglass.check.rules import wg008_answers as answers
from watchglass.check.rules import wg008_places as places
from watchglass.check.rules import wg008_words as words
from watchglass.check.scopes import Call, Scope
from watchglass.check.spelling import asked_for, tail_name


def check(subject: Subject) -> Iterator[Found]:
    """Every logging call with a key or a text among its arguments; `print` counts for keys alone."""
    asked = answers.Asked(subject)
    for call in subject.module.scanned.calls_near(places.lines(subject)):
        logs = _is_log(call)
        if not logs and not _is_output(call):
            continue
        given = [
            *_texts(call.node.args),
            *(each.value for each in call.node.keywords if each.arg not in {"exc_info"}),
        ]
        shown = [part for each in given for part in _shown(each)]
        scope, level = call.place.scope, call.name
        what = next((found for each in shown if (found := _secret(each, scope))), "")
        if not what and logs:
            what = next((found for each in shown if (found := asked.content(each, scope, level))), "")
        if what == words.ANSWER and _is_of_error(call):
            continue
        if what:
            yield Found(call.node, call.place, f"{what} is logged in plain text")


def _texts(arguments: list[ast.expr]) -> list[ast.expr]:
    """What a log is given, without what its text takes as a number: `("%d messages", messages)`."""
    first = arguments[0] if arguments else None
    if not isinstance(first, ast.Constant) or not isinstance(first.value, str):
        return arguments
    kinds = [each for each in words.PLACE.findall(first.value) if each != "%"]
    rest = arguments[1:]
    if len(kinds) != len(rest):
        return arguments
    return [each for kind, each in zip(kinds, rest, strict=True) if kind not in words.NUMBERS]


def _is_of_error(call: Call) -> bool:
    """Whether it stands where an event was found to be an error, or the end: it then has no words."""
    line = call.node.lineno
    for each in ast.walk(call.place.scope.node):
        if not isinstance(each, (ast.If, ast.match_case)) or not words.NO_WORDS.search(_told_by(each)):
            continue
        if each.body[0].lineno <= line <= (each.body[-1].end_lineno or line):
            return True
    return False


def _told_by(branch: ast.If | ast.match_case) -> str:
    """What a thing is found to be: `isinstance(event, ErrorEvent)`, `event.type == "error"`, `case …:`."""
    test = branch.pattern if isinstance(branch, ast.match_case) else branch.test
    if isinstance(test, ast.MatchClass):
        return tail_name(test.cls)
    if isinstance(test, ast.Call) and tail_name(test.func) == "isinstance" and len(test.args) == 2:
        return tail_name(test.args[1])
    if isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.Eq):
        told = test.comparators[0]
    else:
        told = test.value if isinstance(test, ast.MatchValue) else None
    return str(told.value) if isinstance(told, ast.Constant) else ""


def _is_log(call: Call) -> bool:
    func = call.node.func
    if not isinstance(func, ast.Attribute) or func.attr not in words.LEVELS:
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
                isinstance(each.node, ast.Call) and tail_name(each.node.func) in words.MAKES_LOGGER
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
            pending += [
                part.value
                for part in each.values
                if isinstance(part, ast.FormattedValue) and not _is_numeric(part.format_spec)
            ]
        elif isinstance(each, ast.BinOp) and isinstance(each.op, (ast.Mod, ast.Add)):
            pending += [each.left, each.right]
        elif isinstance(each, (ast.Tuple, ast.List)):
            pending += each.elts
        elif isinstance(each, ast.Dict):
            pending += each.values
        elif isinstance(each, (ast.ListComp, ast.GeneratorExp)):
            pending.append(each.elt)
            if not _is_about(each.elt) and not answers.is_neutral(asked_for(each.elt) or tail_name(each.elt)):
                pending += [generator.iter for generator in each.generators]
        elif isinstance(each, ast.IfExp):
            pending += _branches(each)
        elif isinstance(each, ast.BoolOp):
            pending += each.values
        elif isinstance(each, ast.Call) and (
            tail_name(each.func) in words.TEXTS or tail_name(each.func)[:1].isupper()
        ):
            pending += [*each.args, *(keyword.value for keyword in each.keywords)]
            if isinstance(each.func, ast.Attribute) and each.func.attr in {
                "strip",
                "rstrip",
                "model_dump_json",
            }:
                pending.append(each.func.value)
        else:
            yield each


def _is_numeric(spec: ast.expr | None) -> bool:
    """Whether a value is written as a number: `{completion:.2f}`."""
    last = spec.values[-1] if isinstance(spec, ast.JoinedStr) and spec.values else None
    return isinstance(last, ast.Constant) and str(last.value)[-1:] in {*words.NUMBERS, "n", ","}


def _is_about(node: ast.expr) -> bool:
    """Whether a function says something of a text: `len(each)` of each."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id not in words.TEXTS


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
        named = tail_name(node)
        if isinstance(node, ast.Name) and any(_is_cut(each.node) for each in scope.names.get(named, ())):
            return ""
    elif isinstance(node, (ast.Subscript, ast.Call)):
        named = asked_for(node)
    if isinstance(node, ast.Call) and tail_name(node.func) == "get_secret_value":
        return "a secret"
    return f"the key {named}" if words.KEY.search(named) and not words.NO_KEY.search(named) else ""


def _is_cut(node: ast.AST | None) -> bool:
    """Whether a name is given a part of a value, or a masked one."""
    if node is None or not isinstance(node, (ast.BinOp, ast.Call, ast.Subscript, ast.IfExp, ast.JoinedStr)):
        return False
    return any(
        isinstance(each, ast.Slice)
        or (isinstance(each, ast.Call) and words.MASKING.search(tail_name(each.func)))
        for each in ast.walk(node)
    )


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
    wants=places.wants,
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
