"""A real server, and for each example a provider that keeps its own books."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.capture.provider import Provider
from tests.server_process import ServerProcess


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as started:
        yield started


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    started = ServerProcess(tmp_path_factory.mktemp("server") / "data").start()
    yield started
    assert started.stop() == 0, started.log()
