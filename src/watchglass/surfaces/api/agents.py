"""Agents and flows over HTTP: what they did and cost, how their work ended, what hangs and what failed."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from watchglass.clock import Clock
from watchglass.queries.agents.agent import AgentReport, agent_report
from watchglass.queries.agents.flows import FlowsReport, flows_report
from watchglass.queries.agents.question import FILTERS, AgentsQuestion, agents_question
from watchglass.queries.agents.report import AgentsReport, agents_report
from watchglass.queries.documents import plain
from watchglass.queries.reader import StoreReader
from watchglass.store import Engine, Limits
from watchglass.surfaces.api.endpoint import JSON, Endpoint, Parameter
from watchglass.surfaces.api.turns import Turns

PATH = "/api/v1/agents"

_ASKED = (
    Parameter(
        name="since", meaning="Start of the time asked about: an ISO time, a date, or 7d, 12h ago; else 30d."
    ),
    Parameter(name="until", meaning="End of the time asked about, not included; else now."),
    *(
        Parameter(
            name=name,
            meaning="Only what has this value; given twice, either; empty for what has none.",
            many=True,
        )
        for name in FILTERS
    ),
)


def agent_endpoints(reader: StoreReader, turns: Turns, *, clock: Clock) -> list[Endpoint]:
    """Everything about agents and flows."""
    api = _Api(reader, turns, clock)
    return [
        Endpoint(
            method="GET",
            path=PATH,
            summary="Agents: what each did and cost, whether its work succeeded, what is stuck",
            details="Beside each figure the same of the window before, which is as long. Costs and calls are "
            "those of `/api/v1/usage` by agent.",
            needs="read",
            handler=api.agents,
            parameters=_ASKED,
            answer=AgentsReport,
        ),
        Endpoint(
            method="GET",
            path="/api/v1/flow-types",
            summary="Flow types: their runs, how they ended and how long they took, what one costs, by phase",
            details="Costs and calls are those of `/api/v1/usage` by flow_type.",
            needs="read",
            handler=api.flows,
            parameters=_ASKED,
            answer=FlowsReport,
        ),
        Endpoint(
            method="GET",
            path=f"{PATH}/{{agent:path}}",
            summary="One agent: its tasks, tools and models, what failed in it and why",
            needs="read",
            handler=api.agent,
            parameters=(
                Parameter(name="agent", meaning="The agent's name.", place="path", required=True),
                *(each for each in _ASKED if each.name != "agent"),
            ),
            answer=AgentReport,
        ),
    ]


class _Api:
    def __init__(self, reader: StoreReader, turns: Turns, clock: Clock) -> None:
        self._reader = reader
        self._clock = clock
        self._turns = turns

    async def agents(self, request: Request) -> Response:
        question = self._question(request)
        return await self._answer(lambda engine, limits: agents_report(engine, question, limits))

    async def flows(self, request: Request) -> Response:
        question = self._question(request)
        return await self._answer(lambda engine, limits: flows_report(engine, question, limits))

    async def agent(self, request: Request) -> Response:
        question, agent = self._question(request), str(request.path_params["agent"])
        return await self._answer(lambda engine, limits: agent_report(engine, agent, question, limits))

    async def _answer(self, question: Callable[[Engine, Limits], msgspec.Struct]) -> Response:
        found = await self._turns.ask(self._reader.answer, question)
        return Response(msgspec.json.encode(plain(found)), media_type=JSON)

    def _question(self, request: Request) -> AgentsQuestion:
        return agents_question(request.query_params.multi_items(), self._clock.now_ns())
