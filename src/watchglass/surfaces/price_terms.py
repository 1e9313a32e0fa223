"""What a request or a command asks to set, as the terms of an override."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from watchglass.errors import BadRequest, ConfigError
from watchglass.store.price_overrides import Terms
from watchglass.surfaces.prices_file import stated_terms

_EXACT = msgspec.json.Decoder(float_hook=Decimal)


def read_terms(body: bytes) -> list[Terms]:
    """The JSON of a request. Raises `BadRequest`."""
    try:
        asked = _EXACT.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
        raise BadRequest(
            f'{fault}; send {{"provider": "openai", "model": "gpt-4o", "input": "2.5"}}'
        ) from None
    if not isinstance(asked, dict):
        raise BadRequest("send one price or discount, as a JSON object")
    return terms_of(asked)


def terms_of(asked: Mapping[str, Any]) -> list[Terms]:
    """A discount where there is a `percent`, else a price; one for each model. Raises `BadRequest`."""
    kind = "discount" if "percent" in asked else "price"
    try:
        return stated_terms(kind, dict(asked), f"this {kind}")
    except ConfigError as fault:
        raise BadRequest(str(fault)) from None
