"""What a credential looks like, as data, and `scrub`, which takes them out of a text.

It runs on every text in the caller's thread, so it is built around what an interpreter does fast: finding a
single character. Each shape has an *anchor*, a rare character of its prefix (`-` in `sk-`, `J` in `eyJ`). A
text without it is done with in nanoseconds; where it stands, a look at what is before decides. No shape
takes more than linear time: what may be long is possessive (`++`), what may fail is bounded.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sized
from typing import NamedTuple, cast


class Shape(NamedTuple):
    """A credential that its prefix tells: `prefix` is a regex of `width` characters, `body` what follows."""

    kind: str
    prefix: str
    width: int
    body: str
    source: str


_WORD = "[A-Za-z0-9]"
_TOKEN = "[A-Za-z0-9_-]"

SHAPES: tuple[Shape, ...] = (
    # OpenAI, Anthropic (sk-ant-), OpenRouter (sk-or-), DeepSeek, Langfuse (sk-lf-), LiteLLM's own keys.
    Shape(
        "api_key", "sk-", 3, _TOKEN + "{8,}+", "https://platform.openai.com/docs/api-reference/authentication"
    ),
    Shape("api_key", "gsk_", 4, _WORD + "{16,}+", "https://console.groq.com/docs/quickstart"),
    Shape("api_key", "xai-", 4, _WORD + "{16,}+", "https://docs.x.ai/docs/overview"),
    Shape("api_key", "pplx-", 5, _WORD + "{16,}+", "https://docs.perplexity.ai/getting-started/quickstart"),
    Shape("api_key", "nvapi-", 6, _TOKEN + "{16,}+", "https://docs.api.nvidia.com/nim/docs/api-quickstart"),
    Shape("api_key", "tvly-", 5, _TOKEN + "{12,}+", "https://docs.tavily.com/documentation/quickstart"),
    Shape("api_key", "r8_", 3, _WORD + "{16,}+", "https://replicate.com/docs/topics/security/api-tokens"),
    Shape("api_key", "AIza", 4, _TOKEN + "{20,}+", "https://cloud.google.com/docs/authentication/api-keys"),
    Shape("api_key", "hf_", 3, _WORD + "{16,}+", "https://huggingface.co/docs/hub/security-tokens"),
    Shape("api_key", "lsv2_", 5, _TOKEN + "{16,}+", "https://docs.smith.langchain.com"),
    Shape(
        "api_key", "pcsk_", 5, _TOKEN + "{16,}+", "https://docs.pinecone.io/guides/projects/manage-api-keys"
    ),
    Shape("api_key", "[rs]k_live_", 8, _WORD + "{16,}+", "https://docs.stripe.com/keys"),
    Shape("api_key", "[rs]k_test_", 8, _WORD + "{16,}+", "https://docs.stripe.com/keys"),
    Shape("api_key", "sk_", 3, _WORD + "{20,}+", "https://elevenlabs.io/docs/api-reference/authentication"),
    Shape("watchglass_key", "wg_", 3, "[0-9a-f]{12}_" + _TOKEN + "{8,}+", "watchglass.store.keys"),
    Shape(
        "aws_key",
        "A[KS]IA",
        4,
        "[A-Z0-9]{16}",
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html",
    ),
    Shape(
        "github_token",
        "gh[pousr]_",
        4,
        _WORD + "{16,}+",
        "https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/about-authentication-to-github",
    ),
    Shape("github_token", "github_pat_", 11, "[A-Za-z0-9_]{16,}+", "the same page"),
    Shape("gitlab_token", "glpat-", 6, _TOKEN + "{16,}+", "https://docs.gitlab.com/security/tokens"),
    Shape(
        "slack_token", "xox[abeoprs]-", 5, _TOKEN + "{8,}+", "https://docs.slack.dev/authentication/tokens"
    ),
    Shape("slack_token", "xapp-", 5, _TOKEN + "{8,}+", "https://docs.slack.dev/authentication/tokens"),
    # RFC 7519 with RFC 7515, section 7.1: a header object in base64url begins `eyJ`; three parts.
    Shape("jwt", "eyJ", 3, rf"{_TOKEN}{{6,}}+\.{_TOKEN}{{6,}}+(?:\.{_TOKEN}*+)?", "RFC 7519"),
    # RFC 6750, section 2.1 and RFC 7617.
    Shape("bearer", "Bearer ", 7, "[A-Za-z0-9._~+/=-]{8,}+", "RFC 6750"),
    Shape("bearer", "BEARER ", 7, "[A-Za-z0-9._~+/=-]{8,}+", "RFC 6750"),
    # In lower case it is a word of prose too: a token is long, and has a digit.
    Shape("bearer", "bearer ", 7, "(?=[A-Za-z._~+/=-]{0,64}[0-9])[A-Za-z0-9._~+/=-]{16,}+", "RFC 6750"),
    Shape("basic", "Basic ", 6, "[A-Za-z0-9+/]{7,}+=*+", "RFC 7617"),
)

NAMES: dict[str, int] = {
    **dict.fromkeys(("password", "passwd", "pwd", "passphrase"), 3),
    **dict.fromkeys(("secret", "authorization", "cookie", "credentials"), 6),
    **{
        f"{what}{between}key": 6
        for what in ("api", "access", "secret", "private", "auth", "account", "subscription", "signing")
        for between in ("_", "-", "", " ")
    },
    "token": 8,
    **dict.fromkeys(("_pass", "-pass"), 4),
}
"""How names of credentials end, lower case, each with the length from which a value is taken for one."""

IN_TEXT: dict[str, int] = {
    **NAMES,
    # Parameters of addresses: Google's key, signatures of Azure, AWS and Google.
    **{mark + name: 8 for mark in "?&" for name in ("key", "sig", "signature", "pass")},
    **dict.fromkeys(("amz-signature", "goog-signature"), 8),
    **dict.fromkeys((" signature", ",signature"), 32),  # of an Authorization header of AWS
}
"""The same of names within a text: there, what stands before one tells it from a word."""

MASK = "[redacted:%s]"

# A prefix must not go on from a word (`risk-…`), but may follow an escape, in JSON within a text (`\\nsk-…`).
_START = r"(?:(?<![A-Za-z0-9]{0})|(?<=\\[nrtbf]{0}))"


def _starting(prefix: str) -> str:
    return _START.replace("{0}", prefix)


def _behind(anchor: str) -> tuple[re.Pattern[str], tuple[Shape, ...]]:
    """The shapes whose prefix ends in `anchor`, as one regex that looks behind each; a group a shape."""
    shapes = tuple(shape for shape in SHAPES if shape.prefix.endswith(anchor))
    each = "|".join(f"(?<={shape.prefix}){_starting(shape.prefix)}({shape.body})" for shape in shapes)
    return re.compile(f"{anchor}(?:{each})"), shapes


_ANCHORED = {anchor: _behind(anchor) for anchor in "-_"}

_LEADING = tuple(
    (anchor, offset, start, re.compile(f"({shape.prefix}){_starting(shape.prefix)}{shape.body}"), shape.kind)
    for anchor, offset, start, prefix in (
        ("z", 2, "AIza", "AIza"),
        ("I", 2, "A", "A[KS]IA"),
        ("J", 2, "eyJ", "eyJ"),
        ("B", 0, "Bearer ", "Bearer "),
        ("B", 0, "BEARER ", "BEARER "),
        ("b", 0, "bearer ", "bearer "),
        ("B", 0, "Basic ", "Basic "),
    )
    for shape in SHAPES
    if shape.prefix == prefix
)
"""Shapes that begin with a literal: a rare character of it, where that is in it, and how it starts."""

# RFC 7468, with the headers that RFC 1421 puts before the body. Without its end, all that could be body goes.
_PEM = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY[A-Z ]{0,10}-----(?:[A-Za-z0-9+/=:,\s\\]|-(?!----))*+"
    r"(?:-----END [A-Z0-9 ]{0,60}-----)?"
)
# RFC 3986, section 3.2.1: what stands before the last `@` of the authority; some leave a `/` as it is in a
# password, which then looks like the begin of a path, but for the number of a port before it.
_USERINFO = re.compile(r"://[^\s/:@\"']{0,256}:(?:([^\s/\"']{1,256})|(?!\d{0,5}[/?#])([^\s@\"']{1,256}))@")

# What follows one of NAMES, told by its last three letters, so that few other words are looked at.
_ENDS = frozenset(end for name in IN_TEXT for end in (name[-3:], name[-3:].upper(), name[-3:].capitalize()))
_BETWEEN = "\\\"' \t\n"
"""What may stand between a name and its `:` or `=`: at most two of these."""
_NAMES = tuple(IN_TEXT)
_BY_LENGTH = tuple(
    (length, tuple(name for name in IN_TEXT if IN_TEXT[name] == length))
    for length in sorted(set(IN_TEXT.values()))
)
_KEYS = (
    *NAMES,
    *(f"{name}s" for name in NAMES if name not in ("token", "credentials", "_pass", "-pass")),
    *(f"{of}_tokens" for of in ("access", "refresh", "auth", "api", "bearer")),
)
_VALUE = re.compile(
    r"\s{0,3}(?:(?i:bearer|basic|token|digest|negotiate)\s{1,3})?"
    r"(?:\"((?:[^\"\\]|\\.){1,512}+)\"|'((?:[^'\\]|\\.){1,512}+)'"
    r"|\\?[\"']?([^\s\"'\\,;&<>(){}\[\]$*][^\s\"'\\,;&<>(){}\[\]]{0,4095}+))"
)
# RFC 9110, section 11.4: any scheme, a blank, and what has to be kept secret.
_AUTHORIZED = re.compile(
    r"[A-Za-z][\w-]{1,30}[ \t]{1,3}(?=[^\s\"'\\]{0,64}[0-9])[^\s\"'\\,;&<>(){}\[\]]{6,4096}+"
)
_NO_VALUE = frozenset(
    (
        *("none", "null", "true", "false", "str", "string", "required", "optional", "undefined"),
        *("bearer", "basic", "token", "digest", "negotiate"),
    )
)
"""Where a value is expected: types, placeholders, and the scheme before a credential that is already gone."""


_MARGIN = 1024
"""More than a credential is long."""


def scrub(text: str) -> str:
    """The text with each credential replaced by `[redacted:<kind>]`; the same object if there is none."""
    if "-" in text:
        if "-----BEGIN" in text:
            text = _PEM.sub(MASK % "private_key", text)
        text = _scrub_anchored(text, "-")
    if "_" in text:
        text = _scrub_anchored(text, "_")
    for anchor, offset, start, regex, kind in _LEADING:
        if anchor in text and _stands(text, anchor, offset, start):
            text = regex.sub(MASK % kind, text)
    if "@" in text and "://" in text:
        text = _USERINFO.sub(_without_userinfo, text)
    if "=" in text:
        text = _scrub_assigned(text, "=")
    if ":" in text:
        text = _scrub_assigned(text, ":")
    return text


def scrub_value(text: str) -> str:
    """`scrub` for values of attributes and names: most are short, and the same again and again."""
    if len(text) < 7 or text in _harmless or (len(text) <= 80 and _ID.fullmatch(text)):
        return text
    kept = scrub(text)
    if kept is text and len(text) <= 80:
        if len(_harmless) >= _MOST_HARMLESS:
            _harmless.clear()
        _harmless[text] = None
    return kept


_ID = re.compile("[0-9a-f.:,/T -]*")
"""Numbers, times, addresses, UUIDs, hashes: no prefix and no name of a credential can be in these."""
_harmless: dict[str, None] = {}
_MOST_HARMLESS = 2048


def holds_a_credential(name: str, value: object) -> bool:
    """Whether the value under a name that `names_a_credential` is one: what is true, missing or described
    by a schema is not, nor a number of tokens, nor what is masked already."""
    if isinstance(value, str):
        return len(value) > 2 and not value.startswith("[redacted:") and value.lower() not in _NO_VALUE
    if value is None or isinstance(value, bool):
        return False
    if isinstance(value, Mapping):
        return bool(value) and not _is_schema(cast("Mapping[object, object]", value))
    if isinstance(value, int | float):
        return not name.lower().rstrip("s").endswith("token")
    return not isinstance(value, Sized) or len(value) > 0


_SCHEMA = frozenset(("$ref", "anyOf", "oneOf", "allOf", "enum", "const"))
_TYPES = frozenset(("string", "integer", "number", "boolean", "array", "object", "null"))


def _is_schema(value: Mapping[object, object]) -> bool:
    kind = value.get("type")
    return not _SCHEMA.isdisjoint(value) or isinstance(kind, list) or (type(kind) is str and kind in _TYPES)


def scrub_start(text: str, longest: int) -> str:
    """`scrub` of no more than the first `longest` characters; cut afterwards, for half a credential is not
    known as one."""
    if len(text) <= longest:
        return scrub(text)
    head = scrub(text[: longest + _MARGIN])
    if len(text) > longest + _MARGIN:
        head = head[:-_MARGIN]  # where one may have been cut
    return head[:longest]


def names_a_credential(name: str) -> bool:
    """Whether what this key of a mapping holds is a credential.

    >>> names_a_credential("X-Api-Key"), names_a_credential("prompt_tokens")
    (True, False)
    """
    name = name.lower()
    return name.endswith(_KEYS) or name == "pass"


def _stands(text: str, anchor: str, offset: int, start: str) -> bool:
    """Whether `start` is in the text, by its anchor if that is rare, else by searching."""
    at = text.find(anchor)
    for _ in range(6):
        if at < 0:
            return False
        if at >= offset and text.startswith(start, at - offset):
            return True
        at = text.find(anchor, at + 1)
    return at >= 0 and start in text


def _scrub_anchored(text: str, anchor: str) -> str:
    regex, shapes = _ANCHORED[anchor]
    parts: list[str] = []
    done = 0
    for found in regex.finditer(text):
        shape = shapes[(found.lastindex or 1) - 1]
        parts += text[done : found.start() + 1 - shape.width], MASK % shape.kind
        done = found.end()
    return "".join((*parts, text[done:])) if parts else text


def _without_userinfo(found: re.Match[str]) -> str:
    return found[0][: found.start(found.lastindex or 1) - found.start()] + MASK % "password" + "@"


def _scrub_assigned(text: str, anchor: str) -> str:
    parts: list[str] = []
    done = 0
    at = -1
    while (at := text.find(anchor, at + 1)) >= 0:
        end = at
        if text[at - 1 : at] in _BETWEEN:
            end -= 2 if text[at - 2 : at - 1] in _BETWEEN else 1
        if end < 3 or text[end - 3 : end] not in _ENDS or at < done:
            continue
        name = text[max(0, end - 24) : end].lower()
        value = _VALUE.match(text, at + 1) if name.endswith(_NAMES) else None
        if value is None:
            continue
        group = value.lastindex or 0
        shortest = next(length for length, known in _BY_LENGTH if name.endswith(known))
        if len(value[group]) < shortest or value[group].lower() in _NO_VALUE:
            continue
        parts += text[done : value.start(group)], MASK % "password"
        done = value.end(group)
        if group == 3 and name.endswith("authorization"):
            whole = _AUTHORIZED.match(text, value.start(group))
            done = done if whole is None else whole.end()
    return "".join((*parts, text[done:])) if parts else text
