"""What all tests share: that `tests` itself can be imported from, how properties are searched, in what order
tests are run, and that bytecode is kept."""

import logging
import os
import shutil
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer.testing
from hypothesis import settings

from tests import new_store

# A search says what is true, not how fast: on a busy machine a deadline fails for no fault of the code.
# `make test` tries the same examples each time, so that a change is judged by what it changes;
# `make test-long` searches for new ones.
settings.register_profile("same", deadline=None, derandomize=True)
settings.register_profile("search", deadline=None)
settings.load_profile("same")

# A test that starts a server in this process lets all logging through; what the tests' own client says of
# its requests is none of the server's.
logging.getLogger("httpx").setLevel(logging.WARNING)

# LiteLLM would fetch a list of prices as soon as it is imported, whichever test does that first.
os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")

# Tests start some hundred processes: each would compile all of watchglass again, 0.8 s of processor a time.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# Stores sync each write, against a loss of power that no test has: in memory that costs no time.
_MEMORY = Path("/dev/shm")
if _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > 4 << 30:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_MEMORY))

# What typer makes of all commands' options takes longer than most of what the commands do here.
typer.testing._get_command = cache(typer.testing._get_command)  # pyright: ignore[reportPrivateUsage]

_WEB = Path(__file__).parent / "web"


@pytest.fixture(scope="session", autouse=True)
def _new_stores(tmp_path_factory: pytest.TempPathFactory) -> None:
    new_store.folder = tmp_path_factory.mktemp("new-store")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests first: they take longest."""
    items.sort(key=lambda item: _WEB not in item.path.parents)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give each worker whole files, in order: what a file's tests share is made once, and whether one of them
    passes is not up to what ran before it. The browser tests share a server: one worker has them all."""
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            return "tests/web" if file.startswith("tests/web/") else file

    config.option.loadscopereorder = False
    return ByFile(config, log)
