"""The clients of language models: which constructors, which of their methods send a request, by family.

Read from the packages themselves where they are installed here (litellm 1.106, openai 2.54, anthropic 2.12),
else from the page named as `source`.
"""

from __future__ import annotations

from typing import NamedTuple


class Family(NamedTuple):
    """One provider's library."""

    name: str
    source: str
    modules: str
    """Top-level packages whose classes are these, wherever within the package they are imported from."""
    classes: str = ""
    """Constructors."""
    methods: str = ""
    """Methods of what they make, by path."""
    functions: str = ""
    """Functions of the package itself, by path."""


class Callee(NamedTuple):
    """What is called: the family and its own name for it."""

    family: str
    path: str


_OPENAI = """
    chat.completions.create chat.completions.parse chat.completions.stream completions.create
    beta.chat.completions.create beta.chat.completions.parse beta.chat.completions.stream
    responses.create responses.parse responses.stream responses.connect embeddings.create batches.create
    images.generate images.edit images.create_variation videos.create videos.create_and_poll
    audio.transcriptions.create audio.translations.create audio.speech.create
    beta.threads.runs.create beta.threads.runs.create_and_poll beta.threads.runs.create_and_stream
    beta.threads.runs.stream beta.threads.create_and_run beta.threads.create_and_run_poll
    beta.threads.create_and_run_stream realtime.connect beta.realtime.connect
"""
_LITELLM = """
    completion acompletion text_completion atext_completion embedding aembedding responses aresponses
    image_generation aimage_generation image_edit aimage_edit image_variation aimage_variation transcription
    atranscription speech aspeech rerank arerank batch_completion
    batch_completion_models batch_completion_models_all_responses completion_with_retries
    acompletion_with_retries adapter_completion aadapter_completion anthropic_messages generate_content
    agenerate_content generate_content_stream agenerate_content_stream ocr aocr video_generation
    avideo_generation completion_with_fallbacks acompletion_with_fallbacks
"""
_ROUTER = """
    completion acompletion text_completion atext_completion embedding aembedding responses aresponses
    image_generation aimage_generation transcription atranscription speech aspeech
    rerank arerank abatch_completion abatch_completion_one_model_multiple_requests
    abatch_completion_fastest_response schedule_acompletion anthropic_messages aanthropic_messages
    generate_content agenerate_content
"""
_GENAI = """
    generate_content generate_content_stream embed_content generate_images edit_image upscale_image
    generate_videos
"""
_CHATS = ("send_message", "send_message_stream")
_BEDROCK = "converse converse_stream invoke_model invoke_model_with_response_stream"
_LANGCHAIN_CHAT = """
    BaseChatModel SimpleChatModel BaseLanguageModel BaseLLM
    ChatOpenAI AzureChatOpenAI ChatAnthropic ChatAnthropicVertex ChatGoogleGenerativeAI ChatVertexAI
    ChatGooglePalm ChatMistralAI ChatCohere ChatBedrock ChatBedrockConverse BedrockChat ChatGroq ChatOllama
    ChatLiteLLM ChatLiteLLMRouter ChatFireworks ChatTogether ChatHuggingFace ChatNVIDIA ChatDeepSeek
    ChatPerplexity ChatXAI ChatOpenRouter ChatDatabricks ChatWatsonx ChatTongyi ChatZhipuAI ChatAnyscale
    ChatDeepInfra ChatBaichuan QianfanChatEndpoint ChatYandexGPT ChatMaritalk MoonshotChat MiniMaxChat
    ChatLlamaCpp ChatCerebras ChatSambaNova ChatSambaNovaCloud GigaChat ChatUpstage ChatAI21 ChatWriter
    PromptLayerChatOpenAI JinaChat ChatKonko ChatEverlyAI AzureMLChatOnlineEndpoint
    AzureAIChatCompletionsModel ChatMLX ChatCloudflareWorkersAI ChatOCIGenAI ChatSnowflakeCortex ChatReka
    OpenAI AzureOpenAI OpenAIChat Anthropic AnthropicLLM GoogleGenerativeAI VertexAI GooglePalm Cohere
    Bedrock BedrockLLM Ollama OllamaLLM HuggingFaceHub HuggingFaceEndpoint HuggingFacePipeline Replicate
    Together TogetherLLM Fireworks LlamaCpp GPT4All MistralAI Tongyi SagemakerEndpoint WatsonxLLM
"""
_LANGCHAIN = """
    invoke ainvoke stream astream batch abatch batch_as_completed abatch_as_completed astream_events
    astream_log predict apredict predict_messages apredict_messages generate agenerate generate_prompt
    agenerate_prompt call_as_llm
"""

FAMILIES: tuple[Family, ...] = (
    Family(
        "litellm",
        "https://docs.litellm.ai/docs/",
        "litellm",
        "Router",
        _ROUTER,
        _LITELLM,
    ),
    Family(
        "openai",
        "https://github.com/openai/openai-python/blob/main/api.md",
        "openai",
        "OpenAI AsyncOpenAI AzureOpenAI AsyncAzureOpenAI Client AsyncClient",
        _OPENAI,
        _OPENAI
        + """
        ChatCompletion.create ChatCompletion.acreate Completion.create Completion.acreate Edit.create
        Embedding.create Embedding.acreate Image.create Image.acreate
        Image.create_edit Image.create_variation Audio.transcribe Audio.atranscribe Audio.translate
        Audio.atranslate
        """,
    ),
    Family(
        "anthropic",
        "https://github.com/anthropics/anthropic-sdk-python/blob/main/api.md",
        "anthropic",
        "Anthropic AsyncAnthropic AnthropicBedrock AsyncAnthropicBedrock AnthropicVertex "
        "AsyncAnthropicVertex AnthropicFoundry AsyncAnthropicFoundry Client AsyncClient",
        "messages.create messages.stream messages.parse beta.messages.create beta.messages.stream "
        "beta.messages.parse beta.messages.tool_runner beta.tools.messages.create beta.tools.messages.stream "
        "messages.batches.create "
        "beta.messages.batches.create completions.create completion completion_stream "
        "acompletion acompletion_stream",
    ),
    Family(
        "google",
        "https://googleapis.github.io/python-genai/",
        "google.genai",
        "Client",
        " ".join(
            [
                *(f"{way}models.{each}" for way in ("", "aio.") for each in _GENAI.split()),
                *(f"{way}chats.create().{each}" for way in ("", "aio.") for each in _CHATS),
                "aio.live.connect batches.create aio.batches.create",
                "interactions.create aio.interactions.create",
            ]
        ),
    ),
    Family(
        "google",
        "https://ai.google.dev/api/python/google/generativeai",
        "google.generativeai",
        "GenerativeModel ChatSession ImageGenerationModel",
        "generate_content generate_content_async start_chat().send_message start_chat().send_message_async "
        "send_message send_message_async generate_images",
        "generate_text chat chat_async embed_content embed_content_async generate_embeddings",
    ),
    Family(
        "google",
        "https://cloud.google.com/python/docs/reference/aiplatform/latest/vertexai",
        "vertexai",
        "GenerativeModel ChatSession TextGenerationModel.from_pretrained ChatModel.from_pretrained "
        "TextEmbeddingModel.from_pretrained ImageGenerationModel.from_pretrained "
        "CodeGenerationModel.from_pretrained",
        "generate_content generate_content_async start_chat().send_message start_chat().send_message_async "
        "start_chat().send_message_streaming send_message send_message_async send_message_streaming "
        "predict predict_async predict_streaming get_embeddings "
        "get_embeddings_async generate_images",
    ),
    Family(
        "mistral",
        "https://docs.mistral.ai/getting-started/clients",
        "mistralai",
        "Mistral MistralClient MistralAsyncClient MistralAzure MistralGoogleCloud",
        "chat.complete chat.complete_async chat.stream chat.stream_async chat.parse chat.parse_async "
        "chat.parse_stream chat.parse_stream_async fim.complete fim.complete_async fim.stream "
        "fim.stream_async "
        "embeddings.create embeddings.create_async agents.complete agents.complete_async agents.stream "
        "agents.stream_async ocr.process ocr.process_async "
        "chat chat_stream completion completion_stream embeddings "
        + " ".join(
            f"beta.conversations.{each}"
            for each in (
                *("start", "start_async", "start_stream", "start_stream_async"),
                *("append_async", "append_stream", "append_stream_async"),
            )  # plain `append` is every list's: too many calls to follow
        )
        + " audio.transcriptions.complete audio.transcriptions.complete_async audio.transcriptions.stream "
        "audio.transcriptions.stream_async batch.jobs.create batch.jobs.create_async",
    ),
    Family(
        "cohere",
        "https://docs.cohere.com/reference/about",
        "cohere",
        "Client ClientV2 AsyncClient AsyncClientV2 BedrockClient BedrockClientV2 SagemakerClient",
        "chat chat_stream generate generate_stream embed rerank summarize classify v2.chat v2.chat_stream "
        "v2.embed v2.rerank",
    ),
    Family(
        "bedrock",
        "https://boto3.amazonaws.com/v1/documentation/api/latest/reference/services/bedrock-runtime.html",
        "boto3 aioboto3 aiobotocore botocore",
        "client('bedrock-runtime') Session().client('bedrock-runtime') "
        "session.Session().client('bedrock-runtime') get_session().create_client('bedrock-runtime') "
        "session.get_session().create_client('bedrock-runtime') "
        "session.AioSession().create_client('bedrock-runtime') Session().create_client('bedrock-runtime')",
        _BEDROCK,
    ),
    Family(
        "bedrock",
        "https://boto3.amazonaws.com/v1/documentation/api/latest/reference/services/bedrock-agent-runtime.html",
        "boto3 aioboto3",
        "client('bedrock-agent-runtime') Session().client('bedrock-agent-runtime')",
        "invoke_agent invoke_flow invoke_inline_agent retrieve_and_generate retrieve_and_generate_stream",
    ),
    Family(
        "groq",
        "https://github.com/groq/groq-python/blob/main/api.md",
        "groq",
        "Groq AsyncGroq Client AsyncClient",
        _OPENAI,
    ),
    Family(
        "together",
        "https://docs.together.ai/docs/openai-api-compatibility",
        "together",
        "Together AsyncTogether",
        _OPENAI,
    ),
    Family(
        "cerebras",
        "https://inference-docs.cerebras.ai/",
        "cerebras.cloud.sdk",
        "Cerebras AsyncCerebras",
        _OPENAI,
    ),
    Family(
        "ollama",
        "https://github.com/ollama/ollama-python",
        "ollama",
        "Client AsyncClient",
        "chat generate embed embeddings",
        "chat generate embed embeddings",
    ),
    Family(
        "huggingface",
        "https://huggingface.co/docs/huggingface_hub/package_reference/inference_client",
        "huggingface_hub",
        "InferenceClient AsyncInferenceClient",
        "chat_completion text_generation feature_extraction summarization chat.completions.create",
    ),
    Family(
        "instructor",
        "https://python.useinstructor.com/concepts/patching/",
        "instructor",
        "Instructor AsyncInstructor from_provider",
        " ".join(
            f"{path}{each}"
            for path in ("", "chat.completions.", "messages.")
            for each in ("create", "create_partial", "create_iterable", "create_with_completion")
        ),
    ),
    Family(
        "langchain",
        "https://python.langchain.com/docs/concepts/chat_models/",
        "langchain",
        _LANGCHAIN_CHAT + " init_chat_model",
        _LANGCHAIN,
    ),
    Family(
        "langchain",
        "https://python.langchain.com/docs/concepts/embedding_models/",
        "langchain",
        "OpenAIEmbeddings AzureOpenAIEmbeddings GoogleGenerativeAIEmbeddings VertexAIEmbeddings "
        "MistralAIEmbeddings CohereEmbeddings BedrockEmbeddings OllamaEmbeddings HuggingFaceHubEmbeddings "
        "init_embeddings",
        "embed_query embed_documents aembed_query aembed_documents",
    ),
)

CALLABLE = frozenset(_LANGCHAIN_CHAT.split()) | {"init_chat_model"}
"""Models of LangChain are requests when they are called themselves: `llm("Hello")` (before its 1.0)."""

SAME_API = {
    "langfuse.openai": "openai",
    "langsmith.wrappers.OpenAI": "openai",
    "posthog.ai.openai": "openai",
    "helicone.openai_proxy": "openai",
    "agentops.openai": "openai",
    "logfire.openai": "openai",
}
"""Modules that stand in for another one."""

SAME_OBJECT = frozenset(
    [
        "instructor.from_openai",
        "instructor.from_anthropic",
        "instructor.from_litellm",
        "instructor.from_mistral",
        "instructor.from_cohere",
        "instructor.from_groq",
        "instructor.from_gemini",
        "instructor.from_genai",
        "instructor.patch",
        "instructor.apatch",
        "instructor.from_bedrock",
        "instructor.from_vertexai",
        "langsmith.wrappers.wrap_openai",
        "langsmith.wrappers.wrap_anthropic",
        "langsmith.wrap_openai",
        "braintrust.wrap_openai",
        "weave.wrap_openai",
        "copy.copy",
        "copy.deepcopy",
        "functools.lru_cache",
        "functools.cache",
        "functools.wraps",
        "functools.partial",
        "functools.partialmethod",
        "typing.cast",
        "contextlib.closing",
        "contextlib.nullcontext",
        "contextlib.aclosing",
        "asyncio.shield",
        "asgiref.sync.async_to_sync",
        "asgiref.sync.sync_to_async",
        "asyncer.asyncify",
        "asyncer.syncify",
        "builtins.staticmethod",
        "builtins.classmethod",
        "weakref.proxy",
        "openlit.wrap",
    ]
)
"""Functions whose result is (or is used like) what they are given; of `cast` that is its second argument."""

SAME_METHOD = frozenset(
    [
        "with_options",
        "copy",
        "with_config",
        "bind",
        "bind_tools",
        "with_structured_output",
        "with_retry",
        "with_fallbacks",
        "configurable_fields",
        "configurable_alternatives",
        "__enter__",
        "__aenter__",
        "bind_functions",
        "with_types",
        "enter_context",
        "enter_async_context",
    ]
)
"""Methods that return what they are called on, set up differently."""

PIPES = frozenset({"RunnableSequence", "RunnableParallel", "RunnableMap"})
"""What is given a model to ask, as a pipe is; `pipe` is the method that does it."""

TRANSPARENT = frozenset({"with_raw_response", "with_streaming_response"})
"""Attributes behind which the same methods are."""

OWNERS = {
    family.name: frozenset(each.partition(".")[0] for each in family.modules.split()) for family in FAMILIES
} | {"google": frozenset({"google", "vertexai"})}
"""By family: the packages that are its own, whose calls of themselves are nobody's finding."""

KNOWN = frozenset(
    module.partition(".")[0] for family in FAMILIES for module in family.modules.split()
) | frozenset({"crewai", "instructor", "watchglass", "langfuse", "langsmith"})
"""Packages whose names stand for themselves, even where their files are part of what is checked."""


def _table() -> dict[str, Callee]:
    found: dict[str, Callee] = {}
    for family in FAMILIES:
        for module in family.modules.split():
            for function in family.functions.split():
                found[f"{module}.{function}"] = Callee(family.name, f"{module}.{function}")
            for made in family.classes.split():
                path = f"{module}.{made}" if made.endswith(")") else f"{module}.{made}()"
                for method in family.methods.split():
                    found[f"{path}.{method}"] = Callee(family.name, f"{made.partition('(')[0]}.{method}")
                if made in CALLABLE:
                    found[path] = Callee(family.name, f"{made}.__call__")
    return found


REQUESTS = _table()
"""Every path that is a request, and what it is."""

EXPORTS: dict[str, frozenset[str]] = {}
"""Of each package, the first names of what is in the table."""
for _family in FAMILIES:
    for _module in _family.modules.split():
        _names = {
            each.split(".")[0].split("(")[0] for each in (_family.classes + " " + _family.functions).split()
        }
        EXPORTS[_module] = EXPORTS.get(_module, frozenset()) | _names

EXPORTS["crewai"] = frozenset({"Crew", "Task", "Agent", "Flow"})

CONSTRUCTORS = frozenset(
    path[: path.index(")") + 1]
    for path in REQUESTS
    if "(" in path and path.partition("(")[0] != "get_session"
)
"""What makes a client, as the path of what is made."""

METHOD_NAMES = frozenset(path.rpartition(".")[2] for path in REQUESTS if not path.endswith(")"))
"""Last names of requests: a call by another name is one only through an alias."""


def canonical(path: str) -> str:
    """`litellm.main.completion` is `litellm.completion`, `openai.lib.azure.OpenAI` is `openai.OpenAI`."""
    for stand_in, module in SAME_API.items():
        if path.startswith(stand_in):
            path = module + path[len(stand_in) :]
            break
    parts = path.split(".")
    if parts[0].startswith("langchain"):
        return _langchain(path, parts)
    if parts[0] not in KNOWN:
        return path
    for depth in {"google": (2, 1), "cerebras": (3,)}.get(parts[0], (1,)):
        exported = EXPORTS.get(".".join(parts[:depth]))
        if exported and len(parts) > depth:
            last = parts[-1]
            if last in exported and not any("(" in each for each in parts) and last[:1] != "_":
                return ".".join([*parts[:depth], last]) if _may_move(parts, last) else path
    return path


def _langchain(path: str, parts: list[str]) -> str:
    """LangChain has moved its classes from package to package; their names have stayed."""
    for index, part in enumerate(parts[1:], 1):
        if part.partition("(")[0] in EXPORTS["langchain"]:
            return ".".join(["langchain", *parts[index:]])
    return path


def _may_move(parts: list[str], last: str) -> bool:
    """Whether the name may be told by its last part: a class, not a module (`openai.resources.chat`)."""
    return len(parts) < 3 or last[:1].isupper() or (parts[0] == "litellm" and parts[-2] == "main")


def normal(path: str) -> str:
    """Without what makes no difference: `.with_raw_response`."""
    if "with_" in path:
        path = ".".join(each for each in path.split(".") if each not in TRANSPARENT)
    return path
