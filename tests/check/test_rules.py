"""Every rule, on code that says itself what is to be found in it."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from watchglass.check.codes import CODES
from watchglass.check.configuration import Configuration
from watchglass.check.engine import Checker
from watchglass.check.files import File
from watchglass.check.finding import SEVERITIES
from watchglass.check.patterns import Patterns
from watchglass.check.rules import RULES

FIXTURES = Path(__file__).parent / "fixtures"


def checker(root: Path, **settings: object) -> Checker:
    """One that exempts nothing."""
    made = Configuration(str(root), frozenset(CODES), exempt=Patterns(()), src=(".",))
    return Checker(made._replace(**settings))  # type: ignore[arg-type]  # whatever a test sets


def file(path: Path) -> File:
    status = path.stat()
    return File(str(path), path.name, status.st_mtime_ns, status.st_size)


def expected(path: Path) -> Counter[tuple[int, str]]:
    """By line and code, what its comments expect."""
    found: Counter[tuple[int, str]] = Counter()
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        comment = re.search(r"# expect: ([A-Z0-9 ]+)$", line)
        found.update((number, code) for code in (comment[1].split() if comment else ()))
    return found


@pytest.mark.parametrize(
    "path", [pytest.param(each, id=each.stem) for each in sorted(FIXTURES.rglob("*.py"))]
)
def test_a_fixture_has_the_findings_that_its_comments_expect(path: Path) -> None:
    """Each line marked `# expect: CODE` has that finding, and no other line has any."""
    prefix = path.stem[:5].upper() if path.stem.startswith("wg") else "WG002"
    wanted = expected(path)
    codes = {prefix} | {code for _, code in wanted}
    found = checker(FIXTURES, rules=frozenset(codes)).check(file(path)).findings
    assert Counter((each.line, each.rule) for each in found) == wanted


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_the_examples_of_a_rule_are_what_it_says(rule, tmp_path: Path) -> None:
    """The wrong example of each rule is found by it, and the right one is not."""
    for name, code in (("wrong", rule.wrong), ("right", rule.right)):
        path = tmp_path / f"{name}.py"
        path.write_text(code, "utf-8")
        found = {each.rule for each in checker(tmp_path).check(file(path)).findings}
        assert (rule.code in found) if name == "wrong" else not found & {rule.code, "WG000"}


def test_rules_are_complete() -> None:
    """Each rule has a code of its own, a severity of ours, a reason, a source, a fix and examples."""
    assert {rule.code: rule.default for rule in RULES} == CODES
    assert len({rule.code for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert re.fullmatch(r"WG0\d\d", rule.code) and rule.severity in SEVERITIES
        assert rule.summary and rule.because and rule.source.startswith("https://") and rule.fix
        assert rule.wrong and rule.right


def test_a_service_may_be_required(tmp_path: Path) -> None:
    """With `require-service` a recorded direct call is a finding too, except where it is allowed."""
    path = tmp_path / "service.py"
    path.write_text(
        "import litellm\nimport watchglass\n"
        'with watchglass.context(tenant="a"):\n    litellm.completion(model="m")\n'
    )
    rules = frozenset({"WG002"})
    assert not checker(tmp_path, rules=rules).check(file(path)).findings
    assert checker(tmp_path, rules=rules, require_service=True).check(file(path)).findings
    allowed = {"require_service": True, "allowed_paths": Patterns(["service.py"])}
    assert not checker(tmp_path, rules=rules, **allowed).check(file(path)).findings
