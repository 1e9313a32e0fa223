"""`multi_model_service`: asks the model that the configuration names for a kind of task and its complexity.

    [models]                                   # watchglass.toml
    simple = "deepinfra/google/gemma-3-4b-it"
    agentic = "deepinfra/meta-llama/Llama-4-Maverick-17B-128E-Instruct-FP8"
    [models.field_mapping]                     # one kind of task
    simple = "openai/gpt-4o-mini"

The call goes through LiteLLM and is recorded like any other, with the kind of task as its feature.
"""

from __future__ import annotations

import asyncio
import importlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, cast

from watchglass.capture import context
from watchglass.config import find_file
from watchglass.errors import ConfigError


class TaskComplexity(StrEnum):
    """How much a task asks of a model."""

    SIMPLE = "simple"
    AGENTIC = "agentic"


DEFAULTS: dict[str, str] = {
    "simple": "deepinfra/google/gemma-3-4b-it",
    "agentic": "deepinfra/meta-llama/Llama-4-Maverick-17B-128E-Instruct-FP8",
}
"""The models of the team that this service is from (its table `llm_model_pricing`)."""


@dataclass(frozen=True, slots=True)
class Response:
    """What `generate_response` returns: the text, and where it came from. Tokens are None where unsaid."""

    text: str
    model: str
    provider: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    tool_calls: list[Any] = field(default_factory=list[Any])
    raw: Any = None
    """LiteLLM's own answer."""

    def __str__(self) -> str:
        return self.text


class MultiModelService:
    """Chooses the model, asks it, and has the call recorded for its tenant, engagement and kind of task."""

    def __init__(self, models: Mapping[str, object] | None = None) -> None:
        """`models` as in the table `[models]`; without it, the table of `watchglass.toml` at first use.

        Raises `ConfigError` for a table that is none.
        """
        self._models = None if models is None else _checked(models, "models")
        self._imported = False

    def configure(self, models: Mapping[str, object]) -> None:
        """Use these models from now on. Raises `ConfigError` for a table that is none."""
        self._models = _checked(models, "models")

    def model_for(self, task_type: str, complexity: TaskComplexity | str = TaskComplexity.SIMPLE) -> str:
        """The model for a kind of task: its own, else the one for any task of this complexity."""
        models = self._models
        if models is None:
            models = self._models = _from_file()
        wanted = TaskComplexity(complexity).value
        own = None if task_type in DEFAULTS else models.get(task_type)
        if isinstance(own, Mapping) and wanted in own:
            return str(cast("Mapping[str, object]", own)[wanted])
        return str(own) if isinstance(own, str) else str(models.get(wanted, DEFAULTS[wanted]))

    async def generate_response(
        self,
        prompt: str | list[Any],
        task_type: str = "chat",
        complexity: TaskComplexity | str = TaskComplexity.SIMPLE,
        client_account_id: object = None,
        engagement_id: object = None,
        **options: Any,
    ) -> Response:
        """Ask the model for this kind of task. `prompt` is a text, or messages; `options` go to LiteLLM.

        Tenant and engagement that are not given are those of the context in force. Raises LiteLLM's errors,
        and `ConfigError` for `stream=True` before anything is sent: it answers with the whole text.
        """
        if options.get("stream"):
            raise ConfigError(
                "stream=True: generate_response returns the whole answer; leave it out, or stream with "
                "litellm.acompletion(model=multi_model_service.model_for(…), stream=True, …)"
            )
        if not self._imported:  # it takes seconds, for which the event loop is not to wait
            await asyncio.to_thread(importlib.import_module, "litellm")
            self._imported = True
        litellm: Any = importlib.import_module("litellm")
        model = self.model_for(task_type, complexity)
        messages = [{"role": "user", "content": prompt}] if isinstance(prompt, str) else prompt
        given: dict[str, Any] = {"feature": task_type}
        if client_account_id is not None:
            given["tenant"] = client_account_id
        if engagement_id is not None:
            given["engagement"] = engagement_id
        with context.context(**given):
            raw = await litellm.acompletion(**{"model": model, "messages": messages, **options})
        message = raw.choices[0].message
        usage = getattr(raw, "usage", None)
        asked, answered = getattr(usage, "prompt_tokens", None), getattr(usage, "completion_tokens", None)
        told = bool(asked or answered)  # LiteLLM writes 0 for both where nobody said
        return Response(
            text=message.content or "",
            model=raw.model or model,
            provider=raw._hidden_params.get("custom_llm_provider"),
            input_tokens=asked if told else None,
            output_tokens=answered if told else None,
            tool_calls=list(message.tool_calls or ()),
            raw=raw,
        )


def _from_file() -> dict[str, object]:
    file = find_file(Path.cwd())
    if file is None:
        return dict(DEFAULTS)
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8")).get("models", {})
    except (OSError, ValueError) as fault:
        raise ConfigError(f"{file} cannot be read ({fault}); mend it or move it away") from fault
    return _checked(table, f"[models] in {file}")


def _checked(models: object, where: str) -> dict[str, object]:
    if not isinstance(models, Mapping):
        raise ConfigError(f"{where} is {models!r}; give a table of models by complexity or kind of task")
    given = cast("Mapping[str, object]", models)
    for name, model in given.items():
        each = cast("Mapping[str, object]", model).values() if isinstance(model, Mapping) else (model,)
        for one in each:
            if not isinstance(one, str) or not one:
                raise ConfigError(f"{where}: {name} is {one!r}; give the name of a model, as LiteLLM has it")
    unknown = [
        (name, key)
        for name, model in given.items()
        if isinstance(model, Mapping)
        for key in cast("Mapping[str, object]", model)
        if key not in DEFAULTS
    ]
    if unknown:
        name, key = unknown[0]
        raise ConfigError(f"{where}: {name}.{key} is no complexity; give {' or '.join(DEFAULTS)}")
    return {**DEFAULTS, **given}


multi_model_service = MultiModelService()
