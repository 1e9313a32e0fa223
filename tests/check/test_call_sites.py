"""Call sites, as coverage asks for them."""

from __future__ import annotations

from pathlib import Path

from watchglass.check import sites

CODE = """import litellm
import watchglass


class Shop:
    def ask(self):
        def inner():
            return litellm.completion(
                model="m",
            )  # noqa

        return inner


with watchglass.context(tenant="acme"):
    answer = litellm.embedding(model="m", input=[])
"""


def test_every_request_is_a_site(tmp_path: Path) -> None:
    """Sites have lines of call and statement, the function as Python names it, and if they are recorded."""
    place = tmp_path / "project"
    place.mkdir()
    (place / "a.py").write_text(CODE, "utf-8")
    (place / "b.py").write_text("import litellm\nlitellm.completion(\n", "utf-8")
    (place / "c.py").write_text("x = 1\n", "utf-8")
    found = sites.find([str(place)])
    one, two = found.sites
    assert (one.line, one.end_line, one.statement_line, one.statement_end) == (8, 10, 8, 10)
    assert (one.function, one.recorded) == ("Shop.ask.<locals>.inner", False)
    assert (two.function, two.callee, two.recorded) == ("<module>", "litellm.embedding", True)
    assert len(found.files) == 3 and len(found.unreadable) == 1 and "b.py" in found.unreadable[0]


STARTED = """import watchglass
from crewai import Agent, Crew, Task
from crewai.flow.flow import Flow
from watchglass import multi_model_service

watchglass.init()


class Assessment(Flow):
    pass


def run(some_task, agent):
    Crew(agents=[], tasks=[]).kickoff()
    Agent(role="writer").kickoff("hello")
    Task(description="d").execute_sync()
    some_task.execute_async(agent=agent)
    Assessment().kickoff_async()


async def ask(other):
    await multi_model_service.generate_response(
        prompt="x", client_account_id=1
    )
    await other.generate_response("z")
"""


def test_what_makes_its_requests_below(tmp_path: Path) -> None:
    """A crew, an agent, a task and our service are sites where they are started; a flow if it is seen."""
    (tmp_path / "a.py").write_text(STARTED, "utf-8")
    found = sites.find([str(tmp_path)]).sites
    assert [(site.line, site.callee, site.only_if_seen) for site in found] == [
        (14, "Crew.kickoff", False),
        (15, "Agent.kickoff", False),
        (16, "Task.execute_sync", False),
        (17, "Task.execute_async", False),
        (18, "Flow.kickoff_async", True),
        (22, "multi_model_service.generate_response", False),
    ]
    assert all(site.recorded for site in found)
