"""The quick reading of plain messages is the general one."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from watchglass.wire.dialects.messages import provider_message, provider_messages

TEXT_PARTS = st.lists(st.fixed_dictionaries({"type": st.just("text"), "content": st.text()}), max_size=3)
MESSAGES = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["user", "assistant", "system", "model", ""]), "parts": TEXT_PARTS},
        optional={"finish_reason": st.none() | st.text(max_size=5), "name": st.text(max_size=3)},
    ),
    max_size=4,
)


@given(MESSAGES)
def test_both_readings_give_the_same_text(messages: list[dict[str, object]]) -> None:
    """Whatever the messages are, their canonical text, and so their hash, is that of the general reading."""
    general = tuple(provider_message(each, "user") for each in messages)
    assert provider_messages(json.dumps(messages)) == general
