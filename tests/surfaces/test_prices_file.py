"""The user's own prices, as a file."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from watchglass.errors import ConfigError
from watchglass.pricing.listed import ListedPrice
from watchglass.surfaces.prices_file import read_prices


def write(directory: Path, text: str) -> Path:
    path = directory / "prices.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_prices_are_read_exactly(tmp_path: Path) -> None:
    """Numbers and texts become decimals to the last digit, dates nanoseconds UTC."""
    path = write(
        tmp_path,
        """
        [[price]]
        provider = "openai"
        model = "gpt-4o*"
        input = 0.15
        output = "0.60"
        cache_read = 1
        since = 2025-01-01
        until = 2025-01-01T01:00:00+01:30

        [[price]]
        provider = "*"
        model = "mine"
        input = 0
        tier = "batch"
        since = "2025-01-01"
        """.replace("01:00:00+01:30", "01:30:00+00:30"),
    )
    day = 1735689600 * 10**9
    assert read_prices(path) == (
        ListedPrice(
            provider="openai",
            model="gpt-4o*",
            input=Decimal("0.15"),
            output=Decimal("0.60"),
            cache_read=Decimal(1),
            since_ns=day,
            until_ns=day + 3600 * 10**9,
        ),
        ListedPrice(provider="*", model="mine", input=Decimal(0), tier="batch", since_ns=day),
    )


@pytest.mark.parametrize("since", ["2025-07-01T02:00:00+02:00", '"2025-07-01T02:00:00+02:00"'])
def test_a_moment_with_an_offset_is_that_moment(tmp_path: Path, since: str) -> None:
    """Two o'clock in Berlin in summer is midnight UTC, written as a TOML moment or as text."""
    entry = "[[price]]\nprovider = 'a'\nmodel = 'b'\ninput = 1\nsince = "
    assert read_prices(write(tmp_path, entry + since))[0].since_ns == 1_751_328_000 * 10**9


def test_an_empty_file_has_no_prices(tmp_path: Path) -> None:
    """A file without entries is fine."""
    assert read_prices(write(tmp_path, "")) == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[price]]\nprovider='a'\nmodel='b'\ninput=-1", "input is -1"),
        ("[[price]]\nprovider='a'\nmodel='b'\ninput=nan", "input is"),
        ("[[price]]\nprovider='a'\nmodel='b'\ninput=true", "price 1"),
        ("[[price]]\nprovider='a'\nmodel='b'", "input"),
        ("[[price]]\nprovider='a'\nmodel='b'\ninput=1\ncached=2", "'cached'"),
        ("[[price]]\nprovider='a'\nmodel='b'\ninput=1\nsince='soon'", "'soon'"),
        ("[[price]]\nprovider='a'\nmodel='b'\ninput=1\nsince=5", "since is 5"),
        ("[[price]]\nprovider='a'\nmodel='b'\ninput=1\nsince=2025-02-01\nuntil=2025-02-01", "never hold"),
        ("price = 5", "[[price]]"),
        ("price = [5]", "[[price]]"),
        ("[gpt-4o]\ninput=1", "gpt-4o"),
        ("[[price", "TOML"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, said: str) -> None:
    """What cannot be used is a `ConfigError` that names the file and the value."""
    path = write(tmp_path, text)
    with pytest.raises(ConfigError) as refused:
        read_prices(path)
    assert str(path) in str(refused.value)
    assert said in str(refused.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """A file that is not there is a `ConfigError` that says so."""
    with pytest.raises(ConfigError, match=r"gone\.toml"):
        read_prices(tmp_path / "gone.toml")
