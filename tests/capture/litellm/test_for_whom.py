"""Context and metadata are the call's own, however many run at once; credentials stay in the process."""

from __future__ import annotations

import asyncio
import copy
import logging
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import litellm
import openai as openai_client
import pytest

import watchglass.capture.context as context
from tests.capture.litellm.asking import ASKED, Run, openai
from tests.capture.litellm.books import Books
from tests.capture.provider import Provider
from tests.waiting import until
from watchglass.capture.service import MultiModelService, TaskComplexity
from watchglass.errors import ConfigError

SECRETS = (
    "sk-planted-in-the-api-key-1234567890",
    "planted-azure-token-abcdefghij",
    "planted-header-value-qwertyuiop",
    "planted-basic-password-zxcvbnm",
    "planted-metadata-token-asdfghjkl",
)


def test_metadata_says_for_whom(books: Books, provider: Provider) -> None:
    """`metadata=` overrides the context for that call only; what else it holds is kept with the call."""
    with context.context(tenant="1", feature="chat", session="s"):
        litellm.completion(
            **openai(
                provider,
                metadata={
                    "feature_context": "mapping",
                    "client_account_id": 7,
                    "engagement_id": 12,
                    "flow_id": "f-1",
                    "step": 3,
                    "note": "plain",
                    "nested": {"left": "out"},
                },
            )
        )
        litellm.completion(**openai(provider))

    first, second = books.calls
    assert first.context["watchglass.feature"] == "mapping"
    assert first.context["watchglass.tenant"] == "7"
    assert first.context["watchglass.engagement"] == "12"
    assert first.context["watchglass.flow.id"] == "f-1"
    assert first.attributes["watchglass.metadata.step"] == 3
    assert first.attributes["watchglass.metadata.note"] == "plain"
    assert not any("nested" in key for key in first.attributes)
    assert second.context == {
        "watchglass.tenant": "1",
        "watchglass.feature": "chat",
        "session.id": "s",
    }


def test_one_metadata_dictionary_may_be_shared(books: Books, provider: Provider, run: Run) -> None:
    """A dictionary that many calls share is neither changed nor kept."""
    shared = {"feature_context": "shared", "client_account_id": "7", "tags": ["a"]}
    before = copy.deepcopy(shared)

    async def ask() -> None:
        await asyncio.gather(*(litellm.acompletion(**openai(provider, metadata=shared)) for _ in range(20)))

    run(ask())

    # LiteLLM itself notes things there; of ours there is nothing.
    assert all(shared[key] == before[key] for key in before)
    assert not any("watchglass" in key for key in shared)
    shared["client_account_id"] = "8"
    assert {call.context["watchglass.tenant"] for call in books.calls} == {"7"}
    books.agree()


def test_two_hundred_calls_at_once(books: Books, provider: Provider, run: Run) -> None:
    """Each of many concurrent calls has its own tenant, its own request and its own failures."""
    provider.fail(*[500, 429] * 10)

    async def ask(number: int) -> None:
        with context.context(tenant=f"t{number}"):
            await litellm.acompletion(
                **openai(provider, messages=[{"role": "user", "content": f"I am t{number}"}])
            )

    async def all_of_them() -> None:
        await asyncio.gather(*(ask(number) for number in range(200)), return_exceptions=True)

    run(all_of_them())

    books.agree()
    for call in books.calls:
        tenant = call.context["watchglass.tenant"]
        assert f'"I am {tenant}"' in str(call.attributes["gen_ai.input.messages"])
    assert len({call.context["watchglass.tenant"] for call in books.calls}) == 200


def test_threads(books: Books, provider: Provider) -> None:
    """Calls in threads are one record each, written by the thread that asked."""

    def ask(number: int) -> None:
        with context.context(tenant=f"t{number}"):
            litellm.completion(**openai(provider))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(ask, range(40)))

    books.agree()
    assert {call.context["watchglass.tenant"] for call in books.calls} == {f"t{n}" for n in range(40)}


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("fault", [None, 401, "bad_json", "timeout"])
@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:{port}/v1", "http://user:{secret}@127.0.0.1:{port}/v1"]
)
def test_credentials_never_leave(
    books: Books,
    provider: Provider,
    run: Run,
    caplog: pytest.LogCaptureFixture,
    address: str,
    fault: Any,
    asynchronous: bool,
) -> None:
    """Keys, headers, passwords in addresses and the like are in no record and in none of our log lines."""
    caplog.set_level(logging.DEBUG, logger="watchglass")
    if fault is not None:
        provider.fail(fault)
    asked = openai(
        provider,
        api_key=SECRETS[0],
        azure_ad_token=SECRETS[1],
        extra_headers={"X-Custom": SECRETS[2], "Authorization": f"Bearer {SECRETS[2]}"},
        api_base=address.format(secret=SECRETS[3], port=provider.port),
        metadata={"auth_token": SECRETS[4], "note": f"token={SECRETS[4]}", "headers": {"k": SECRETS[4]}},
        timeout=1 if fault == "timeout" else 600,
        max_retries=0,
    )
    try:
        if asynchronous:
            run(litellm.acompletion(**asked))
        else:
            litellm.completion(**asked)
    except openai_client.OpenAIError as error:  # LiteLLM's errors are all of this kind
        assert fault is not None or "user:" in address, error

    assert len(books.payloads) == 1
    if "user:" not in address:
        until(lambda: provider.ledger)  # it has the request, and perhaps not yet written that down
    assert "user:" in address or SECRETS[2] in str(provider.ledger[0].headers)
    ours = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("watchglass"))
    for secret in SECRETS:
        assert secret.encode() not in books.payloads[0], secret
        assert secret not in ours


def test_a_message_that_repeats_the_key_is_cleaned(books: Books) -> None:
    """What a provider says of a wrong key is recorded without the key, whatever it looks like."""
    key = "planted_KEY_that_looks_like_no_other"

    def refuses(*_: Any, **__: Any) -> Any:
        raise ValueError(f"Incorrect API key provided: {key}")

    from watchglass.capture.litellm.entry import tracked

    with pytest.raises(ValueError, match="Incorrect"):
        tracked(refuses, "chat")(model="openai/gpt-4o-mini", messages=ASKED, api_key=key)

    assert key.encode() not in books.payloads[0]
    assert "Incorrect API key provided" in books.call.status_message


def test_the_service_asks_the_model_for_the_task(books: Books, provider: Provider, run: Run) -> None:
    """`generate_response` chooses the model by task and complexity; the call is for its tenant."""
    service = MultiModelService(
        {"simple": "openai/small", "agentic": "openai/large", "field_mapping": {"simple": "openai/mapper"}}
    )
    to = {"api_base": f"{provider.url}/v1", "api_key": "sk-test"}

    async def ask() -> Any:
        await service.generate_response("a", "field_mapping", TaskComplexity.SIMPLE, 7, 12, **to)
        await service.generate_response(
            prompt="b",
            task_type="analysis",
            complexity=TaskComplexity.AGENTIC,
            client_account_id=7,
            engagement_id=12,
            **to,
        )
        with context.context(tenant="9"):
            return await service.generate_response("c", "chat", **to)

    answer = run(ask())

    assert [request.model for request in provider.ledger] == ["mapper", "large", "small"]
    assert [call.context.get("watchglass.feature") for call in books.calls] == [
        "field_mapping",
        "analysis",
        "chat",
    ]
    assert [call.context["watchglass.tenant"] for call in books.calls] == ["7", "7", "9"]
    assert books.calls[0].context["watchglass.engagement"] == "12"
    assert str(answer) == answer.text == "Four, as far as I know."
    assert (answer.input_tokens, answer.output_tokens) == (provider.ledger[2].input_tokens, 9)
    books.agree()


def test_the_service_refuses_to_stream_before_it_asks(provider: Provider, run: Run) -> None:
    """A stream would be billed and could not be returned: it is refused, and nothing is sent."""
    service = MultiModelService({"simple": "openai/small"})
    with pytest.raises(ConfigError, match="stream=True"):
        run(service.generate_response("a", stream=True, api_base=f"{provider.url}/v1", api_key="sk-test"))
    assert not provider.ledger


def test_a_kind_of_task_named_like_a_complexity_is_no_complexity() -> None:
    """The task `simple` that is asked for as agentic gets the agentic model."""
    service = MultiModelService({"simple": "openai/small", "agentic": "openai/large"})
    assert service.model_for("simple", TaskComplexity.AGENTIC) == "openai/large"
    assert service.model_for("agentic", TaskComplexity.SIMPLE) == "openai/small"


def test_the_event_loop_does_not_wait_for_litellms_import(tmp_path: Path) -> None:
    """What else is in the loop goes on while the service's first call imports LiteLLM: here the import ends
    only when the loop has gone on."""
    (tmp_path / "litellm.py").write_text(
        "import __main__\n"
        "assert __main__.went_on.wait(60)\n"
        "async def acompletion(**_): raise LookupError('imported')\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", WAITING],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.stdout.strip() == "imported", ran.stderr


WAITING = """
import asyncio, sys, threading
sys.path.insert(0, ".")
from watchglass.capture.service import MultiModelService
went_on = threading.Event()
async def go_on():
    went_on.set()
async def main():
    asked = asyncio.ensure_future(MultiModelService({}).generate_response("a"))
    asyncio.get_running_loop().call_soon(lambda: asyncio.ensure_future(go_on()))
    try:
        await asked
    except LookupError as error:
        print(*error.args)
asyncio.run(main())
"""


def test_the_services_models_without_configuration() -> None:
    """Without a table the models are those of the team that the service is from."""
    service = MultiModelService({})

    assert service.model_for("chat", TaskComplexity.SIMPLE) == "deepinfra/google/gemma-3-4b-it"
    assert service.model_for("chat", "agentic").endswith("Llama-4-Maverick-17B-128E-Instruct-FP8")


def test_a_table_of_models_that_means_nothing_is_refused() -> None:
    """A model that is no name, and a complexity that there is not, are said when it is set up."""
    with pytest.raises(ConfigError, match="simple is 4"):
        MultiModelService({"simple": 4})
    with pytest.raises(ConfigError, match=r"chat\.hard is no complexity"):
        MultiModelService({"chat": {"hard": "gpt-4o"}})
