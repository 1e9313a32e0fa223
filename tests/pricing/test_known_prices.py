"""What widely used models cost on days of 2025 and 2026, as their providers' price pages then said.

Each line is a model by the name that a client gives it, a day (or hour, UTC), and the dollars a million
tokens of a short request: from the announcements and pages that `prices/` names, written down apart
from the book so that an edit of a fact, or a newer list of another layer, cannot move the past unseen.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from watchglass.model import Usage
from watchglass.pricing.book import Layers, PriceBook, PriceRequest
from watchglass.pricing.provider import detect
from watchglass.surfaces.price_book import read_facts

KNOWN = """
o3                                                             2025-05-01     10    40
o3                                                             2025-06-20     2     8
openai/o3                                                      2025-05-01     10    40
openrouter/openai/o3                                           2025-05-01     10    40
openrouter/openai/o3                                           2025-07-01     2     8
azure/o3                                                       2025-05-01     10    40
o3-pro                                                         2025-06-11     20    80
o4-mini                                                        2025-05-01     1.10  4.40
openrouter/openai/o4-mini-high                                 2025-05-01     1.10  4.40
openrouter/openai/o3-mini                                      2025-05-01     1.10  4.40
o1                                                             2025-05-01     15    60
o1-mini                                                        2025-01-01     3     12
o1-mini                                                        2025-05-01     1.10  4.40
o1-preview                                                     2025-03-15     15    60
o1-pro                                                         2025-05-01     150   600
gpt-4.5-preview                                                2025-03-20     75    150
openrouter/openai/gpt-4.5-preview                              2025-03-20     75    150
gpt-4.1                                                        2025-05-01     2     8
gpt-4.1-mini                                                   2025-05-01     0.4   1.6
gpt-4.1-nano                                                   2025-05-01     0.1   0.4
openrouter/openai/gpt-4.1                                      2025-05-01     2     8
openrouter/openai/gpt-4.1-mini                                 2025-05-01     0.4   1.6
gpt-4o                                                         2025-05-01     2.5   10
chatgpt-4o-latest                                              2025-04-01     5     15
openrouter/openai/chatgpt-4o-latest                            2025-04-01     5     15
gpt-4o-mini                                                    2025-05-01     0.15  0.6
gpt-5                                                          2025-09-01     1.25  10
gpt-5-mini                                                     2025-09-01     0.25  2
gpt-5-nano                                                     2025-09-01     0.05  0.4
gpt-5-pro                                                      2025-10-10     15    120
openrouter/openai/gpt-5                                        2025-09-01     1.25  10
gpt-5-codex                                                    2025-10-01     1.25  10
gpt-5.1                                                        2025-12-01     1.25  10
gpt-5.2                                                        2026-01-15     1.75  14
gpt-5.4                                                        2026-04-01     2.5   15
gpt-4-turbo                                                    2025-04-01     10    30
gpt-4                                                          2025-04-01     30    60
gpt-3.5-turbo                                                  2025-04-01     0.5   1.5
openrouter/openai/gpt-oss-120b:free                            2025-09-01     0     0
anthropic/claude-3-7-sonnet-20250219                           2025-05-01     3     15
claude-3-7-sonnet-latest                                       2025-05-01     3     15
openrouter/anthropic/claude-3.7-sonnet                         2025-05-01     3     15
openrouter/anthropic/claude-3.7-sonnet:beta                    2025-05-01     3     15
openrouter/anthropic/claude-3.5-sonnet                         2025-05-01     3     15
anthropic/claude-sonnet-4-20250514                             2025-06-01     3     15
claude-sonnet-4-0                                              2025-06-01     3     15
anthropic/claude-opus-4-20250514                               2025-06-01     15    75
anthropic/claude-opus-4-1-20250805                             2025-09-01     15    75
anthropic/claude-opus-4-1                                      2025-09-01     15    75
anthropic/claude-sonnet-4-5-20250929                           2025-10-15     3     15
anthropic/claude-sonnet-4-5                                    2025-10-15     3     15
anthropic/claude-haiku-4-5-20251001                            2025-11-01     1     5
anthropic/claude-haiku-4-5                                     2025-11-01     1     5
anthropic/claude-opus-4-5-20251101                             2025-12-01     5     25
anthropic/claude-opus-4-5                                      2025-12-01     5     25
anthropic/claude-opus-4-6                                      2026-02-15     5     25
anthropic/claude-sonnet-4-6                                    2026-03-01     3     15
anthropic/claude-3-5-haiku-20241022                            2025-05-01     0.8   4
anthropic/claude-3-haiku-20240307                              2025-05-01     0.25  1.25
anthropic/claude-3-opus-20240229                               2025-05-01     15    75
openrouter/anthropic/claude-sonnet-4                           2025-06-01     3     15
openrouter/anthropic/claude-opus-4                             2025-06-01     15    75
openrouter/anthropic/claude-sonnet-4.5                         2025-11-01     3     15
openrouter/anthropic/claude-opus-4.5                           2025-12-11     5     25
openrouter/anthropic/claude-haiku-4.5                          2025-12-11     1     5
vertex_ai/claude-3-7-sonnet@20250219                           2025-05-01     3     15
vertex_ai/claude-sonnet-4@20250514                             2025-06-01     3     15
bedrock/us.anthropic.claude-3-7-sonnet-20250219-v1:0           2025-05-01     3     15
bedrock/us.anthropic.claude-sonnet-4-20250514-v1:0             2025-06-01     3     15
bedrock/anthropic.claude-3-5-sonnet-20241022-v2:0              2025-05-01     3     15
gemini/gemini-2.5-pro-exp-03-25                                2025-04-01     0     0
openrouter/google/gemini-2.5-pro-exp-03-25:free                2025-04-01     0     0
openrouter/google/gemini-2.5-pro-exp-03-25                     2025-04-01     0     0
gemini/gemini-2.5-pro-preview-03-25                            2025-04-10     1.25  10
gemini/gemini-2.5-pro-preview-05-06                            2025-05-10     1.25  10
gemini/gemini-2.5-pro-preview-06-05                            2025-06-10     1.25  10
gemini/gemini-2.5-pro                                          2025-07-10     1.25  10
openrouter/google/gemini-2.5-pro-preview-03-25                 2025-04-10     1.25  10
openrouter/google/gemini-2.5-pro-preview                       2025-05-10     1.25  10
openrouter/google/gemini-2.5-pro                               2025-08-10     1.25  10
vertex_ai/gemini-2.5-pro-preview-03-25                         2025-04-10     1.25  10
vertex_ai/gemini-2.5-pro                                       2025-08-10     1.25  10
vertex_ai/gemini-2.5-pro-exp-03-25                             2025-04-10     0     0
gemini/gemini-2.5-flash-preview-04-17                          2025-05-01     0.15  0.6
gemini/gemini-2.5-flash-preview-05-20                          2025-06-01     0.15  0.6
openrouter/google/gemini-2.5-flash-preview                     2025-05-01     0.15  0.6
openrouter/google/gemini-2.5-flash-preview-05-20               2025-06-01     0.15  0.6
gemini/gemini-2.5-flash                                        2025-07-01     0.3   2.5
openrouter/google/gemini-2.5-flash                             2025-07-01     0.3   2.5
gemini/gemini-2.5-flash-lite-preview-06-17                     2025-07-01     0.1   0.4
gemini/gemini-2.5-flash-lite                                   2025-08-01     0.1   0.4
gemini/gemini-2.0-flash                                        2025-04-01     0.1   0.4
gemini/gemini-2.0-flash-001                                    2025-04-01     0.1   0.4
openrouter/google/gemini-2.0-flash-001                         2025-04-01     0.1   0.4
gemini/gemini-2.0-flash-lite                                   2025-04-01     0.075 0.3
gemini/gemini-2.0-flash-exp                                    2025-04-01     0     0
gemini/gemini-2.0-pro-exp-02-05                                2025-03-20     0     0
openrouter/google/gemini-2.0-pro-exp-02-05:free                2025-03-20     0     0
gemini/gemini-2.0-flash-thinking-exp-01-21                     2025-03-20     0     0
gemini/gemini-3-pro-preview                                    2025-12-01     2     12
gemini/gemini-3-flash-preview                                  2026-01-01     0.5   3
gemini/gemini-3.1-pro-preview                                  2026-03-01     2     12
gemini/gemma-3-27b-it                                          2025-04-01     0     0
openrouter/google/gemma-3-27b-it                               2025-04-01     0.1   0.2
deepseek/deepseek-chat                                         2025-04-01T12  0.27  1.10
deepseek/deepseek-reasoner                                     2025-04-01T12  0.55  2.19
deepseek/deepseek-chat                                         2025-09-20     0.56  1.68
deepseek/deepseek-chat                                         2025-12-20     0.28  0.42
openrouter/deepseek/deepseek-chat-v3-0324:free                 2025-04-01     0     0
openrouter/deepseek/deepseek-chat-v3-0324                      2025-04-01     0.27  1.10
openrouter/deepseek/deepseek-r1                                2025-04-01     0.55  2.19
openrouter/deepseek/deepseek-r1:free                           2025-04-01     0     0
openrouter/deepseek/deepseek-r1-0528                           2025-06-10     0.5   2.15
fireworks_ai/accounts/fireworks/models/deepseek-v3-0324        2025-04-01     0.9   0.9
fireworks_ai/accounts/fireworks/models/deepseek-r1             2025-04-01     3     8
groq/llama-3.3-70b-versatile                                   2025-04-01     0.59  0.79
groq/deepseek-r1-distill-llama-70b                             2025-04-01     0.75  0.99
groq/qwen-qwq-32b                                              2025-04-01     0.29  0.39
groq/meta-llama/llama-4-scout-17b-16e-instruct                 2025-05-01     0.11  0.34
groq/meta-llama/llama-4-maverick-17b-128e-instruct             2025-05-01     0.2   0.6
groq/moonshotai/kimi-k2-instruct                               2025-08-01     1     3
groq/openai/gpt-oss-120b                                       2025-09-01     0.15  0.75
groq/openai/gpt-oss-120b                                       2025-12-01     0.15  0.6
xai/grok-3-beta                                                2025-04-15     3     15
xai/grok-3                                                     2025-06-15     3     15
xai/grok-3-mini-beta                                           2025-04-15     0.3   0.5
xai/grok-3-fast-beta                                           2025-04-15     5     25
xai/grok-3-mini-fast-beta                                      2025-04-15     0.6   4
xai/grok-4                                                     2025-08-01     3     15
xai/grok-4-0709                                                2025-08-01     3     15
xai/grok-code-fast-1                                           2025-09-01     0.2   1.5
xai/grok-4-fast-reasoning                                      2025-10-01     0.2   0.5
openrouter/x-ai/grok-3-beta                                    2025-04-15     3     15
openrouter/x-ai/grok-3-mini-beta                               2025-04-15     0.3   0.5
openrouter/x-ai/grok-4                                         2025-08-01     3     15
openrouter/moonshotai/kimi-k2                                  2025-07-15     0.57  2.3
openrouter/moonshotai/kimi-k2:free                             2025-07-15     0     0
openrouter/z-ai/glm-4.5                                        2025-08-01     0.6   2.2
openrouter/openrouter/quasar-alpha                             2025-04-06     0     0
openrouter/openrouter/optimus-alpha                            2025-04-11     0     0
openrouter/openrouter/horizon-alpha                            2025-08-01     0     0
openrouter/openrouter/horizon-beta                             2025-08-03     0     0
openrouter/openrouter/cypher-alpha:free                        2025-07-03     0     0
openrouter/openrouter/sonoma-sky-alpha                         2025-09-08     0     0
moonshot/kimi-k2-0711-preview                                  2025-08-01     0.6   2.5
mistral/codestral-latest                                       2025-04-01     0.3   0.9
mistral/mistral-large-latest                                   2025-04-01     2     6
mistral/mistral-small-latest                                   2025-04-01     0.1   0.3
mistral/mistral-medium-latest                                  2025-06-01     0.4   2
mistral/devstral-small-2505                                    2025-06-01     0.1   0.3
cohere_chat/command-a-03-2025                                  2025-04-01     2.5   10
together_ai/deepseek-ai/DeepSeek-V3                            2025-04-01     1.25  1.25
together_ai/deepseek-ai/DeepSeek-R1                            2025-04-01     3     7
together_ai/meta-llama/Llama-4-Maverick-17B-128E-Instruct-FP8  2025-05-01     0.27  0.85
azure/gpt-4.1                                                  2025-06-01     2     8
azure/gpt-4o                                                   2025-06-01     2.5   10
azure/gpt-5                                                    2025-10-01     1.25  10
openrouter/anthropic/claude-3-opus                             2025-06-01     15    75
gemini-2.5-pro                                                 2025-08-01     1.25  10
"""
BOOK = PriceBook(Layers(facts=read_facts()))


@pytest.mark.parametrize("line", KNOWN.strip().splitlines(), ids=lambda line: "@".join(line.split()[:2]))
def test_a_model_costs_what_it_cost_that_day(line: str) -> None:
    """Input and output apart, by the provider that the name says."""
    model, moment, *dollars = line.split()
    at = dt.datetime.fromisoformat(f"{moment}:00" if "T" in moment else f"{moment}T12:00").replace(
        tzinfo=dt.UTC
    )
    provider, _ = detect(label=None, server_address=None, request_model=model, response_model=None)
    usages = Usage(1000, 0), Usage(0, 1000)
    found = BOOK.price(
        [
            PriceRequest(
                provider=provider, request_model=model, response_model=None,
                at_ns=int(at.timestamp()) * 10**9, usage=usage,
            )
            for usage in usages
        ]
    )  # fmt: skip
    assert [each.cost_usd and each.cost_usd * 1000 for each in found] == [Decimal(each) for each in dollars]
