"""A script whose calls through LiteLLM are on record: one line at the start, for whom around the work.

    watchglass up --no-demo &
    OPENAI_API_KEY=… python examples/litellm_script.py
    watchglass calls --tenant acme

`pip install 'watchglass[litellm]'`. `MODEL` names another model; any that LiteLLM knows will do.
"""

from __future__ import annotations

import asyncio
import os

import watchglass

watchglass.init(service_name="reviews")  # the one line, before LiteLLM's functions are imported by name

import litellm

MODEL = os.environ.get("MODEL", "openai/gpt-4o-mini")
REVIEWS = ["Broke after a day.", "My daughter sleeps with it.", "Fine, but the box was open."]


async def mood(review: str) -> str:
    """One word for a review."""
    answer = await litellm.acompletion(
        model=MODEL, messages=[{"role": "user", "content": f"One word for the mood of this: {review}"}]
    )
    return str(answer.choices[0].message.content)


async def moods() -> list[str]:
    """All of them at once, each call under the context that is in force here."""
    with watchglass.context(feature="moods"):
        return await asyncio.gather(*(mood(review) for review in REVIEWS))


def summary(found: list[str]) -> None:
    """One sentence, printed as it comes. What is said in the metadata holds for this call alone.

    Without `include_usage` nobody says how many tokens a stream used, and it cannot be priced.
    """
    pieces = litellm.completion(
        model=MODEL,
        messages=[{"role": "user", "content": f"One sentence on customers who say: {', '.join(found)}"}],
        stream=True,
        stream_options={"include_usage": True},
        metadata={"feature_context": "summary", "engagement_id": "autumn"},
    )
    for piece in pieces:
        print(piece.choices[0].delta.content or "", end="", flush=True)
    print()


def main() -> None:
    """What acme's customers think."""
    with watchglass.context(tenant="acme"), watchglass.flow("review digest"):
        summary(asyncio.run(moods()))


if __name__ == "__main__":
    main()
