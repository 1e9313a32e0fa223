"""Crews, flows, tasks, agents and tools of the real CrewAI, as they are recorded."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from concurrent.futures import Future
from typing import ClassVar

import pytest
from crewai.flow.flow import Flow, listen, start
from crewai.tasks.task_output import TaskOutput

from tests_crewai.conftest import Recorded, ToolProvider
from tests_crewai.crews import agent, broken, crew, model, task, weather
from watchglass.capture.callbacks import CallbackHandlerIntegration
from watchglass.capture.context import context

CHAIN = ("execute_tool", "invoke_agent", "execute_task", "invoke_workflow")


def test_a_crew_is_recorded_from_its_kickoff_down_to_its_tools(
    provider: ToolProvider, recorded: Recorded
) -> None:
    """A crew is a flow with its tasks, their agents and the agents' tools below it, with what went in and
    out, for whom, and the feature `crewai`."""
    with context(tenant="7", engagement="9"):
        crew(task(agent(model(provider), tools=[weather]))).kickoff(inputs={"day": "today"})
    tool, reporter, report, flow = (recorded.of(operation)[0] for operation in CHAIN)
    assert [recorded.above(each) for each in (tool, reporter, report, flow)] == [reporter, report, flow, None]
    assert all(each.status == 0 and each.end_ns >= each.start_ns for each in recorded.spans)
    for each in recorded.spans:
        assert (
            each.context.items()
            >= {
                "watchglass.tenant": "7",
                "watchglass.engagement": "9",
                "watchglass.feature": "crewai",
                "watchglass.flow.type": "crew",
            }.items()
        )
    assert len({each.context["watchglass.flow.id"] for each in recorded.spans}) == 1
    assert report.context["gen_ai.agent.name"] == "Reporter"
    assert report.attributes["gen_ai.task.name"] == "weather_report"
    assert "do weather_report" in str(report.attributes["gen_ai.task.input"])
    assert report.attributes["gen_ai.task.output"] == provider.default.text
    assert tool.attributes["gen_ai.tool.call.arguments"] == '{"city":"Rome"}'
    assert tool.attributes["gen_ai.tool.call.result"] == "sunny in Rome"
    assert flow.attributes["gen_ai.task.input"] == '{"day":"today"}'


def test_a_task_is_starting_then_running_then_completed(provider: ToolProvider, recorded: Recorded) -> None:
    """Each state is told as it comes, so that a task that hangs is seen before it ends."""
    crew(task(agent(model(provider)))).kickoff()
    assert recorded.states("task") == [("weather_report", "starting"), ("weather_report", "running")]
    assert len(recorded.of("execute_task")) == 1


def test_each_run_of_a_task_is_an_execution_of_its_own(provider: ToolProvider, recorded: Recorded) -> None:
    """The same crew twice, and once for each of two inputs, is four flows and four tasks, each with its
    id."""
    one = crew(task(agent(model(provider))))
    one.kickoff()
    one.kickoff()
    one.kickoff_for_each([{"n": 1}, {"n": 2}])
    tasks = recorded.of("execute_task")
    assert len({each.attributes["watchglass.task.id"] for each in tasks}) == len(tasks) == 4
    assert len({each.context["watchglass.flow.id"] for each in tasks}) == 4


@pytest.mark.parametrize("way", ["kickoff_async", "akickoff"])
def test_crews_run_at_once_keep_their_tenants_apart(
    provider: ToolProvider, recorded: Recorded, way: str
) -> None:
    """Two tenants' crews at the same time on one event loop: everything of each is that tenant's."""

    async def of(tenant: str) -> None:
        with context(tenant=tenant):
            await getattr(crew(task(agent(model(provider), role=tenant, tools=[weather]))), way)()

    async def both() -> None:
        await asyncio.gather(of("north"), of("south"))

    asyncio.run(both())
    assert len(recorded.of("execute_tool")) == 2
    for each in recorded.spans:
        assert (
            each.context.get("gen_ai.agent.name", each.context["watchglass.tenant"])
            == (each.context["watchglass.tenant"])
        )


def test_execute_async_is_announced_by_the_caller_and_run_in_its_thread(
    provider: ToolProvider, recorded: Recorded
) -> None:
    """`Task.execute_async` is one task: starting when it returns, then running, then completed, for the
    tenant of who called it."""
    with context(tenant="7"):
        future: Future[TaskOutput] = task(agent(model(provider))).execute_async()
        assert ("weather_report", "starting") in recorded.states("task")
    assert future.result(60).raw == provider.default.text
    assert recorded.states("task") == [("weather_report", "starting"), ("weather_report", "running")]
    (done,) = recorded.of("execute_task")
    assert done.context["watchglass.tenant"] == "7"
    assert done.context["watchglass.feature"] == "crewai"


def test_async_tasks_of_a_crew_are_part_of_it(provider: ToolProvider, recorded: Recorded) -> None:
    """A crew's task with `async_execution` runs in a thread of its own and is below the crew all the same."""
    one = agent(model(provider))
    crew(task(one, "first", async_execution=True), task(one, "second")).kickoff()
    (flow,) = recorded.of("invoke_workflow")
    assert [recorded.above(each) for each in recorded.of("execute_task")] == [flow, flow]


def test_a_task_that_fails_is_failed_and_so_is_its_crew(provider: ToolProvider, recorded: Recorded) -> None:
    """A provider that refuses fails agent, task and flow, with the error; the application gets its
    exception."""
    provider.fail(*[401] * 10)
    with pytest.raises(Exception, match="401") as raised:
        crew(task(agent(model(provider), max_retry_limit=0))).kickoff()
    for operation in ("invoke_agent", "execute_task", "invoke_workflow"):
        (failed,) = recorded.of(operation)
        assert failed.status == 2
        assert "401" in failed.status_message
        assert type(raised.value).__name__ in str(failed.attributes["error.type"])
    assert recorded.states("task")[-1] == ("weather_report", "running")


def test_a_tool_that_raises_is_failed_and_its_agent_goes_on(
    provider: ToolProvider, recorded: Recorded
) -> None:
    """A tool's exception is the tool's; the task that made do without it is completed."""
    crew(task(agent(model(provider), tools=[broken]))).kickoff()
    (tool,) = recorded.of("execute_tool")
    assert (tool.status, tool.status_message) == (2, "no weather in Rome")
    assert tool.attributes["error.type"] == "ConnectionError"
    assert recorded.of("execute_task")[0].status == 0


def test_an_agent_asked_by_itself_is_on_record(provider: ToolProvider, recorded: Recorded) -> None:
    """`Agent.kickoff` without a crew is an agent with its tool below it, for the feature `crewai`."""
    agent(model(provider), tools=[weather]).kickoff("weather?")
    (tool,), (lone,) = recorded.of("execute_tool"), recorded.of("invoke_agent")
    assert recorded.above(tool) is lone
    assert lone.context["watchglass.feature"] == "crewai"


class Discovery(Flow):
    """Two methods; the second runs a crew."""

    provider: ClassVar[ToolProvider]

    @start()
    def gather(self) -> str:
        return "gathered"

    @listen(gather)
    def report(self, before: str) -> str:
        return crew(task(agent(model(self.provider)))).kickoff().raw


def flow(provider: ToolProvider) -> Discovery:
    Discovery.provider = provider
    return Discovery()


def test_a_flow_has_its_type_and_its_methods_are_its_phases(
    provider: ToolProvider, recorded: Recorded
) -> None:
    """A flow is one flow of its class's type; the crew in it is part of it, in the phase of the method."""
    run = flow(provider)
    assert run.kickoff() == provider.default.text
    inner, outer = sorted(recorded.of("invoke_workflow"), key=lambda each: each.end_ns)
    assert outer.attributes["gen_ai.workflow.name"] == "Discovery"
    assert outer.context["watchglass.flow.id"] == run.flow_id
    assert recorded.above(inner) is outer
    (report,) = recorded.of("execute_task")
    assert (
        report.context.items()
        >= {
            "watchglass.flow.id": run.flow_id,
            "watchglass.flow.type": "Discovery",
            "watchglass.flow.phase": "report",
        }.items()
    )


def test_a_flow_that_the_application_named_keeps_that_name(
    provider: ToolProvider, recorded: Recorded
) -> None:
    """Within `context(flow=…, flow_type=…, feature=…)` all that a crew does is that flow's, and that
    feature's."""
    with context(flow="flow-1", flow_type="discovery", feature="assessment"):
        flow(provider).kickoff()
    for each in recorded.spans:
        assert (
            each.context.items()
            >= {
                "watchglass.flow.id": "flow-1",
                "watchglass.flow.type": "discovery",
                "watchglass.feature": "assessment",
            }.items()
        )


def test_what_a_handler_announced_and_a_crew_runs_is_one_task(
    provider: ToolProvider, recorded: Recorded
) -> None:
    """The pattern of those teams: announce, `execute_async`, complete. One task, under the handler's name,
    with the agent's work below it."""
    told = CallbackHandlerIntegration.create_callback_handler("flow-1", {"client_account_id": 7})
    told.setup_callbacks()
    told._step_callback({"type": "starting", "status": "starting", "agent": "reporter", "task": "readiness"})
    result = task(agent(model(provider))).execute_async().result(60)
    assert recorded.of("execute_task") == []
    told._task_completion_callback(
        {"agent": "reporter", "task_name": "readiness", "status": "completed", "output": result.raw}
    )
    (done,) = recorded.of("execute_task")
    assert done.attributes["gen_ai.task.name"] == "readiness"
    assert done.attributes["gen_ai.task.output"] == result.raw
    assert recorded.above(recorded.of("invoke_agent")[0]) is done


def test_nothing_is_left_in_force_behind_a_crew(provider: ToolProvider, recorded: Recorded) -> None:
    """After a crew that worked and one that failed, the caller's context and span are what they were."""
    from opentelemetry import trace

    from watchglass.capture.context import current

    before = current(), trace.get_current_span()
    crew(task(agent(model(provider), tools=[broken]))).kickoff()
    provider.fail(*[401] * 10)
    with pytest.raises(Exception, match="401"):
        crew(task(agent(model(provider), max_retry_limit=0))).kickoff()
    assert (current(), trace.get_current_span()) == before


def test_installing_imports_nothing_and_putting_back_leaves_no_trace() -> None:
    """`install` before CrewAI is imported loads none of it; `uninstall` puts its own functions back."""
    code = (
        "import sys\n"
        "from watchglass.capture import crewai as ours\n"
        "ours.install(); ours.install()\n"
        "assert not [name for name in sys.modules if name.split('.')[0] == 'crewai'], 'imported'\n"
        "import crewai\n"
        "from crewai import Crew, Task\n"
        "wrapped = Crew.kickoff, Task.execute_async\n"
        "assert all('watchglass' in each.__code__.co_filename for each in wrapped)\n"
        "ours.uninstall()\n"
        "put_back = Crew.kickoff, Task.execute_async\n"
        "assert not any('watchglass' in each.__code__.co_filename for each in put_back)\n"
        "ours.install()\n"
        "assert 'watchglass' in Crew.kickoff.__code__.co_filename\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_another_librarys_wrappers_below_ours_know_whose_method_they_are() -> None:
    """A method that was wrapped by `wrapt` before `install`, as other instrumentations do it, gets its
    `self`."""
    code = (
        "import wrapt\n"
        "from crewai import Crew\n"
        "from watchglass.capture import crewai as ours, recorder\n"
        "seen = []\n"
        "def theirs(wrapped, instance, args, kwargs):\n"
        "    seen.append(instance)\n"
        "    return 'done'\n"
        "wrapt.wrap_function_wrapper('crewai', 'Crew.kickoff', theirs)\n"
        "ours.install()\n"
        "class Sink:\n"
        "    def append(self, payload): return True\n"
        "recorder.install(Sink())\n"
        "crew = Crew.model_construct(name='c', stream=False)\n"
        "assert crew.kickoff() == 'done' and seen[0] is crew\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
