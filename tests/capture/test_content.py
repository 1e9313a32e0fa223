"""Texts are kept as the policy says, within their bound, and never with a credential."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchglass import names
from watchglass.capture import boundary, content
from watchglass.capture.context import context
from watchglass.capture.records import Attributes
from watchglass.errors import ConfigError

KEY = "gen_ai.input.messages"
SECRET = "sk-proj-" + "aB3dE5gH7j" * 4


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    before = content.use(content.policy())
    boundary.forget()
    yield
    content.use(before)
    boundary.forget()


def kept(value: object, feature: str | None = None, key: str = KEY) -> Attributes:
    attributes: Attributes = {}
    content.put(attributes, key, value, feature)
    return attributes


def messages(*texts: str) -> list[dict[str, Any]]:
    return [{"role": "assistant", "parts": [{"type": "text", "content": text}]} for text in texts]


def test_whole_is_the_text_as_it_is() -> None:
    """An ordinary text, and messages as JSON text, are kept unchanged, and nothing else is set."""
    assert kept("Grüße, 世界 👋") == {KEY: "Grüße, 世界 👋"}
    assert json.loads(str(kept(messages("hello there"))[KEY])) == messages("hello there")
    assert kept(None) == {}


def test_off_keeps_nothing() -> None:
    """In the mode off no attribute is set, and nobody need make a text."""
    content.use(content.policy("off"))
    assert kept("hello") == {} and not content.wanted()


def test_hashed_keeps_hash_and_length() -> None:
    """In the mode hashed the text is absent; its BLAKE2b-128 and its bytes are kept."""
    content.use(content.policy("hashed"))
    text = "Grüße"
    assert kept(text, key="k") == {
        names.CONTENT_HASH + "k": hashlib.blake2b(text.encode(), digest_size=16).hexdigest(),
        names.CONTENT_LENGTH + "k": 7,
    }


def test_each_feature_has_its_own_mode() -> None:
    """The feature given, else that of the context in force, else the default, says what is kept."""
    content.use(content.policy("off", {"support": "whole"}))
    assert kept("hello", "support") == {KEY: "hello"}
    assert kept("hello", "billing") == {}
    with context(feature="support"):
        assert content.wanted() and kept("hello") == {KEY: "hello"}


@pytest.mark.parametrize("mode", ["redacted", "whole"])
@pytest.mark.parametrize("value", [f"the key is {SECRET}.", messages("see", f"\n{SECRET}\n")])
def test_credentials_go_in_every_mode(mode: str, value: object) -> None:
    """A provider's key is kept neither in a text nor in a message, whatever the mode."""
    content.use(content.policy(mode))
    text = str(kept(value)[KEY])
    assert SECRET[:12] not in text and "[redacted:api_key]" in text


REDACTED = {
    "write to jane.o'neil+x@mail.example.co.uk today": "write to [redacted:email] today",
    "élise@exämple.fr": "[redacted:email]",
    "card 4111 1111 1111 1111 exp 12/27": "card [redacted:card] exp 12/27",
    "amex 3782-822463-10005": "amex [redacted:card]",
    "4012888888881881": "[redacted:card]",
    "in 2024 4111 1111 1111 1111": "in 2024 [redacted:card]",
    "order 4111 1111 1111 1112": "order 4111 1111 1111 1112",
    "trace 1732201234567890123": "trace 1732201234567890123",
    "@mention and a@b": "@mention and a@b",
    "badge E123456": "badge [redacted:badge]",
}


@pytest.mark.parametrize("text", REDACTED)
def test_redacted_takes_persons_out(text: str) -> None:
    """E-mail addresses, cards that pass their check, and patterns of one's own are replaced by their kind."""
    content.use(content.policy("redacted", patterns={"badge": r"\bE\d{6}\b"}))
    assert kept(text)[KEY] == REDACTED[text]


def test_a_function_decides() -> None:
    """One's own function gets each text, key and feature, without credentials; None leaves the value out."""
    seen: list[tuple[str, str, str | None]] = []

    def own(text: str, key: str, feature: str | None) -> str | None:
        seen.append((text, key, feature))
        return None if "private" in text else text.upper() + " " + SECRET

    content.use(content.policy(own))
    assert json.loads(str(kept(messages(f"hello {SECRET}"), "chat")[KEY])) == messages(
        "HELLO [REDACTED:API_KEY] [redacted:api_key]"
    )
    assert seen == [("hello [redacted:api_key]", KEY, "chat")]
    assert kept("private matter") == {} and not boundary.failures


def test_a_function_that_fails_keeps_nothing_and_raises_nothing() -> None:
    """The failure of one's own function is counted, and nothing of the value is kept."""

    def broken(text: str, key: str, feature: str | None) -> str | None:
        raise RuntimeError(text)

    content.use(content.policy(broken))
    assert kept("hello world") == {}
    assert boundary.failures["content"] == 1


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"default": "some"}, "'some'.*off, hashed, redacted, whole"),
        ({"features": {"chat": 3}}, "feature 'chat' is 3"),
        ({"patterns": {"badge": "("}}, "'badge'"),
        ({"max_bytes": 10}, "10"),
    ],
)
def test_a_wrong_setting_is_refused_at_set_up(given: dict[str, Any], said: str) -> None:
    """A mode, pattern or size that means nothing is a `ConfigError` that shows it."""
    with pytest.raises(ConfigError, match=said):
        content.policy(**given)


def test_a_text_over_the_bound_is_cut_and_says_so() -> None:
    """A long text keeps its beginning, at most the bound, between characters; its length before is noted."""
    content.use(content.policy(max_bytes=2000))
    found = kept("ä" * 5000)
    text = str(found[KEY])
    assert 1990 <= len(text.encode()) <= 2000 and text.startswith("äää") and text.endswith("[cut]")
    assert found[names.CONTENT_CUT] == {KEY: 10_000}


def test_messages_over_the_bound_stay_messages() -> None:
    """Messages too long lose the ends of their longest texts: valid JSON, short ones whole, length noted."""
    content.use(content.policy(max_bytes=4000))
    value = messages("short question", "x" * 9000, 'y \n"é' * 3000, "short answer")
    found = kept(value)
    text = str(found[KEY])
    assert 3500 < len(text.encode()) <= 4000
    texts = [each["parts"][0]["content"] for each in json.loads(text)]
    assert [texts[0], texts[3]] == ["short question", "short answer"]
    assert texts[1].endswith("[cut]") and texts[2].endswith("[cut]")
    assert found[names.CONTENT_CUT] == {
        KEY: len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())
    }


def test_a_thousand_small_messages_lose_their_middle() -> None:
    """Where messages are many rather than long, the first and the last are kept."""
    content.use(content.policy(max_bytes=4000))
    text = str(kept(messages(*(f"number {n}" for n in range(1000))))[KEY])
    texts = [each["parts"][0]["content"] for each in json.loads(text)]
    assert texts[0] == "number 0" and texts[-1] == "number 999" and len(text.encode()) <= 4000


@pytest.mark.parametrize("secret", [SECRET, "password=hunter2xyz", "postgres://app:s3cretpw@db/x"])
def test_no_half_of_a_credential_survives_at_the_cut(secret: str) -> None:
    """Wherever the cut falls, in text or messages, no four characters of a credential's own are kept."""
    content.use(content.policy(max_bytes=1024))
    own = {SECRET: "aB3dE5gH", "password=hunter2xyz": "hunt", "postgres://app:s3cretpw@db/x": "s3cr"}[secret]
    for before in range(1024 - len(secret) - 12, 1040):
        for value in (
            "x " * (before // 2) + secret + " tail" * 500,
            messages("x " * (before // 2) + secret + " tail" * 500),
        ):
            assert own not in str(kept(value)[KEY])
    for before in (2000, 2040, 2047, 2048, 2060):
        assert own not in str(kept("x" * before + " " + secret + " tail" * 5000)[KEY])


JSON_LIKE = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(max_size=3000),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=8), inner, max_size=6),
    max_leaves=30,
)


@given(JSON_LIKE.filter(lambda value: isinstance(value, (list, dict))))
def test_whatever_comes_is_valid_json_within_the_bound(value: object) -> None:
    """Any data gives JSON text of at most the bound, or is noted as cut; never a failure."""
    content.use(content.policy(max_bytes=1024))
    boundary.forget()
    found = kept(value)
    assert not boundary.failures
    if KEY in found:
        assert len(str(found[KEY]).encode()) <= 1024
        json.loads(str(found[KEY]))
    else:
        assert found[names.CONTENT_CUT]


def test_binary_data_is_replaced_by_its_size_and_hash() -> None:
    """Images as bytes, data URLs and bare base64 leave a kind, a size and a hash."""
    image = bytes(range(256)) * 40
    text = base64.b64encode(image).decode()
    for value in (
        {"data": image},
        {"image_url": {"url": f"data:image/png;base64,{text}"}},
        {"content": f"![a](data:image/png;base64,{text}) and text"},
        {"type": "blob", "content": text},
    ):
        said = str(kept(value)[KEY])
        assert "[binary: " in said and "10240 bytes" in said.replace("10242", "10240") and len(said) < 200


@dataclass
class Thing:
    name: str
    password: str


def test_objects_become_data() -> None:
    """Tuples, sets, dataclasses, models and unknown objects are written as data; a cycle ends."""
    cycle: list[object] = []
    cycle += [cycle, Thing("chair", "hunter2xyz"), ("a", 2**80), {3: {1.5}}, Exception("api_key=abcdefgh12")]
    text = str(kept({"all": cycle})[KEY])
    assert "hunter2xyz" not in text and "abcdefgh12" not in text and "chair" in text
    assert not boundary.failures
    json.loads(text)


def test_values_of_telling_names_are_removed() -> None:
    """A value under a credential's name goes, in JSON within a text as well; a schema of it stays."""
    said = str(
        kept(
            {
                "Api-Key": "plain-words",
                "arguments": '{"db_password": "hunter2xyz"}',
                "properties": {"password": {"type": "string"}},
                "max_tokens": 500,
            }
        )[KEY]
    )
    assert "plain-words" not in said and "hunter2xyz" not in said
    assert json.loads(said)["properties"] == {"password": {"type": "string"}}
    assert json.loads(said)["max_tokens"] == 500


@pytest.mark.parametrize(
    "value",
    [
        {"headers": [("authorization", "PLANTED12345"), ["x-api-key", "PLANTED"]]},
        {"api_key": ["PLANTED1"]},
        {"client_secret": {"v": "PLANTED"}},
        {"secrets": {"openai": "PLANTED"}},
        {"access_tokens": ["PLANTED1234567"]},
        {"apikey": b"PLANTED"},
        {"DB_PASS": "PLANTED"},
        {"pass": "PLANTED"},
    ],
)
def test_whatever_a_telling_name_holds_is_removed(value: object) -> None:
    """Lists, mappings, bytes and the values of pairs under a credential's name go as texts do."""
    said = str(kept(value)[KEY])
    assert "PLANTED" not in said and "[redacted:password]" in said


def test_numbers_under_telling_names() -> None:
    """A number as a password goes; one of tokens, and a list of two names, stay."""
    value = {"password": 123456, "token": 5, "required": ["password", "email"]}
    assert json.loads(str(kept(value)[KEY])) == {**value, "password": "[redacted:password]"}


def test_what_is_given_is_not_changed() -> None:
    """Cleaning and cutting leave the application's own messages alone."""
    content.use(content.policy(max_bytes=1024))
    value = messages(f"{SECRET} " + "x" * 5000)
    before = json.dumps(value)
    kept(value)
    assert json.dumps(value) == before


def test_broken_unicode_is_kept_as_far_as_it_can_be() -> None:
    """Half a surrogate pair costs a character, not the text."""
    assert "hello" in str(kept(messages("hello \ud800 there"))[KEY])
    content.use(content.policy("hashed"))
    assert names.CONTENT_HASH + KEY in kept("hello \ud800")


def test_what_one_policy_found_harmless_another_looks_through() -> None:
    """A text that one policy kept is redacted by the next, by its own pattern, and kept again after it."""
    text = "the ticket ABC-1234 is open, and nobody has looked at it since"
    content.use(content.policy("redacted"))
    assert kept(text) == kept(text) == {KEY: text}
    before = content.use(content.policy("redacted", patterns={"ticket": r"ABC-\d+"}))
    masked = {KEY: "the ticket [redacted:ticket] is open, and nobody has looked at it since"}
    assert kept(text) == kept(text) == masked
    content.use(before)
    assert kept(text) == {KEY: text}


@pytest.mark.parametrize("between", [": ", "=", '": "', "': '", '" : "', '\\": \\"', " = "])
def test_what_is_assigned_to_a_credentials_name_goes(between: str) -> None:
    """The value is gone however name and value are joined, at the start of a text and within it."""
    for start in ("", "café {", "x=1 y:2\n"):
        assert "hunter2hunter2" not in kept(f"{start}password{between}hunter2hunter2")[KEY]


def test_a_card_is_found_among_letters_of_any_script() -> None:
    """Thirteen digits are enough to be looked at, twelve are not a card."""
    content.use(content.policy("redacted"))
    assert kept("карта 4222222222222 été")[KEY] == "карта [redacted:card] été"
    assert kept("карта 422222222222 été")[KEY] == "карта 422222222222 été"
