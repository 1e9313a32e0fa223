"""The words by which WG010 knows a price, and what is called like one and is none."""

from __future__ import annotations

import re

from watchglass.check.expressions import late

PRICE = late(
    r"cost|price|pricing|(?:usd|dollars?|cents?)_per|"
    r"(?:rate|spend|spent|charge|fee)s?_per_(?=\w*tok|1?k|1m|1000|million)",
    re.I,
)
RATE = late(r"^_*(?:(?:in|out|input|output|prompt|completion|token|cached?|base|model|llm)_)?rates?$", re.I)
"""What a price is called where it is plain that prices are spoken of: beside models, in `def cost`."""
_UNIT = late(
    r"token|(?:^|_)(?:in|out|1?k|1m|1000|1000000|million|mtok|mil)(?:$|_)|per(?!c|form|s|iod)|input|output|prompt|completion|cache|embedding|llm|"
    r"multiplier|markup|surcharge",
    re.I,
)
OTHER = late(
    r"max|(?:^|_)min(?:_|$)|limit|budget|threshold|total|target|alert|tolerance|expected|discount|seconds|attempts|"
    r"weight|width|index|column|format|precision|digits|decimals|estimated_|count|version|_id$|currency|ratio|page|"
    r"bytes|chars|cost_?map|percentile|quantile|bucket|bins|levels|colou?r|tracking|retention|interval|timeout|batch_size|port$|days|subscription|membership|shipping|ticket|stripe|"
    r"average|(?:^|_)avg|ttl|"
    r"per_(?:unit|seat|user|bed|addon|item|person|customer|employee|share|night|month|year|week)(?:$|_)|by_(?:cost|price)|insert|delet|substitut|retry|(?:^|_)edit|(?:^|_)gap_",
    re.I,
)
MAP = late(r"cost_?map", re.I)
"""A table of a file's own, where it has numbers; without, LiteLLM's list that is fetched."""
_OTHER_SUM = late(
    r"limit|budget|threshold|alert|target|tolerance|weight|width|index|column|format|precision|digits|seconds|"
    r"timeout|ratio|bytes|chars|days|distance|version|previous|prior|last|baseline|saving|forecast|projected",
    re.I,
)
"""What is worked out under these names is no cost; a total or an estimate of tokens is one."""
MODEL = late(
    r"(?:^|[/.:])(?:gpt-?[345o]|chatgpt|o[134](?:-|$)|text-embedding|text-davinci|davinci|claude|gemini|palm|"
    r"mistral|mixtral|llama|command(?:-|$)|deepseek|qwen|grok|nova-|titan|whisper|dall-e|tts-)",
    re.I,
)
TOKENS = late(r"tokens?(?:$|_)|_tok$", re.I)
PRICED = late(
    rb"(?:cost|pric|usd_per|dollar|_per_)\w*[\"'\])]*\s*(?::[^\n=]*=|[:=*/+-]=?)[^\n]{0,80}?"
    rb"(?:(?<![\w.-])\d|[{(\[][ \t]*(?:#[^\n]*)?$)",
    re.M,
)
MODELLED = late(rb"[\"'](?:gpt|claude|gemini)[^\n]{0,40}[:,=][^\n]{0,30}(?<![\w.-])\d")
GOT = late(rb"(?:cost|pric)\w*\.(?:get|pop)\([^\n]{0,60},")
SET = late(rb"(?:cost|pric|_per_)\w*[\"'][ \t]*,[ \t]*[\"']?[\d.]")
MADE = late(rb"(?:cost|pric)\w*\((?:[^\n)]{0,60}(?<![\w.-])\d|[ \t]*$)", re.M)
COUNTED = late(rb"tokens?\w*[^\n]{0,40}[*/][^\n]{0,40}\d\.\d|\d\.\d[^\n]{0,20}\*[^\n]{0,40}tokens?")
NAMED_COST = late(rb"def \w*(?:cost|pric)")
GIVEN_BACK = late(
    rb"return[ \t(]+(?:\w+\([\"']?)?(?:\.\d|0\.0\d|\d[\d.]*e-|\{(?:[ \t]*$|[^\n]{0,60}(?<![\w.-])\d))"
    rb"|rates?[ \t]*=[ \t]*[\d.]",
    re.M,
)
ABOUT_MODELS = late(
    rb"llm|gpt|openai|anthropic|claude|gemini|mistral|deepseek|groq|ollama|bedrock|language.model|embedding|"
    rb"(?:input|output|prompt|completion|total|num|n|cached?|max|reasoning|per|per_\w{1,8})_?tokens?|"
    rb"tokens_(?:in|out|used|count)|n?tokens?[ \t]*[*/]"
)
"""A module without any of these has prices of something else."""
CALENDAR = frozenset({7, 12, 30, 31, 52, 365})
"""What a cost a day or month is multiplied with; of tokens it may well be a price."""
ROUNDING = frozenset({"round", "float", "Decimal", "max", "min", "ceil", "abs"})
OF_A_TOKEN = 0.001
"""What stands beside a model's name and is below this is the price of a token."""
DEAREST = 1000
SIDES = frozenset(
    {"input", "output", "prompt", "completion", "cached", "cache_read", "cache_write", "cached_input"}
)
TINY = 0.051
"""A factor below this, in what is called a cost, is a price whatever it is multiplied with."""
WORDS = (b"oken", b"TOKEN", b"gpt", b"claude", b"llm", b"LLM", b"openai", b"gemini")
PRICES = (
    b"cost",
    b"rice",
    b"COST",
    b"RICE",
    b"Cost",
    b"pricing",
    b"PRICING",
    b"Pricing",
    b"usd_per",
    b"USD_PER",
    b"_per_",
    b"_PER_",
    b"RATES",
)
IN_SMALL = (b"cost", b"rice", b"pricing", b"_per_", b"rates")


def is_priced_setting(name: str) -> bool:
    """A setting that is called a price of what models use: `COST_PER_1K_TOKENS`."""
    return is_price_name(name) and bool(_UNIT.search(name))


def holds(name: str) -> bool:
    """Whether what has this name holds prices."""
    return bool(PRICE.search(name)) and not OTHER.search(MAP.sub("", name))


def is_price_name(name: str) -> bool:
    """A constant that is called a cost, or a variable that is the cost of what models use."""
    if not PRICE.search(name) or OTHER.search(name):
        return False
    return name.lstrip("_").isupper() or bool(_UNIT.search(PRICE.sub("", name)))


def is_sum_name(name: str) -> bool:
    """What is called a cost, also a total or an estimate of it."""
    return bool(PRICE.search(name)) and not _OTHER_SUM.search(name)
