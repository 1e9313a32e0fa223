"""Many tenants at once, by every way that context travels: nothing recorded carries another's."""

from __future__ import annotations

import asyncio
import functools
import multiprocessing
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import ExitStack
from multiprocessing.pool import ThreadPool
from typing import Any

import grpc
import grpc.aio
import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.capture.propagation import services
from tests.capture.propagation.services import METHOD, noted, span
from watchglass.capture import propagation, recorder
from watchglass.capture.context import context
from watchglass.capture.propagation.carrying import carry
from watchglass.capture.propagation.grpc import grpc_aio_client_interceptors, grpc_client_interceptors
from watchglass.capture.propagation.headers import inject
from watchglass.capture.records import SpanRecord, decode, encode


class Places:
    """Where work can be sent to."""

    pool: Executor
    thread_pool: ThreadPool
    processes: Executor
    http: str
    grpc: str
    grpc_aio: str


class Kept:
    """A sink that keeps what is recorded."""

    def __init__(self) -> None:
        self.payloads: list[bytes] = []

    def append(self, payload: bytes) -> bool:
        self.payloads.append(payload)
        return True


kept = Kept()

ENGAGEMENT = "watchglass.engagement"


@pytest.fixture(scope="module")
def places() -> Generator[Places]:
    found = Places()
    propagation.install()
    recorder.install(kept)
    with ExitStack() as stack:
        found.pool = stack.enter_context(ThreadPoolExecutor(3))
        found.thread_pool = stack.enter_context(ThreadPool(2))
        spawn = multiprocessing.get_context("spawn")
        found.processes = stack.enter_context(ProcessPoolExecutor(2, mp_context=spawn))
        found.http = stack.enter_context(services.http_service())
        found.grpc = stack.enter_context(services.grpc_service())
        found.grpc_aio = stack.enter_context(services.grpc_aio_service())
        yield found
    recorder.install(None)
    propagation.uninstall()


def elsewhere(tenant: str) -> bytes:
    """In another process, which has no sink: what it would record."""
    return encode(span(tenant))


async def by_await(_places: Places, tenant: str) -> None:
    await asyncio.sleep(0)
    noted(tenant)


async def by_gather(places: Places, tenant: str) -> None:
    await asyncio.gather(by_await(places, tenant), by_await(places, tenant))


async def by_to_thread(_places: Places, tenant: str) -> None:
    await asyncio.to_thread(noted, tenant)


async def by_run_in_executor(places: Places, tenant: str) -> None:
    await asyncio.get_running_loop().run_in_executor(None, noted, tenant)


async def by_pool(places: Places, tenant: str) -> None:
    work = [places.pool.submit(noted, tenant), places.pool.submit(carry(noted), tenant)]
    await asyncio.gather(*map(asyncio.wrap_future, work))


async def by_thread_pool(places: Places, tenant: str) -> None:
    asked = places.thread_pool.map_async(noted, [tenant, tenant])
    await asyncio.to_thread(asked.get, 60)


async def by_thread(_places: Places, tenant: str) -> None:
    thread = threading.Thread(target=noted, args=(tenant,))
    thread.start()
    await asyncio.to_thread(thread.join)


async def by_process(places: Places, tenant: str) -> None:
    kept.append(await asyncio.wrap_future(places.processes.submit(elsewhere, tenant)))


async def by_http(places: Places, tenant: str) -> None:
    async with httpx.AsyncClient(timeout=60) as client:
        answer = await client.post(places.http, content=tenant.encode(), headers=inject({}))
    assert answer.content == tenant.encode()


async def by_asgi(_places: Places, tenant: str) -> None:
    caller: Any = httpx.ASGITransport(services.app)
    async with httpx.AsyncClient(transport=caller, base_url="http://own") as client:
        await client.post("/", content=tenant.encode(), headers=inject({}))


async def by_grpc(places: Places, tenant: str) -> None:
    await asyncio.to_thread(_call, places.grpc, tenant)


def _call(address: str, tenant: str) -> None:
    with grpc.insecure_channel(address) as bare:
        channel = grpc.intercept_channel(bare, *grpc_client_interceptors())
        sent = tenant.encode()
        assert channel.unary_unary(METHOD + "One")(sent) == sent
        assert list(channel.unary_stream(METHOD + "Many")(sent)) == [sent, sent]
        assert channel.stream_unary(METHOD + "Last")(iter([sent])) == sent
        assert list(channel.stream_stream(METHOD + "Each")(iter([sent]))) == [sent]


async def by_grpc_aio(places: Places, tenant: str) -> None:
    sent = tenant.encode()
    interceptors = grpc_aio_client_interceptors()
    async with grpc.aio.insecure_channel(places.grpc_aio, interceptors=interceptors) as channel:
        assert await channel.unary_unary(METHOD + "One")(sent) == sent
        assert [said async for said in channel.unary_stream(METHOD + "Many")(sent)] == [sent, sent]
        assert await channel.stream_unary(METHOD + "Last")(iter([sent])) == sent
        assert [said async for said in channel.stream_stream(METHOD + "Each")(iter([sent]))] == [sent]


async def by_generator(places: Places, tenant: str) -> None:
    @context(tenant=tenant)
    async def steps() -> AsyncGenerator[None]:
        for _ in range(2):
            noted(tenant)
            await asyncio.sleep(0)
            yield

    with context(tenant="somebody else"):
        async for _ in steps():
            noted("somebody else")


async def by_errand(places: Places, tenant: str) -> None:
    """Work for another tenant in between."""
    with context(tenant=tenant + "!"):
        await by_pool(places, tenant + "!")
    noted(tenant)


WAYS: list[Callable[[Places, str], Awaitable[None]]] = [
    by_await,
    by_gather,
    by_to_thread,
    by_run_in_executor,
    by_pool,
    by_thread_pool,
    by_thread,
    by_process,
    by_http,
    by_asgi,
    by_grpc,
    by_grpc_aio,
    by_generator,
    by_errand,
]

names = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), min_size=1, max_size=12)


async def _work(places: Places, tenant: str, ways: list[Callable[[Places, str], Awaitable[None]]]) -> None:
    async with context(tenant=tenant, engagement=f"of {tenant}"):
        for way in ways:
            await way(places, tenant)
            noted(tenant)


async def _all(places: Places, work: dict[str, list[Callable[[Places, str], Awaitable[None]]]]) -> None:
    await asyncio.gather(*(_work(places, tenant, ways) for tenant, ways in work.items()))


def wrong(payloads: list[bytes]) -> list[SpanRecord]:
    """The records that carry another tenant, or another tenant's engagement, than they ought to."""
    found: list[SpanRecord] = []
    for payload in payloads:
        record = decode(payload)
        assert isinstance(record, SpanRecord)
        carried = record.context
        engagements = (None, f"of {record.name}")
        if carried.get("watchglass.tenant") != record.name or carried.get(ENGAGEMENT) not in engagements:
            found.append(record)
    return found


@given(
    work=st.dictionaries(
        names, st.lists(st.sampled_from(WAYS), min_size=1, max_size=5), min_size=2, max_size=6
    )
)
@settings(max_examples=25, deadline=None)
def test_no_record_carries_another_tenant(
    places: Places, work: dict[str, list[Callable[[Places, str], Awaitable[None]]]]
) -> None:
    """Whatever tenants work at once, by whatever ways, each record carries the tenant it is of."""
    kept.payloads.clear()
    asyncio.run(_all(places, work))
    assert len(kept.payloads) >= sum(map(len, work.values()))
    assert wrong(kept.payloads) == []


def test_all_ways_at_once(places: Places) -> None:
    """Thirty tenants, each by all ways in an order of its own: each record carries the tenant it is of."""
    kept.payloads.clear()
    turned = functools.partial(lambda n: WAYS[n % len(WAYS) :] + WAYS[: n % len(WAYS)])
    asyncio.run(_all(places, {f"tenant {n}": turned(n) for n in range(30)}))
    assert len(kept.payloads) > 30 * len(WAYS) * 2
    assert wrong(kept.payloads) == []
