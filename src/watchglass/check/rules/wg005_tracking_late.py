"""WG005: an entry point that makes clients before tracking is set up, or without ever setting it up."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator

from watchglass.check import clients, crews, recorded, tokens
from watchglass.check.expressions import late
from watchglass.check.finding import WARNING
from watchglass.check.rule import IMPORTS, NO, YES, Found, Rule, Subject
from watchglass.check.scopes import Call, Place
from watchglass.check.source import Unreadable, read

_AT_TOP = late(rb"^[A-Za-z_][^\n]*\(|^(?:if|for|with|try|while)\b", re.M)
"""Something is called at the top of the module."""
_MAKES = late(
    rb"\b(?:%s)\("
    % b"|".join(
        sorted(
            {path[:-2].rpartition(".")[2].encode() for path in clients.CONSTRUCTORS if path.endswith("()")}
        )
    )
)
_NO_CLIENT = ("Session()", "get_session()")
"""Makes clients, of whatever service; it is none."""
_FROM = late(rb"^[ \t]*from[ \t]+([\w.]+)[ \t]+import[ \t]*(\([^)]*\)|[^\n]*)", re.M)
_IMPORT = late(rb"^[ \t]*import[ \t]+([^\n]*)", re.M)


def wants(data: bytes, package: str) -> int:
    """Files that could be an entry point and make a request or a crew."""
    if package == "crewai" or (b"__main__" not in data and not _AT_TOP.search(data)):
        return NO
    if tokens.may_request(data, package) or b"kickoff" in data:
        return YES
    if b"__main__" in data and tokens.providers_in(data) and _MAKES.search(data):
        return YES
    return IMPORTS if tokens.is_certain(data, package) else NO


def check(subject: Subject) -> Iterator[Found]:
    """One finding for an entry point: at its first client or request."""
    if subject.configuration.instrumented or not is_entry_point(subject):
        return
    first = _first(subject)
    if first is None:
        return
    node, place = first
    tracking = list(recorded.tracking_calls(subject, subject.module))
    if not tracking:
        if not recorded.is_tracked(subject) and not recorded.tracked_by_others(subject):
            yield Found(
                node, place, "tracking is never set up in this entry point, and here it begins to ask a model"
            )
        return
    early = _early(subject, tracking[0])
    if early is not None:
        yield Found(
            *early, f"made before tracking is set up (line {tracking[0].node.lineno}): it may go unrecorded"
        )


def is_entry_point(subject: Subject) -> bool:
    """Whether a process starts here: `if __name__ == "__main__"`, `__main__.py`, or a script.

    A script asks a model while it is imported, and is imported by no other file beside it.
    """
    module = subject.module
    if module.source.cells:
        return False
    if os.path.basename(module.path) == "__main__.py":
        return True
    for statement in module.source.tree.body:
        if isinstance(statement, ast.If) and _is_main(statement.test):
            return True
    top = module.scanned.module
    asks = any(each.place.scope is top for each in subject.requests)
    return (asks or any(place.scope is top for _, place in _kickoffs(subject))) and not _is_imported(
        module.path
    )


def _is_imported(path: str) -> bool:
    """Whether a file in the same folder or the one above imports it by its name."""
    stem = os.path.basename(path).removesuffix(".py")
    if stem == "__init__":
        return True
    folder = os.path.dirname(path)
    for place in (folder, os.path.dirname(folder)):
        try:
            names = sorted(each for each in os.listdir(place) if each.endswith(".py"))[:200]
        except OSError:
            continue
        for each in names:
            file = os.path.join(place, each)
            try:
                if file != path and _imports(read(file), stem, os.path.basename(os.path.abspath(folder))):
                    return True
            except Unreadable:
                continue
    return False


def _imports(data: bytes, stem: str, folder: str) -> bool:
    """Whether these bytes import the module `stem` of this folder; a library's own `stem` is another one."""
    if stem.encode() not in data:
        return False
    for found in _FROM.finditer(data):
        module = found[1].decode(errors="replace")
        if _leads_to(module, stem, folder):
            return True
        inner = module.rpartition(".")[2]
        if inner in ("", folder) and stem in re.findall(r"\w+", found[2].decode(errors="replace")):
            return True  # `from . import stem`, `from folder import stem`
    return any(
        _leads_to(module.split()[0], stem, folder)
        for found in _IMPORT.finditer(data)
        for module in found[1].decode(errors="replace").split(",")
        if module.strip()
    )


def _leads_to(module: str, stem: str, folder: str) -> bool:
    before, _, last = module.rpartition(".")
    if last != stem:
        return False
    if before.strip("."):
        return before.rpartition(".")[2] == folder
    return module.startswith(".") or stem not in clients.KNOWN


def _is_main(test: ast.expr) -> bool:
    sides = [test.left, *test.comparators] if isinstance(test, ast.Compare) else []
    return any(isinstance(each, ast.Name) and each.id == "__name__" for each in sides)


def _first(subject: Subject) -> tuple[ast.expr, Place] | None:
    """The first request, client or kickoff of the file that makes requests."""
    found: list[tuple[ast.expr, Place]] = [(each.node, each.place) for each in subject.requests]
    found += [*_kickoffs(subject), *_clients(subject)]
    return min(found, key=lambda each: (each[0].lineno, each[0].col_offset), default=None)


def _kickoffs(subject: Subject) -> Iterator[tuple[ast.expr, Place]]:
    for node, method, place, _ in crews.references(subject, crews.KICKOFFS):
        if crews.crews(subject, method, place) is not None or crews.starts_flow(subject, method, place):
            yield node, place


def _clients(subject: Subject) -> Iterator[tuple[ast.expr, Place]]:
    for call in subject.module.scanned.calls:
        if call.name[:1].isupper() or call.name in {"client", "init_chat_model", "create_client"}:
            for value in subject.value(call.node, call.place):
                if value.path in clients.CONSTRUCTORS and not value.path.endswith(_NO_CLIENT):
                    yield call.node, call.place
                    break


def _takes_requests(statement: ast.stmt) -> bool:
    """`from litellm import completion`: a name that is bound before anything is put around it."""
    return (
        isinstance(statement, ast.ImportFrom)
        and statement.module == "litellm"
        and any(each.name in clients.METHOD_NAMES for each in statement.names)
    )


def _early(subject: Subject, tracking: Call) -> tuple[ast.expr | ast.stmt, Place] | None:
    """What is made before: above it in the same scope, or at the module's top when it is in a function."""
    made: list[tuple[ast.expr | ast.stmt, Place]] = [*_clients(subject)]
    made += [(each.node, each.place) for each in subject.requests]
    top = subject.module.scanned.module
    for statement in subject.module.source.tree.body:
        if _takes_requests(statement):
            made.append((statement, Place(top)))
    scope, line = tracking.place.scope, tracking.node.lineno
    early = [
        (node, place)
        for node, place in made
        if (place.scope is scope and node.lineno < line) or (place.scope is top and scope is not top)
    ]
    return min(early, key=lambda each: each[0].lineno, default=None)


RULE = Rule(
    code="WG005",
    name="tracking-late-or-never",
    severity=WARNING,
    summary="An entry point sets tracking up after its first client is made, or never.",
    because="What is imported or made before watchglass.init() may hold functions that nothing was put "
    "around: such calls are told of late, by the library's own hooks, or not at all.",
    source="https://opentelemetry.io/docs/zero-code/python/",
    fix="call watchglass.init(service_name=…) first, above the imports and clients that are to be recorded",
    wants=wants,
    check=check,
    wrong="""\
import litellm

if __name__ == "__main__":
    print(litellm.completion(model="openai/gpt-4o-mini", messages=[{"role": "user", "content": "Hello!"}]))
""",
    right="""\
import watchglass

watchglass.init(service_name="shop")

import litellm

if __name__ == "__main__":
    print(litellm.completion(model="openai/gpt-4o-mini", messages=[{"role": "user", "content": "Hello!"}]))
""",
)
