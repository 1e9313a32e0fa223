"""Which values of a file are the words of a prompt or an answer."""

from __future__ import annotations

import ast
import re
from typing import Any

from watchglass.check import scopes, tokens
from watchglass.check.project import Module
from watchglass.check.rule import Subject
from watchglass.check.rules import wg008_places as places
from watchglass.check.rules import wg008_words as words
from watchglass.check.rules.wg008_functions import Functions
from watchglass.check.scopes import Binding, Scope
from watchglass.check.spelling import asked_for, tail_name


class Asked:
    """The texts that a file sends to models and gets back, by the names of each function."""

    def __init__(self, subject: Subject, depth: int = 0) -> None:
        self.subject = subject
        self.sent: set[tuple[Scope, str]] = set()
        self.requests: set[ast.AST] = set()
        self.telling = words.CONTENT if places.names_provider(subject.module.data) else words.PROMPT
        self._answers: dict[tuple[Scope, str], bool] = {}
        self._depth = depth
        self._inner: Asked | None = None
        self._functions = Functions(self, self._of, depth)
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

    def _of(self, module: Module) -> Asked:
        """The same of a module that this one calls into; asked for once by all the files that do."""
        subject = self.subject
        if module is subject.module:
            return self if self._depth else self._deeper()
        subject.resolver.project.follow(module.path)
        kept: dict[Any, Asked] = subject.resolver.kept
        key = ("WG008", module, self._depth + 1)
        if key not in kept:
            inside = Subject(module, subject.resolver, subject.configuration, module.path)
            kept[key] = Asked(inside, self._depth + 1)
        return kept[key]

    def _deeper(self) -> Asked:
        """The same, one function further in: what is sent and asked in the module is found once."""
        if self._inner is None:
            self._inner = self._again()
            self._inner._answers = {}
            self._inner._depth = self._depth + 1
            self._inner._functions = Functions(self._inner, self._inner._of, self._inner._depth)
        return self._inner

    def _again(self) -> Asked:
        """A copy; the library's `copy` takes longer to import than a file to check."""
        found = Asked.__new__(Asked)
        found.__dict__.update(self.__dict__)
        return found

    def taking(self, scope: Scope, name: str) -> Asked:
        """The same, where a parameter of a function is known to be an answer."""
        found = self._again()
        found._answers = {(scope, name): True}
        found._depth = self._depth + 1
        found._functions = Functions(found, found._of, found._depth)
        return found

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
        while isinstance(inner, ast.Subscript) and _is_position(inner.slice):
            inner = inner.value  # a part of a text is a text, one of the messages is what they say
        inner = _of_a_message(inner, scope)
        named = asked_for(inner) or tail_name(inner)
        told = bool(named) and self.telling.search(named) and not words.NO_CONTENT.search(named)
        if told and not _is_elsewhere(inner, named, scope, level):
            return f"the text {named}"
        if isinstance(inner, ast.Name) and (scope, named) in self.sent:
            return f"the text {named}"
        return words.ANSWER if self.is_answer(node, scope) else ""

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
        elif isinstance(node, ast.Call) and _hands_on(node):
            parts = node.args
        elif isinstance(node, ast.Starred):
            parts = [node.value]
        elif isinstance(node, (ast.ListComp, ast.GeneratorExp)):
            parts = [node.elt]
        else:
            return False
        return any(self.is_answer(each, scope) for each in parts)

    def is_answer(self, node: ast.AST | None, scope: Scope) -> bool:
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
                if self._functions.answers(node, scope):
                    return True
                if not isinstance(node.func, ast.Attribute) or is_neutral(asked_for(node)):
                    return False
                if node.func.attr in words.ASKS_ABOUT:
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
                if each.kind in {scopes.VALUE, scopes.ENTER} and _may_be_given(name, each)
            ]
            given += [value for summed, value in scope.sums if summed == name]
            self._answers[key] = any(self.is_answer(each, scope) for each in given) or any(
                self._functions.is_given(name, each.items, scope)
                for each in bindings
                if each.kind == scopes.PARAMETER and words.NAMES_AN_ANSWER.search(name)
            )
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


def _is_position(node: ast.expr) -> bool:
    return isinstance(node, (ast.Slice, ast.UnaryOp)) or isinstance(getattr(node, "value", None), int)


def _hands_on(node: ast.Call) -> bool:
    """Whether a call gives what it is given, or a part of that: `asyncio.run(…)`, `re.search(…, answer)`."""
    named = tail_name(node.func)
    if named.endswith(words.HANDING_ON) or scopes.dotted(node.func) == "asyncio.run":
        return True
    owner = node.func.value if isinstance(node.func, ast.Attribute) else None
    return named in words.MATCHING and isinstance(owner, ast.Name) and owner.id in {"re", "regex"}


def _may_be_given(name: str, binding: Binding) -> bool:
    """Whether a name is given an answer, and not what stands beside it."""
    node = binding.node
    if isinstance(node, ast.Call) and tail_name(node.func) in words.SIDE_BY_SIDE:
        return words.NAMES_AN_ANSWER.search(name) is not None
    if binding.items and isinstance(node.value if isinstance(node, ast.Await) else node, ast.Call):
        return not is_neutral(name) and not words.STANDS_BESIDE.search(name)
    return True


def _of_a_message(node: ast.expr, scope: Scope) -> ast.expr:
    """Of `messages[-1].content` the messages: a part of them by its place."""
    told = (isinstance(node, ast.Attribute) and node.attr in words.WORDS_OF_A_MESSAGE) or (
        isinstance(node, (ast.Subscript, ast.Call)) and asked_for(node) in words.WORDS_OF_A_MESSAGE
    )
    if not told:
        return node
    owner = node.func if isinstance(node, ast.Call) else node
    inner = owner.value if isinstance(owner, (ast.Attribute, ast.Subscript)) else node
    if isinstance(inner, ast.Name):
        return _listed(inner, scope) or node
    return inner.value if isinstance(inner, ast.Subscript) and not asked_for(inner) else node


def _listed(node: ast.Name, scope: Scope) -> ast.Name | None:
    """Of `message` in `for message in messages` the list."""
    for each in scope.names.get(node.id, ()):
        lists = each.node if each.items else None
        if isinstance(lists, ast.Call) and tail_name(lists.func) in {"enumerate", "reversed"} and lists.args:
            lists = lists.args[0]
        if isinstance(lists, ast.Name):
            return lists
    return None


def is_neutral(named: str) -> bool:
    """A part of an answer that is no words: `usage`, `stopReason`, `tool_call_id`."""
    return words.NEUTRAL.search(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", named).lower()) is not None


def _is_elsewhere(node: ast.expr, named: str, scope: Scope, level: str) -> bool:
    """Whether a name holds what is no model's: an HTTP error, messages of a queue, words to a person."""
    if not isinstance(node, ast.Name):
        return False
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
