"""A service that others ask, over HTTP and over gRPC; it takes the desk's word for whom it works.

See `desk.py` for how to run the two. Who may name tenants is said twice below, once for each door: by
default nobody may.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import watchglass

watchglass.init(service_name="library")

import grpc.aio
import litellm
import uvicorn
from fastapi import FastAPI
from google.protobuf.wrappers_pb2 import StringValue

MODEL = os.environ.get("MODEL", "openai/gpt-4o-mini")
PORT = int(os.environ.get("LIBRARY_PORT", "8001"))
GRPC_PORT = int(os.environ.get("LIBRARY_GRPC_PORT", "8002"))
DESKS = os.environ.get("DESKS", "127.0.0.1").split(",")
"""Addresses or networks of the services whose word for the tenant is taken."""


async def asked(instruction: str, text: str) -> str:
    """What the model says; the tenant is in force already."""
    answer = await litellm.acompletion(
        model=MODEL, messages=[{"role": "user", "content": f"{instruction}: {text}"}]
    )
    return str(answer.choices[0].message.content)


async def keywords(request: StringValue, context: grpc.aio.ServicerContext) -> StringValue:
    """The method `Keywords` of the gRPC service `library.Library`."""
    return StringValue(value=await asked("Three keywords of this", request.value))


def grpc_server() -> grpc.aio.Server:
    """What generated code would do too: a method by its name, with its messages."""
    server = grpc.aio.server(interceptors=watchglass.grpc_aio_server_interceptors(trust=DESKS))
    method = grpc.unary_unary_rpc_method_handler(
        keywords,
        request_deserializer=StringValue.FromString,
        response_serializer=StringValue.SerializeToString,
    )
    server.add_generic_rpc_handlers(
        [grpc.method_handlers_generic_handler("library.Library", {"Keywords": method})]
    )
    server.add_insecure_port(f"127.0.0.1:{GRPC_PORT}")
    return server


@asynccontextmanager
async def both_doors(_: FastAPI) -> AsyncIterator[None]:
    """The gRPC server lives as long as the HTTP one."""
    server = grpc_server()
    await server.start()
    yield
    await server.stop(grace=5)
    # uvicorn ends by the signal that stopped it, and Python runs no exit functions then. Without this the
    # last second would be sent by the next process that starts.
    await asyncio.to_thread(watchglass.shutdown)


app = FastAPI(lifespan=both_doors)
app.add_middleware(watchglass.ContextMiddleware, trust=DESKS)


@app.get("/passages")
async def passages(question: str) -> dict[str, str]:
    """What the books say to a question."""
    return {"passages": await asked("What would a handbook say to this", question)}


if __name__ == "__main__":
    uvicorn.run(app, port=PORT)
