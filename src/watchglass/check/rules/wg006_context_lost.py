"""WG006: a request that is made elsewhere, later, and without the context in which it was asked for."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from watchglass.check import handing, recorded, tokens
from watchglass.check.expressions import late
from watchglass.check.finding import WARNING
from watchglass.check.rule import IMPORTS, NO, YES, Found, Rule, Subject
from watchglass.check.scopes import Call

ALWAYS = frozenset({"put", "put_nowait", "add_done_callback", "start_new_thread"})
"""Past all that `watchglass.init` sees to (docs/sdk.md, "Context")."""

THREADS: dict[str, tuple[int, str]] = {
    "Thread": (1, "target"),
    "Timer": (1, "function"),
    "Process": (1, "target"),
    "submit": (0, "fn"),
    "map": (0, "fn"),
    "apply_async": (0, "func"),
    "run_in_executor": (1, "func"),
}
"""What has the context only where `init` was called; which argument is run there."""

_POOLED = frozenset({"submit", "map", "apply_async"})
_POOL = late(r"pool|executor", re.I)
_HANDS = late(rb"\.put(?:_nowait)?\(|add_done_callback\(|start_new_thread\(")
_STARTS = late(rb"\b(?:Thread|Timer|Process|submit|map|apply_async|run_in_executor)\(")


def wants(data: bytes, package: str) -> int:
    """Files that know of our contexts, and hand something over."""
    if b"watchglass" not in data or not (_HANDS.search(data) or _STARTS.search(data)):
        return NO
    return YES if tokens.may_request(data, package) or b"kickoff" in data else IMPORTS


def check(subject: Subject) -> Iterator[Found]:
    """Every function that asks a model, and is handed within a context to what does not know of it."""
    carried: bool | None = None
    for call in subject.module.scanned.calls:
        name = call.name
        if (name not in ALWAYS and name not in THREADS) or not recorded.in_block(subject, call.place):
            continue
        if name in THREADS:
            if carried is None:
                carried = not _has_hooks_alone(subject)
            if carried or (name in _POOLED and not _is_pool(subject, call)):
                continue
        elif name == "add_done_callback" and not _is_of_pool(subject, call):
            continue
        for each in _handed(call):
            if handing.asks(subject, each, call.place):
                yield Found(
                    each,
                    call.place,
                    f"what `{name}` is given asks a model later, without the context around this line",
                )
                break


def _handed(call: Call) -> Iterator[ast.expr]:
    """What a call is given to be run."""
    node = call.node
    position, keyword = THREADS.get(call.name, (0, ""))
    yield from (each.value for each in node.keywords if each.arg == keyword)
    for each in node.args[position : position + 1]:
        yield from each.elts if isinstance(each, (ast.Tuple, ast.List)) else [each]
    if call.name in THREADS:
        # `submit(asyncio.run, ask(…))`: the coroutine runs there.
        yield from (
            each.func for each in node.args[position + 1 : position + 2] if isinstance(each, ast.Call)
        )


def _has_hooks_alone(subject: Subject) -> bool:
    """Whether tracking is seen to be set up, and not by `init`, which lets threads and pools carry it."""
    if subject.configuration.instrumented:
        return False
    names = {call.name for call in recorded.tracking_calls(subject, subject.module)}
    for each in recorded.imported_modules(subject, b"watchglass"):
        names |= {call.name for call in recorded.tracking_calls(subject, each)}
    return bool(names) and not names & {"init", "initialize_observability"}


def _is_pool(subject: Subject, call: Call) -> bool:
    """Whether a method is of an executor or a pool: by what it is made of, else by its name."""
    func = call.node.func
    if not isinstance(func, ast.Attribute):
        return False
    known = [each.path for each in subject.value(func.value, call.place) if not each.path.startswith("?")]
    named = func.value.id if isinstance(func.value, ast.Name) else getattr(func.value, "attr", "")
    return any(_POOL.search(path) for path in known) or (not any(known) and bool(_POOL.search(named)))


def _is_of_pool(subject: Subject, call: Call) -> bool:
    """Whether a future is what `submit` of a pool gave; a task of asyncio's calls back in its context."""
    func = call.node.func
    owners = subject.value(func.value, call.place) if isinstance(func, ast.Attribute) else ()
    return any(each.path.endswith(".submit()") for each in owners)


RULE = Rule(
    code="WG006",
    name="context-lost",
    severity=WARNING,
    summary="Within a context, a function that asks a model is handed to a thread, pool, queue or callback "
    "that runs it without that context.",
    because="A context is a context variable: tasks and `asyncio.to_thread` copy it, a thread that was there "
    "before does not know it. What is asked there has no tenant and no feature, or somebody else's.",
    source="https://docs.python.org/3/library/contextvars.html",
    fix="hand over watchglass.carry(function) instead of the function, or enter watchglass.context(…) in "
    "it; threads and pools take the context along by themselves after watchglass.init()",
    wants=wants,
    check=check,
    wrong="""\
import queue

import litellm
import watchglass

jobs = queue.Queue()


def summarize(text: str, tenant: str) -> None:
    with watchglass.context(tenant=tenant, feature="summary"):
        jobs.put(lambda: litellm.completion(model="m", messages=[{"role": "user", "content": text}]))
""",
    right="""\
import queue

import litellm
import watchglass

jobs = queue.Queue()


def summarize(text: str, tenant: str) -> None:
    with watchglass.context(tenant=tenant, feature="summary"):
        ask = watchglass.carry(litellm.completion)
        jobs.put(lambda: ask(model="m", messages=[{"role": "user", "content": text}]))
""",
)
