"""What all tests share: that `tests` itself can be imported from, how properties are searched, in what order
tests are run, and that bytecode is kept."""

import logging
import os
import sys
from pathlib import Path

import pytest
from hypothesis import settings

# A search says what is true, not how fast: on a busy machine a deadline fails for no fault of the code.
# `make test` tries the same examples each time, so that a change is judged by what it changes;
# `make test-long` searches for new ones.
settings.register_profile("same", deadline=None, derandomize=True)
settings.register_profile("search", deadline=None)
settings.load_profile("same")

# A test that starts a server in this process lets all logging through; what the tests' own client says of
# its requests is none of the server's.
logging.getLogger("httpx").setLevel(logging.WARNING)

# Tests start some hundred processes: each would compile all of watchglass again, 0.8 s of processor a time.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests first: one after the other, they stay with the worker that has started the browser, for
    tests are taken over by another worker from the end of what one has left."""
    items.sort(key=lambda item: Path(__file__).parent / "web" not in item.path.parents)
