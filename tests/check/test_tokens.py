"""The words that a file must hold to be worth parsing."""

from __future__ import annotations

import pytest

from watchglass.check import clients, tokens


@pytest.mark.parametrize(
    ("package", "code", "wanted"),
    [
        ("shop", b"made.completion(x)", True),
        ("litellm", b"made.completion(x)", False),
        ("litellm", b"self.messages.create(x)", True),
        ("anthropic", b"self.messages.create(x)", False),
        ("", b"crew.kickoff()", True),
    ],
)
def test_the_own_calls_of_a_provider_say_nothing(package: str, code: bytes, wanted: bool) -> None:
    """A shape that only a provider's own package has says nothing within that package, and all elsewhere."""
    assert tokens.is_certain(code, package) is wanted


@pytest.mark.parametrize(
    ("code", "wanted"),
    [
        (b'import openai\ngetattr(each, "created_at")', False),
        (b'import openai\ngetattr(client.responses, "create")', True),
        (b"import genai\nself.generate_model_id(x)", False),
        (b"import genai\nmodel.generate_content_async(x)", True),
        (b"bedrock = 1\nfrom x.invoke_handler import y", False),
        (b"bedrock = 1\nclient.invoke_model(x)", True),
    ],
)
def test_a_word_that_only_begins_like_a_request_is_none(code: bytes, wanted: bool) -> None:
    """What is looked for in bytes is the name of a request, not what begins with the same letters."""
    assert tokens.may_request(code) is wanted


def test_each_name_of_a_request_is_seen_in_bytes() -> None:
    """Of google and bedrock, every request of the table passes the prefilter by the end of its path."""
    for path, callee in clients.REQUESTS.items():
        method = ".".join(path.split(".")[-2:]).replace("()", "")
        if callee.family in {"google", "bedrock"} and not path.endswith(")"):
            named = b"genai vertexai generativeai bedrock"
            assert tokens.may_request(named + b"\nclient." + method.encode() + b"(x)"), path
