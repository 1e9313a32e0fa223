"""Plays one run: which requests its agents make, how long they take, what fails and what is tried again."""

from __future__ import annotations

from hashlib import blake2b
from random import Random

import msgspec

from watchglass.surfaces.demo import story, texts
from watchglass.surfaces.demo.records import (
    AgentRun,
    Beat,
    Call,
    Failure,
    Message,
    Model,
    Role,
    Run,
    Tool,
    Usage,
    Workload,
)
from watchglass.surfaces.demo.workloads import MODELS

SECOND_NS = 10**9
_ATTEMPTS = 3
_KEPT_MESSAGES = 12
"""A loop's agent drops the oldest of its messages, as agents with a window do."""


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """A run to be played. `looping`: its first agent does not notice that it is done."""

    workload: Workload
    seed: str
    session: str
    day: int
    start_ns: int
    looping: bool


def play(planned: Planned) -> Run:
    """The run, as its seed decides."""
    rng, workload = Random(planned.seed), planned.workload
    facts = texts.facts(workload.topic, rng)
    stage = _Stage(rng, facts, planned.start_ns, digest(planned.seed, 8))
    agents: list[AgentRun] = []
    for number, role in enumerate(workload.roles):
        agents.append(stage.perform(role, story.LOOP_STEPS if planned.looping and number == 0 else 0))
        if agents[-1].failure is not None:
            break
    whose = Random(f"{planned.seed.partition('/')[0]}/{workload.key}/{planned.session}")
    return Run(
        id=digest(planned.seed, 16),
        workload=workload,
        start_ns=planned.start_ns,
        end_ns=stage.pass_(0.002, 0.01),
        agents=tuple(agents),
        subject=facts["subject"],
        engagement=whose.choice(workload.engagements),
        user=f"user-{1 + int(180 * whose.random() ** 2)}",
        session=planned.session,
        environment="staging" if whose.random() < workload.staging and not planned.looping else "production",
        version=story.version(workload, planned.day),
        failure=agents[-1].failure,
    )


def digest(text: str, size: int) -> str:
    """`size` bytes that stand for `text`, in hexadecimal."""
    return blake2b(text.encode(), digest_size=size).hexdigest()


class _Stage:
    """Where a run is played: time passes as things happen, the conversation grows."""

    def __init__(self, rng: Random, facts: texts.Facts, now_ns: int, name: str) -> None:
        self._rng = rng
        self._facts = facts
        self._now_ns = now_ns
        self._name = name
        self._made = 0
        self._messages: list[Message] = []
        self._handed_on = ""
        self._asked: Message | None = None

    def pass_(self, least_s: float, most_s: float) -> int:
        """Let some time pass; the moment after it."""
        self._now_ns += int(self._rng.uniform(least_s, most_s) * SECOND_NS)
        return self._now_ns

    def perform(self, role: Role, loops: int) -> AgentRun:
        """An agent's part; `loops` times more than it should."""
        begin_ns = self.pass_(0.002, 0.02)
        ask = self._facts["ask"] + (f"\nWhat is known so far: {self._handed_on}" if self._handed_on else "")
        system = f"You are {role.name}. {role.goal}. Expected: {role.expected}."
        self._messages = [Message("system", system), Message("user", ask)]
        steps: list[Call | Tool] = []
        failure = None
        for beat, following in self._beats(role, loops):
            done, failure = self._do(beat, following, 1 + len(steps) / 24 if loops else 1.0)
            steps += done
            if failure is not None:
                break
        self._handed_on = self._facts["remedy"]
        end_ns = self.pass_(0.001, 0.006)
        output = "" if failure is not None else self._facts["remedy"]
        return AgentRun(
            role=role, start_ns=begin_ns, end_ns=end_ns, steps=tuple(steps), output=output, failure=failure
        )

    def _beats(self, role: Role, loops: int) -> list[tuple[Beat, Beat | None]]:
        once = [beat for beat in role.beats for _ in range(self._rng.randint(*beat.times))]
        beats = once + [role.beats[number % len(role.beats)] for number in range(loops)]
        return list(zip(beats, [*beats[1:], None], strict=True))

    def _do(
        self, beat: Beat, following: Beat | None, swell: float
    ) -> tuple[list[Call | Tool], Failure | None]:
        if beat.tool is not None:
            return [self._use(beat.tool)], None
        calls: list[Call | Tool] = []
        failure = None
        for attempt, name in enumerate([beat.model] * _ATTEMPTS + [beat.fallback], 1):
            if name is None:
                break
            made = self._ask(beat, MODELS[name], following, attempt, swell)
            calls.append(made)
            failure = made.failure
            if failure is None or not failure.retried:
                break
            self.pass_(0.4 * 2**attempt, 0.8 * 2**attempt)
        return calls, failure

    def _ask(self, beat: Beat, model: Model, following: Beat | None, attempt: int, swell: float) -> Call:
        """One request; what it answered is part of the conversation."""
        start_ns = self.pass_(0.003, 0.03)
        failure = story.failure_of(model, start_ns, self._rng.random())
        usage = None if failure is not None else self._tokens(beat, model, swell)
        first_s, total_s = self._times(beat, model, usage, failure, start_ns)
        self._now_ns += int(total_s * SECOND_NS)
        asked, answer = tuple(self._messages), None
        if usage is not None and beat.operation == "chat":
            answer = self._answer(following)
        streamed = beat.stream and usage is not None
        left_out = streamed and self._rng.random() < beat.usage_left_out
        cut = answer is not None and answer.call is None and self._rng.random() < 0.004
        return Call(
            id=self._id(),
            model=model,
            operation=beat.operation,
            start_ns=start_ns,
            end_ns=self._now_ns,
            first_ns=int(first_s * SECOND_NS) if streamed else None,
            usage=None if left_out else usage,
            failure=failure,
            finish="tool_calls" if answer is not None and answer.call else "length" if cut else "stop",
            messages=asked,
            answer=answer,
            attempt=attempt,
        )

    def _tokens(self, beat: Beat, model: Model, swell: float) -> Usage:
        read = round(beat.input * swell * self._rng.lognormvariate(0, 0.28)) + 12
        if beat.operation == "embeddings":
            return Usage(input=read)
        written = max(round(beat.output * self._rng.lognormvariate(0, 0.4)), 4)
        hit = beat.cached > 0 and self._rng.random() < 0.8
        held = round(read * beat.cached) // 128 * 128
        reports_writes = beat.written and model.provider == "anthropic"
        return Usage(
            input=read,
            output=written,
            cache_read=held if hit else 0,
            cache_write=held if reports_writes and not hit else 0,
            reasoning=round(written * beat.thought * self._rng.uniform(0.8, 1.1)) // 64 * 64,
        )

    def _times(
        self, beat: Beat, model: Model, usage: Usage | None, failure: Failure | None, at_ns: int
    ) -> tuple[float, float]:
        """Seconds to the first token and in all."""
        slow = story.slowness(model, at_ns) * self._rng.lognormvariate(0, 0.22)
        if failure is not None:
            return 0.0, 60.0 if failure.kind == "APITimeoutError" else self._rng.uniform(0.08, 0.9)
        first_s = (model.first_s + (usage.input if usage else 0) / 40_000) * slow
        written = usage.output if usage and usage.output else 0
        return first_s, first_s + (written / model.speed * slow if model.speed else 0.0)

    def _answer(self, following: Beat | None) -> Message:
        """What the model said: the tool that it wants next, or its answer."""
        if following is not None and following.tool is not None:
            asked = (f"call_{self._id()[:12]}", following.tool, self._facts["look"])
            answer = Message("assistant", "", asked)
            self._asked = answer
        else:
            text = self._facts["remedy"] if following is None else f"Noted. {self._facts['remedy']}"
            team = self._facts.get("team") if len(self._messages) == 2 else None
            answer = Message("assistant", team or text)
        self._remember(answer)
        return answer

    def _use(self, tool: str) -> Tool:
        asked = self._asked.call if self._asked is not None else None
        start_ns = self.pass_(0.001, 0.008)
        failure = story.pick_failure(story.TOOL_FAILURES, self._rng.random())
        end_ns = (
            self.pass_(9.9, 10.1) if failure and failure.kind == "TimeoutError" else self.pass_(0.02, 0.6)
        )
        result = self._facts["found"] if failure is None else f"{failure.kind}: {failure.message}"
        call_id = asked[0] if asked is not None else f"call_{self._id()[:12]}"
        self._remember(Message("tool", result, (call_id, tool, "")))
        return Tool(
            id=call_id,
            name=tool,
            arguments=self._facts["look"],
            result=result,
            start_ns=start_ns,
            end_ns=end_ns,
            failure=failure,
        )

    def _remember(self, message: Message) -> None:
        self._messages.append(message)
        if len(self._messages) > _KEPT_MESSAGES:
            del self._messages[2]

    def _id(self) -> str:
        self._made += 1
        return digest(f"{self._name}/{self._made}", 12)
