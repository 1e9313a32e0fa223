"""A request's body: read no further than it may be long, and decoded or refused with an example."""

from __future__ import annotations

from typing import TypeVar

import msgspec
from starlette.requests import Request

from watchglass.errors import BadRequest, TooLarge

T = TypeVar("T")


async def read_body(request: Request, most_bytes: int, refusal: str) -> bytes:
    """All of the body. Raises `TooLarge` saying `refusal` as soon as there are more than `most_bytes`."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > most_bytes:
            raise TooLarge(refusal)
    return bytes(body)


def decode_body(body: bytes, kind: type[T], example: str) -> T:
    """The JSON as `kind`. Raises `BadRequest` saying what is wrong with it, and to send `example`."""
    try:
        return msgspec.json.decode(body, type=kind)
    except RecursionError:
        fault = "the body is nested too deeply"
    except UnicodeDecodeError as error:
        fault = f"the body is no UTF-8 ({error.reason})"
    except msgspec.DecodeError as error:
        fault = str(error)
    raise BadRequest(f"{fault}; send {example}")
