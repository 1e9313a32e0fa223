"""Words that a file must hold to be worth parsing: searched in its bytes, a hundred times cheaper."""

from __future__ import annotations

import re

_LITELLM = (
    "a?completion|a?text_completion|a?embedding|a?responses|a?image_(?:generation|edit|variation)|a?transcription|"
    "a?speech|a?moderation|a?rerank|batch_completion\\w*|a?completion_with_\\w+|a?adapter_completion|"
    "a?anthropic_messages|a?generate_content(?:_stream)?|a?ocr|a?video_generation|abatch_completion\\w*|"
    "schedule_acompletion"
)
_LITELLM_REQUEST = re.compile(
    rf"(?:itellm|[Rr]outer\w*|client|llm\w*|\))\s*\.\s*(?:{_LITELLM})\b"
    rf"|(?<![\w.])(?<!def )(?:{_LITELLM})\s*\(|(?<![\w.])(?:{_LITELLM}) as |getattr\(\s*\w*litellm".encode()
)
_LITELLM_WORDS = (
    b"ompletion", b"embedding", b"responses", b"image_", b"transcription", b"speech", b"moderation",
    b"rerank", b"anthropic_messages", b"generate_content", b"ocr(", b"video_generation", b"getattr(",
)  # fmt: skip

_OPENAI = (
    b"completions.create", b"completions.parse", b"completions.stream", b"completions", b"responses.",
    b"embeddings.create", b"moderations.", b"images.", b"audio.", b"videos.", b"threads.",
    b"realtime.connect", b"ChatCompletion", b"Completion.", b"Embedding.", b"Moderation.", b"Image.",
    b"Audio.",
)  # fmt: skip

FAMILIES: tuple[tuple[bytes, tuple[bytes, ...]], ...] = (
    (b"openai", _OPENAI),
    (b"nthropic", (b"messages.", b"completions.create", b".completion(", b"completion_stream(")),
    (b"genai", (b"generate_", b"send_message", b"embed_content", b"edit_image", b".connect(")),
    (b"generativeai", (b"generate_", b"send_message", b"embed_content", b".chat")),
    (b"vertexai", (b"generate_", b"send_message", b"predict", b"get_embeddings")),
    (b"istral", (b".chat", b".fim", b"embeddings", b".complete", b"moderate", b"ocr.", b"conversations.")),
    (b"cohere", (b".chat", b"generate", b"embed(", b"rerank(", b"summarize(", b"classify(")),
    (b"bedrock", (b"converse", b"invoke_", b"retrieve_and_generate")),
    (b"groq", _OPENAI),
    (b"ollama", (b"chat", b"generate", b"embed")),
    (b"instructor", _OPENAI),
    (b"huggingface_hub", (b"chat_completion(", b"text_generation(", b"completions", b"extraction(")),
    (
        b"langchain",
        (
            b"invoke(", b"stream(", b"batch(", b"predict", b"stream_events", b"stream_log", b"generate(",
            b"embed_query", b"embed_documents", b"llm(", b"chat(", b"model(", b"batch_as_completed",
        ),
    ),
)  # fmt: skip
"""What names a provider, and then one of what its requests are made with. LiteLLM is looked at closer."""

PROVIDERS = (b"litellm", *(word for word, _ in FAMILIES))
"""One of them is in every file that makes a client itself."""

CERTAIN = (
    b"chat.completions", b"generate_content", b"messages.create(", b"messages.stream(", b"completion(",
    b"embeddings.create", b"responses.create", b".invoke(", b".ainvoke(", b".astream(", b"converse(",
    b"invoke_model", b"kickoff",
)  # fmt: skip
"""The requests that are looked for in files that name no provider: their client comes from elsewhere."""


def any_of(data: bytes, words: tuple[bytes, ...]) -> bool:
    """Whether one of the words is there."""
    return any(word in data for word in words)


def may_request(data: bytes) -> bool:
    """Whether a file names a provider together with something that is a request to that one."""
    for provider, words in FAMILIES:
        if provider in data and any_of(data, words):
            return True
    return b"litellm" in data and any_of(data, _LITELLM_WORDS) and _LITELLM_REQUEST.search(data) is not None
