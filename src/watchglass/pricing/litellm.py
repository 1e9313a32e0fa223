"""The last layer: LiteLLM's price map, for models that no other layer knows.

The map has no dates: it says what was listed when it was published, so each price of it is marked
`undated` in its id. A model whose token prices are all zero there is not known to be free, only not
known: it is left out. The map is handed over as the bytes of its file and read at the first price
that is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from watchglass.pricing.labels import canonical, without_provider
from watchglass.pricing.rates import Rate, Rates, rate, rates
from watchglass.pricing.source import Entry, Period, Schedule

_MILLION = Decimal(10**6)
_CLASSES = {
    "input_cost_per_token": "input",
    "output_cost_per_token": "output",
    "cache_read_input_token_cost": "cache_read",
    "cache_creation_input_token_cost": "cache_write",
    "cache_creation_input_token_cost_above_1hr": "cache_write_1h",
    "output_cost_per_reasoning_token": "reasoning",
    "input_cost_per_audio_token": "input_audio",
    "output_cost_per_audio_token": "output_audio",
}
_TIERS = {"batch": "_batches", "flex": "_flex", "priority": "_priority"}
_STEP_MARK = "_above_"
_STEP = re.compile(r"_above_(\d+)k_tokens")
_BY_TOKEN = frozenset({"chat", "completion", "embedding", "responses", "rerank", "moderation"})
"""Modes whose bill is by the token, as long as a token price is listed."""

_UNSEEN = ("input_cost_per_image_token", "output_cost_per_image_token")
"""Tokens that a usage does not tell apart."""


class LitellmMap:
    """The map as a layer."""

    name = "litellm"

    def __init__(self, content: bytes) -> None:
        """Raises `ValueError` if `content` is no JSON object of objects."""
        try:
            # Raw values are not looked into before they are asked for: that all of it is text is seen here.
            found = msgspec.json.decode(content.decode(), type=dict[str, msgspec.Raw])
            self._models = {
                place: raw
                for key, raw in found.items()
                if key != "sample_spec" and (place := _place(key, raw)) is not None
            }
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
            raise ValueError(f"it is not LiteLLM's map of models: {fault}") from None

    def find(self, provider: str, model: str, tier: str | None) -> Schedule | None:
        """See `PriceSource.find`."""
        raw = self._models.get((provider, model.lower()))
        if raw is None:
            return None
        found = _rates(_id(provider, model), _DECODER.decode(raw), tier)
        if found is None:
            return None if tier is None else Schedule(())
        return Schedule((Period(found),))

    def entries(self) -> Iterator[Entry]:
        """See `PriceSource.entries`."""
        for (provider, model), raw in self._models.items():
            fields = _DECODER.decode(raw)
            # Most models have no price by tier at all, which their fields' names tell.
            tiers = [tier for tier, suffix in _TIERS.items() if any(name.endswith(suffix) for name in fields)]
            for tier in (None, *tiers):
                found = _rates(_id(provider, model), fields, tier)
                if found is not None:
                    yield Entry(provider, model, tier, Schedule((Period(found),)))


def _id(provider: str, model: str) -> str:
    return f"litellm:{provider}/{model.lower()}@undated"


class _Head(msgspec.Struct):
    litellm_provider: str | None = None


# The number as it is written, not its nearest binary fraction.
_DECODER = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)


def _place(key: str, raw: msgspec.Raw) -> tuple[str, str] | None:
    try:
        provider = canonical(msgspec.json.decode(raw, type=_Head).litellm_provider)
    except msgspec.DecodeError:
        return None
    return None if provider is None else (provider, without_provider(provider, key.lower()))


def _rates(price_id: str, fields: Mapping[str, Any], tier: str | None) -> Rates | None:
    suffix = "" if tier is None else _TIERS.get(tier)
    if suffix is None:
        return None
    classes: dict[str, Rate] = {}
    stepped = [name for name in fields if _STEP_MARK in name]
    for theirs, ours in _CLASSES.items():
        if (base := _dollars(fields.get(theirs + suffix))) is not None:
            classes[ours] = rate(base, _steps(fields, stepped, theirs, suffix))
    if not any(each.base for each in classes.values()):
        return None
    if tier is not None:
        price_id += f"+{tier}"
    return rates(
        price_id,
        LitellmMap.name,
        classes,
        hidden=frozenset(name.split("_")[0] for name in _UNSEEN if fields.get(name)),
        other_units=fields.get("mode") not in _BY_TOKEN,
    )


def _steps(
    fields: Mapping[str, Any], stepped: Iterable[str], theirs: str, suffix: str
) -> tuple[tuple[int, Decimal], ...]:
    """Thresholds in thousands of input tokens, ascending: `input_cost_per_token_above_200k_tokens`."""
    steps: list[tuple[int, Decimal]] = []
    for name in stepped:
        match = (
            _STEP.fullmatch(name[len(theirs) : len(name) - len(suffix)]) if name.startswith(theirs) else None
        )
        if match and name.endswith(suffix) and (price := _dollars(fields[name])) is not None:
            steps.append((int(match[1]) * 1000, price))
    return tuple(sorted(steps))


def _dollars(per_token: object) -> Decimal | None:
    """Dollars a million tokens, exactly; None for what is no price."""
    if isinstance(per_token, bool) or not isinstance(per_token, int | str | Decimal):
        return None
    try:
        price = Decimal(per_token) * _MILLION
    except InvalidOperation:
        return None
    # More than 18 decimals is a float that somebody computed (2.0833333333333335e-07), no price.
    exact = price.is_finite() and price >= 0 and price == round(price, 18)
    return price if exact else None
