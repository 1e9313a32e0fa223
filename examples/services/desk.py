"""A service at the edge: it knows for whom a request is, and asks another service over HTTP and gRPC.

    watchglass up --no-demo &
    export OPENAI_API_KEY=…
    python examples/services/library.py &
    python examples/services/desk.py &
    curl -s 'http://127.0.0.1:8000/answer?question=how+so' -H 'x-client: acme'
    watchglass usage --by tenant,feature
    watchglass traces

`pip install 'watchglass[litellm,fastapi,httpx,grpc]' fastapi uvicorn httpx grpcio`. One request is one trace
over both services, and all four calls in it are of the client that the desk has named. The provider of the
model is told nothing of that: only the hosts in `baggage_to` are.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated
from urllib.parse import urlsplit

import watchglass

LIBRARY = os.environ.get("LIBRARY_URL", "http://127.0.0.1:8001")
LIBRARY_GRPC = os.environ.get("LIBRARY_GRPC", "127.0.0.1:8002")

watchglass.init(service_name="desk", baggage_to=[urlsplit(LIBRARY).netloc])

import grpc.aio
import httpx
import litellm
import uvicorn
from fastapi import FastAPI, Header
from google.protobuf.wrappers_pb2 import StringValue

MODEL = os.environ.get("MODEL", "openai/gpt-4o-mini")
PORT = int(os.environ.get("DESK_PORT", "8000"))


@asynccontextmanager
async def until_all_is_sent(_: FastAPI) -> AsyncIterator[None]:
    """uvicorn ends by the signal that stopped it, and Python runs no exit functions then. Without this the
    last second would be sent by the next process that starts."""
    yield
    await asyncio.to_thread(watchglass.shutdown)


app = FastAPI(lifespan=until_all_is_sent)


async def asked(text: str) -> str:
    """What the model says."""
    answer = await litellm.acompletion(model=MODEL, messages=[{"role": "user", "content": text}])
    return str(answer.choices[0].message.content)


async def passages(question: str) -> str:
    """From the library over HTTP. OpenTelemetry's instrumentation of httpx sends the trace, we the tenant."""
    async with httpx.AsyncClient(base_url=LIBRARY, timeout=60) as library:
        answer = await library.get("/passages", params={"question": question})
        return str(answer.raise_for_status().json()["passages"])


async def keywords(question: str) -> str:
    """From the library over gRPC. The interceptors on a channel say that its server may be told."""
    interceptors = watchglass.grpc_aio_client_interceptors()
    async with grpc.aio.insecure_channel(LIBRARY_GRPC, interceptors=interceptors) as channel:
        method = channel.unary_unary(
            "/library.Library/Keywords",
            request_serializer=StringValue.SerializeToString,
            response_deserializer=StringValue.FromString,
        )
        return str((await method(StringValue(value=question), timeout=60)).value)


@app.get("/answer")
async def answer(question: str, x_client: Annotated[str, Header()]) -> dict[str, str]:
    """The edge: here it is known for whom the work is (in your application: who has logged in)."""
    with watchglass.context(tenant=x_client, feature="answer"):
        draft, found, words = await asyncio.gather(asked(question), passages(question), keywords(question))
        return {"answer": await asked(f"{question}\n{draft}\n{found}\n{words}")}


if __name__ == "__main__":
    uvicorn.run(app, port=PORT)
