"""Which values of a file are the words of a prompt or an answer."""

from __future__ import annotations

import ast
import re

from watchglass.check import scopes, tokens
from watchglass.check.rule import Subject
from watchglass.check.rules import wg008_places as places
from watchglass.check.rules import wg008_words as words
from watchglass.check.scopes import Scope
from watchglass.check.spelling import asked_for, tail_name


class Asked:
    """The texts that a file sends to models and gets back, by the names of each function."""

    def __init__(self, subject: Subject) -> None:
        self.sent: set[tuple[Scope, str]] = set()
        self.requests: set[ast.AST] = set()
        self.telling = words.CONTENT if places.names_provider(subject.module.data) else words.PROMPT
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
                    if keyword.arg in words.ASKED_WITH:
                        self._send(keyword.value, scope)
                if request.callee.family in words.ASKED_FIRST:
                    self._send(next(iter(request.node.args), None), scope)

    def _send(self, node: ast.AST | None, scope: Scope, depth: int = 0) -> None:
        """What goes into a request, by name: also the parts of a list of messages that is made here."""
        if isinstance(node, ast.Name) and (scope, node.id) not in self.sent:
            self.sent.add((scope, node.id))
            for each in scope.names.get(node.id, ()) if depth < words.DEEP else ():
                if each.kind == scopes.VALUE and isinstance(each.node, (ast.List, ast.Dict)):
                    self._send(each.node, scope, depth + 1)
        elif isinstance(node, ast.List):
            for each in node.elts:
                self._send(each, scope, depth)
        elif isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value in words.WORDS_OF_A_MESSAGE:
                    self._send(value, scope, depth)

    def content(self, node: ast.expr, scope: Scope, level: str) -> str:
        """What text is shown, `""` when none."""
        inner = node
        while isinstance(inner, ast.Subscript) and isinstance(inner.slice, (ast.Slice, ast.UnaryOp)):
            inner = inner.value  # a part of a text is a text
        inner = _of_a_message(inner)
        named = asked_for(inner) or tail_name(inner)
        told = bool(named) and self.telling.search(named) and not words.NO_CONTENT.search(named)
        if told and not (isinstance(inner, ast.Name) and _is_elsewhere(named, scope, level)):
            return f"the text {named}"
        if isinstance(inner, ast.Name) and (scope, named) in self.sent:
            return f"the text {named}"
        return words.ANSWER if self._is_answer(node, scope) else ""

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
        elif isinstance(node, ast.Call) and tail_name(node.func) in words.READING and not node.keywords:
            parts = node.args[:1]
        elif isinstance(node, ast.Call) and tail_name(node.func).endswith(words.HANDING_ON):
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
                if is_neutral(node.attr):
                    return False
                node = node.value
            elif isinstance(node, ast.Subscript):
                if is_neutral(asked_for(node)):
                    return False
                node = node.value
            elif isinstance(node, ast.Await):
                node = node.value
            elif self._is_made_of(node, scope):
                return True
            elif isinstance(node, ast.Call):
                if not isinstance(node.func, ast.Attribute) or is_neutral(asked_for(node)):
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
    for wanted in (words.WORDS_OF_A_CHOICE, words.CHOICE):
        named = node.attr if isinstance(node, ast.Attribute) else ""
        if isinstance(node, (ast.Subscript, ast.Call)):
            named = asked_for(node)
        if named not in wanted:
            return False
        owner = node.func if isinstance(node, ast.Call) else node
        node = owner.value if isinstance(owner, (ast.Attribute, ast.Subscript)) else node
    if isinstance(node, ast.Name):
        return node.id == "choice"
    first = node.value if isinstance(node, ast.Subscript) else node
    return (asked_for(first) if isinstance(first, ast.Subscript) else getattr(first, "attr", "")) == "choices"


def _may_be_given(name: str, node: ast.AST | None) -> bool:
    """Whether a name is given an answer, and not what stands beside it."""
    if isinstance(node, ast.Call) and tail_name(node.func) in words.SIDE_BY_SIDE:
        return words.NAMES_AN_ANSWER.search(name) is not None
    return True


def _of_a_message(node: ast.expr) -> ast.expr:
    """Of `messages[-1].content` the messages: a part of them by its place."""
    told = (isinstance(node, ast.Attribute) and node.attr in words.WORDS_OF_A_MESSAGE) or (
        isinstance(node, (ast.Subscript, ast.Call)) and asked_for(node) in words.WORDS_OF_A_MESSAGE
    )
    if not told:
        return node
    owner = node.func if isinstance(node, ast.Call) else node
    inner = owner.value if isinstance(owner, (ast.Attribute, ast.Subscript)) else node
    return inner.value if isinstance(inner, ast.Subscript) and not asked_for(inner) else node


def is_neutral(named: str) -> bool:
    """A part of an answer that is no words: `usage`, `stopReason`, `tool_call_id`."""
    return words.NEUTRAL.search(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", named).lower()) is not None


def _is_elsewhere(named: str, scope: Scope, level: str) -> bool:
    """Whether a name holds what is no model's: an HTTP error, messages of a queue, words to a person."""
    given = [each.node for each in scope.names.get(named, ())]
    if given and all(_asks_somebody(each) for each in given):
        return True
    return bool(given) and all(_is_of_transport(each, level) for each in given)


def _asks_somebody(node: ast.AST | None) -> bool:
    return isinstance(node, ast.Constant) and words.FOR_A_PERSON.search(str(node.value)) is not None


def _is_of_transport(node: ast.AST | None, level: str) -> bool:
    while isinstance(node, (ast.Await, ast.Subscript)):
        node = node.value
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if node.func.attr in words.RECEIVED or (node.func.attr in {"text", "read"} and not node.args):
            return True
        return node.func.attr == "decode" and _is_of_transport(node.func.value, level)
    return (
        isinstance(node, ast.Attribute) and node.attr in {"text", "content", "body"} and level in words.ERRORS
    )
