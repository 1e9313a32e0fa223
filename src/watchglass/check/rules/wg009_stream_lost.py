"""WG009: a stream that nobody reads to its end, where what it used is told."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from watchglass.check import tokens
from watchglass.check.expressions import late
from watchglass.check.finding import WARNING
from watchglass.check.requests import Request
from watchglass.check.rule import IMPORTS, NO, YES, Found, Rule, Subject
from watchglass.check.scopes import FUNCTIONS

AT_ONCE = frozenset(
    {"anthropic", "cerebras", "google", "groq", "huggingface", "litellm", "mistral", "openai", "together"}
)
"""Families that send a request with `stream=True` when it is called; Ollama's waits for the first piece."""

STREAMING = ("converse_stream", "invoke_model_with_response_stream")
"""Requests that always stream, and are sent when they are called."""

_AT_END = late(
    r"done|finish|stop_?reason|message_stop|messageStop|usage|complete|end\b|_end|\bis_?last|final|"
    r"err|exception|fail|status",
    re.I,
)
"""What a condition speaks of by which the last piece is known, or that something went wrong."""

_WRAPPERS = frozenset({"enumerate", "iter", "aiter"})


def wants(data: bytes, package: str) -> int:
    """Files with a request, and a word for streams."""
    if b"stream" not in data:
        return NO
    if tokens.may_request(data, package):
        return YES
    return IMPORTS if tokens.is_certain(data, package) else NO


def check(subject: Subject) -> Iterator[Found]:
    """Every stream that is thrown away, or left before its last piece."""
    for request in subject.requests:
        if not _streams(request):
            continue
        if not isinstance(request.place.scope.node, FUNCTIONS):
            subject.module.scanned.scopes()  # what reads it at the top of a module may be in any function
        said = _lost(request)
        if said:
            yield Found(request.node, request.place, f"the stream of {request.callee.path} is {said}")


def _streams(request: Request) -> bool:
    node, callee = request.node, request.callee
    if not isinstance(node, ast.Call):
        return False
    if callee.path.endswith(STREAMING):
        return True
    return callee.family in AT_ONCE and any(
        each.arg == "stream" and isinstance(each.value, ast.Constant) and each.value.value is True
        for each in node.keywords
    )


def _lost(request: Request) -> str:
    """What becomes of the stream, where that loses its usage."""
    scope = request.place.scope
    around = _around(request.node, scope.node)
    user = next((each for each in around if not isinstance(each, ast.Await)), None)
    if isinstance(user, ast.Expr):
        return "thrown away: nobody reads it, so what it used is never told"
    if isinstance(user, (ast.For, ast.AsyncFor)):
        return _left(user)
    target = _target(user)
    if target is None or target in scope.borrowed or scope.is_class:
        return ""
    names = [each for each in ast.walk(scope.node) if isinstance(each, ast.Name) and each.id == target]
    reads = [each for each in names if isinstance(each.ctx, ast.Load)]
    if not reads:
        return f"thrown away: nothing reads `{target}`, so what it used is never told"
    bound = request.node.lineno
    again = min((each.lineno for each in names if each not in reads and each.lineno > bound), default=None)
    after = [each for each in reads if each.lineno > bound and (again is None or each.lineno <= again)]
    loops = [loop for loop in _loops(scope.node) if len(after) == 1 and _is_over(loop.iter, after[0])]
    return _left(loops[0]) if loops else ""


def _target(statement: ast.AST | None) -> str | None:
    """The one name that a statement binds."""
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        found = statement.targets[0]
    else:
        found = statement.target if isinstance(statement, (ast.AnnAssign, ast.NamedExpr)) else None
    return found.id if isinstance(found, ast.Name) else None


def _around(node: ast.AST, root: ast.AST) -> list[ast.AST]:
    """What is around a node, from the inside out, as far as its statement."""
    path: list[ast.AST] = []
    pending: list[tuple[ast.AST, tuple[ast.AST, ...]]] = [(root, ())]
    while pending:
        at, above = pending.pop()
        if at is node:
            path = list(above)
            break
        inner = (at, *above) if not isinstance(at, ast.stmt) or isinstance(at, _LOOPS) else (at,)
        pending += [(each, inner) for each in ast.iter_child_nodes(at)]
    return path


_LOOPS = (ast.For, ast.AsyncFor)


def _loops(root: ast.AST) -> Iterator[ast.For | ast.AsyncFor]:
    for each in ast.walk(root):
        if isinstance(each, _LOOPS):
            yield each


def _is_over(iterated: ast.expr, read: ast.Name) -> bool:
    """Whether a loop goes over what is read: itself, an item of it (`answer["stream"]`), or counted."""
    while True:
        if isinstance(iterated, (ast.Subscript, ast.Attribute)):
            iterated = iterated.value
        elif isinstance(iterated, ast.Call) and isinstance(iterated.func, ast.Name) and iterated.args:
            if iterated.func.id not in _WRAPPERS:
                return False
            iterated = iterated.args[0]
        elif isinstance(iterated, ast.Call) and isinstance(iterated.func, ast.Attribute):
            iterated = iterated.func.value
        else:
            return iterated is read


def _left(loop: ast.For | ast.AsyncFor) -> str:
    """How the loop is left before the last piece."""
    for way_out, conditions in _ways_out(loop):
        if not any(_AT_END.search(each) for each in conditions):
            kind = "return" if isinstance(way_out, ast.Return) else "break"
            where = f"`{kind}` in line {way_out.lineno}"
            return f"left before its end ({where}): what it used is told with the last piece"
    return ""


def _ways_out(loop: ast.For | ast.AsyncFor) -> Iterator[tuple[ast.stmt, tuple[str, ...]]]:
    """Each `break` and `return` in the loop, with the conditions under which it is reached."""
    pending: list[tuple[ast.AST, tuple[str, ...], bool]] = [(each, (), True) for each in loop.body]
    while pending:
        node, conditions, own = pending.pop()
        if isinstance(node, ast.Return) or (isinstance(node, ast.Break) and own):
            yield node, conditions
        if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            continue
        if isinstance(node, ast.If):
            below = (*conditions, ast.unparse(node.test))
            pending += [(each, below, own) for each in [*node.body, *node.orelse]]
            continue
        if isinstance(node, ast.ExceptHandler):
            conditions = (*conditions, "exception")
        elif isinstance(node, ast.match_case):
            conditions = (*conditions, ast.unparse(node.pattern))
        own = own and not isinstance(node, (ast.For, ast.AsyncFor, ast.While))
        pending += [(each, conditions, own) for each in ast.iter_child_nodes(node)]


RULE = Rule(
    code="WG009",
    name="stream-usage-lost",
    severity=WARNING,
    summary="A streamed answer is thrown away, or left before its last piece.",
    because="A provider tells how many tokens a stream was with its last piece, and bills them whether that "
    "was read or not: a stream that nobody reads to its end has no usage, so no price, on any record.",
    source="https://platform.openai.com/docs/api-reference/chat/create#chat-create-stream_options",
    fix="read the stream to its end; end answers early with `stop` or `max_tokens`, not by leaving the loop; "
    "where nobody wants the pieces, ask without `stream=True`",
    wants=wants,
    check=check,
    wrong="""\
from openai import OpenAI


def first_words(client: OpenAI, question: str) -> str:
    said = ""
    stream = client.chat.completions.create(
        model="gpt-4o-mini",
        messages=[{"role": "user", "content": question}],
        stream=True,
        stream_options={"include_usage": True},
    )
    for piece in stream:
        said += piece.choices[0].delta.content or ""
        if len(said) > 80:
            break
    return said
""",
    right="""\
from openai import OpenAI


def first_words(client: OpenAI, question: str) -> str:
    said = ""
    stream = client.chat.completions.create(
        model="gpt-4o-mini",
        messages=[{"role": "user", "content": question}],
        max_tokens=20,
        stream=True,
        stream_options={"include_usage": True},
    )
    for piece in stream:
        if piece.choices:
            said += piece.choices[0].delta.content or ""
    return said
""",
)
