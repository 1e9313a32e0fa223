"""Facts about providers: their hosts, what libraries call them, and how their models are named.

Canonical ids are plain lower-case words. Labels are from the OpenTelemetry GenAI conventions'
well-known values of `gen_ai.system` and `gen_ai.provider.name`, LiteLLM's provider list
(docs.litellm.ai/docs/providers), the provider ids of genai-prices, and what the instrumentations
of OpenInference, OpenLLMetry, LangSmith and the Vercel AI SDK write. Hosts are from each
provider's own API reference.
"""

from __future__ import annotations

LOCAL = "openai_compatible_local"
"""A server on this machine or a private network that speaks OpenAI's protocol (vLLM, LM Studio …)."""

HOSTS: tuple[tuple[str, str], ...] = (
    # (end of the host name on a label's boundary, provider); the first that fits wins, so the
    # longer stand first.
    ("openai.azure.com", "azure_openai"),
    ("cognitiveservices.azure.com", "azure_openai"),
    ("services.ai.azure.com", "azure_openai"),
    ("inference.ai.azure.com", "azure_ai"),
    ("models.ai.azure.com", "azure_ai"),
    ("models.inference.ai.azure.com", "github"),
    ("models.github.ai", "github"),
    ("githubcopilot.com", "github_copilot"),
    ("api.openai.com", "openai"),
    ("openai.com", "openai"),
    ("anthropic.com", "anthropic"),
    ("claude.com", "anthropic"),
    ("aiplatform.googleapis.com", "google_vertex_ai"),
    ("-aiplatform.googleapis.com", "google_vertex_ai"),  # the region stands before the dash
    ("generativelanguage.googleapis.com", "google_ai_studio"),
    ("groq.com", "groq"),
    ("deepseek.com", "deepseek"),
    ("deepinfra.com", "deepinfra"),
    ("openrouter.ai", "openrouter"),
    ("mistral.ai", "mistral"),
    ("api.x.ai", "xai"),
    ("x.ai", "xai"),
    ("together.xyz", "together"),
    ("together.ai", "together"),
    ("fireworks.ai", "fireworks"),
    ("cohere.com", "cohere"),
    ("cohere.ai", "cohere"),
    ("perplexity.ai", "perplexity"),
    ("cerebras.ai", "cerebras"),
    ("sambanova.ai", "sambanova"),
    ("novita.ai", "novita"),
    ("hyperbolic.xyz", "hyperbolic"),
    ("nebius.com", "nebius"),
    ("nebius.ai", "nebius"),
    ("huggingface.co", "huggingface"),
    ("huggingface.cloud", "huggingface"),
    ("replicate.com", "replicate"),
    ("integrate.api.nvidia.com", "nvidia"),
    ("nvidia.com", "nvidia"),
    ("moonshot.ai", "moonshot"),
    ("moonshot.cn", "moonshot"),
    ("z.ai", "zai"),
    ("bigmodel.cn", "zhipuai"),
    ("dashscope.aliyuncs.com", "alibaba"),
    ("dashscope-intl.aliyuncs.com", "alibaba"),
    ("aliyuncs.com", "alibaba"),
    ("volces.com", "volcengine"),
    ("minimax.io", "minimax"),
    ("minimaxi.com", "minimax"),
    ("siliconflow.cn", "siliconflow"),
    ("siliconflow.com", "siliconflow"),
    ("voyageai.com", "voyage"),
    ("jina.ai", "jina"),
    ("ai21.com", "ai21"),
    ("ml.cloud.ibm.com", "watsonx"),
    ("databricks.com", "databricks"),
    ("azuredatabricks.net", "databricks"),
    ("snowflakecomputing.com", "snowflake"),
    ("ai-gateway.vercel.sh", "vercel_ai_gateway"),
    ("cloudflare.com", "cloudflare"),
    ("baseten.co", "baseten"),
    ("modal.run", "modal"),
    ("lepton.run", "lepton"),
    ("ovh.net", "ovhcloud"),
    ("inference.net", "inference_net"),
    ("friendli.ai", "friendli"),
    ("aleph-alpha.com", "aleph_alpha"),
    ("elevenlabs.io", "elevenlabs"),
    ("deepgram.com", "deepgram"),
    ("assemblyai.com", "assemblyai"),
    ("ollama.com", "ollama"),
)

AWS_DOMAINS = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws", ".api.amazonwebservices.com.cn")

AWS_SERVICES = (("bedrock", "aws_bedrock"), ("sagemaker", "aws_sagemaker"))
"""(a label of the host or its start before `-`, provider): bedrock-runtime.eu-west-1.amazonaws.com."""

LOCAL_DOMAINS = (".local", ".localhost", ".internal", ".svc", ".lan", ".home.arpa", ".test")
"""Ends of names that no public resolver knows (RFC 6761, 6762, 8375, ICANN's .internal, Kubernetes)."""

ALIASES: dict[str, tuple[str, ...]] = {
    "openai": ("open_ai", "chatopenai", "openai_chat", "text_completion_openai", "openai_responses"),
    "azure_openai": (
        "azure",
        "az_ai_openai",
        "azure_ai_openai",
        "azureopenai",
        "azure_text",
        "azurechatopenai",
    ),
    "azure_ai": ("az_ai_inference", "azure_ai_inference", "azure_ai_studio", "azure_ai_foundry"),
    "anthropic": ("claude", "chatanthropic", "anthropic_text"),
    "aws_bedrock": (
        *(
            "aws",
            "bedrock",
            "aws_bedrock_runtime",
            "bedrock_converse",
            "amazon_bedrock",
            "amazon",
            "chatbedrock",
        ),
        *("chatbedrockconverse", "bedrock_runtime"),
    ),
    "aws_sagemaker": ("sagemaker", "sagemaker_chat"),
    "google_ai_studio": (
        *(
            "gemini",
            "gcp_gemini",
            "gcp_gen_ai",
            "google",
            "google_genai",
            "google_generative_ai",
            "googleaistudio",
        ),
        *("chatgooglegenerativeai", "google_gemini", "gcp_vertex_agent", "google_adk", "gla", "google_gla"),
    ),
    "google_vertex_ai": (
        *(
            "gcp_vertex_ai",
            "vertex_ai",
            "vertexai",
            "vertex_ai_beta",
            "vertex",
            "google_vertex",
            "chatvertexai",
        ),
        *("google_vertexai", "gcp_vertexai"),
    ),
    "mistral": ("mistral_ai", "mistralai", "chatmistralai", "codestral", "text_completion_codestral"),
    "cohere": ("cohere_chat", "chatcohere"),
    "xai": ("x_ai", "grok", "x"),
    "together": ("together_ai", "togetherai"),
    "fireworks": ("fireworks_ai", "fireworksai"),
    "deepinfra": ("deep_infra",),
    "deepseek": ("deep_seek",),
    "groq": ("chatgroq",),
    "openrouter": ("open_router",),
    "perplexity": ("perplexity_ai",),
    "huggingface": ("hugging_face", "hf", "huggingface_hub"),
    "watsonx": ("ibm_watsonx_ai", "ibm_watsonx", "watsonx_ai", "ibm"),
    "nvidia": ("nvidia_nim", "nim", "chatnvidia"),
    "moonshot": ("moonshotai", "moonshot_ai", "kimi"),
    "zai": ("z_ai",),
    "zhipuai": ("zhipu", "zhipu_ai"),
    "alibaba": ("dashscope", "aliyun", "qwen", "tongyi", "alibaba_cloud"),
    "volcengine": ("doubao", "ark"),
    "voyage": ("voyageai", "voyage_ai"),
    "jina": ("jina_ai",),
    "ai21": ("ai21_chat",),
    "ollama": ("ollama_chat", "chatollama"),
    "github": ("github_models",),
    "github_copilot": (),
    "vercel_ai_gateway": ("vercel", "gateway", "ai_gateway"),
    "cloudflare": ("cloudflare_workers_ai", "workers_ai"),
    LOCAL: (
        *(
            "vllm",
            "hosted_vllm",
            "lm_studio",
            "lmstudio",
            "llamafile",
            "llama_cpp",
            "xinference",
            "text_generation",
        ),
        *("localai", "sglang", "tgi", "openai_like", "custom_openai", "openai_compatible"),
    ),
    **{
        each: ()
        for each in (
            *(
                "cerebras",
                "sambanova",
                "novita",
                "hyperbolic",
                "nebius",
                "replicate",
                "minimax",
                "siliconflow",
            ),
            *(
                "databricks",
                "snowflake",
                "baseten",
                "modal",
                "lepton",
                "ovhcloud",
                "inference_net",
                "friendli",
            ),
            *("aleph_alpha", "elevenlabs", "deepgram", "assemblyai", "meta", "arcee", "nscale", "avian"),
        )
    },
}
"""Canonical id → what else it is called, with every separator as `_`."""

SILENT_LABELS: frozenset[str] = frozenset(
    {
        *(
            "langchain",
            "langgraph",
            "crewai",
            "litellm",
            "litellm_proxy",
            "llama_index",
            "llamaindex",
            "haystack",
        ),
        *(
            "strands",
            "strands_agents",
            "smolagents",
            "autogen",
            "agno",
            "dspy",
            "semantic_kernel",
            "openai_agents",
        ),
        *("pydantic_ai", "mlflow", "unknown", "none", "null", "custom", "other", "openinference", "_other"),
        *("haystack_ai", "spring_ai", "microsoft_agent_framework", "traceloop", "langfuse", "generic"),
    }
)
"""Labels that name a framework, not who served the call."""

GENERIC_LABELS: frozenset[str] = frozenset({"openai"})
"""Claimed by every client that merely speaks this protocol: believed only where the model fits."""

FAMILIES: tuple[tuple[str, str], ...] = (
    # (start of the model's name, provider); for `owner/model` names see OWNERS
    ("gpt-oss", ""),  # '' is open weights, served by many
    ("gpt-", "openai"),
    ("gpt4", "openai"),
    ("chatgpt", "openai"),
    ("ft:gpt", "openai"),
    ("o1", "openai"),
    ("o3", "openai"),
    ("o4", "openai"),
    ("codex", "openai"),
    ("computer-use", "openai"),
    ("text-embedding-004", "google_ai_studio"),
    ("text-embedding-3", "openai"),
    ("text-embedding-ada", "openai"),
    ("text-davinci", "openai"),
    ("davinci", "openai"),
    ("babbage", "openai"),
    ("dall-e", "openai"),
    ("whisper-1", "openai"),
    ("tts-1", "openai"),
    ("sora", "openai"),
    ("omni-moderation", "openai"),
    ("claude", "anthropic"),
    ("gemini", "google_ai_studio"),
    ("learnlm", "google_ai_studio"),
    ("imagen", "google_ai_studio"),
    ("command", "cohere"),
    ("embed-english", "cohere"),
    ("embed-multilingual", "cohere"),
    ("rerank-", "cohere"),
    ("c4ai-", "cohere"),
    ("mistral", "mistral"),
    ("codestral", "mistral"),
    ("ministral", "mistral"),
    ("pixtral", "mistral"),
    ("magistral", "mistral"),
    ("devstral", "mistral"),
    ("open-mistral", "mistral"),
    ("open-mixtral", "mistral"),
    ("deepseek-chat", "deepseek"),
    ("deepseek-reasoner", "deepseek"),
    ("deepseek-coder", "deepseek"),
    ("grok", "xai"),
    ("sonar", "perplexity"),
    ("jamba", "ai21"),
    ("j2-", "ai21"),
    ("voyage-", "voyage"),
    ("jina-", "jina"),
    ("moonshot-", "moonshot"),
    ("kimi-", "moonshot"),
    ("glm-", "zai"),
    ("qwen-max", "alibaba"),
    ("qwen-plus", "alibaba"),
    ("qwen-turbo", "alibaba"),
    ("abab", "minimax"),
    *((open_weights, "") for open_weights in ("qwen", "llama", "gemma", "phi-", "mixtral", "deepseek-r1")),
    ("amazon.", "aws_bedrock"),
    ("anthropic.", "aws_bedrock"),
    ("meta.", "aws_bedrock"),
    ("mistral.", "aws_bedrock"),
    ("cohere.", "aws_bedrock"),
    ("ai21.", "aws_bedrock"),
    ("stability.", "aws_bedrock"),
    ("deepseek.", "aws_bedrock"),
    ("openai.gpt-oss", "aws_bedrock"),
    ("us.", "aws_bedrock"),
    ("eu.", "aws_bedrock"),
    ("apac.", "aws_bedrock"),
    ("global.", "aws_bedrock"),
)

PREFIXES: tuple[tuple[str, str], ...] = (
    # (start of an `owner/model` name, provider), where the owner alone would say another
    ("google/gemini", "google_ai_studio"),  # not open weights, as the owner's others are
    ("openai/gpt-oss", ""),  # open weights, as the owner's others are not
)

SILENT_PREFIXES = ("litellm_proxy/", "models/")
"""Before the name of a model, and no word about who serves it (LiteLLM's proxy, Google's resource names)."""

OWNERS: dict[str, str] = {
    # `owner/model`: the owner of the weights, not who serves them. The first three are the
    # requirement of the teams whose tables we keep (they run these on DeepInfra).
    "meta-llama": "deepinfra",
    "google": "deepinfra",
    "mistralai": "deepinfra",
    "accounts": "fireworks",
    "@cf": "cloudflare",
    "projects": "google_vertex_ai",
    "publishers": "google_vertex_ai",
    # Owners that are called as a provider is; their weights may be served by anybody.
    **dict.fromkeys(("qwen", "nvidia", "microsoft", "meta", "moonshotai", "deepseek-ai", "zai-org"), ""),
}
