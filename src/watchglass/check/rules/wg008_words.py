"""The words by which WG008 knows a key, a text of a model, and a line that logs one."""

from __future__ import annotations

import re

from watchglass.check.expressions import late

LEVELS = frozenset(
    {"debug", "info", "warning", "warn", "error", "exception", "critical", "fatal", "log", "trace", "success"}
)
ANSWER = "a model's answer"
NO_WORDS = late(r"error(?:event)?$|^message_?(?:delta|start|stop)(?:event)?$", re.I)
MAKES_LOGGER = frozenset({"getLogger", "get_logger", "getChild"})
_KEYS_NAMED = (
    r"(?:api_?keys?|secret_?key|secret_access_key|access_?token|auth_?token|bearer_?token|master_?key|"
    r"(?:openai|anthropic|claude|gemini|groq|mistral|cohere|deepseek|openrouter|litellm|huggingface|hf|replicate)"
    r"_?(?:key|token))"
)
KEY = late(_KEYS_NAMED + "$", re.I)
NO_KEY = late(
    r"(?:^|_)(?:has|is|no|any|use|uses|need|needs|requires?|missing|num|max|valid|invalid|which|public|count)_|"
    r"mask|redact|hide|hidden|scrub|saniti|hash|encrypt|obfuscat|abbreviat",
    re.I,
)
_TEXTS_NAMED = r"(?:prompts?|messages|llm_responses?|llm_outputs?|response_text|completion)"
CONTENT = late(rf"^_*(?:\w+_)?{_TEXTS_NAMED}$", re.I)
NAMED = late(f"{_KEYS_NAMED}|{_TEXTS_NAMED}|get_secret_value".encode())
"""What is named like this, in small letters, can be a finding without a request in the same function."""
NO_CONTENT = late(
    r"^_*(?:num|max|min|count|has|is|use|no|n|len|error|status|log|commit|acompletion|hide|warning|validation|"
    r"flash|queue|kafka|sqs|email|sms|slack|unread|shell|command|cli|login|password|confirm|duplicate|success|"
    r"failure|failed|info|debug|alert|notification|toast|mqtt|websocket|socket|rabbit|redis|available|"
    r"total|valid|skipped|processed|remaining|unique)_",
    re.I,
)
PROMPT = late(r"^_*(?:\w+_)?(?:prompt|llm_response|llm_output)$", re.I)
"""The only names that tell by themselves in a module that names no provider."""
RECEIVED = frozenset(
    {"receive_messages", "receive_message", "poll", "xread", "pull", "fetchall", "fetchmany"}
)
ERRORS = frozenset({"error", "exception", "warning", "warn", "critical", "fatal"})
ASKED_WITH = frozenset({"messages", "prompt", "input", "contents", "message"})
ASKED_FIRST = frozenset({"langchain", "google"})
"""Whose requests take the words as their first argument."""
WORDS_OF_A_MESSAGE = frozenset({"content", "text", "parts"})
WORDS_OF_A_CHOICE = frozenset({"content", "tool_calls", "reasoning_content"})
CHOICE = frozenset({"message", "delta"})
DEEP = 3
NEUTRAL = late(
    r"usage|(?:^|_)id$|^trace$|^model|^created|^object$|reason$|^role$|^type$|^index$|^status|tokens|fingerprint|"
    r"metadata$|latency|^name$|^headers$|^code$|^cost|__|^data_type$|^finish|^version$|^_?hidden_params$|^timestamp$|"
    r"score$|confidence$|^success$|^done$|status$|^err(?:or)?(?:_msg|_message)?$|^action$|^command$|^tool(?:_name)?$"
)
TEXTS = frozenset(
    [
        *(
            "str",
            "repr",
            "dumps",
            "pformat",
            "format",
            "join",
            "strip",
            "prettify",
            "rstrip",
            "model_dump_json",
        ),
        *("cast", "list", "tuple", "dict", "deepcopy", "copy"),
    ]
)
READING = frozenset({"loads", "literal_eval", "str", "repr", "cast", "clean_json", "strip", "dict", "list"})
HANDING_ON = ("gather", "wait_for", "shield", "zip", "enumerate", "as_completed", "run_until_complete")
"""What gives back what it is given, or what comes of it; also a `gather` of the project's own."""
MATCHING = frozenset({"search", "match", "fullmatch", "findall", "finditer", "sub", "split"})
ASKS_ABOUT = frozenset(
    {
        "startswith",
        "endswith",
        "count",
        "find",
        "rfind",
        "index",
        "isdigit",
        "isnumeric",
        "isspace",
        "__len__",
        "keys",
    }
)
"""Methods that say something of a text, and none of its words."""
MODELS = ("llm", "gpt", "claude", "gemini", "openai", "anthropic", "ollama")
_MODELS = r"(?:llms?|gpt_?\d*|chat_?gpt|claude|gemini|openai|anthropic|ollama|litellm)"
ASKING = late(
    rf"^_*(?:a|async_?)?(?:call|ask|query|invoke|prompt)_(?:the_)?{_MODELS}"
    r"(?:_(?:api|model|chat|async|with_retry|sync))?$|"
    rf"^_*(?:\w+_)?{_MODELS}_(?:call|request|query|invoke|completion|answer|chat)(?:_(?:async|sync|with_retry))?$|"
    rf"^_*(?:get|fetch|generate)_{_MODELS}_(?:response|completion|answer|reply|output)$"
)
"""What a function is called that asks a model: where it is not to be seen, its name says what it gives."""
NAMED_MODEL = late(r"(?:^|_)(?:llm(?:_model)?|chat_?model|language_?model)$")
MAY_BE_MODEL = ("model", "llm", "gpt", "claude", "provider", "bot")
"""What an object may be called whose methods are worth the search for their classes."""
ASKING_MODEL = frozenset(
    {
        "invoke",
        "ainvoke",
        "predict",
        "apredict",
        "generate",
        "agenerate",
        "a_generate",
        "complete",
        "acomplete",
    }
    | {"chat", "achat", "stream", "astream"}
)
"""What asks an object that is called a model, and is of a class that nobody sees: `self.llm.invoke(…)`."""
STANDS_BESIDE = late(
    r"usage|token|cost|price|time|elapsed|model|success|(?:^|_)ok$|err|exception|count|num_|latency|duration|"
    r"retr|attempt|meta|score|flag|index|^_$|reason$|history|log|stat|(?:^|_)is_|(?:^|_)has_|valid|path|file|url|name$|kind$|type$|(?:^|_)id$|done$|confidence",
    re.I,
)
"""What a function gives beside an answer: `answer, usage = ask(…)`."""
HANDS_BACK = late(
    r"^(?:message|response|answer|completion|output|chunk)s?_to_(?:str|string|text|content)$|"
    r"^(?:extract|get|clean|strip)_(?:text|content|answer|message)(?:_from_\w+)?$"
)
"""What a function is called that takes the words out of an answer: `message_to_string(llm.invoke(…))`."""
MAY_ASK = (
    *("ask", "llm", "gpt", "complet", "chat", "generat", "respon", "repl", "quer", "answer", "prompt"),
    *("predict", "invoke", "summar", "translat", "think", "reason", "forward", "model"),
)
"""What a function may be called that gives an answer: others are not looked into."""
ASSIGNED = late(
    rb"\n[ \t]+(\w+)(?:,[ ]*\w+){0,3}[ ]*(?::[^=\n]{1,40})?=[ ]*(?:await[ ]+)?[\w.]*"
    rb"(?:ask|llm|gpt|complet|chat|generat|respon|quer|invoke|predict|answer|prompt|pars|summar|translat)\w*\("
)
"""Names that are given what a function gives that may have asked a model."""
SHOWN = late(rb"[{(,%+][ \t\n]*([\w.]+)")
"""Names that stand where something is shown."""
CALLED_ANSWERS = (b"answer", b"reply", b"llm", b"gpt", b"generated", b"ask_", b"respon", b"output", b"chat")
"""What a logged answer may be called, in a file that asks: others have responses of another kind."""
PLAINLY_ASKS = (
    b"ask_llm",
    b"call_llm",
    b"llm_request",
    b"llm.invoke",
    b"llm.ainvoke",
    b"answer_to(",
    b".query(",
    b" ask(",
)
"""One of them is in a file that sends no request and is looked through for answers all the same."""
SIDE_BY_SIDE = frozenset({"zip", "enumerate"})
NAMES_AN_ANSWER = late(r"^r$|^res$|resp|answer|complet|result|output|reply|generat", re.I)
"""Which of the names in `for path, response in zip(paths, responses)` has the answer."""
PLACE = late(r"%(?:\(\w+\))?[-#0 +]*(?:\*|\d+)?(?:\.(?:\*|\d+))?[hlL]?([a-zA-Z%])")
"""A place for an argument in a text (Python's library reference, printf-style formatting)."""
NUMBERS = frozenset("dioxXeEfFgG")
MASKING = late(r"mask|redact|hide|scrub|saniti|hash|len|bool|type|isinstance|count", re.I)
LOGGED = (
    b"print(", b".write(", b".warn(", b".debug(", b".info(", b".warning(", b".error(", b".exception(",
    b".critical(", b".fatal(", b".log(", b".trace(", b".success(",
)  # fmt: skip
TELLING = late(
    rb"[{(,.+%]\s*(?:\w+\.)*\w*(?:api_?keys?|secret_?key|access_?token|auth_?token|bearer_?token|master_?key|prompts?|"
    rb"messages|completion|llm_response|llm_output|response_text|(?:ai|c|q|e|m|l|d|k|hf)_?(?:key|token))\s*[}),!:\[.=]|"
    rb"[\"'](?:\w*(?:api|ai|access)_?key|\w*token|messages|\w*prompt|completion)[\"']\s*[\]),]"
)
KEYS = (b"key", b"KEY", b"Key", b"_token", b"_TOKEN", b"Token")
SAYING_KEY = late(
    rb"[{(,.+%:=][ \t\n]*(?:\w+\.)*\w*(?:api_?keys?|secret_?key|secret_access_key|access_?token|auth_?token|"
    rb"bearer_?token|master_?key|(?:openai|anthropic|hf|litellm)_?(?:key|token))\s*[}),!:\[.=]|"
    rb"[\"']\w*(?:api_?key|access_?token|auth_?token)[\"']\s*[\]),]"
)
SAYING_PROMPT = late(rb"[{(,.+%]\s*(?:\w+\.)*\w*(?:prompt|llm_response|llm_output)\s*[}),!:\[.=]")
ABOUT_MODELS = late(
    rb"gpt|llm|language.model|chatbot|chat_?model|chat_?completion|max_tokens|temperature|system_(?:prompt|message)"
)
ASKS_A_PERSON = late(rb"(?<![\w.])(?:raw_)?input\(|getpass")
FOR_A_PERSON = late(r"\bpress\b|\b(?:hit|type|enter) |\[y/n\]|\(y/n\)|continue\?", re.I)
NEAR = 240
"""So many bytes after its parenthesis the arguments of a call are looked for."""
LONGEST = 4000
"""So many bytes the arguments of a call may be, where missing one would miss a finding."""
