"""A crew whose runs, tasks, tools and requests are on record.

    watchglass up --no-demo &
    OPENAI_API_KEY=… python examples/crew.py --city Rome
    watchglass usage --by feature,agent

`pip install watchglass crewai`. Any server that speaks OpenAI's chat completions will do: `--base-url`.
"""

from __future__ import annotations

import argparse

import watchglass

watchglass.init(service_name="weather-desk")  # the one line

from crewai import LLM, Agent, Crew, Process, Task
from crewai.tools import tool


@tool
def weather(city: str) -> str:
    """Weather of a city."""
    return f"{city}: 24 °C, sunny, wind from the west"


def crew(llm: LLM) -> Crew:
    """A reporter who looks and an editor who writes."""
    reporter = Agent(
        role="Reporter", goal="know the weather", backstory="has a tool", llm=llm, tools=[weather]
    )
    editor = Agent(role="Editor", goal="one good sentence", backstory="hates adverbs", llm=llm)
    look = Task(
        name="look", description="What is the weather in {city}?", expected_output="the facts", agent=reporter
    )
    write = Task(
        name="write",
        description="Write one sentence of it for the paper.",
        expected_output="one sentence",
        agent=editor,
        context=[look],
    )
    return Crew(
        name="weather-desk", agents=[reporter, editor], tasks=[look, write], process=Process.sequential
    )


def main() -> None:
    """Run the crew for a client's engagement."""
    asked = argparse.ArgumentParser()
    asked.add_argument("--city", default="Rome")
    asked.add_argument("--model", default="openai/gpt-4o-mini")
    asked.add_argument("--base-url")
    given = asked.parse_args()
    llm = LLM(model=given.model, base_url=given.base_url)
    # For whom: on every task, tool and request below, in whatever thread CrewAI runs them.
    with watchglass.context(tenant="acme", engagement="spring-edition"):
        print(crew(llm).kickoff(inputs={"city": given.city}).raw)


if __name__ == "__main__":
    main()
