"""Whose word is taken for the tenant."""

from __future__ import annotations

import pytest

from watchglass.capture import boundary
from watchglass.capture.propagation import trust
from watchglass.capture.propagation.trust import Caller
from watchglass.errors import ConfigError

SECRET = "0123456789abcdef"


@pytest.mark.parametrize(
    ("address", "trusted"),
    [
        ("10.1.2.3", True),
        ("::ffff:10.1.2.3", True),
        ("192.168.1.1", True),
        ("192.168.1.2", False),
        ("fd00::1%eth0", True),
        ("127.0.0.1", False),
        ("10.1.2.3.evil.com", False),
        ("testclient", False),
        ("", False),
        (None, False),
    ],
)
def test_networks(address: str | None, trusted: bool) -> None:
    """Callers from the networks named are trusted, and nobody else, also none whose address is unknown."""
    assert trust.judge(["10.0.0.0/8", "192.168.1.1", "fd00::/8"])(Caller(address, {})) is trusted


def test_by_default_nobody() -> None:
    """Without anything named nobody is trusted, loopback neither."""
    assert not trust.judge(())(Caller("127.0.0.1", {}))


def test_a_secret() -> None:
    """Who shows the secret is trusted, from wherever; nobody else is."""
    knows = trust.shared_secret(SECRET)
    assert knows(Caller(None, {"watchglass-secret": SECRET}))
    for shown in ("", SECRET[:-1], SECRET + "x", "\udc80é"):
        assert not knows(Caller("127.0.0.1", {"watchglass-secret": shown}))
    assert not knows(Caller("127.0.0.1", {}))


def test_a_function_that_fails_trusts_nobody() -> None:
    """A function may decide; if it raises, or says anything but True, the caller is not trusted."""

    def fails(caller: Caller) -> bool:
        raise KeyError(caller.address)

    boundary.forget()
    assert not trust.judge(fails)(Caller("10.0.0.1", {}))
    assert boundary.failures["propagation.trust"] == 1
    says_one: trust.Trust = lambda caller: 1  # type: ignore  # noqa: E731, PGH003 - what this is about
    assert not trust.judge(says_one)(Caller("10.0.0.1", {}))
    assert trust.judge(lambda caller: caller.address == "10.0.0.1")(Caller("10.0.0.1", {}))


@pytest.mark.parametrize("entry", ["api.internal", "localhost", "*", ""])
def test_names_are_no_proof(entry: str) -> None:
    """A name is refused at set-up: anybody can claim one."""
    with pytest.raises(ConfigError, match="no address or network"):
        trust.judge([entry])


@pytest.mark.parametrize("secret", ["", "short", "x" * 15, "é" * 20, "x" * 20 + "\n"])
def test_a_secret_that_can_be_guessed_or_not_sent_is_refused(secret: str) -> None:
    """A short secret, or one that no header can hold, is an error at set-up, which does not show it."""
    with pytest.raises(ConfigError) as refused:
        trust.shared_secret(secret)
    assert not secret or secret not in str(refused.value)


def test_one_text_is_no_list() -> None:
    """A text in the place of a list is refused."""
    with pytest.raises(ConfigError, match="give a list"):
        trust.judge("10.0.0.0/8")
