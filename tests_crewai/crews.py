"""Crews for the tests: two agents, a tool, and the model that the test wants."""

from __future__ import annotations

from typing import Any

from crewai import LLM, Agent, Crew, Task
from crewai.tools import tool

from tests.capture.provider import Provider


@tool
def weather(city: str) -> str:
    """Weather of a city."""
    return f"sunny in {city}"


@tool
def broken(city: str) -> str:
    """Weather of a city, as far as it can be had."""
    raise ConnectionError(f"no weather in {city}")


def model(provider: Provider, name: str = "gpt-4o-mini", *, litellm: bool = False, **more: Any) -> Any:
    """A model at the local provider: CrewAI's own client, or through LiteLLM."""
    return LLM(
        model=f"openai/{name}",
        base_url=f"{provider.url}/v1",
        api_key="sk-test-secret",
        is_litellm=litellm,
        **more,
    )


def agent(llm: Any, role: str = "Reporter", **more: Any) -> Agent:
    return Agent(role=role, goal="to report", backstory="knows the town", llm=llm, **more)


def task(of: Agent, name: str = "weather_report", **more: Any) -> Task:
    return Task(description=f"do {name}", expected_output="a text", agent=of, name=name, **more)


def crew(*tasks: Task, **more: Any) -> Crew:
    agents = list({id(each.agent): each.agent for each in tasks}.values())
    return Crew(agents=agents, tasks=list(tasks), **more)
