"""Words that a file must hold to be worth parsing: searched in its bytes, a hundred times cheaper."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import NamedTuple

from watchglass.check.expressions import late

_LITELLM = (
    "a?completion|a?text_completion|a?embedding|a?responses|a?image_(?:generation|edit|variation)|a?transcription|"
    "a?speech|a?rerank|batch_completion\\w*|a?completion_with_\\w+|a?adapter_completion|"
    "a?anthropic_messages|a?generate_content(?:_stream)?|a?ocr|a?video_generation|abatch_completion\\w*|"
    "schedule_acompletion"
)
_LITELLM_REQUEST = late(
    rf"(?:itellm|[Rr]outer\w*|client|llm\w*|\))\s*\.\s*(?:{_LITELLM})\b"
    rf"|(?<![\w.])(?<!def )(?:{_LITELLM})\s*\(|(?<![\w.])(?:{_LITELLM}) as |getattr\(\s*\w*litellm".encode()
)
_LITELLM_WORDS = (
    b"ompletion", b"embedding", b"responses", b"image_", b"transcription", b"speech",
    b"rerank", b"anthropic_messages", b"generate_content", b"ocr(", b"video_generation", b"getattr(",
)  # fmt: skip

_GETATTR = (
    rb"getattr\([^\n]{0,60}[\"'](?:create(?!d)|parse|stream|chat|messages|responses|generate|invoke|converse)"
)
_OPENAI = late(
    rb"(?:ompletions?|responses|mbeddings?|images?|speech|transcriptions|translations|runs|threads|batches|videos|"
    rb"realtime|Image|Audio|Edit)\s*\.\s*(?:with_\w+\s*\.\s*)?"
    rb"(?:a?create\w*|parse|stream|generate|edit|a?transcribe|a?translate|connect)\b|"
    rb"\.(?:completions|responses|embeddings)[ \t]*\n|" + _GETATTR
)
_OPENAI_WORDS = (
    b"create", b".parse", b".stream", b".generate", b".edit", b"ranscribe", b"ranslate", b".connect",
    b"getattr(", b".completions\n", b".responses\n", b".embeddings\n",
)  # fmt: skip


class _Words(NamedTuple):
    """What names a provider, then one of the words of its requests, then what they look like."""

    providers: tuple[bytes, ...]
    owner: str
    """The package that is the provider's own: its own calls are nobody's finding."""
    words: tuple[bytes, ...]
    shape: re.Pattern[bytes] | None = None
    within: frozenset[bytes] = frozenset()
    """What of `PROVIDERS` is in one of the names: without it, none of them is there."""


def _either(names: str) -> re.Pattern[bytes]:
    return late(rf"\.\s*(?:{names})\b|(?<![\w.])(?<!def )(?:{names})\s*[(,]|".encode() + _GETATTR)


_GENERATE = "generate_(?:content|images|videos|text|embeddings|message|answer)\\w*"
_INVOKE = "invoke_(?:model|agent|flow|inline_agent)\\w*"

_FAMILIES: tuple[_Words, ...] = (
    _Words((b"litellm",), "litellm", _LITELLM_WORDS, _LITELLM_REQUEST),
    _Words((b"penai", b"OpenAI"), "openai", _OPENAI_WORDS, _OPENAI),
        _Words((b"groq",), "groq", _OPENAI_WORDS, _OPENAI),
    _Words((b"Together",), "together", _OPENAI_WORDS, _OPENAI),
    _Words((b"Cerebras",), "cerebras", _OPENAI_WORDS, _OPENAI),
    _Words((b"instructor",), "instructor", _OPENAI_WORDS, _OPENAI),
    _Words((b"import instructor", b"from instructor"), "instructor", (b".create",), _either("create\\w*")),
    _Words(
        (b"nthropic",),
        "anthropic",
        (b"messages", b"completions.create"),
        late(
            rb"messages\s*\.\s*(?:with_\w+\s*\.\s*)?(?:batches\s*\.\s*)?(?:create|stream|parse|tool_runner)\b|"
            rb"completions\.create|" + _GETATTR
        ),
    ),
    _Words(
        (b"genai",),
        "google",
        (
            b"generate_", b"send_message", b"embed_content", b"edit_image", b"upscale_image", b".connect",
            b"batches", b"interactions",
        ),
        _either(f"{_GENERATE}|send_message\\w*|embed_content|edit_image|upscale_image|connect|create"),
    ),
    _Words(
        (b"generativeai",),
        "google",
        (b"generate_", b"send_message", b"embed_content", b".chat"),
        _either(f"{_GENERATE}|send_message\\w*|embed_content\\w*|chat\\w*"),
    ),
    _Words(
        (b"vertexai",),
        "vertexai",
        (b"generate_", b"send_message", b"predict", b"get_embeddings"),
        _either(f"{_GENERATE}|send_message\\w*|predict\\w*|get_embeddings\\w*"),
    ),
    _Words(
        (b"mistralai",),
        "mistralai",
        (
            b".chat", b".fim", b"embeddings", b".complete", b"ocr.", b"conversations.", b".agents", b"batch.",
            b"transcriptions.",
        ),
        _either("chat|append_\\w+|complete\\w*|stream\\w*|parse\\w*|create\\w*|process\\w*|start\\w*|chat_stream|embeddings"),
    ),
    _Words(
        (b"import cohere", b"from cohere"),
        "cohere",
        (b".chat", b"generate", b"embed(", b"rerank(", b"summarize(", b"classify("),
        _either("chat|chat_stream|generate|generate_stream|embed|rerank|summarize|classify"),
    ),
    _Words(
        (b"edrock",),
        "boto3",
        (b"converse", b"invoke_", b"retrieve_and_generate"),
        _either(f"converse|converse_stream|{_INVOKE}|retrieve_and_generate\\w*"),
    ),
    _Words(
        (b"import ollama", b"from ollama"),
        "ollama",
        (b"chat", b"generate", b"embed"),
        _either("chat|generate|embed|embeddings"),
    ),
    _Words(
        (b"huggingface_hub",),
        "huggingface_hub",
        (b"chat_completion(", b"text_generation(", b"completions", b"extraction("),
    ),
    _Words(
        (b"langchain",),
        "langchain",
        (
            b"invoke", b"stream", b"batch", b"predict", b"generate", b"embed_", b"llm(",
            b"chat(", b"model(",
        ),
        _either(
            "a?invoke|a?stream|a?batch|a?predict\\w*|a?generate\\w*|a?embed_\\w+|astream_\\w+|a?batch_as_completed|"
            "\\w*llm|\\w*chat\\w*|\\w*model"
        ),
    ),
)  # fmt: skip

PROVIDERS = (
    b"litellm", b"penai", b"OpenAI", b"nthropic", b"genai", b"generativeai", b"vertexai", b"istral",
    b"cohere", b"edrock", b"groq", b"ollama", b"langchain", b"huggingface_hub", b"instructor", b"Together",
    b"Cerebras",
)  # fmt: skip
"""One of them is in every file that makes a client itself."""

FAMILIES = tuple(
    each._replace(within=frozenset(word for word in PROVIDERS for name in each.providers if word in name))
    for each in _FAMILIES
)

_CERTAIN_WORDS = (
    b".create(", b".parse(", b".stream(", b"generate_content", b"completion(", b"invoke(", b".astream(",
    b"converse", b"invoke_model", b"kickoff",
)  # fmt: skip
_CERTAIN = (
    ("openai", rb"(?:completions|responses|embeddings)\.(?:create|parse|stream)\("),
    ("anthropic", rb"messages\.(?:create|parse|stream)\("),
    ("google", rb"\.generate_content\w*\("),
    ("litellm", rb"(?<!def )(?<!def a)\ba?completion\("),
    ("langchain", rb"\.a?invoke\(|\.astream\("),
    ("boto3", rb"\.converse\w*\(|\.invoke_model\w*\("),
    ("nobody's", rb"kickoff"),
)
"""By the package whose own they are, the shapes of requests that say enough by themselves."""


@functools.cache
def _certain(package: str) -> re.Pattern[bytes]:
    return late(b"|".join(shape for owner, shape in _CERTAIN if owner != package))


def is_certain(data: bytes, package: str) -> bool:
    """Whether a file that names no provider has a request: its client then comes from elsewhere."""
    global _last_certain
    if _last_certain[0] is not data or _last_certain[1] != package:
        _last_certain = (data, package, _is_near(data, _CERTAIN_WORDS, _certain(package)))
    return _last_certain[2]


_last_certain: tuple[bytes, str, bool] = (b"", "", False)


_last_named: tuple[bytes, frozenset[bytes]] = (b"", frozenset())


def providers_in(data: bytes) -> frozenset[bytes]:
    """Which of `PROVIDERS` a file names; one rule after the other asks it, and the last answer is kept."""
    global _last_named
    if _last_named[0] is not data:
        _last_named = (data, frozenset(each for each in PROVIDERS if each in data))
    return _last_named[1]


_last_lowered: tuple[bytes, bytes] = (b"", b"")


def lowered(data: bytes) -> bytes:
    """The same in small letters, kept as the last answer."""
    global _last_lowered
    if _last_lowered[0] is not data:
        _last_lowered = (data, data.lower())
    return _last_lowered[1]


def any_of(data: bytes, words: tuple[bytes, ...]) -> bool:
    """Whether one of the words is there."""
    return any(word in data for word in words)


_WITHIN = 60
"""So many bytes before and after a word its shape is looked for."""


def places(data: bytes, words: tuple[bytes, ...]) -> Iterator[int]:
    """Where the words are, word by word."""
    for word in words:
        at = data.find(word)
        while at >= 0:
            yield at
            at = data.find(word, at + len(word))


def lines_of(data: bytes, at: list[int]) -> list[int]:
    """The numbers of the lines that these places are in; both in order."""
    found: list[int] = []
    line, before = 1, 0
    for each in at:
        line += data.count(b"\n", before, each)
        before = each
        found.append(line)
    return found


def _is_near(data: bytes, words: tuple[bytes, ...], shape: re.Pattern[bytes]) -> bool:
    """Whether one of the words is part of what has this shape: quicker than the expression on all of it."""
    for word in words:
        at = data.find(word)
        while at >= 0:
            if shape.search(data, max(0, at - _WITHIN), at + _WITHIN):
                return True
            at = data.find(word, at + _WITHIN)
    return False


_last: tuple[bytes, str, bool] = (b"", "", False)


def may_request(data: bytes, package: str = "") -> bool:
    """Whether a file names a provider together with what looks like a request to that one.

    `package` is the top package that the file is in: a provider's own package may ask itself. Several rules
    ask the same of a file, one after the other: the last answer is kept.
    """
    global _last
    if _last[0] is not data or _last[1] != package:
        _last = (data, package, _may_request(data, package))
    return _last[2]


def _may_request(data: bytes, package: str) -> bool:
    named = providers_in(data)
    if not named:
        return False
    for each in FAMILIES:
        if each.owner != package and not named.isdisjoint(each.within) and any_of(data, each.providers):
            found = any_of(data, each.words) if each.shape is None else _is_near(data, each.words, each.shape)
            if found:
                return True
    return False
