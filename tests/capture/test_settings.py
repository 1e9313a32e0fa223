"""The SDK's settings: where each comes from, and what an error says."""

from __future__ import annotations

from pathlib import Path

import pytest

from watchglass.capture.settings import CaptureSettings, detect_environment, load
from watchglass.errors import ConfigError


def read(given: dict[str, object], tmp_path: Path, **environ: str) -> CaptureSettings:
    return load(given, environ=environ, cwd=tmp_path, user_dir=tmp_path / "none").settings


def test_argument_then_environment_then_file_then_default(tmp_path: Path) -> None:
    """An argument wins over the environment, that over [capture] in the file, that over the default."""
    (tmp_path / "watchglass.toml").write_text(
        'port = 1\n[capture]\nendpoint = "http://file:1"\nservice_name = "file"\ncontent = "off"\n'
    )
    found = read(
        {"endpoint": "http://argument:1", "service_name": None},
        tmp_path,
        WATCHGLASS_ENDPOINT="http://environment:1",
        WATCHGLASS_SERVICE_NAME="environment",
        WATCHGLASS_SAMPLE_RATE="0.25",
    )
    assert (found.endpoint, found.service_name, found.content) == ("http://argument:1", "environment", "off")
    assert (found.sample_rate, found.prometheus_port) == (0.25, 9464)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"endpoint": "localhost:4318"}, r"init\(endpoint=…\) is 'localhost:4318'"),
        ({"flush_s": float("inf")}, r"init\(flush_s=…\) is inf"),
        ({"slow_s": float("nan")}, r"init\(slow_s=…\) is nan"),
        ({"sample_rate": 2}, r"init\(sample_rate=…\) is 2"),
        ({"content": "wohle"}, "off | hashed | redacted | whole"),
        ({"end_point": "http://x"}, "did you mean 'endpoint'"),
    ],
)
def test_a_wrong_argument_is_named(given: dict[str, object], said: str, tmp_path: Path) -> None:
    """The error names the argument, its value and what it may be."""
    with pytest.raises(ConfigError, match=said):
        read(given, tmp_path)


def test_a_wrong_line_in_the_table_is_named(tmp_path: Path) -> None:
    """An unknown name in [capture] is refused with its line; the server's settings are no business of it."""
    (tmp_path / "watchglass.toml").write_text("[capture]\nprometheus_prot = 3\n")
    with pytest.raises(ConfigError, match=r"watchglass.toml:2 \[capture\]: .*did you mean 'prometheus_port'"):
        read({}, tmp_path)


@pytest.mark.parametrize(
    ("environ", "found"),
    [
        ({}, "dev"),
        ({"ENVIRONMENT": "Production"}, "prod"),
        ({"APP_ENV": "stage"}, "staging"),
        ({"FLASK_ENV": "qa"}, "qa"),
        ({"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, "prod"),
    ],
)
def test_the_environment_is_what_the_platform_says(environ: dict[str, str], found: str) -> None:
    """dev, staging or prod by the usual variables; a deployment platform alone means prod."""
    assert detect_environment(environ) == found
