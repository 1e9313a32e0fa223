"""Requests in functions whose bodies are parsed only where their text may have one."""

from __future__ import annotations

from pathlib import Path

import pytest

from watchglass.check.configuration import Configuration
from watchglass.check.engine import Checker
from watchglass.check.files import File

PAD = "    # " + 220 * "-" + "\n"  # a longer body is cut out
IMPORT = "import litellm\n"
BODY = "def f():\n{pad}    "
WAYS = {
    "by its name": IMPORT + BODY + "return litellm.completion(model='m')  # here\n",
    "imported at the top": "from litellm import completion\n" + BODY + "completion(model='m')  # here\n",
    "imported within": BODY + "from litellm import (\n        completion,\n    )\n"
    "    completion(model='m')  # here\n",
    "imported with all": "from litellm import *\n" + BODY + "litellm.completion(model='m')  # here\n",
    "under a second name": IMPORT + "ask = litellm.completion\n" + BODY + "ask(model='m')  # here\n",
    "under a third name": IMPORT
    + "ask = litellm.completion\ntell = ask if ask else None\n"
    + BODY
    + "tell(model='m')  # here\n",
    "as an attribute": IMPORT
    + "class A:\n    def __init__(self):\n{pad}        self.ask = litellm.completion\n"
    + "    def f(self):\n{pad}        self.ask(model='m')  # here\n",
    "by a text": IMPORT + BODY + "getattr(litellm, 'completion')(model='m')  # here\n",
    "out of a table": IMPORT + "ways = [litellm.completion]\n" + BODY + "ways[0](model='m')  # here\n",
    "handed over": IMPORT + BODY + "asyncio.to_thread(litellm.completion, model='m')  # here\n",
    "of a client that is given": "from openai import OpenAI\ndef f(client):\n{pad}"
    "    client.chat.completions.create(model='m')  # here\n"
    "def g():\n{pad}    f(OpenAI())\n",
}


@pytest.mark.parametrize("way", WAYS)
def test_a_request_in_a_long_body_is_found(tmp_path: Path, way: str) -> None:
    """However the function that sends it is called, the body that calls it is looked at."""
    code = WAYS[way].format(pad=PAD)
    path = tmp_path / "a.py"
    path.write_text(code, "utf-8")
    checker = Checker(Configuration(str(tmp_path), frozenset({"WG002"}), src=(".",)))
    found = checker.check(File(str(path), "a.py", 0, len(code))).findings
    assert [each.line for each in found] == [code[: code.index("# here")].count("\n") + 1]


def test_a_body_without_a_request_is_not_parsed(tmp_path: Path) -> None:
    """What is wrong in a function that speaks of no request does not keep the others from being checked."""
    code = WAYS["by its name"].format(pad=PAD) + f"def g():\n{PAD}    return 1 +\n\nx = 1\n"
    path = tmp_path / "a.py"
    path.write_text(code, "utf-8")
    checker = Checker(Configuration(str(tmp_path), frozenset({"WG002"}), src=(".",)))
    assert [each.rule for each in checker.check(File(str(path), "a.py", 0, len(code))).findings] == ["WG002"]
